"""A file with the state of a run: locked by one run, replaced atomically, and set aside if it is unreadable.

A separate thread writes it, about once per interval, so that a slow disk blocks no other thread. As the file is replaced, the run locks
a second file, `.lock`.
"""

from __future__ import annotations

import fcntl
import os
import stat
import threading
import time

from lanner.sdk.errors import SourceError
from lanner.sdk.files import read_whole
from lanner.sdk.hosting.opening import current_opening
from lanner.sdk.typing_marks import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from logging import Logger
    from typing import Final

MAX_STATE: Final = 64 * 1024 * 1024
"""Bytes of a file that is read."""
_LEAVE_AFTER: Final = 5.0


class StateTexts(NamedTuple):
    """Words of messages: a noun for the file (`cursor`), and advice to choose another place, after "cannot write" and after "in use"."""

    noun: str
    place: str
    other: str


class StateFile:
    """A locked file at `path` that is replaced atomically.

    `content` returns the bytes to write, or None to leave the file unchanged. `failed` is called after each failed write. A change is
    written `interval` seconds later, so that a run that fails early leaves the file unchanged. With `at_once`, a change after a quiet
    interval is written immediately.

    Raises `SourceError` if no file can be written there, or another run uses it, and `UsageError` if the host writes its outputs there.
    """

    def __init__(
        self,
        path: str,
        interval: float,
        texts: StateTexts,
        content: Callable[[], bytes | None],
        failed: Callable[[], object],
        log: Callable[[], Logger],
        *,
        at_once: bool = False,
    ) -> None:
        self.path: str = os.path.realpath(os.path.expanduser(path))
        self._new = self.path + ".tmp"
        self._interval, self._texts, self._content, self._failed, self._log = interval, texts, content, failed, log
        self._at_once = at_once
        self._is_failing = self._closed = False
        self._writing = threading.Lock()
        self._changed, self._closing = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._opening = current_opening()
        if self._opening is not None:
            self._opening.add_files(self._list_files)
        self.damaged_at: int | None = None
        """When the file was last written, ns since 1970, if it was set aside; else None."""
        self._lock = self._lock_file()
        try:
            self._check_directory()
        except SourceError:
            self.close()
            raise

    def read(self) -> bytes | None:
        """Return the content; None without a file, or after an unreadable one was set aside. Raises `SourceError` if that fails."""
        try:
            return read_whole(self.path, MAX_STATE, pipes=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.set_aside((error.strerror or str(error)).lower())
            return None

    def set_aside(self, reason: str) -> None:
        """Rename the unreadable file and log that. Raises `SourceError` if that fails."""
        self.damaged_at = _read_time(self.path)
        aside, noun = self.path + ".bad", self._texts.noun
        try:
            os.replace(self.path, aside)
        except OSError as error:
            raise SourceError(
                f"cannot read the {noun} {self.path} ({reason}), nor rename it ({error.strerror}): move it away, or correct its permissions"
            ) from None
        self._log().warning(
            "cannot read the %s %s: %s. It is kept as %s; Lanner begins without it, and events since it was written may be missing. "
            "Look through what happened since then, and delete the file",
            noun,
            self.path,
            reason,
            aside,
        )

    def change(self) -> None:
        """Write the content soon."""
        if not self._changed.is_set():  # the thread clears it before it reads the content
            self._changed.set()
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name=f"lanner-{self._texts.noun}", daemon=True)
            self._thread.start()

    def flush(self) -> None:
        """Write unwritten changes now."""
        with self._writing:
            if not self._changed.is_set():
                return
            self._changed.clear()
            try:
                self._write()
            except OSError as error:
                self._failed()
                if not self._is_failing:
                    self._log().warning(
                        "cannot write the %s %s: %s; Lanner retries, and until then a restart repeats events",
                        self._texts.noun,
                        self.path,
                        error.strerror,
                    )
                self._is_failing = True
                if not self._closed:
                    self._changed.set()
            else:
                self._is_failing = False

    def close(self) -> None:
        """Write unwritten changes and unlock the file."""
        self._closed = True
        self._closing.set()
        if self._thread is None:
            self.flush()
        else:
            self._changed.set()  # ends its wait
            self._thread.join(_LEAVE_AFTER)
        if self._thread is not None and self._thread.is_alive():
            # it may yet write: the lock is kept until the process ends, so that no other run's file is replaced
            text = "the disk did not take the %s %s within %g s: a restart repeats events"
            self._log().warning(text, self._texts.noun, self.path, _LEAVE_AFTER)
        elif self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
        if self._opening is not None:
            self._opening.remove_files(self._list_files)

    def _list_files(self, _: Sequence[str]) -> list[tuple[str, str]]:
        return [(f"keeps the {self._texts.noun} in", path) for path in (self.path, self.path + ".lock")]

    def _run(self) -> None:
        closing = False
        while not closing:
            self._changed.wait()
            if self._at_once:
                self.flush()
            # read before the write: changes during the write need another write
            closing = self._closing.wait(self._interval)
            if closing or not self._at_once:
                self.flush()

    def _write(self) -> None:
        content = self._content()
        if content is None:
            return
        descriptor = self._open_new()
        try:
            try:
                left = memoryview(content)
                while left:
                    left = left[os.write(descriptor, left) :]
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
            os.rename(self._new, self.path)
        except OSError:
            os.unlink(self._new)
            raise
        directory = os.open(os.path.dirname(self.path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _open_new(self) -> int:
        # never follow a link that another user has created there
        create = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            return os.open(self._new, create, 0o600)
        except FileExistsError:  # left by a run that was killed while writing
            os.unlink(self._new)
            return os.open(self._new, create, 0o600)

    def _check_directory(self) -> None:
        # with the lock: another run may be writing the new file
        try:
            os.close(self._open_new())
            os.unlink(self._new)
        except OSError as error:
            raise self._make_write_error(error) from None
        if os.path.isdir(self.path):
            raise SourceError(f"cannot write the {self._texts.noun} {self.path}: it is a directory; {self._texts.place}")

    def _make_write_error(self, error: OSError | ValueError) -> SourceError:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return SourceError(f"cannot write the {self._texts.noun} {self.path}: {said.lower()}; {self._texts.place}")

    def _lock_file(self) -> int:
        """Return a descriptor that locks the file while it is open."""
        noun, path = self._texts.noun, self.path
        try:
            descriptor = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except ValueError as error:
            raise self._make_write_error(error) from None
        except OSError as error:
            if not os.path.lexists(path + ".lock"):  # no file can be created there
                raise self._make_write_error(error) from None
            raise SourceError(f"cannot lock the {noun} {path}: {path}.lock: {(error.strerror or str(error)).lower()}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise SourceError(f"the {noun} {path} is in use by another run of the plugin: {self._texts.other}") from None
        return descriptor


def _read_time(path: str) -> int:
    """Return when a file was last written, ns since 1970; now, if it is not a regular file."""
    try:
        status = os.stat(path)
    except OSError:
        return time.time_ns()
    return status.st_mtime_ns if stat.S_ISREG(status.st_mode) else time.time_ns()
