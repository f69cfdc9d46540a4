"""Support for tests of plugins and rules.

`host` runs a plugin class, `Rules` runs rules on events, and `rule` a single one. `clock` and `recorded_http` replace time and a server.
Python imports each name at its first use. Import other helpers (a real
Docker engine, an image registry) from the modules of this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanner._lazy import lazy_names

if TYPE_CHECKING:
    from lanner.testing.moving_clock import Clock, clock
    from lanner.testing.recorded import HttpRecording, HttpRequest, recorded_http
    from lanner.testing.replayed import ReplayResult
    from lanner.testing.rule_files import Rules
    from lanner.testing.running import Host, host
    from lanner.testing.single import RuleOnTrial, rule

_HOMES = {
    "Clock": ".moving_clock",
    "Host": ".running",
    "HttpRecording": ".recorded",
    "HttpRequest": ".recorded",
    "ReplayResult": ".replayed",
    "RuleOnTrial": ".single",
    "Rules": ".rule_files",
    "clock": ".moving_clock",
    "host": ".running",
    "recorded_http": ".recorded",
    "rule": ".single",
}

__all__ = [
    "Clock",
    "Host",
    "HttpRecording",
    "HttpRequest",
    "ReplayResult",
    "RuleOnTrial",
    "Rules",
    "clock",
    "host",
    "recorded_http",
    "rule",
]

if not TYPE_CHECKING:  # a checker would take every name for one of the package
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
