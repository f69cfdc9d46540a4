"""Log files and their rotated forms: open one, recognise it again after a rotation, and find the files written since.

A file is recognised by the beginning of its content, and by its inode if several begin alike. `Spot` is a place in a file.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import ExitStack, closing, suppress
from hashlib import blake2b
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD: Final = 1024
"""Bytes at the beginning of a file by which it is recognised."""
UNFIT: Final = errno.EINVAL
"""The error number for a path that is not a log file."""
_SPOT: Final = re.compile(r"(\d{1,20}):(\d{1,4}):([0-9a-f]{16}):(\d{1,19})", re.ASCII)
_ROTATED: Final = r"(?:[.\-_][\w.\-:+]*)?"
_PACKED: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ENDINGS: Final = (".gz", ".bz2", ".xz")
_PIECE: Final = 1 << 18
_TRIES: Final = 20
_NUMBER: Final = re.compile(r"(\d{1,18})(?:\.\w+)?$", re.ASCII)
_MOST_ROTATIONS: Final = 10_000
"""Numbers from here on are dates, and not counts of rotations."""


class Spot(NamedTuple):
    """A place in a file: the file's inode, how much of its beginning is known and the hash of that, and the offset."""

    inode: int
    known: int
    digest: str
    offset: int

    def __str__(self) -> str:
        return f"{self.prefix}{self.offset}"

    @property
    def prefix(self) -> str:
        """The text before the offset."""
        return f"{self.inode}:{self.known}:{self.digest}:"


def read_spot(position: Any) -> Spot | None:
    """Return the spot of a stored position; None if it has another form."""
    found = _SPOT.fullmatch(position) if isinstance(position, str) else None
    return Spot(int(found[1]), int(found[2]), found[3], int(found[4])) if found else None


def digest(head: bytes) -> str:
    """Return the hash of the beginning of a file."""
    return blake2b(head, digest_size=8).hexdigest()


class LogFile:
    """An open file, read from `offset` on. `packed`: compressed by gzip, bzip2 or xz; offsets are those of its content.

    Raises `OSError` if it cannot be opened, or is not a regular file, or if its name is a link and `links` is false.
    """

    def __init__(self, path: str, *, links: bool = True) -> None:
        self.path = path
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | (0 if links else os.O_NOFOLLOW)
        try:
            self._descriptor = os.open(path, flags)
        except OSError as error:
            if error.errno == errno.ENXIO:  # a socket, which cannot even be opened
                _check_regular(stat.S_IFSOCK)
            raise
        self._content: IO[bytes] | None = None
        self._packed: IO[bytes] | None = None
        try:
            status = os.fstat(self._descriptor)
            _check_regular(status.st_mode)
            self.inode, self.modified = status.st_ino, status.st_mtime_ns
            magic = os.pread(self._descriptor, 6, 0)
            _check_compression(magic)
            self.packed = magic.startswith(_PACKED)
            if self.packed:
                self._packed = os.fdopen(os.dup(self._descriptor), "rb")
                self._content = _unpack(self._packed, magic)
        except BaseException:
            self.close()
            raise
        self.offset = 0
        self.head = b""
        self.head = self._extend_head(b"")

    @property
    def size(self) -> int:
        """The current size of a file that is not packed."""
        return os.fstat(self._descriptor).st_size

    def read_beginning(self) -> bytes:
        """Return the first bytes, up to `HEAD`; b"" for a damaged file."""
        if self._content is None:
            return os.pread(self._descriptor, HEAD, 0)
        try:
            file = self.reopen_start()
        except OSError:
            return b""
        with suppress(OSError):
            file.read(HEAD)
        file.close()
        return file.head

    def reopen_start(self) -> LogFile:
        """Open the same file at its beginning, even if it was renamed or deleted. Raises `OSError`."""
        return LogFile(f"/proc/self/fd/{self._descriptor}")

    def refresh(self) -> None:
        """Read when it was last written."""
        self.modified = os.fstat(self._descriptor).st_mtime_ns

    def spot(self, offset: int) -> Spot:
        """Return a place in this file."""
        return Spot(self.inode, len(self.head), digest(self.head), offset)

    def read(self, size: int) -> bytes:
        """Return the next bytes; b"" at the end. Raises `OSError` for a damaged packed file."""
        data = os.pread(self._descriptor, size, self.offset) if self._content is None else _read(self._content, size)
        if len(self.head) < HEAD and data:
            self.head = self._extend_head(data)
        self.offset += len(data)
        return data

    def is_same(self) -> bool:
        """Return whether the file still has the content that was read: it was not truncated, nor written again since."""
        if self._content is not None:
            return True
        return self.size >= self.offset and os.pread(self._descriptor, len(self.head), 0) == self.head

    def has(self, spot: Spot) -> bool:
        """Return whether the spot is in this file, and go there; else go to the beginning."""
        with suppress(OSError):  # damaged: reading it reports that
            if self._content is None:
                head = os.pread(self._descriptor, spot.known, 0)
                if _is_head(head, spot) and self.size >= spot.offset:
                    self.offset = spot.offset
                    return True
                return False
            head = _read(self._content, spot.known)
            self._content.seek(0)
            if _is_head(head, spot):
                while self.offset < spot.offset and self.read(min(_PIECE, spot.offset - self.offset)):
                    pass
                if self.offset == spot.offset:
                    return True
        if self._content is not None:
            self._content.seek(0)
        self.offset, self.head = 0, b""
        return False

    def skip_to_end(self, most: int) -> bool:
        """Go to the end of the last whole line, or the end if that is more than `most` bytes before. Return whether it was found."""
        size = self.size
        begin = max(0, size - most)
        tail = os.pread(self._descriptor, size - begin, begin)
        end = tail.rfind(b"\n") + 1
        self.offset = begin + (end if end or not begin else len(tail))
        return bool(end) or not begin

    def close(self) -> None:
        """Close the file."""
        for file in (self._content, self._packed):
            if file is not None:
                file.close()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _extend_head(self, data: bytes) -> bytes:
        return os.pread(self._descriptor, HEAD, 0) if self._content is None else (self.head + data)[:HEAD]


