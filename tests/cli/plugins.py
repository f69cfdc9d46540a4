"""Plugins for the tests here, run as `lanner run tests/cli/plugins.py:Class`."""

import base64
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import lanner

MOMENT = 1_700_000_000_000_000_000


class Words(lanner.Plugin):
    """Words out of the open parameters: base64, separated by spaces."""

    id, name, version, event_source = 4243, "words", "0.1.0", "words"
    contact = "the tests"
    hint = "say something"

    def open(self, params: str) -> Iterator[lanner.Event]:
        for place, word in enumerate(params.split(",")):
            yield lanner.Event(base64.b64decode(word), timestamp=MOMENT + place)

    def event_to_string(self, event: lanner.Event) -> str:
        if event.payload == b"surrogate":
            return "\ud800"
        return super().event_to_string(event)

    @lanner.field("words.text", "The word")
    def text(self, event: lanner.Event) -> str:
        if event.payload == b"fail":
            raise ValueError("no such word")
        return event.payload.decode("utf-8", "surrogateescape")


class Suggesting(Words):
    """A plugin whose field is suggested for outputs."""

    name = "suggesting"
    fields = (lanner.field("words.length", lanner.payload["length"], "The length", add_output=True),)


class Quiet(Words):
    """A plugin that yields a number of words, then no more."""

    name = event_source = "quiet"

    def open(self, params: str) -> "ThenNothing":
        return ThenNothing(super().open(params))


class Choosy(Words):
    """A plugin whose source has one event."""

    name = event_source = "choosy"

    def check_open_params(self, params: str) -> None:
        if params != "front":
            raise lanner.UsageError(f"there is no door {params!r}")


class ThenNothing:
    def __init__(self, events: Iterator[lanner.Event]) -> None:
        self._events = events
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[lanner.Event]:
        return self

    def __next__(self) -> lanner.Event:
        event = next(self._events, None)
        if event is None:
            self._closed.wait()
            raise StopIteration
        return event

    def close(self) -> None:
        self._closed.set()


class Nudging(Words):
    """A plugin whose source often yields NOTHING."""

    name = event_source = "nudging"

    def open(self, _params: str) -> "Reader":
        return Reader()


class Reader:
    def read_chunk(self, timeout: float) -> lanner.Nothing:
        threading.Event().wait(min(timeout, 0.05))
        return lanner.NOTHING


class Hinting(Nudging):
    """A plugin with a hint of two lines."""

    name = event_source = "hinting"
    hint = "say something\nsay more"


class Stuck(Words):
    """Closing its source does not come to an end."""

    name = event_source = "stuck"

    def open(self, params: str) -> "Chunks | Items":
        return Chunks() if params == "chunks" else Items()


class Hanging:
    def __init__(self) -> None:
        self._first = True

    def read(self) -> bytes:
        if not self._first:
            sys.stderr.write("waiting\n")
            threading.Event().wait()
        self._first = False
        return b"first\n"

    def close(self) -> None:
        sys.stderr.write("close() was called\n")
        threading.Event().wait()


class Chunks(Hanging):
    def read_chunk(self, _timeout: float) -> bytes:
        return self.read()


class Items(Hanging):
    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self.read()


class Deaf(Words):
    """A plugin whose source blocks in a library call, and ignores that it is closed."""

    name = event_source = "deaf"

    def open(self, params: str) -> "Iterator[bytes] | AsyncIterator[bytes] | DeafChunks":
        return {"chunks": DeafChunks, "generator": deaf_generator, "async": deaf_async_generator}[params]()


class DeafChunks(Hanging):
    def read_chunk(self, _timeout: float) -> bytes:
        return self.read()

    def close(self) -> None:
        pass


def deaf_generator() -> Iterator[bytes]:
    source = DeafChunks()
    while True:
        yield source.read().strip()


async def deaf_async_generator() -> AsyncIterator[bytes]:
    source = DeafChunks()
    while True:
        yield source.read().strip()


class Pretty(Words):
    """A plugin whose payloads are JSON with a time, over several lines."""

    name = event_source = "pretty"
    timestamp = lanner.payload["at"].time("ns")
    fields = (lanner.field("pretty.name", lanner.payload["name"], "The name"),)


class Broken(Words):
    """A plugin whose source fails after the first event."""

    name = event_source = "broken"

    def open(self, params: str) -> Iterator[lanner.Event]:
        yield from super().open(params)
        raise OSError("the wire was cut")


