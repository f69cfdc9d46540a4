"""`tail`: the lines of a log file as they are written, across rotations and restarts."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Literal

from lanner.sdk.authoring.events import Event
from lanner.sdk.errors import SourceError, UsageError
from lanner.sources.arguments import check_choice, check_count, check_path
from lanner.sources.lines import MAX_LINE, SHORTEST_BOUND, LineFeed
from lanner.sources.logfiles import UNFIT, LogFile, RotatedFiles, Spot, find, is_rotated_form, read_spot, successors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PIECE: Final = 1 << 18
_SOONEST: Final = 0.01
_LATEST: Final = 0.2
"""Seconds between two checks of an idle file."""
_GRACE: Final = 1.0
"""Seconds of silence after which a rotated file is complete: programs write on until they open the new file."""
_MOST_GRACE: Final = 30.0
"""Seconds after which a rotated file counts as complete although it grows, if the new file has content."""


def tail(
    path: str | os.PathLike[str], *, position: Any = None, start: Literal["beginning", "end"] = "beginning", max_line: int = MAX_LINE
) -> Tail:
    """Follow a log file: each line is an event, and its position is where the next line begins.

    It continues at `position`, including in a file that was rotated or compressed meanwhile. Without a position it begins at `start` of
    the file. Lines of more than `max_line` bytes (at least 1024) are dropped and counted, and empty lines are skipped.

    A missing or unreadable file is retried. A rotated file is read to its end before the new one.
    """
    return Tail(path, position=position, start=start, max_line=max_line)


class Tail(LineFeed):
    """The result of `tail`. `open` may return it, or be a generator that reads it."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        position: Any = None,
        start: Literal["beginning", "end"] = "beginning",
        max_line: int = MAX_LINE,
    ) -> None:
        """Raise `UsageError` for invalid arguments."""
        check_path("tail", path=path)
        if not path:
            raise UsageError("the path of the log file is empty: name the file, for example in the open parameters")
        check_count("tail", SHORTEST_BOUND, max_line=max_line)
        check_choice("tail", ("beginning", "end"), start=start)
        self._path = os.path.expanduser(os.fsdecode(path))
        super().__init__(self._path, max_line)
        self._given, self._from_end = position, start == "end"
        self._piece = min(_PIECE, max_line)
        self._file: LogFile | None = None
        self._next: deque[LogFile] = deque()  # rotated files to read after this one, then the one at the path.
        self._earlier: RotatedFiles | None = None  # the rotated files of a path that was missing at the start.
        self._is_live = False  # the file is, or was, the one at the path.
        self._has_begun = self._moved = False
        self._pause = _SOONEST
        self._rotated_at = self._heard = 0.0
        self._missing_since: float | None = None
        self._trouble = ""  # why the path cannot be opened, as it was logged

    def block(self, timeout: float) -> bytes | None:
        """See `LineFeed`."""
        deadline = time.monotonic() + timeout
        while not self.closing.is_set:
            block = self._look()
            if block or self._moved:
                self._moved = False
                return block or b""
            left = deadline - time.monotonic()
            if left <= 0:
                return b""
            if block is None:
                self.wait(min(left, self._pause))
                self._pause = min(self._pause * 2, _LATEST)
        return None

    def split(self, block: bytes) -> Iterator[Event]:
        """See `LineFeed`."""
        prefix, _, last = str(self.position).rpartition(":")
        end = int(last) - len(block)
        for line in block.split(b"\n"):
            end += len(line) + 1
            if line:
                yield Event(line, position=f"{prefix}:{min(end, int(last))}")

    def list_files(self, written: Sequence[str]) -> Iterator[tuple[str, str]]:
        """See `Feed`."""
        yield "follows", self._path
        for path in written:
            if is_rotated_form(path, self._path):
                yield f"follows {self._path}, and would take for a rotated form of it", path

    def close(self) -> None:
        """See `OpenInstance`."""
        super().close()
        self.connections[self.name] = False

    def __del__(self) -> None:
        for file in (self._file, *self._next) if "_next" in self.__dict__ else ():
            if file is not None:
                file.close()

    def _look(self) -> bytes | None:
        """Return new whole lines; b"" for progress without them, None if there is nothing to read now."""
        if self._file is None:
            return b"" if self._begin() else None
        if self._is_live and not self._file.is_same():
            self._start_again(self._file)
            return b""
        try:
            data = self._file.read(self._piece)
        except OSError as error:
            return self._handle_failure(self._file, error)
        if data:
            self._heard, self._pause = time.monotonic(), _SOONEST
            return self._lines_of(data)
        return self._finish() if self._is_complete() else None

    def _lines_of(self, data: bytes) -> bytes:
        assert self._file is not None
        whole = self._lines.feed(data)
        self.count_long()
        if whole:
            self.position = str(self._file.spot(self._file.offset - self._lines.held))
        return whole

    # the first file

    def _begin(self) -> bool:
        """Open the file to begin with. Return whether there is one."""
        if self._given is not None and not self._has_begun:
            return self._resume(read_spot(self._given))
        if self._earlier is not None and (files := self._earlier.since()):
            self.position, self._moved, self._earlier = str(files[0].spot(0)), True, None
            self._follow(files)
            return True
        file = self._try_to_open()
        if file is None:
            if not self._has_begun:
                self._has_begun, self._earlier = True, RotatedFiles(self._path)  # a file that appears later is new: read from its beginning
            return False
        if self._from_end and not self._has_begun and not file.skip_to_end(self._lines.longest):
            self._lines.skip()
        self.position, self._moved = str(file.spot(file.offset)), True
        self._has_begun = True
        self._take(file, is_live=True)
        return True

    def _resume(self, spot: Spot | None) -> bool:
        files = find(self._path, spot) if spot is not None else None
        if files is None:
            file = self._try_to_open()
            if file is None:
                return False
            shown = (
                "of another source"
                if spot is None
                else f"in no file at {self._path}, nor in one rotated from it: its file was deleted, or the position is of another path"
            )
            self._lose(f"the stored position is {shown}. Lines may be missing or repeated; reading from the beginning of the current file")
            files = [file]
        self._has_begun = True
        self._follow(files)
        return True

    def _try_to_open(self) -> LogFile | None:
        """Open the file at the path. A failure is logged; at the start, a path that no log file can have is an error."""
        try:
            file = LogFile(self._path)
        except OSError as error:
            said = (error.strerror or str(error)).lower()
            if error.errno == UNFIT and not self._has_begun:
                raise SourceError(f"cannot follow {self._path}: {said}") from None
            if said != self._trouble:
                self._trouble = said
                self.warn("open", "cannot read %s: %s; Lanner retries", self._path, said)
            self._set_missing()
            return None
        self._missing_since = None
        return file

    def _follow(self, files: list[LogFile]) -> None:
        self._take(files[0], is_live=files[0].path == self._path)
        self._next.extend(files[1:])

    def _take(self, file: LogFile, *, is_live: bool) -> None:
        self._file, self._is_live, self._trouble = file, is_live, ""
        self._rotated_at, self._heard = 0.0, time.monotonic()
        self.connections[self.name] = True

    def _set_missing(self) -> None:
        now = time.monotonic()
        self._missing_since = self._missing_since or now
        if self._file is None or now - self._missing_since > _GRACE:
            self.connections[self.name] = False

    # the end of a file

    def _is_complete(self) -> bool:
        """Return whether the file, which is read to its end, gets no more lines."""
        assert self._file is not None
        if not self._is_live:
            # a program may still write to a file that was rotated a moment ago
            self._file.refresh()
            is_old = time.time_ns() - self._file.modified >= _GRACE * 1e9
            # the clock may have been set back since it was written
            return self._file.packed or is_old or time.monotonic() - self._heard >= _GRACE
        try:
            status = os.stat(self._path)
        except OSError:
            self._set_missing()
            return not self.connections[self.name]  # it may be rotated again, and its successor as well
        if status.st_ino == self._file.inode:
            self._missing_since, self._rotated_at = None, 0.0
            self.connections[self.name] = True
            return False
        now = time.monotonic()
        self._rotated_at = self._rotated_at or now
        is_silent = now - max(self._rotated_at, self._heard) >= _GRACE
        return is_silent or (status.st_size > 0 and now - self._rotated_at >= _MOST_GRACE)

    def _finish(self) -> bytes | None:
        """Leave the file for the next one, and return its unfinished last line."""
        file = self._file
        assert file is not None
        if not self._next:
            self._next.extend(successors(self._path, file))
            if not self._next:
                self._check_path(file)
                return None
            self.counted.add("rotations", int(self._is_live))
        rest = self._lines.end()
        if rest:
            self.position = str(file.spot(file.offset))
        file.close()
        following = self._next.popleft()
        self._take(following, is_live=not self._next and following.path == self._path)
        return rest + b"\n" if rest else b""

    def _check_path(self, file: LogFile) -> None:
        """Report that the path has no readable file, unless it is this one again."""
        if (new := self._try_to_open()) is not None:
            self._is_live, self._rotated_at = new.inode == file.inode, 0.0
            new.close()

    def _start_again(self, file: LogFile) -> None:
        """The file was truncated or written again: read the rest of its old content from a copy, if there is one."""
        spot = file.spot(file.offset - self._lines.held)
        self._lines.end()
        self.counted.add("truncations")
        file.close()
        self._file = None
        files = find(self._path, spot) if spot.offset else None
        if files is None:
            self.log().info("%s was truncated; reading from its beginning", self._path)
            return
        self._follow(files)

    def _handle_failure(self, file: LogFile, error: OSError) -> bytes | None:
        if file.packed:
            self._lose(f"cannot read {file.path}: {error.strerror}; its other lines are lost")
            return self._finish()
        self.warn("read", "cannot read %s: %s; Lanner retries", file.path, (error.strerror or str(error)).lower())
        self.connections[self.name] = False
        self._lines.end()
        self._given, self._has_begun = self._given if self.position is None else self.position, False
        for each in (file, *self._next):
            each.close()
        self._next.clear()
        self._file = None
        return None

    def _lose(self, text: str) -> None:
        self.counted.add("gaps")
        self.warn(text, "%s: %s", self._path, text)
