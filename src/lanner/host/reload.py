"""Rules and configuration loaded again while a run goes on: on demand (SIGHUP) and when a file changes.

A `Reloader` has one thread, in which everything new is made and checked; the run takes it over when it is whole, or goes on with what it
has. What there is to be made and what a failure looks like is told to it. Files are watched by their directories, so that those that
are replaced (editors, configuration management, Kubernetes' links) are seen as well as those that are written.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_QUIET: Final = 0.1
"""Seconds without another change after which files are read, as in Falco."""
_LEAVE_AFTER: Final = 2.0

Fingerprint: TypeAlias = "tuple[tuple[str, int, int, int], ...]"


class Reloader:
    """Calls `load` in a thread of its own when asked, or when one of `files` has changed. `failed` hears what went wrong.

    `files` gives the paths that count now, files and directories of files; None: nothing is watched.
    """

    def __init__(self, load: Callable[[], None], failed: Callable[[str], None], files: Callable[[], Iterable[str]] | None) -> None:
        self._load, self._failed, self._files = load, failed, files
        self._asked = self._ended = False
        self._waking = threading.Lock()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._wake, select.POLLIN)
        self._watcher = Watcher(self._poll) if files is not None else None
        self._seen = self._look()
        self.succeeded = self.failures = 0
        self.last_error = ""
        self._thread = threading.Thread(target=self._run, name="lanner-reload", daemon=True)
        self._thread.start()

    def ask(self) -> None:
        """Load again, whether or not a file has changed."""
        self._asked = True
        self._wake_up()

    def close(self) -> None:
        """End the thread; one that is loading may take a moment."""
        self._ended = True
        self._wake_up()
        self._thread.join(_LEAVE_AFTER)

    def _wake_up(self) -> None:
        with self._waking:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        try:
            while not self._ended:
                self._poll.poll()
                self._drain()
                while not self._ended and self._poll.poll(_QUIET * 1000):
                    self._drain()
                if not self._ended and self._is_new():
                    self._once()
        finally:
            if self._watcher is not None:
                self._watcher.close()
            with self._waking:
                os.close(self._wake)
                self._wake = -1

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        if self._watcher is not None:
            self._watcher.drain()

    def _look(self) -> Fingerprint:
        """Watch the files that count now; what they look like."""
        if self._files is None or self._watcher is None:
            return ()
        paths = [*self._files()]
        self._watcher.watch(directories_of(paths))
        return fingerprint(paths)

    def _is_new(self) -> bool:
        asked, self._asked = self._asked, False
        seen, self._seen = self._seen, self._look()
        return asked or seen != self._seen

    def _once(self) -> None:
        begin = time.monotonic()
        try:
            self._load()
        except LannerError as error:
            self._note(str(error))
        except Exception as error:
            logging.getLogger("lanner.reload").exception("loading again failed")
            self._note(f"{type(error).__name__}: {error}")
        else:
            self.succeeded += 1
            self.last_error = ""
            logging.getLogger("lanner.reload").debug("loaded again in %.2f s", time.monotonic() - begin)
        # what was loaded may name other files than before; a change since the files were read is another one
        if self._files is not None and self._watcher is not None:
            self._watcher.watch(directories_of(self._files()))

    def _note(self, message: str) -> None:
        self.failures += 1
        self.last_error = message
        self._failed(message)


class Watcher:
    """Directories watched by inotify(7), on a poll object of somebody else's."""

    def __init__(self, poll: select.poll) -> None:
        from inotify_simple import INotify, flags  # ctypes is not small, and not for a run that watches no file

        self._inotify = INotify(nonblocking=True)
        self._mask = flags.CLOSE_WRITE | flags.CREATE | flags.DELETE | flags.MOVED_FROM | flags.MOVED_TO | flags.ATTRIB | flags.DELETE_SELF
        self._watched: dict[str, int] = {}
        poll.register(self._inotify.fileno(), select.POLLIN)

    def watch(self, directories: set[str]) -> None:
        """Watch these, and no others any more. What cannot be watched is logged."""
        for gone in self._watched.keys() - directories:
            with suppress(OSError):  # the directory went away, and its watch with it
                self._inotify.rm_watch(self._watched[gone])
            del self._watched[gone]
        for directory in directories:
            try:
                self._watched[directory] = self._inotify.add_watch(directory, self._mask)
            except OSError as error:
                logging.getLogger("lanner.reload").warning(
                    "%s cannot be watched: %s; SIGHUP loads its files again", directory, error.strerror
                )

    def drain(self) -> None:
        """Forget what has happened."""
        self._inotify.read(timeout=0)

    def close(self) -> None:
        """Let go."""
        self._inotify.close()


def fingerprint(paths: Iterable[str]) -> Fingerprint:
    """What tells that a file is another one: its inode, its size and when it was written."""
    found = []
    for path in paths:
        for file in _files_in(path):
            try:
                status = os.stat(file)  # noqa: PTH116 - many files, often
            except OSError:
                found.append((file, 0, 0, 0))
            else:
                found.append((file, status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(found)


def directories_of(paths: Iterable[str]) -> set[str]:
    """The directories in which a change of one of the paths shows: its own, and that of what a link leads to."""
    found = set()
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112
            found.add(os.path.abspath(path))  # noqa: PTH100
        for each in (os.path.abspath(path), os.path.realpath(path)):  # noqa: PTH100
            found.add(os.path.dirname(each))  # noqa: PTH120
    return {each for each in found if os.path.isdir(each)}  # noqa: PTH112


def _files_in(path: str) -> list[str]:
    try:
        return sorted(entry.path for entry in os.scandir(path))
    except OSError:  # no directory
        return [path]
