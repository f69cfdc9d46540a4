"""Recordings: files with one event per line, written by `lanner record` and read by `--replay`.

If a plugin's payload is JSON and contains the event's time, it is recorded unchanged, one payload per line (for docker, the output of
`docker events --format '{{json .}}'`). The reader also accepts objects over several lines, several per line, and arrays of objects. The
writer puts JSON over several lines on one, with a carriage return for each newline:
both are whitespace between tokens and invalid in strings, so every field keeps its value. Other
plugins' events are wrapped in an envelope, one object per line: {"ts": nanoseconds since 1970, "payload": base64}.

The reader decides for each line. If the plugin's payloads have no time or are lines of text (a pattern, logfmt, CEF), it unwraps
envelopes, and any other line is an event without a time. For JSON with a time, a file that begins with an envelope belongs to another
plugin. A byte order mark before the first line is skipped.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import os
import select
import stat
from base64 import b64encode
from typing import TYPE_CHECKING, Final

from lanner.host.compressed import HEAD, Unpacker, check_head
from lanner.host.payload_forms import line_forms, reads_only_json
from lanner.native import ObjectFramer, Reader
from lanner.sdk.errors import SourceError
from lanner.sdk.hosting.batches import Batch
from lanner.sdk.hosting.framing import MAX_LINE, new_framer, warn_too_long
from lanner.sdk.text.misspelt import suggest_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.native import Framer
    from lanner.sdk.authoring.plugin import PluginInfo

_BLOCK: Final = 1 << 20
_UINT64: Final = 1 << 64
_MARK: Final = b"\xef\xbb\xbf"
_FORM: Final = '{"ts": nanoseconds, "payload": base64}'
"""The form of an envelope, for messages."""


def needs_envelope(info: PluginInfo) -> bool:
    """Return whether the plugin's events are recorded in envelopes because their payload has no time."""
    return info.timestamp is None


def open_recording(path: str | Sequence[str], info: PluginInfo) -> Replay:
    """Open the recordings in these files, one after the other, compressed with gzip or zstd or not. Raises `SourceError`.

    A path may be a glob pattern, `example` for the plugin's own recording, or "-" for standard input.
    """
    return Replay(list_recordings(path, info), info)


def check_recordings(path: str | Sequence[str], info: PluginInfo) -> None:
    """Raise the `SourceError` of missing or unsupported files that `open_recording` would raise. Pipes are not opened."""
    for each in list_recordings(path, info):
        _size(each)


def list_recordings(path: str | Sequence[str], info: PluginInfo) -> list[str]:
    """Return the files of `open_recording`. Raises `SourceError`."""
    paths = [path] if isinstance(path, str) else path
    return [found for each in paths for found in _expand(each, info)]


def _expand(path: str, info: PluginInfo) -> list[str]:
    if path == "-" or os.path.exists(path):  # noqa: PTH110 - as the rest of this module
        return [path]
    if path == "example":
        if info.example is None:
            raise SourceError(f"the plugin {info.name} ships no recording: name a file made by `lanner record`")
        return [info.example]
    if not glob.has_magic(path):
        return [path]  # opening it reports the error
    found = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - of strings
    if not found:
        raise SourceError(f"cannot read the recording {path}: no file matches")
    return found


