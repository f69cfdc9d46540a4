"""The cursor: how far a host has come with each engine's events, in a file, so that it can go on there after a restart.

The file is JSON: {"version": 1, "hosts": {NAME: {"last": ns since 1970, "ids": ["ns-16 hex digits", ...]}}}. It is replaced as a whole,
and on disk before it counts. One that cannot be understood is set aside and told of, never used in part.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Final

import msgspec

import lanner
from lanner.docker.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanner.docker.seen import Identity

_VERSION: Final = 1
_LARGEST: Final = 64 * 1024 * 1024
_UINT64: Final = 1 << 64


class CursorError(ValueError):
    """The file is no cursor, or of a version that is not known."""


def read_cursor(path: str) -> dict[str, Seen]:
    """What was seen of each engine; nothing where there is no file. Raises `SourceError`, or `CursorError` for a file that is no cursor."""
    try:
        with open(path, "rb") as file:
            text = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise lanner.SourceError(f"cannot read the cursor {path}: {error.strerror}. Choose a file that Lanner may read and write") from None
    if len(text) > _LARGEST:
        raise CursorError("it is too large")
    try:
        found = msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:
        raise CursorError(f"it is no JSON ({error})") from None
    if not isinstance(found, dict) or not isinstance(found.get("hosts"), dict):
        raise CursorError("it has no `hosts`")
    if found.get("version") != _VERSION:
        raise CursorError(f"its version is {found.get('version')!r}, and {_VERSION} is the one that is known")
    return {name: _seen(name, place) for name, place in found["hosts"].items()}


def _seen(name: str, place: Any) -> Seen:
    try:
        last, ids = place["last"], place["ids"]
        if type(last) is int and 0 <= last < _UINT64:
            return Seen(last, [_identity(text) for text in ids])
    except (TypeError, KeyError, ValueError):
        pass
    raise CursorError(f"what it says of {name!r} cannot be understood")


def _identity(text: str) -> Identity:
    time, _, digest = text.partition("-")
    if not (time.isascii() and time.isdigit() and len(time) < 20 and len(digest) == 16):
        raise ValueError(text)
    return int(time), bytes.fromhex(digest)


def _text(identity: Identity) -> str:
    return f"{identity[0]}-{identity[1].hex()}"


def write_cursor(path: str, places: Mapping[str, Seen]) -> None:
    """Replace the file. Raises OSError; the old one is whole then."""
    hosts = {
        name: {"last": seen.last, "ids": [f"{time}-{digest.hex()}" for time, digest in seen.recent()]} for name, seen in places.items()
    }
    text = msgspec.json.encode({"version": _VERSION, "hosts": hosts})
    temporary = f"{path}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        view = memoryview(text)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    except BaseException:
        os.unlink(temporary)
        raise
    finally:
        os.close(descriptor)
    os.replace(temporary, path)
    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


class Cursor:
    """Writes the file from a thread of its own, at most every `interval` seconds; after `close` at once.

    `places` are what the host has dealt with of each engine, for whoever holds `lock`.
    """

    def __init__(self, path: str, places: dict[str, Seen], interval: float) -> None:
        """Write it once. Raises `SourceError` where that cannot be."""
        self._path, self.places, self._interval = path, places, interval
        self.lock = threading.Lock()
        self._writing = threading.Lock()
        self._changed = threading.Event()
        self._closed = threading.Event()
        self.failures = 0
        self._failing = False
        try:
            write_cursor(path, places)
        except OSError as error:
            raise lanner.SourceError(
                f"cannot write the cursor {path}: {error.strerror}. Choose a file in a directory that Lanner may write to"
            ) from None
        self._thread = threading.Thread(target=self._run, name="lanner-cursor", daemon=True)
        self._thread.start()

    def changed(self) -> None:
        """Have it written, soon."""
        if self._closed.is_set():
            self._write()
        else:
            self._changed.set()

    def close(self) -> None:
        """Write what there is, and go on without the thread."""
        self._closed.set()
        self._changed.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        while not self._closed.is_set():
            self._changed.wait()
            self._changed.clear()
            self._write()
            self._closed.wait(self._interval)
        self._write()

    def _write(self) -> None:
        with self._writing:
            with self.lock:
                places = {name: Seen(seen.last, seen.recent()) for name, seen in self.places.items()}
            try:
                write_cursor(self._path, places)
            except OSError as error:
                self._failed(error)
            else:
                self._failing = False

    def _failed(self, error: OSError) -> None:
        self.failures += 1
        if not self._failing:
            import logging  # rare

            self._failing = True
            logging.getLogger("lanner.plugin.docker").error(
                "cannot write the cursor %s: %s; events may be seen again after a restart until that is mended", self._path, error.strerror
            )
        if not self._closed.is_set():
            self._changed.set()  # try again after the interval
