"""Falco plugins in Python: the public API for plugin authors.

A plugin is one class that derives from `lanner.Plugin`. Python imports each name of this module at its first use, so that
`import lanner` is fast.
"""

from importlib import import_module

from lanner._version import __version__

TYPE_CHECKING = False  # type checkers know the name; importing it from typing costs more than all the rest here
if TYPE_CHECKING:
    from msgspec import Meta

    from lanner import testing
    from lanner.sdk.address import Address
    from lanner.sdk.annotations import Abstime, Reltime
    from lanner.sdk.config import Config
    from lanner.sdk.errors import ConfigError, DefinitionError, LannerError, PayloadError, SourceError, UsageError
    from lanner.sdk.events import NOTHING, Chunk, Event, Nothing
    from lanner.sdk.fields import field
    from lanner.sdk.lookup import look_up
    from lanner.sdk.plugin import ANY, Plugin
    from lanner.sdk.values import INDEX, KEY, payload

_HOMES = {
    "ANY": "lanner.sdk.plugin",
    "Abstime": "lanner.sdk.annotations",
    "Address": "lanner.sdk.address",
    "Chunk": "lanner.sdk.events",
    "Config": "lanner.sdk.config",
    "ConfigError": "lanner.sdk.errors",
    "DefinitionError": "lanner.sdk.errors",
    "Event": "lanner.sdk.events",
    "INDEX": "lanner.sdk.values",
    "KEY": "lanner.sdk.values",
    "LannerError": "lanner.sdk.errors",
    "Meta": "msgspec",
    "NOTHING": "lanner.sdk.events",
    "Nothing": "lanner.sdk.events",
    "PayloadError": "lanner.sdk.errors",
    "Plugin": "lanner.sdk.plugin",
    "Reltime": "lanner.sdk.annotations",
    "SourceError": "lanner.sdk.errors",
    "UsageError": "lanner.sdk.errors",
    "field": "lanner.sdk.fields",
    "look_up": "lanner.sdk.lookup",
    "payload": "lanner.sdk.values",
}

__all__ = [
    "ANY",
    "INDEX",
    "KEY",
    "NOTHING",
    "Abstime",
    "Address",
    "Chunk",
    "Config",
    "ConfigError",
    "DefinitionError",
    "Event",
    "LannerError",
    "Meta",
    "Nothing",
    "PayloadError",
    "Plugin",
    "Reltime",
    "SourceError",
    "UsageError",
    "__version__",
    "field",
    "look_up",
    "payload",
    "testing",
]


def __getattr__(name: str) -> object:
    if name == "testing":
        return import_module("lanner.testing")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'lanner' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