class Replay:
    """Recordings as a source. Events come in blocks, with the times in the recording, as fast as they are read."""

    def __init__(self, paths: Sequence[str], info: PluginInfo) -> None:
        """Open the first of `paths` ("-": standard input), and check that the others can be opened. Raises `SourceError`."""
        sizes = [_size(path) for path in paths]
        self.total = None if None in sizes else sum(size for size in sizes if size is not None)
        """Total size of all files in bytes, or None if unknown (a pipe)."""
        self.read = 0
        """Number of bytes read so far."""
        self._paths = list(paths)
        self._descriptor = -1
        # reading a pipe may block: close() ends the wait
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._framer: Framer | ObjectFramer = ObjectFramer(MAX_LINE, multiline=True) if reads_only_json(info) else new_framer()
        self._unwrapper = _line_unwrapper() if line_forms(info) or needs_envelope(info) else None
        self._info = info
        self._closed = False
        self.tells_time = info.timestamp is None
        """Whether an event had a time, or the plugin's payloads have none."""
        self.counters: dict[str, int] = {}
        self.connections: dict[str, bool] = {}
        self.position = 0
        self.stuck = ""
        self.commits_itself = False
        self.description = ", ".join(paths)
        self._open_next()

    def _open_next(self) -> None:
        self._path = self._paths.pop(0)
        self._leave()
        try:
            self._descriptor = os.dup(0) if self._path == "-" else os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (OSError, ValueError) as error:
            raise _make_read_error(self._path, error) from None
        self._at_start = self._begins = True
        with contextlib.suppress(OSError):  # a larger buffer, if it is a pipe
            fcntl.fcntl(self._descriptor, fcntl.F_SETPIPE_SZ, _BLOCK)
        self._unpacker = Unpacker(self._path)
        self._poll = select.poll()
        for descriptor in (self._descriptor, self._wake):
            self._poll.register(descriptor, select.POLLIN)

    def _leave(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def next_batch(self, timeout: float, _most: int = 0) -> Batch:
        """See `lanner.sdk.hosting.event_source.Source`."""
        block = b"" if self._closed else self._unpacker.piece()
        if not block:
            ready = None if self._closed else self._poll.poll(timeout * 1000)
            if self._closed:
                return Batch([], ended=True)
            if not ready:
                return Batch([])
            data = self._read()
            self._unpacker.feed(data)
            block = self._unpacker.piece()
            if not block and data:
                return Batch([])
        lines = self._framer.feed(self._drop_mark(block)) if block else self._framer.end()
        self._check_first(lines)
        if self._framer.too_long > self.counters.get("lines too long", 0):
            self.counters["lines too long"] = self._framer.too_long
            warn_too_long(self._info.name)
        batch = Batch(*map(list, zip(*map(self._unwrapper, lines), strict=True))) if self._unwrapper and lines else Batch(lines)
        if not self.tells_time:
            self._look_for_times(batch.payloads)
        if not block:
            batch.ended = not self._paths
            if self._paths:
                self._open_next()
        return batch

    def _drop_mark(self, block: bytes) -> bytes:
        """Return the block without a byte order mark if it is the first of a file."""
        if self._at_start:
            self._at_start = False
            return block.removeprefix(_MARK)
        return block

    def _check_first(self, lines: Sequence[bytes]) -> None:
        """Raise `SourceError` if the first line of a file shows that another plugin recorded it."""
        if not self._begins or not lines:
            return
        self._begins = False
        if self._unwrapper is None and _is_foreign(lines[0], self._info):
            name = self._info.name
            raise SourceError(
                f"{self._path} is not a recording of {name}: it is one of a plugin whose payload has no time (lines {_FORM}). "
                f"Make one with `lanner record {name} -o FILE`"
            )

    def _look_for_times(self, lines: Sequence[bytes]) -> None:
        assert self._info.timestamp is not None
        reader = Reader([self._info.timestamp.data()])
        self.tells_time = any(reader.load(line) and reader.get(0) is not None for line in lines)

    def _read(self) -> bytes:
        """Read a block, or the bytes that are available now (a pipe returns few at once)."""
        parts: list[bytes] = []
        wanted = _BLOCK
        try:
            while wanted > 0:
                part = os.read(self._descriptor, wanted)
                # the next read meets the end of the file again
                if not part:
                    break
                parts.append(part)
                wanted -= len(part)
                if all(descriptor != self._descriptor for descriptor, _ in self._poll.poll(0)):
                    break
        except OSError as error:
            raise _make_read_error(self._path, error) from None
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        self.read += len(data)
        return data

    def commit(self, position: int) -> None:
        """See `lanner.sdk.hosting.event_source.Source`: a replay does not resume after a restart."""

    def close(self) -> None:
        """See `lanner.sdk.hosting.event_source.Source`."""
        self._closed = True
        os.eventfd_write(self._wake, 1)

    def __del__(self) -> None:
        # closed here, not in close(): another thread may be waiting on these descriptors
        for name in ("_descriptor", "_wake"):
            if self.__dict__.get(name, -1) >= 0:
                os.close(self.__dict__[name])


def _make_read_error(path: str, error: Exception) -> SourceError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    near = suggest_file(path) if isinstance(error, FileNotFoundError) else ""
    return SourceError(f"cannot read the recording {path or repr(path)}: {reason}{near}")


def _size(path: str) -> int | None:
    """Return the file's size, or None for other kinds of file. Raises `SourceError` if it cannot be read or decompressed here."""
    if path == "-":
        return None
    try:
        found = os.stat(path)  # noqa: PTH116 - as the rest of this module
        if stat.S_ISDIR(found.st_mode):
            raise SourceError(f"cannot read the recording {path}: it is a directory; name its files, as in '{path.rstrip('/')}/*'")
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if not stat.S_ISREG(found.st_mode):
            return None
        with open(path, "rb") as file:  # noqa: PTH123
            check_head(path, file.read(HEAD))
    except (OSError, ValueError) as error:
        raise _make_read_error(path, error) from None
    return found.st_size


def no_recording(path: str, info: PluginInfo, *, is_json: bool = False) -> str:
    """Return the message for a file without events of the plugin. `is_json`: it has other objects."""
    if is_json:
        what = f"is JSON with a time as in events of {info.name}, and no rule matched"
    elif line_forms(info):
        what = "has a form that its fields read"
    else:
        what = f"is JSON or has the form {_FORM}" if needs_envelope(info) else "is JSON"
    return f"{path} is not a recording of {info.name}: none of its lines {what}. Make one with `lanner record {info.name} -o FILE`"


def _is_foreign(line: bytes, info: PluginInfo) -> bool:
    """Return whether the line is an envelope, and not an event with a time as this plugin's have."""
    try:
        _unwrapper()(line)
    except (ValueError, RecursionError):
        return False
    assert info.timestamp is not None
    reader = Reader([info.timestamp.data()])
    return reader.load(line) and reader.get(0) is None


def _line_unwrapper() -> Callable[[bytes], tuple[bytes, int | None]]:
    """Return a function that parses an envelope, and returns any other line as the payload of an event without a time."""
    unwrap = _unwrapper()

    def unwrap_line(line: bytes) -> tuple[bytes, int | None]:
        if not line.startswith(b"{"):
            return line, None
        try:
            return unwrap(line)
        except (ValueError, RecursionError):
            return line, None

    return unwrap_line


def _unwrapper() -> Callable[[bytes], tuple[bytes, int]]:
    """Return a function that parses an envelope. It raises `ValueError` or `RecursionError` for anything else."""
    import msgspec

    class Envelope(msgspec.Struct, forbid_unknown_fields=True):
        ts: int
        payload: bytes

    decode = msgspec.json.Decoder(Envelope).decode

    def unwrap(line: bytes) -> tuple[bytes, int]:
        envelope = decode(line)
        if not 0 <= envelope.ts < _UINT64:
            raise ValueError(envelope.ts)
        return envelope.payload, envelope.ts

    return unwrap


def record_line(payload: bytes, timestamp: int, info: PluginInfo) -> bytes:
    """Return the line that records an event, without its newline."""
    is_line = bool(line_forms(info))
    if not needs_envelope(info) and is_line:
        line = payload.removesuffix(b"\n")
        # others would not be the same event when they are read
        if line.strip() and b"\n" not in line and not line.startswith(b"{"):
            return line
    if not needs_envelope(info) and not is_line:
        return payload.replace(b"\n", b"\r").strip() or b"null"  # an empty line would not be an event
    return b'{"ts":%d,"payload":"%s"}' % (timestamp, b64encode(payload))
