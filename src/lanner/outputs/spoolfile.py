"""Format of a spool's SQLite file: rows with checksums, the state of the file and its log, rows saved from a damaged file.

`Spool` decides what happens to a damaged file, not this module.
"""

from __future__ import annotations

import sqlite3
import struct
import zlib
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import Alert
from lanner.sdk.text.encoding import from_lossless, to_lossless

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TypeAlias

    Row: TypeAlias = tuple[object, ...]

APPLICATION: Final = 0x4C_61_6E_53  # "LanS": what file(1) and another SQLite see
VERSION: Final = 2
TABLE: Final = "CREATE TABLE alerts (id INTEGER PRIMARY KEY, line BLOB, rule BLOB, priority BLOB, source BLOB, timestamp BLOB, crc INTEGER)"
INSERT: Final = "INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?)"
_COLUMNS: Final = (
    ("id", "INTEGER", 1),
    *((name, "BLOB", 0) for name in ("line", "rule", "priority", "source", "timestamp")),
    ("crc", "INTEGER", 0),
)
_NO_ROW: Final = 1 << 63
"""Greater than the number of any row."""

_ENVIRONMENT: Final = {
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
}
_LOG_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_LOG_MAGIC: Final = (0x377F0682, 0x377F0683)
_LOG_VERSION: Final = 3_007_000
_MOST_LOG: Final = 256 << 20
_FLIPPED: Final = 2
"""Bits in which a damaged salt differs from its log's; that of another round differs in many, as half of it is random."""


def code_of(error: BaseException) -> int:
    """Return SQLite's primary result code; an error that has none (text that cannot be decoded, an odd value) means a damaged file."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)) & 0xFF


def is_damage(error: BaseException, path: Path) -> bool:
    """Return whether the file's content is the cause of `error`, not the disk, its permissions or another process."""
    if isinstance(error, OSError | MemoryError):
        return False
    code = code_of(error)
    if code == sqlite3.SQLITE_READONLY:
        with suppress(OSError), path.open("r+b"):
            return _is_read_only(path)  # SQLite refuses to write what anybody may write
        return False
    return code not in _ENVIRONMENT


def row_of(number: int, alert: Alert) -> Row:
    """Return the row of an alert: bytes that give back every `str`, surrogates among them, and a checksum."""
    texts = [_bytes(text) for text in (alert.line, alert.rule, alert.priority, alert.source, str(alert.timestamp))]
    return (number, *texts, _checksum(number, *texts))


def alert_of(row: Row) -> Alert | None:
    """Return the alert of a row, None of a damaged row."""
    number, *texts, checksum = row
    if not isinstance(number, int) or not all(isinstance(text, bytes) for text in texts):
        return None
    if checksum != _checksum(number, *texts):
        return None
    try:
        line, rule, priority, source, timestamp = (from_lossless(text) for text in texts)  # type: ignore[arg-type]
        return Alert(line, rule, priority, source, int(timestamp))
    except ValueError:
        return None


def upgrade(database: sqlite3.Connection) -> None:
    """Add checksums to the rows of a file of version 1, in the transaction of the caller."""
    database.create_function("checksum", 6, _checksum, deterministic=True)
    database.execute("ALTER TABLE alerts ADD COLUMN crc INTEGER")
    database.execute("UPDATE alerts SET crc = checksum(id, line, rule, priority, source, timestamp)")
    database.execute(f"PRAGMA user_version = {VERSION}")


def check(database: sqlite3.Connection, version: int) -> None:
    """Raise sqlite3.DatabaseError for a damaged file: its table, its pages, their lists, and the places of all rows."""
    columns = tuple((name, kind, key) for _, name, kind, _, _, key in database.execute("PRAGMA table_info(alerts)"))
    if columns != (_COLUMNS if version == VERSION else _COLUMNS[:-1]):
        raise sqlite3.DatabaseError("its table has other columns than a spool's")
    ((found,),) = database.execute("PRAGMA quick_check(1)")
    if found != "ok":
        raise sqlite3.DatabaseError(str(found).splitlines()[-1])


def rescue_rows(path: Path, after: int, damaged: list[object]) -> Iterator[Row]:
    """Yield the whole rows of a damaged file whose numbers are greater than `after`: up to the first place that cannot be read, and from
    the end back to the last such place.

    `damaged` gets the numbers of rows that are not whole.
    """
    with suppress(sqlite3.Error, OSError), closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            last, before = after, _NO_ROW
            for order in ("ASC", "DESC"):
                with suppress(sqlite3.Error, ValueError, OverflowError):
                    quoted = str(table).replace('"', '""')
                    for number, _, *values in database.execute(f'SELECT rowid, * FROM "{quoted}" ORDER BY rowid {order}'):  # noqa: S608
                        row = (number, *values)
                        if len(row) != len(_COLUMNS) or alert_of(row) is None:
                            damaged.append(number)
                        elif last < number < before:
                            last, before = (number, before) if order == "ASC" else (last, number)
                            yield row
                    break  # all was read


class Log:
    """The write-ahead log of a file, as a run that was killed left it. To be made before SQLite opens the file, which changes the log.

    SQLite takes over the commits that it can prove to be complete, and forgets the others silently. `is_cut` returns whether it has
    forgotten a commit.
    """

    def __init__(self, path: Path) -> None:
        self.content = b""
        self._path = path.with_name(f"{path.name}-wal")
        with suppress(OSError):
            if self._path.is_file() and not self._path.is_symlink() and self._path.stat().st_size <= _MOST_LOG:
                self.content = self._path.read_bytes()
        self._committed = self._last_commit()

    def is_cut(self, database: sqlite3.Connection) -> bool:
        """Return whether SQLite, which has read the log, has taken over less than was committed."""
        if not self._committed:
            return False
        ((_, frames, _),) = database.execute("PRAGMA wal_checkpoint(PASSIVE)")
        return int(frames) < self._committed

    def _last_commit(self) -> int:
        """Return the number of the last frame that ends a transaction; frames of an earlier round of the log have another salt."""
        content = self.content
        if len(content) <= _LOG_HEADER + _FRAME_HEADER:
            return 0
        if not _is_log_header(content[:_LOG_HEADER]):
            return 1  # a run has written the header as a whole before any frame: so much was there
        (page,) = struct.unpack(">L", content[8:12])
        salt = int.from_bytes(content[16:24], "big")
        last = 0
        for number, at in enumerate(range(_LOG_HEADER, len(content) - _FRAME_HEADER - page + 1, _FRAME_HEADER + page), 1):
            _, pages, own, _ = struct.unpack(">LLQQ", content[at : at + _FRAME_HEADER])
            if pages and (own ^ salt).bit_count() <= _FLIPPED:
                last = number
        return last


def _is_log_header(header: bytes) -> bool:
    words = struct.unpack(">8L", header)
    if words[0] not in _LOG_MAGIC or words[1] != _LOG_VERSION:
        return False
    first = second = 0
    inputs = struct.unpack(">6L" if words[0] & 1 else "<6L", header[:24])
    for even, odd in zip(inputs[::2], inputs[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return words[6:] == (first, second)


def _is_read_only(path: Path) -> bool:
    """Return whether the file's header forbids writing: a version of the format after those of WAL."""
    return path.read_bytes()[18:19] > b"\x02"


def _checksum(number: object, *texts: object) -> int:
    checksum = zlib.crc32(str(number).encode())
    for text in texts:
        content = text if isinstance(text, bytes) else b""  # a row that is not an alert
        checksum = zlib.crc32(b"%d:" % len(content), zlib.crc32(content, checksum))
    return checksum


def _bytes(text: str) -> bytes:
    return to_lossless(text)
