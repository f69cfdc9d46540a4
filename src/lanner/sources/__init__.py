"""Event sources for plugins: each reconnects, reports its health, and stops at once.

Python imports each name of this package at its first use.
"""

from lanner._lazy import lazy_names

TYPE_CHECKING = False  # type checkers know the name; importing it from typing costs time
if TYPE_CHECKING:
    from lanner.sdk.hosting.statefile import StateFile, StateTexts
    from lanner.sources.backoff import Backoff
    from lanner.sources.feed import Feed
    from lanner.sources.pages import PollRequest, PollResponse
    from lanner.sources.policy import Policy
    from lanner.sources.polling import Poll, poll
    from lanner.sources.programs import Program, program
    from lanner.sources.queues import Queue, queue
    from lanner.sources.signatures import Hmac, Signature, Token, WebhookRequest
    from lanner.sources.tailing import Tail, tail
    from lanner.sources.waiting import Counters, Flag, wait
    from lanner.sources.webhooks import Webhook, webhook

_HOMES = {
    "Backoff": ".backoff",
    "Counters": ".waiting",
    "Feed": ".feed",
    "Flag": ".waiting",
    "Hmac": ".signatures",
    "Policy": ".policy",
    "Poll": ".polling",
    "PollRequest": ".pages",
    "PollResponse": ".pages",
    "Program": ".programs",
    "Queue": ".queues",
    "Signature": ".signatures",
    "StateFile": "lanner.sdk.hosting.statefile",
    "StateTexts": "lanner.sdk.hosting.statefile",
    "Tail": ".tailing",
    "Token": ".signatures",
    "Webhook": ".webhooks",
    "WebhookRequest": ".signatures",
    "poll": ".polling",
    "program": ".programs",
    "queue": ".queues",
    "tail": ".tailing",
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
    "Poll",
    "PollRequest",
    "PollResponse",
    "Program",
    "Queue",
    "Signature",
    "StateFile",
    "StateTexts",
    "Tail",
    "Token",
    "Webhook",
    "WebhookRequest",
    "poll",
    "program",
    "queue",
    "tail",
    "wait",
    "webhook",
]

if not TYPE_CHECKING:  # a checker would take every name for one of the package
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
