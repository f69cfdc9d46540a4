"""Hot-reload of rules and configuration: on SIGHUP and when a file changes.

A `Reloader` has one thread, which creates and checks the new state. If that succeeds, the run exchanges it, otherwise the run keeps its
current state. The caller supplies both functions. Watching directories instead of files also notices files that
are replaced (by editors, configuration management, Kubernetes' symbolic links).
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
"""Quiet time in seconds after a change before the files are read, as in Falco."""
_LONGEST: Final = 2.0
"""Seconds after which the files are read in any case: an output in the same directory may change all the time."""
_LEAVE_AFTER: Final = 2.0

Fingerprint: TypeAlias = "tuple[tuple[str, int, int, int], ...]"


class Reloader:
    """Thread that calls `load` on request or when one of `files` changes, and `failed` with its error.

    `files` returns the current paths: files, and directories of files. None: nothing is watched.
    """

    def __init__(self, load: Callable[[], None], failed: Callable[[str], None], files: Callable[[], Iterable[str]] | None) -> None:
        self._load, self._failed, self._files = load, failed, files
        self._asked = self._ended = False
        self._waking = threading.Lock()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._wake, select.POLLIN)
        self._watcher = _make_watcher(self._poll) if files is not None else None
        self._seen = self._look()
        self.succeeded = self.failures = 0
        self.last_error = ""
        self._thread = threading.Thread(target=self._run, name="lanner-reload", daemon=True)
        self._thread.start()

    def ask(self) -> None:
        """Reload, whether or not a file has changed."""
        self._asked = True
        self._wake_up()

    def close(self) -> None:
        """Stop the thread. A reload in progress may take a moment."""
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
                latest = time.monotonic() + _LONGEST
                while not self._ended and time.monotonic() < latest and self._poll.poll(_QUIET * 1000):
                    self._drain()
                if not self._ended and self._is_new():
                    self._look_once()
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
        """Watch the current files and return their fingerprints."""
        if self._files is None or self._watcher is None:
            return ()
        paths = [*self._files()]
        self._watcher.watch(directories_of(paths))
        return fingerprint(paths)

    def _is_new(self) -> bool:
        asked, self._asked = self._asked, False
        seen, self._seen = self._seen, self._look()
        return asked or seen != self._seen

    def _look_once(self) -> None:
        begin = time.monotonic()
        try:
            self._load()
        except LannerError as error:
            self._note(str(error))
        except Exception as error:
            logging.getLogger("lanner.reload").exception("reload failed")
            self._note(f"{type(error).__name__}: {error}")
        else:
            self.succeeded += 1
            self.last_error = ""
            logging.getLogger("lanner.reload").debug("reloaded in %.2f s", time.monotonic() - begin)
        # the new configuration may name other files; a change since they were read is another reload
        if self._files is not None and self._watcher is not None:
            self._watcher.watch(directories_of(self._files()))

    def _note(self, message: str) -> None:
        self.failures += 1
        self.last_error = message
        self._failed(message)


def _make_watcher(poll: select.poll) -> Watcher | None:
    """Return a watcher, or None with a warning: the kernel limits the instances of inotify for each user."""
    try:
        return Watcher(poll)
    except OSError as error:
        logging.getLogger("lanner.reload").warning("cannot watch files for changes: %s; send SIGHUP to reload them", error.strerror)
        return None


class Watcher:
    """Directories watched by inotify(7), registered with the caller's poll object."""

    def __init__(self, poll: select.poll) -> None:
        from inotify_simple import INotify, flags  # imports ctypes, which a run without watched files does not need

        self._inotify = INotify(nonblocking=True)
        self._mask = flags.CLOSE_WRITE | flags.CREATE | flags.DELETE | flags.MOVED_FROM | flags.MOVED_TO | flags.ATTRIB | flags.DELETE_SELF
        self._watched: dict[str, int] = {}
        poll.register(self._inotify.fileno(), select.POLLIN)

    def watch(self, directories: set[str]) -> None:
        """Watch exactly these directories. Those that cannot be watched are logged."""
        for gone in self._watched.keys() - directories:
            with suppress(OSError):  # the directory was removed, and its watch with it
                self._inotify.rm_watch(self._watched[gone])
            del self._watched[gone]
        for directory in directories:
            try:
                self._watched[directory] = self._inotify.add_watch(directory, self._mask)
            except OSError as error:
                logging.getLogger("lanner.reload").warning(
                    "cannot watch %s: %s; send SIGHUP to reload its files", directory, error.strerror
                )

    def drain(self) -> None:
        """Discard pending notifications."""
        self._inotify.read(timeout=0)

    def close(self) -> None:
        """Stop watching."""
        self._inotify.close()


def fingerprint(paths: Iterable[str]) -> Fingerprint:
    """Return what distinguishes versions of a file: inode, size and modification time."""
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
    """Return the directories in which a change of a path is visible: its own, and those of symbolic links' targets."""
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
    except OSError:  # not a directory
        return [path]
