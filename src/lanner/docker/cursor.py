"""The host's position in each engine's events, in a file: commits are written, the last keys of each engine are read.

`lanner.sources.StateFile` locks and replaces the file. An unreadable file is set aside, and the run begins without it.
"""

from __future__ import annotations

import threading
from functools import partial

from lanner import SourceError
from lanner.docker.log import log
from lanner.docker.window import KEPT, NOWHERE, LastKeys, Position, time_of
from lanner.native import decode_json, encode_json
from lanner.sources import StateFile, StateTexts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Final

    from lanner.native import Events
    from lanner.sources import Counters

_VERSION: Final = 1
_TEXTS: Final = StateTexts(
    "cursor", "`cursor` is a file in a directory that Lanner may write to", "configure a different `cursor` for each"
)
_DIGITS: Final = frozenset("0123456789")
_HEX: Final = frozenset("0123456789abcdef")


class Cursor:
    """The file at `path`, for the engines of these labels; the positions of other engines are kept.

    Raises `SourceError` if no file can be written there, or another run uses it.
    """

    def __init__(self, path: str, interval: float, labels: Iterable[str], counters: Counters) -> None:
        self._state = threading.Lock()
        self.take_direct: Callable[[], Iterable[tuple[str, Sequence[str], int]]] = tuple
        """Returns the keys of events that a host has processed without it, by engine, each once, and the time as for `add`."""
        self._file = StateFile(path, interval, _TEXTS, self._content, partial(counters.add, "cursor writes failed"), log)
        try:
            found = dict.fromkeys(labels, NOWHERE) | self._read()
        except SourceError:
            self._file.close()
            raise
        self._positions = {label: (LastKeys(keys), since) for label, (keys, since) in found.items()}

    @property
    def damaged_at(self) -> int | None:
        """When the file was last written, ns since 1970, if it could not be read; else None."""
        return self._file.damaged_at

    def position(self, label: str) -> Position:
        """Return the host's position for an engine."""
        with self._state:
            keys, since = self._positions[label]
            return Position(keys.make(), since)

    def add(self, label: str, events: Events, since: int) -> None:
        """Record events of an engine that the host has processed, and the time that its queries began from."""
        with self._state:
            self._add_direct()
            keys, _ = self._positions[label]
            keys.add(events)
            self._positions[label] = keys, since
        self._file.change()

    def note_direct(self, *, is_full: bool) -> None:
        """Note that `take_direct` has events; take them now if it `is_full`."""
        if is_full:
            with self._state:
                self._add_direct()
        self._file.change()

    def advance(self, positions: Mapping[str, tuple[LastKeys, int]]) -> None:
        """As `add`, for keys of events, by engine."""
        with self._state:
            self._add_direct()
            self._extend(positions)
        self._file.change()

    def flush(self) -> None:
        """Write unwritten changes now."""
        self._file.flush()

    def close(self) -> None:
        """Write unwritten changes."""
        self._file.close()

    def _extend(self, positions: Mapping[str, tuple[LastKeys, int]]) -> None:
        for label, (later, since) in positions.items():
            keys, _ = self._positions[label]
            keys.extend(later)
            self._positions[label] = keys, since

    def _add_direct(self) -> None:
        self._extend({label: (LastKeys(keys), since) for label, keys, since in self.take_direct()})

    def _content(self) -> bytes | None:
        with self._state:
            self._add_direct()
            hosts = {
                label: {"last": time_of(made[-1]), "ids": made, "since": since}
                for label, (keys, since) in self._positions.items()
                if (made := keys.make())
            }
        return encode_json({"version": _VERSION, "hosts": hosts}) + b"\n" if hosts else None

    def _read(self) -> dict[str, Position]:
        text = self._file.read()
        if text is None:
            return {}
        try:
            return _decode(text)
        except (ValueError, RecursionError) as error:
            self._file.set_aside(str(error))
            return {}


def _decode(text: bytes) -> dict[str, Position]:
    """Return the positions by label. Raises `ValueError` with the problem."""
    found = decode_json(text)
    version, hosts = (found.get("version"), found.get("hosts")) if isinstance(found, dict) else (None, None)
    if type(version) is not int:
        raise ValueError("it has no `version`")
    if version != _VERSION:
        raise ValueError(f"it has version {version}, but this Lanner only supports version {_VERSION}")
    if type(hosts) is not dict:
        raise ValueError("it has no `hosts`")
    return {label: _position(each) for label, each in hosts.items()}


def _position(each: Any) -> Position:
    last, ids, since = (each.get("last"), each.get("ids"), each.get("since", 0)) if isinstance(each, dict) else (None, None, 0)
    if type(last) is not int or type(since) is not int:
        raise ValueError("`last` or `since` of a host is not a whole number")
    if type(ids) is not list or not all(isinstance(name, str) for name in ids):
        raise ValueError("`ids` of a host is not a list of strings")
    return Position([_key(name) for name in ids][-KEPT:], max(0, since))


def _key(name: str) -> str:
    time, _, digest = name.partition("-")
    if not (1 <= len(time) <= 19 and len(digest) == 16 and _DIGITS.issuperset(time) and _HEX.issuperset(digest)):
        raise ValueError(f"{name[:60]!r} is not an event's id")
    return f"{int(time)}-{digest}"
