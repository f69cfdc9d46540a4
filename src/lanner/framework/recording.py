"""Recordings: events in a file, one a line, written by `lanner record` and read by `--replay`.

A plugin whose payload is JSON and tells the event's time is recorded as it is, a payload a line (for docker, what
`docker events --format '{{json .}}'` prints). JSON over several lines goes into one, with a carriage return for each newline:
between words of JSON that is white space too, and in a string both are wrong, so that each field keeps its value. Any other
plugin's events go into an envelope, an object a line: {"ts": nanoseconds since 1970, "payload": base64}. Which form it is follows
from the plugin, never from the file.
"""

from __future__ import annotations

import os
import select
from base64 import b64encode
from typing import TYPE_CHECKING, Final

from lanner.sdk.batches import Batch
from lanner.sdk.errors import SourceError
from lanner.sdk.framing import new_framer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.sdk.plugin import PluginInfo

_BLOCK: Final = 512 * 1024
_UINT64: Final = 1 << 64


def needs_envelope(info: PluginInfo) -> bool:
    """Whether the plugin's events are recorded in an envelope: its payload does not tell the time."""
    return info.timestamp is None


def open_recording(path: str, info: PluginInfo) -> Replay:
    """The recording in a file; `example` is the plugin's own, "-" standard input. Raises `SourceError`."""
    if path == "example" and info.example is not None and not os.path.exists(path):  # noqa: PTH110 - as the rest of this module
        path = info.example
    return Replay(path, info)


class Replay:
    """A recording as a source. Events come in blocks, with the times that the recording tells; the clock plays no part."""

    def __init__(self, path: str, info: PluginInfo) -> None:
        """Open `path` ("-": standard input). Raises `SourceError`."""
        try:
            self._descriptor = os.dup(0) if path == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise SourceError(f"cannot read the recording {path or repr(path)}: {reason}") from None
        # a pipe may keep one waiting: close() ends the wait
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._poll = select.poll()
        for descriptor in (self._descriptor, self._wake):
            self._poll.register(descriptor, select.POLLIN)
        self._path = path
        self._framer = new_framer()
        self._unwrapper = _unwrapper() if needs_envelope(info) else None
        self._closed = False
        self.counters: dict[str, int] = {}
        self.position = 0
        self.description = path

    def next_batch(self, timeout: float) -> Batch:
        """See `lanner.sdk.batches.Source`."""
        ready = None if self._closed else self._poll.poll(timeout * 1000)
        if self._closed:
            return Batch([], ended=True)
        if not ready:
            return Batch([])
        try:
            block = os.read(self._descriptor, _BLOCK)
        except OSError as error:
            raise SourceError(f"cannot read the recording {self._path}: {error.strerror}") from None
        lines = self._framer.feed(block) if block else self._framer.end()
        if self._framer.too_long:
            self.counters["lines too long"] = self._framer.too_long
        batch = self._unwrap(lines, self._unwrapper) if self._unwrapper else Batch(lines)
        batch.ended = not block
        return batch

    def commit(self, position: int) -> None:
        """See `lanner.sdk.batches.Source`: there is no going on after a restart."""

    def close(self) -> None:
        """See `lanner.sdk.batches.Source`."""
        self._closed = True
        os.eventfd_write(self._wake, 1)

    def __del__(self) -> None:
        # closed here and not in close(): another thread may be waiting on these descriptors
        for name in ("_descriptor", "_wake"):
            if name in self.__dict__:
                os.close(self.__dict__[name])

    def _unwrap(self, lines: Sequence[bytes], unwrap: Callable[[bytes], tuple[bytes, int]]) -> Batch:
        payloads: list[bytes] = []
        timestamps: list[int | None] = []
        for line in lines:
            try:
                payload, timestamp = unwrap(line)
            except (ValueError, RecursionError):
                self.counters["lines that are no envelope"] = self.counters.get("lines that are no envelope", 0) + 1
                continue
            payloads.append(payload)
            timestamps.append(timestamp)
        return Batch(payloads, timestamps)


def _unwrapper() -> Callable[[bytes], tuple[bytes, int]]:
    """A function that takes an envelope's line. Raises `ValueError` or `RecursionError` for what is none."""
    import msgspec

    class Envelope(msgspec.Struct):
        ts: int
        payload: bytes

    decode = msgspec.json.Decoder(Envelope).decode

    def unwrap(line: bytes) -> tuple[bytes, int]:
        envelope = decode(line)
        if not 0 <= envelope.ts < _UINT64:
            raise ValueError(envelope.ts)
        return envelope.payload, envelope.ts

    return unwrap


def recorded(payload: bytes, timestamp: int, info: PluginInfo) -> bytes:
    """The line, without its newline, that records an event."""
    if not needs_envelope(info):
        return payload.replace(b"\n", b"\r") or b" "  # an empty line would be no event
    return b'{"ts":%d,"payload":"%s"}' % (timestamp, b64encode(payload))
