"""A plugin with a field of each type and form, and a source of what events come in the open parameters."""

import atexit
import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Annotated

import neighbour

import lanner
from lanner import INDEX, KEY, Meta, field, payload

if "pytest" not in sys.modules:
    atexit.register(lambda: sys.stderr.write("every: the process ends\n"))


class EveryConfig(lanner.Config):
    """Options of `init_config`."""

    flush_interval: Annotated[int, Meta(ge=1, le=1000, description="Milliseconds that a batch may wait")] = 5
    refuse: Annotated[bool, Meta(description="Whether the plugin's own code refuses to start")] = False


class Every(lanner.Plugin):
    """Has everything."""

    id, name, version, event_source = 4243, "every", "1.2.3", "every"
    contact = "github.com/you/every"
    config: EveryConfig
    timestamp = payload["at"].time("ms")
    fields = (
        field("every.text", payload["text"], "A text"),
        field("every.first", payload["missing"] | payload["text"], "The first of two"),
        field("every.number", payload["number"].integer(), "A number"),
        field("every.time", payload["at"].time("ms"), "A time"),
        field("every.before", payload["text"].before(":"), "Before the colon"),
        field("every.after_last", payload["text"].after_last(":"), "After the last colon"),
        field("every.after", payload["text"].after(":"), "After the colon"),
        field("every.keys", payload["map"].keys(), "Names"),
        field("every.map", payload["map", KEY], "One of them"),
        field("every.item", payload["list", INDEX], "One of a list"),
        field("every.deep", payload["map", "deep", "er"], "Deep inside"),
    )

    def __init__(self) -> None:
        if self.config.refuse:
            raise RuntimeError("it will not")

    def open(self, params: str) -> Iterator[lanner.Event | bytes | str]:
        """A JSON list: of texts, the payloads; of pairs, payloads with their times; {"raise": text} fails."""
        if params == "refuse":
            raise ValueError("cannot open that")
        return self._events(params)

    def _events(self, params: str) -> Iterator[lanner.Event | bytes | str]:
        for item in json.loads(params or "[]"):
            if isinstance(item, dict):
                raise OSError(item["raise"])
            if isinstance(item, list):
                yield lanner.Event(item[0], item[1])
            else:
                yield neighbour.to_payload(item)

    def progress(self) -> float:
        return 0.25

    def list_open_params(self) -> list[tuple[str, str]]:
        return [("[]", "no events")]

    def event_to_string(self, event: lanner.Event) -> str:
        return f"<{event.payload.decode('utf-8', 'replace')}>"

    @lanner.field("every.str", "A text, by a method")
    def text(self, event: lanner.Event) -> str | None:
        return event.json.get("text")

    @lanner.field("every.upper", "With a key")
    def upper(self, event: lanner.Event, key: str) -> str | None:
        value = event.json.get(key)
        return value.upper() if isinstance(value, str) else None

    @lanner.field("every.nth", "With an index")
    def nth(self, event: lanner.Event, index: int = 0) -> int | None:
        found = event.json.get("numbers", [])
        return found[index] if index < len(found) else None

    @lanner.field("every.both", "With a key or an index")
    def both(self, event: lanner.Event, key: str = "", index: int = -1) -> str:
        return f"key {key!r} index {index}"

    @lanner.field("every.bool", "True or false")
    def is_true(self, event: lanner.Event) -> bool | None:
        return event.json.get("bool")

    @lanner.field("every.abstime", "A point in time")
    def when(self, event: lanner.Event) -> datetime:
        return datetime.fromtimestamp(event.json.get("at", 0) / 1000, UTC)

    @lanner.field("every.reltime", "A span")
    def span(self, event: lanner.Event) -> timedelta:
        return timedelta(milliseconds=event.json.get("at", 0) % 1000)

    @lanner.field("every.ip", "An address")
    def ip(self, event: lanner.Event) -> IPv4Address | IPv6Address:
        return IPv6Address("fe80::1") if event.json.get("six") else IPv4Address("10.0.0.1")

    @lanner.field("every.net", "A network")
    def net(self, event: lanner.Event) -> IPv4Network | IPv6Network:
        return IPv6Network("fd00::/8") if event.json.get("six") else IPv4Network("10.0.0.0/8")

    @lanner.field("every.texts", "Texts")
    def texts(self, event: lanner.Event) -> list[str]:
        return [str(item) for item in event.json.get("texts", [])]

    @lanner.field("every.numbers", "Numbers")
    def numbers(self, event: lanner.Event) -> list[int]:
        return event.json.get("numbers", [])

    @lanner.field("every.ips", "Addresses")
    def ips(self, event: lanner.Event) -> list[IPv4Address]:
        return [IPv4Address(item) for item in event.json.get("ips", [])]

    @lanner.field("every.known", "What the event says of itself")
    def known(self, event: lanner.Event) -> str:
        return f"{event.source} {event.timestamp} {event.number}"

    @lanner.field("every.raises", "Fails where it is told to")
    def raises(self, event: lanner.Event) -> str | None:
        if event.json.get("raise"):
            logging.getLogger("every").warning("about to raise")
            raise KeyError(event.json["raise"])
        return None

    @lanner.field("every.exits", "Fails rudely")
    def exits(self, event: lanner.Event) -> str | None:
        if event.json.get("exit"):
            sys.exit(3)
        return None

    @lanner.field("every.wrong", "Returns what it has not declared")
    def wrong(self, event: lanner.Event) -> int | None:
        return event.json.get("wrong")