def _is_head(head: bytes, spot: Spot) -> bool:
    return len(head) == spot.known and digest(head) == spot.digest


def _check_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        what = "a directory" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
        raise OSError(UNFIT, f"it is {what}, not a regular file")


def _check_compression(magic: bytes) -> None:
    if magic.startswith(_ZSTD):
        raise OSError(UNFIT, "it is compressed with zstd, which is not supported: use gzip, bzip2 or xz")


def _read(content: IO[bytes], size: int) -> bytes:
    from lzma import LZMAError
    from zlib import error as ZlibError  # noqa: N812 - it is a class

    try:
        return content.read(size)
    except (EOFError, LZMAError, ZlibError) as error:
        raise OSError(errno.EIO, f"damaged: {error}") from None


def _unpack(file: IO[bytes], magic: bytes) -> IO[bytes]:
    """Return the content of a compressed file. The modules are slow to import."""
    if magic.startswith(_PACKED[0]):
        from gzip import GzipFile

        return GzipFile(fileobj=file)  # type: ignore[return-value]
    if magic.startswith(_PACKED[1]):
        from bz2 import BZ2File

        return BZ2File(file)
    from lzma import LZMAFile

    return LZMAFile(file)


def find(path: str, spot: Spot) -> list[LogFile] | None:
    """Return the file with the spot, there, and the files written since, oldest first; None if it is gone."""
    files = _snapshot(path)

    def likeness(place: int) -> tuple[bool, bool, int]:
        # files may begin alike: if none has the inode, the spot is in a compressed form or a copy of its file rather than in a new one
        return files[place].inode == spot.inode, files[place].path != path, place

    for place in sorted(range(len(files)), key=likeness, reverse=True):
        file = files[place]
        if file.has(spot) if spot.known else file.inode == spot.inode:
            return [file, *_close_others(file, files, files[place + 1 :])]
    _close_others(None, files, [])
    return None


def successors(path: str, before: LogFile) -> list[LogFile]:
    """Return the files that were written after this one, oldest first. The one at `path` is the last, if it can be read."""
    files = _snapshot(path)
    before.refresh()
    place = next((place for place, file in enumerate(files) if file.inode == before.inode), None)
    if place is not None:
        return _close_others(before, files, files[place + 1 :])
    return _close_others(before, files, [file for file in files if file.path == path or file.modified >= before.modified])


class RotatedFiles:
    """The rotated files of a `path` that does not exist yet. What is rotated later was written since."""

    def __init__(self, path: str) -> None:
        self._path = path
        files = _snapshot(path)
        self._files = {file.inode: (file.read_beginning(), file.modified) for file in files}
        self._inodes = set(self._files)
        _close_others(None, files, [])

    def since(self) -> list[LogFile]:
        """Open the files that were written since, oldest first."""
        inodes = set(find_rotated(self._path).values())
        if inodes == self._inodes and not os.access(self._path, os.R_OK):
            return []
        self._inodes = inodes
        files = _snapshot(self._path)
        return _close_others(None, files, [file for file in files if file.path == self._path or not self._has(file)])

    def _has(self, file: LogFile) -> bool:
        content = file.read_beginning()
        known, _ = self._files.get(file.inode, (b"", 0))
        if known and content.startswith(known):
            return True
        if not content:
            return file.inode in self._files
        # a compressed form or a copy
        return any(content == known and (file.packed or file.modified == modified) for known, modified in self._files.values())


