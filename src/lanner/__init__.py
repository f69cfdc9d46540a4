"""Falco plugins in Python: the public API for plugin authors.

A plugin is one class that derives from `lanner.Plugin`. Python imports each name of this module at its first use, so that
`import lanner` is fast.
"""

from lanner._lazy import lazy_names
from lanner._version import __version__

TYPE_CHECKING = False  # type checkers know the name; importing it from typing costs more than all the rest here
if TYPE_CHECKING:
    from msgspec import Meta

    from lanner import rules, sources, testing
    from lanner.native import Dechunker, Framer, ObjectFramer
    from lanner.sdk.authoring.annotations import Abstime, Reltime
    from lanner.sdk.authoring.checks import Check, Finding, check_disk
    from lanner.sdk.authoring.events import NOTHING, Chunk, Event, Json, Nothing
    from lanner.sdk.authoring.fields import field, gate
    from lanner.sdk.authoring.plugin import ANY, Plugin
    from lanner.sdk.authoring.positions import Position
    from lanner.sdk.authoring.protocols import OpenInstance, OpenResult, Payload
    from lanner.sdk.errors import ConfigError, DefinitionError, LannerError, PayloadError, SourceError, UsageError
    from lanner.sdk.files import check_regular, read_whole
    from lanner.sdk.hosting.batches import Batch
    from lanner.sdk.hosting.framing import MAX_LINE
    from lanner.sdk.lookup import look_up
    from lanner.sdk.options.address import Address
    from lanner.sdk.options.config import Config
    from lanner.sdk.options.secrets import Secret
    from lanner.sdk.payload.patterns import Pattern, cef, logfmt, pattern
    from lanner.sdk.payload.text_values import concat, text
    from lanner.sdk.payload.values import Path, Value, item, payload
    from lanner.sdk.payload.words import EACH, INDEX, KEY
    from lanner.sdk.text.misspelt import suggest_name
    from lanner.sdk.text.moments import parse_moment
    from lanner.sdk.text.printable import printable_line

_HOMES = {
    "ANY": "lanner.sdk.authoring.plugin",
    "Abstime": "lanner.sdk.authoring.annotations",
    "Address": "lanner.sdk.options.address",
    "Batch": "lanner.sdk.hosting.batches",
    "Check": "lanner.sdk.authoring.checks",
    "Chunk": "lanner.sdk.authoring.events",
    "ChunkReader": "lanner.sdk.authoring.chunk_reader",
    "Config": "lanner.sdk.options.config",
    "ConfigError": "lanner.sdk.errors",
    "Dechunker": "lanner.native",
    "DefinitionError": "lanner.sdk.errors",
    "Event": "lanner.sdk.authoring.events",
    "Finding": "lanner.sdk.authoring.checks",
    "Framer": "lanner.native",
    "EACH": "lanner.sdk.payload.words",
    "INDEX": "lanner.sdk.payload.words",
    "Json": "lanner.sdk.authoring.events",
    "KEY": "lanner.sdk.payload.words",
    "LannerError": "lanner.sdk.errors",
    "MAX_LINE": "lanner.sdk.hosting.framing",
    "Meta": "msgspec",
    "NOTHING": "lanner.sdk.authoring.events",
    "Nothing": "lanner.sdk.authoring.events",
    "ObjectFramer": "lanner.native",
    "OpenInstance": "lanner.sdk.authoring.protocols",
    "OpenResult": "lanner.sdk.authoring.protocols",
    "Path": "lanner.sdk.payload.values",
    "Pattern": "lanner.sdk.payload.patterns",
    "Payload": "lanner.sdk.authoring.protocols",
    "PayloadError": "lanner.sdk.errors",
    "Plugin": "lanner.sdk.authoring.plugin",
    "Position": "lanner.sdk.authoring.positions",
    "Reltime": "lanner.sdk.authoring.annotations",
    "Secret": "lanner.sdk.options.secrets",
    "Source": "lanner.sdk.hosting.event_source",
    "SourceError": "lanner.sdk.errors",
    "UsageError": "lanner.sdk.errors",
    "Value": "lanner.sdk.payload.values",
    "cef": "lanner.sdk.payload.patterns",
    "check_disk": "lanner.sdk.authoring.checks",
    "check_regular": "lanner.sdk.files",
    "concat": "lanner.sdk.payload.text_values",
    "field": "lanner.sdk.authoring.fields",
    "gate": "lanner.sdk.authoring.fields",
    "item": "lanner.sdk.payload.values",
    "logfmt": "lanner.sdk.payload.patterns",
    "look_up": "lanner.sdk.lookup",
    "parse_moment": "lanner.sdk.text.moments",
    "pattern": "lanner.sdk.payload.patterns",
    "payload": "lanner.sdk.payload.values",
    "printable_line": "lanner.sdk.text.printable",
    "read_whole": "lanner.sdk.files",
    "rules": "",
    "sources": "",
    "suggest_name": "lanner.sdk.text.misspelt",
    "testing": "",
    "text": "lanner.sdk.payload.text_values",
}

__all__ = [
    "ANY",
    "EACH",
    "INDEX",
    "KEY",
    "MAX_LINE",
    "NOTHING",
    "Abstime",
    "Address",
    "Batch",
    "Check",
    "Chunk",
    "ChunkReader",
    "Config",
    "ConfigError",
    "Dechunker",
    "DefinitionError",
    "Event",
    "Finding",
    "Framer",
    "Json",
    "LannerError",
    "Meta",
    "Nothing",
    "ObjectFramer",
    "OpenInstance",
    "OpenResult",
    "Path",
    "Pattern",
    "Payload",
    "PayloadError",
    "Plugin",
    "Position",
    "Reltime",
    "Secret",
    "Source",
    "SourceError",
    "UsageError",
    "Value",
    "__version__",
    "cef",
    "check_disk",
    "check_regular",
    "concat",
    "field",
    "gate",
    "item",
    "logfmt",
    "look_up",
    "parse_moment",
    "pattern",
    "payload",
    "printable_line",
    "read_whole",
    "rules",
    "sources",
    "suggest_name",
    "testing",
    "text",
]


if not TYPE_CHECKING:  # a checker would take every name for one of the package
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
