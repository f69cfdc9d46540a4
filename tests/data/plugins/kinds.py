"""A plugin of each combination of capabilities, and of each kind of event source that an extractor can read."""

import lanner
from lanner import payload

NUMBER = lanner.field("kinds.number", payload["n"].integer(), "The number of the event")


class Base(lanner.Plugin, abstract=True):
    """A plugin of kinds.py"""

    name, version, contact = "kinds", "0.1.0", "github.com/you/kinds"


class Sources(Base):
    """Has an event source and no fields."""

    id, event_source = 4250, "kinds"

    def open(self, params: str) -> "list[bytes]":
        return [b'{"n": 1}', b'{"n": 2}']


class Extracts(Base):
    """Reads the events of another source."""

    extract_sources = ("other",)
    fields = (NUMBER,)

    @lanner.field("kinds.doubled", "Twice the number")
    def doubled(self, event: lanner.Event) -> int:
        return 2 * int(event.json["n"])


class ExtractsKernel(Extracts):
    """Names the source of kernel events, as every Falco has it."""

    extract_sources = ("syscall", "other")


class ExtractsAny(Extracts):
    """Reads the events of all sources."""

    extract_sources = lanner.ANY


class Both(Sources):
    """Has an event source and fields."""

    fields = (NUMBER,)


class BothAndMore(Both):
    """Reads the events of a source of another plugin as well."""

    extract_sources = ("other",)