def _close_others(before: LogFile | None, files: list[LogFile], chosen: list[LogFile]) -> list[LogFile]:
    """Return the chosen files without other forms of `before`, and close the rest."""
    if before is not None:
        content = before.read_beginning()
        chosen = [file for file in chosen if not _is_form_of(file, before, content)]
    for file in files:
        if file is not before and not any(file is each for each in chosen):
            file.close()
    return chosen


def _is_form_of(file: LogFile, before: LogFile, content: bytes) -> bool:
    """Return whether a file is a compressed form or a copy of the one before, which begins with `content`."""
    if not content or file.read_beginning() != content:
        return False
    if file.modified == before.modified:
        return True
    # files with a long header in common begin alike
    return file.packed and (len(content) < HEAD or _have_equal_content(file, before))


def _have_equal_content(one: LogFile, other: LogFile) -> bool:
    with ExitStack() as stack:
        try:
            first, second = (stack.enter_context(closing(file.reopen_start())) for file in (one, other))
            while (piece := _read_exactly(first, _PIECE)) == _read_exactly(second, _PIECE):
                if not piece:
                    return True
        except OSError:  # damaged: reading it reports that
            return False
    return False


def _read_exactly(file: LogFile, size: int) -> bytes:
    """Return the next `size` bytes, or fewer at the end."""
    pieces = []
    while size and (data := file.read(size)):
        pieces.append(data)
        size -= len(data)
    return b"".join(pieces)


def _snapshot(path: str) -> list[LogFile]:
    """Open the files of the rotation of `path`, oldest first, and the one at `path` as the last. None is missed if they are renamed."""
    files: list[LogFile] = []
    for _ in range(_TRIES):
        for file in files:
            file.close()
        listed = find_rotated(path)
        # a rotated file may be replaced by a link at any time
        files = [opened for name in (*listed, path) if (opened := _try_to_open(name, links=name == path)) is not None]
        is_stable = all(_is_at(file.path, file) for file in files)
        if is_stable and set(find_rotated(path).values()) == set(listed.values()):
            break
    # a file that is being renamed may have two names
    distinct = {file.inode: file for file in files}
    for file in files:
        if distinct[file.inode] is not file:
            file.close()
    return sorted(distinct.values(), key=lambda file: (file.path == path, _age(file)))


def _age(file: LogFile) -> tuple[int, int]:
    """Return the sort key from the oldest to the latest. Files of the same moment are in the order of the numbers in their names."""
    number = int(found[1]) if (found := _NUMBER.search(file.path)) else 0
    return file.modified, number if number >= _MOST_ROTATIONS else -number


def _is_at(path: str, file: LogFile) -> bool:
    try:
        return os.stat(path).st_ino == file.inode
    except OSError:
        return False


def find_rotated(path: str) -> dict[str, int]:
    """Return the inodes of the files that the rotation of `path` may have made: log.1, log-20261129.gz, name-1.log, ..."""
    found: dict[str, int] = {}
    for folder, name in _places(path):
        form = _form_of_rotated(name)
        entries = {entry.name: entry for entry in _entries(folder)}
        for entry in entries.values():
            original, ending = os.path.splitext(entry.name)
            if ending in _ENDINGS and original in entries:
                continue  # it is being compressed: both files have the same content
            if entry.name != name and form.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                found[entry.path] = entry.inode()
    return found


def is_rotated_form(other: str, path: str) -> bool:
    """Return whether `find_rotated(path)` would find a file called `other`."""
    folder, name = os.path.split(os.path.abspath(other))
    return any(
        name != original and os.path.realpath(folder) == os.path.realpath(place) and _form_of_rotated(original).fullmatch(name)
        for place, original in _places(path)
    )


def _places(path: str) -> list[tuple[str, str]]:
    """Return the directory and the name of a path, and of the file that it links to."""
    return [os.path.split(each) for each in dict.fromkeys((os.path.abspath(path), os.path.realpath(path)))]


def _form_of_rotated(name: str) -> re.Pattern[str]:
    stem, ending = os.path.splitext(name)
    return re.compile(f"{re.escape(name)}{_ROTATED}|{re.escape(stem)}[.\\-_][\\d.\\-_:TZ]+{re.escape(ending)}{_ROTATED}")


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return


def _try_to_open(path: str, *, links: bool) -> LogFile | None:
    try:
        return LogFile(path, links=links)
    except OSError:
        return None
