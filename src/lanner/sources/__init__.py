"""Event sources for plugins: each reconnects, reports its health, and stops at once.

Python imports each name of this package at its first use.
"""

from lanner._lazy import lazy_names

TYPE_CHECKING = False  # type checkers know the name; importing it from typing costs time
if TYPE_CHECKING:
    from lanner.sdk.statefile import StateFile, StateTexts
    from lanner.sources.backoff import Backoff
    from lanner.sources.feed import Feed
    from lanner.sources.waiting import Counters, Flag, Policy, wait

_HOMES = {
    "Backoff": ".backoff",
    "Counters": ".waiting",
    "Feed": ".feed",
    "Flag": ".waiting",
    "Policy": ".waiting",
    "StateFile": "lanner.sdk.statefile",
    "StateTexts": "lanner.sdk.statefile",
    "wait": ".waiting",
}

__all__ = [
    "Backoff",
    "Counters",
    "Feed",
    "Flag",
    "Policy",
    "StateFile",
    "StateTexts",
    "wait",
]

if not TYPE_CHECKING:  # a checker would take every name for one of the package
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
