"""Falco plugins in Python: the public API for plugin authors.

A plugin is one class that derives from `lanner.Plugin`. Python imports each name of this module at its first use, so that
`import lanner` is fast.
"""

from lanner._lazy import lazy_names
from lanner._version import __version__

TYPE_CHECKING = False  # type checkers know the name; importing it from typing costs more than all the rest here
if TYPE_CHECKING:
    from msgspec import Meta

    from lanner import rules, testing
    from lanner.sdk.address import Address
    from lanner.sdk.annotations import Abstime, Reltime
    from lanner.sdk.batches import Batch, Source
    from lanner.sdk.checks import Check, Finding, check_disk
    from lanner.sdk.config import Config
    from lanner.sdk.errors import ConfigError, DefinitionError, LannerError, PayloadError, SourceError, UsageError
    from lanner.sdk.events import NOTHING, Chunk, Event, Nothing
    from lanner.sdk.fields import field
    from lanner.sdk.lookup import look_up
    from lanner.sdk.plugin import ANY, Plugin
    from lanner.sdk.protocols import ChunkReader, Opened, OpenInstance, Payload
    from lanner.sdk.values import INDEX, KEY, payload

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
    "DefinitionError": "lanner.sdk.errors",
    "Event": "lanner.sdk.events",
    "Finding": "lanner.sdk.checks",
    "INDEX": "lanner.sdk.values",
    "KEY": "lanner.sdk.values",
    "LannerError": "lanner.sdk.errors",
    "Meta": "msgspec",
    "NOTHING": "lanner.sdk.events",
    "Nothing": "lanner.sdk.events",
    "OpenInstance": "lanner.sdk.protocols",
    "Opened": "lanner.sdk.protocols",
    "Payload": "lanner.sdk.protocols",
    "PayloadError": "lanner.sdk.errors",
    "Plugin": "lanner.sdk.plugin",
    "Reltime": "lanner.sdk.annotations",
    "Source": "lanner.sdk.batches",
    "SourceError": "lanner.sdk.errors",
    "check_disk": "lanner.sdk.checks",
    "UsageError": "lanner.sdk.errors",
    "field": "lanner.sdk.fields",
    "look_up": "lanner.sdk.lookup",
    "payload": "lanner.sdk.values",
    "rules": "",
    "testing": "",
}

__all__ = [
    "ANY",
    "INDEX",
    "KEY",
    "NOTHING",
    "Abstime",
    "Address",
    "Batch",
    "Check",
    "Chunk",
    "ChunkReader",
    "Config",
    "ConfigError",
    "DefinitionError",
    "Event",
    "Finding",
    "LannerError",
    "Meta",
    "Nothing",
    "OpenInstance",
    "Opened",
    "Payload",
    "PayloadError",
    "Plugin",
    "Reltime",
    "Source",
    "SourceError",
    "UsageError",
    "__version__",
    "check_disk",
    "field",
    "look_up",
    "payload",
    "rules",
    "testing",
]


if not TYPE_CHECKING:  # a checker would take every name for one of the package
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
