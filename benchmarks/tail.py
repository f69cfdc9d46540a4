"""Lines per second of `lanner.sources.tail` beside plain Python that reads the same file line by line."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import lanner
from benchmarks.measure import progress, require, size, table
from lanner import sources
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.plugin_init import init_plugin

COUNT = size(500_000, 2_000)
LINE = '203.0.113.7 - - [29/Nov/2026:12:00:00 +0000] "GET /item/{:08} HTTP/1.1" 200 1234 "-" "Mozilla/5.0 (X11; Linux x86_64)"\n'


class ReturnedFeed(lanner.Plugin):
    """`open` returns the source."""

    id, name, version, event_source, contact = 999, "returned", "0.1.0", "returned", "the benchmarks"

    def open(self, params: str, position: str | None) -> sources.Tail:
        return sources.tail(params, position=position)


class YieldedFeed(lanner.Plugin):
    """`open` is a generator."""

    id, name, version, event_source, contact = 999, "yielded", "0.1.0", "yielded", "the benchmarks"

    def open(self, params: str, position: str | None) -> Iterator[lanner.Event]:
        yield from sources.tail(params, position=position)


def read_plainly(path: str) -> int:
    """Read the lines as a script would."""
    count = 0
    with Path(path).open("rb") as file:
        for line in file:
            count += bool(line.rstrip(b"\n"))
    return count


def read_as(cls: type[lanner.Plugin]) -> Callable[[str], int]:
    """Return a function that reads the lines of a file as a host reads them from the plugin."""

    def read(path: str) -> int:
        source = open_source(init_plugin(cls), path)
        count = 0
        while count < COUNT:
            count += len(source.next_batch(10.0).payloads)
        source.close()
        return count

    return read


def main() -> None:
    """Measure all three, best of three."""
    progress("tail")
    with tempfile.NamedTemporaryFile("w") as file:
        file.writelines(LINE.format(number) for number in range(COUNT))
        file.flush()
        readers = {
            "plain Python, for line in file": read_plainly,
            "tail, returned by open": read_as(ReturnedFeed),
            "tail, read by a generator": read_as(YieldedFeed),
        }
        seconds: dict[str, float] = {}
        for name, read in readers.items():
            for _ in range(3):
                begin = time.process_time()
                count = read(file.name)
                seconds[name] = min(seconds.get(name, float("inf")), time.process_time() - begin)
                require(name, COUNT, count)
    limit = next(iter(seconds.values()))
    rows = [[name, f"{COUNT / taken:,.0f}", f"{taken / limit:.1f}x"] for name, taken in seconds.items()]
    table(f"{COUNT:,} lines of {len(LINE.format(0))} bytes, best of 3", ["", "lines/s of CPU", "time / plain"], rows)


if __name__ == "__main__":
    main()
