"""Payloads that are lines: of a pattern, logfmt and CEF, and JSON pointers beside them. The events are the lines of the open parameters."""

from collections.abc import Iterator

import lanner
from lanner import KEY, cef, field, logfmt, payload

line = lanner.pattern(r'(?P<client>\S+) \[(?P<time>[^\]]*)\] "(?P<request>[^"]*)"(?: (?P<status>\d+))?')


class Texts(lanner.Plugin):
    """Lines of text."""

    id, name, version, event_source = 4248, "texts", "0.1.0", "texts"
    contact = "github.com/you/texts"
    timestamp = line["time"].time("clf")
    fields = (
        field("texts.client", line["client"], "The client"),
        field("texts.path", line["request"].after(" ").before(" "), "The path"),
        field("texts.status", line["status"].integer(), "The status"),
        field("texts.level", logfmt["level"], "The level"),
        field("texts.key", logfmt[KEY], "The value of a key"),
        field("texts.vendor", cef["deviceVendor"], "The vendor"),
        field("texts.pointer", payload.pointer(KEY), "As json.value"),
        field("texts.json", payload["level"], "The level in JSON"),
    )

    def open(self, params: str) -> Iterator[bytes]:
        for text in params.splitlines():
            yield text.encode().replace(b"<FF>", b"\xff")


class TextPlaces(Texts):
    """Lines of text, with the places of the values."""

    id, name, event_source = 4249, "textplaces", "textplaces"
    value_offsets = True
