"""Polls an API, for tests that end and kill runs."""

from typing import Any

import lanner
from lanner import sources


class PollsConfig(lanner.Config):
    """The address."""

    url: str = "http://127.0.0.1:9/"
    token: str = ""


class Polls(lanner.Plugin):
    """Polls an API."""

    id, name, version, event_source, contact = 4242, "polls", "0.1.0", "polls", "github.com/you/polls"
    config: PollsConfig
    fields = (lanner.field("polls.id", lanner.payload["id"].integer(), "Number of the event"),)

    def open(self, _params: str, position: Any) -> sources.Poll:
        return sources.poll(self.config.url, every=0.01, position=position, cursor="at")
