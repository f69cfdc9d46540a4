"""An event source that never ends, and a field that is a method."""

import itertools
import time
from collections.abc import Iterator

import lanner


class Counter(lanner.Plugin):
    """An endless counter."""

    id, name, version, event_source = 4242, "counter", "0.1.0", "counter"
    contact = "github.com/you/counter"

    def open(self, _params: str) -> Iterator[str]:
        for number in itertools.count():
            yield str(number)
            time.sleep(0.1)

    @lanner.field("counter.value", "The number")
    def value(self, event: lanner.Event) -> int:
        return int(event.payload)
