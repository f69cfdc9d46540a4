"""Support for tests of plugins and rules.

`host` runs a plugin class, and `Rules` runs rules on events. Python imports each name at its first use. Import other helpers (a real
Docker engine, an image registry) from the modules of this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lanner.testing.replayed import Replayed as Replayed
    from lanner.testing.replayed import Rules as Rules
    from lanner.testing.running import Host as Host
    from lanner.testing.running import host as host

_HOMES: Final = {"Host": "running", "Replayed": "replayed", "Rules": "replayed", "host": "running"}
__all__ = sorted(_HOMES)  # noqa: PLE0605 - one list of the names is enough


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value
