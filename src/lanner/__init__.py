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
    from lanner.sdk.address import Address
    from lanner.sdk.annotations import Abstime, Reltime
    from lanner.sdk.batches import Batch, Source
    from lanner.sdk.checks import Check, Finding, check_disk
    from lanner.sdk.config import Config
    from lanner.sdk.errors import ConfigError, DefinitionError, LannerError, PayloadError, SourceError, UsageError
    from lanner.sdk.events import NOTHING, Chunk, Event, Json, Nothing
    from lanner.sdk.fields import field, gate
    from lanner.sdk.files import check_regular, read_whole
    from lanner.sdk.framing import MAX_LINE
    from lanner.sdk.lookup import look_up
    from lanner.sdk.misspelt import suggest_name
    from lanner.sdk.moments import parse_moment
    from lanner.sdk.patterns import Pattern, cef, logfmt, pattern
    from lanner.sdk.plugin import ANY, Plugin
    from lanner.sdk.positions import Position
    from lanner.sdk.printable import printable_line
    from lanner.sdk.protocols import ChunkReader, OpenInstance, OpenResult, Payload
    from lanner.sdk.secrets import Secret
    from lanner.sdk.text_values import concat, text
    from lanner.sdk.values import Path, Value, item, payload
    from lanner.sdk.words import EACH, INDEX, KEY

_HOMES = {
    "ANY": "lanner.sdk.plugin",
    "Abstime": "lanner.sdk.annotations",
    "Address": "lanner.sdk.address",
    "Batch": "lanner.sdk.batches",
    "Check": "lanner.sdk.checks",
    "Chunk": "lanner.sdk.events",
    "ChunkReader": "lanner.sdk.protocols",
    "Config": "lanner.sdk.config",
    "ConfigError": "lanner.sdk.errors",
    "Dechunker": "lanner.native",
    "DefinitionError": "lanner.sdk.errors",
    "Event": "lanner.sdk.events",
    "Finding": "lanner.sdk.checks",
    "Framer": "lanner.native",
    "EACH": "lanner.sdk.words",
    "INDEX": "lanner.sdk.words",
    "Json": "lanner.sdk.events",
    "KEY": "lanner.sdk.words",
    "LannerError": "lanner.sdk.errors",
    "MAX_LINE": "lanner.sdk.framing",
    "Meta": "msgspec",
    "NOTHING": "lanner.sdk.events",
    "Nothing": "lanner.sdk.events",
    "ObjectFramer": "lanner.native",
    "OpenInstance": "lanner.sdk.protocols",
    "OpenResult": "lanner.sdk.protocols",
    "Path": "lanner.sdk.values",
    "Pattern": "lanner.sdk.patterns",
    "Payload": "lanner.sdk.protocols",
    "PayloadError": "lanner.sdk.errors",
    "Plugin": "lanner.sdk.plugin",
    "Position": "lanner.sdk.positions",
    "Reltime": "lanner.sdk.annotations",
    "Secret": "lanner.sdk.secrets",
    "Source": "lanner.sdk.batches",
    "SourceError": "lanner.sdk.errors",
    "UsageError": "lanner.sdk.errors",
    "Value": "lanner.sdk.values",
    "cef": "lanner.sdk.patterns",
    "check_disk": "lanner.sdk.checks",
    "check_regular": "lanner.sdk.files",
    "concat": "lanner.sdk.text_values",
    "field": "lanner.sdk.fields",
    "gate": "lanner.sdk.fields",
    "item": "lanner.sdk.values",
    "logfmt": "lanner.sdk.patterns",
    "look_up": "lanner.sdk.lookup",
    "parse_moment": "lanner.sdk.moments",
    "pattern": "lanner.sdk.patterns",
    "payload": "lanner.sdk.values",
    "printable_line": "lanner.sdk.printable",
    "read_whole": "lanner.sdk.files",
    "rules": "",
    "sources": "",
    "suggest_name": "lanner.sdk.misspelt",
    "testing": "",
    "text": "lanner.sdk.text_values",
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
