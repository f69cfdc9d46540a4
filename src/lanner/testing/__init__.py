"""Support for tests of plugins and rules.

`host` runs a plugin class, and `Rules` runs rules on events. Python imports each name at its first use. Import other helpers (a real
Docker engine, an image registry) from the modules of this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanner._lazy import lazy_names

if TYPE_CHECKING:
    from lanner.testing.replayed import ReplayResult, Rules
    from lanner.testing.running import Host, host

_HOMES = {
    "Host": ".running",
    "ReplayResult": ".replayed",
    "Rules": ".replayed",
    "host": ".running",
}

__all__ = [
    "Host",
    "ReplayResult",
    "Rules",
    "host",
]

if not TYPE_CHECKING:  # a checker would take every name for one of the package
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