class Away(Words):
    """A source that cannot be read: a generator, an async generator, or an iterator, as the open parameters say."""

    name = event_source = "away"

    def open(self, params: str) -> "Iterator[bytes] | AsyncIterator[bytes]":
        return {"async": _read_async, "iterator": _Lines}.get(params, _read)()


def _read() -> Iterator[bytes]:
    with Path("/nonexistent/events").open("rb") as file:
        yield from file


async def _read_async() -> AsyncIterator[bytes]:
    for line in _read():
        yield line


class _Lines:
    def __iter__(self) -> Iterator[bytes]:
        return Path("/nonexistent/events").open("rb")


class Loud(Words):
    """A plugin that prints in each of its methods."""

    name = event_source = "loud"

    def __init__(self) -> None:
        print("in init", flush=True)  # noqa: T201

    def open(self, params: str) -> Iterator[lanner.Event]:
        print("in open")  # noqa: T201
        yield from super().open(params)

    @lanner.field("loud.text", "The word")
    def loud(self, event: lanner.Event) -> str:
        print("in a field")  # noqa: T201
        return super().text(event)


class Extractor(lanner.Plugin):
    """No source."""

    name, version, contact = "extractor", "0.1.0", "the tests"
    extract_sources = ("words",)

    @lanner.field("extractor.length", "Length of the payload")
    def length(self, event: lanner.Event) -> int:
        return len(event.payload)


class Copy(Extractor):
    """A plugin with a field of another plugin."""

    name = "copy"


class Stranger(lanner.Plugin):
    """An extractor for events of another source."""

    name, version, contact = "stranger", "0.1.0", "the tests"
    extract_sources = ("k8s_audit",)

    @lanner.field("stranger.size", "Size of the payload")
    def size(self, event: lanner.Event) -> int:
        return len(event.payload)


class Every(lanner.Plugin):
    """An extractor for events of all sources."""

    name, version, contact = "every", "0.1.0", "the tests"
    extract_sources = lanner.ANY

    @lanner.field("every.size", "Size of the payload")
    def size(self, event: lanner.Event) -> int:
        assert event.source
        return len(event.payload)


class Ticks(Words):
    """Numbers from 0 on, about a thousand per second, up to the number in the open parameters; then silence."""

    name = event_source = "ticks"

    def open(self, params: str) -> "ThenNothing":
        return ThenNothing(self._count(int(params)))

    def _count(self, most: int) -> Iterator[lanner.Event]:
        pause = threading.Event()
        for number in range(most):
            yield lanner.Event(str(number), timestamp=MOMENT + number)
            pause.wait(0.001)


class Checked(Words):
    """Words, with a check for `lanner doctor`."""

    name = event_source = "checked"

    def checks(self) -> list[lanner.Check]:
        return [lanner.Check("dictionary", lambda: [lanner.Finding.problem("there is no dictionary", "Install one")])]


class Unchecked(Words):
    """Words, with a bug in its checks."""

    name = event_source = "unchecked"

    def checks(self) -> list[lanner.Check]:
        raise KeyError("dictionary")


class Unlooked(Words):
    """Words, with checks that have bugs."""

    name = event_source = "unlooked"

    def checks(self) -> list[lanner.Check]:
        return [
            lanner.Check("dictionary", lambda: [lanner.Finding.ok({}["dictionary"])]),
            lanner.Check("a word", lambda: ["word"]),  # type: ignore[list-item]
            lanner.Check("its end", lambda: sys.exit(3)),
        ]

    def fields_without_values(self) -> dict[str, str]:
        raise KeyError("prefixes")


class Refusing(lanner.Plugin):
    """Refuses values at the place and with the error that the environment names. With the open parameters `chunks` it reads chunks."""

    id, name, version, event_source, contact = 4250, "refusing", "0.1.0", "refusing", "the tests"

    def __init__(self) -> None:
        self._refuse("__init__")

    def check_open_params(self, params: str) -> None:
        self._refuse("check_open_params")

    def open(self, params: str) -> "Iterator[bytes] | _Chunks":
        self._refuse("open")
        return _Chunks(self._events()) if params == "chunks" else self._events()

    def _events(self) -> Iterator[bytes]:
        self._refuse("first event")
        yield b"an event"
        self._refuse("second event")

    def _refuse(self, place: str) -> None:
        refusing, _, error = os.environ["REFUSES"].partition(": ")
        if place == refusing:
            raise getattr(lanner, error, ValueError)("no such door")


class _Chunks:
    def __init__(self, events: Iterator[bytes]) -> None:
        self._events = events

    def read_chunk(self, timeout: float) -> bytes:
        return next(self._events, b"") + b"\n"
