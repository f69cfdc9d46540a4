"""A source that resumes: it counts on from its position, up to the number in its open parameters, and then waits for its end."""

import itertools
from collections.abc import Iterator

import lanner


class Counts(lanner.Plugin):
    """Counts."""

    id, name, version, event_source = 4245, "counts", "0.1.0", "counts"
    contact = "the tests"

    def open(self, params: str, position: int | None) -> Iterator[lanner.Event]:
        last, _, ending = params.partition(" ")
        for number in itertools.count((position or 0) + 1):
            if last and number > int(last):
                break
            yield lanner.Event(str(number), position=number)
        if ending != "ends":
            yield from Silence("silence").events()

    @lanner.field("counts.number", "The number")
    def number(self, event: lanner.Event) -> int:
        return int(event.payload)


class Silence(lanner.sources.Feed):
    """Waits for its end."""

    def events(self) -> Iterator[lanner.Event]:
        self.connections[self.name] = True
        self.wait(3600.0)
        return iter(())
