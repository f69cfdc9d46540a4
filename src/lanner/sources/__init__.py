"""Event sources for plugins: each reconnects, reports its health, and stops at once.

Python imports each name of this package at its first use.
"""

from lanner._lazy import lazy_names

TYPE_CHECKING = False  # type checkers know the name; importing it from typing costs time
if TYPE_CHECKING:
    from lanner.sdk.statefile import StateFile, StateTexts
    from lanner.sources.backoff import Backoff
    from lanner.sources.exchange import PollRequest, PollResponse
    from lanner.sources.feed import Feed
    from lanner.sources.polling import poll
    from lanner.sources.signatures import Hmac, Signature, Token, WebhookRequest
    from lanner.sources.waiting import Counters, Flag, Policy, wait
    from lanner.sources.webhooks import webhook

_HOMES = {
    "Backoff": ".backoff",
    "Counters": ".waiting",
    "Feed": ".feed",
    "Flag": ".waiting",
    "Hmac": ".signatures",
    "Policy": ".waiting",
    "PollRequest": ".exchange",
    "PollResponse": ".exchange",
    "Signature": ".signatures",
    "StateFile": "lanner.sdk.statefile",
    "StateTexts": "lanner.sdk.statefile",
    "Token": ".signatures",
    "WebhookRequest": ".signatures",
    "poll": ".polling",
    "wait": ".waiting",
    "webhook": ".webhooks",
}

__all__ = [
    "Backoff",
    "Counters",
    "Feed",
    "Flag",
    "Hmac",
    "Policy",
    "PollRequest",
    "PollResponse",
    "Signature",
    "StateFile",
    "StateTexts",
    "Token",
    "WebhookRequest",
    "poll",
    "wait",
    "webhook",
]

if not TYPE_CHECKING:  # a checker would take every name for one of the package
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
