"""Recordings: events in a file, one a line, written by `lanner record` and read by `--replay`.

A plugin whose payload is JSON and tells the event's time is recorded as it is, a payload a line (for docker, what
`docker events --format '{{json .}}'` prints). Any other plugin's events go into an envelope, an object a line:
{"ts": nanoseconds since 1970, "payload": base64}. Which form it is follows from the plugin, never from the file.
"""

from __future__ import annotations

import operator
import os
import sys
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Final

from lanner.sdk.errors import SourceError
from lanner.sdk.framing import new_framer
from lanner.sdk.sources import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.sdk.plugin import PluginInfo

_BLOCK: Final = 512 * 1024


def needs_envelope(info: PluginInfo) -> bool:
    """Whether the plugin's events are recorded in an envelope: its payload does not tell the time."""
    return info.timestamp is None


class Replay:
    """A recording as a source. Events come in blocks, with the times that the recording tells; the clock plays no part."""

    def __init__(self, path: str, info: PluginInfo) -> None:
        """Open `path` ("-": standard input). Raises `SourceError`."""
        try:
            self._descriptor = sys.stdin.fileno() if path == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise SourceError(f"cannot read the recording {path}: {reason}") from None
        self._path = path
        self._framer = new_framer()
        self._envelope = needs_envelope(info)
        self._closed = False
        self.counters: dict[str, int] = {}
        self.description = path

    def next_batch(self, timeout: float) -> Batch:  # noqa: ARG002 - a file does not keep one waiting
        """See `lanner.sdk.sources.Source`."""
        if self._closed:
            return Batch([], ended=True)
        try:
            block = os.read(self._descriptor, _BLOCK)
        except OSError as error:
            raise SourceError(f"cannot read the recording {self._path}: {error.strerror}") from None
        lines = self._framer.feed(block) if block else self._framer.end()
        if self._framer.too_long:
            self.counters["lines too long"] = self._framer.too_long
        batch = self._unwrap(lines) if self._envelope else Batch(lines)
        batch.ended = not block
        return batch

    def close(self) -> None:
        """See `lanner.sdk.sources.Source`."""
        self._closed = True

    def _unwrap(self, lines: Sequence[bytes]) -> Batch:
        import msgspec

        payloads: list[bytes] = []
        timestamps: list[int | None] = []
        for line in lines:
            try:
                envelope = msgspec.json.decode(line)
                payload, timestamp = b64decode(envelope["payload"], validate=True), envelope["ts"]
                timestamp = operator.index(timestamp)
            except (msgspec.DecodeError, UnicodeDecodeError, ValueError, TypeError, KeyError):
                self.counters["lines that are no envelope"] = self.counters.get("lines that are no envelope", 0) + 1
                continue
            payloads.append(payload)
            timestamps.append(timestamp)
        return Batch(payloads, timestamps)


def recorded(payload: bytes, timestamp: int, info: PluginInfo) -> bytes:
    """The line, without its newline, that records an event."""
    if not needs_envelope(info):
        return payload

    return b'{"ts":%d,"payload":"%s"}' % (timestamp, b64encode(payload))
