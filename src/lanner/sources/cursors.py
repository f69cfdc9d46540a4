"""How far a poller has come: its cursor, its page, and the keys of the last events, which recognise those that a server repeats.

A position has the last keys only: the run remembers more. `lanner.sources.polling` makes the requests.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from datetime import datetime
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from lanner.sources.bodies import find_scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lanner.sources.bodies import Place
    from lanner.sources.pages import Scalar

_REMEMBERED: Final = 10_000
"""Keys that a run remembers."""
_STORED: Final = 32
"""Keys in a position, if they have different cursors."""
_MOST_STORED: Final = 512
"""Keys in a position, if they have the same cursor."""


class Progress:
    """The state of a poller. `cursor` and `key` are places in an event; without `key`, events with the same bytes are the same.

    With `follows`, the server names a page for later events, and pages take the role of cursors.
    """

    def __init__(self, position: Any, start: Scalar | None, cursor: Place | None, key: Place | None, *, follows: bool) -> None:
        self._cursor_at, self._key_at, self.follows = cursor, key, follows
        stored: Mapping[str, Any] = position if isinstance(position, dict) else {}
        self.cursor: Scalar | None = _scalar(stored.get("cursor"))
        if self.cursor is None:
            self.cursor = start
        page = stored.get("page")
        self.page: str | None = page if follows and isinstance(page, str) else None
        """The page to request next; None for the first one."""
        keys = stored.get("keys")
        self._keys: deque[tuple[Scalar | None, str]] = deque()
        self._known: OrderedDict[str, int] = OrderedDict()
        for each in keys if isinstance(keys, list) else []:
            self._remember(self.cursor, str(each))
        self._is_resuming = bool(self._keys)
        self.is_first = not stored
        """Whether no earlier run has left a position, and no page was read."""
        self.is_disordered = False
        """Whether the events of this poll are not in the order of their cursors."""

    def first_known(self, items: Sequence[bytes]) -> int:
        """Return the place of the first known item, or the number of items."""
        return next((place for place, item in enumerate(items) if self._key(item) in self._known), len(items))

    def new(self, items: Sequence[bytes]) -> Iterator[tuple[bytes, Any]]:
        """Yield the items that are new, in order, each with the position after it."""
        keys = [self._key(item) for item in items]
        skipped = 0
        if self._is_resuming and (self._cursor_at is None or self.follows):
            # no cursor excludes the items before the last known one
            skipped = next((place + 1 for place in reversed(range(len(keys))) if keys[place] in self._known), 0)
            self._is_resuming = self._is_resuming and not skipped and not self.follows
        cursors = [find_scalar(item, self._cursor_at) if self._cursor_at is not None else None for item in items]
        self.is_disordered |= any(_is_before(later, earlier) for earlier, later in pairwise(each for each in cursors if each is not None))
        known = {key: self._known.get(key, 0) for key in keys}
        seen = Counter[str]()
        for place, (item, key, found) in enumerate(zip(items, keys, cursors, strict=True)):
            seen[key] += 1
            # without a key, a response may well have two equal events
            is_known = seen[key] <= known[key] if self._key_at is None else known[key] > 0 or seen[key] > 1
            if place < skipped or is_known:
                continue
            if found is not None and not _is_before(found, self.cursor):
                self.cursor = found
            self._remember(self.cursor, key)
            # the cursor of a later event would skip those that are still to come
            yield item, None if self.is_disordered else self.position()

    def turn(self, page: str | None) -> None:
        """Continue with another page after all items of this one."""
        if self.follows and page is not None and page != self.page:
            self._is_resuming = False
            self._keys.clear()
            if self._key_at is None:
                self._known.clear()
        self.page = page if page is not None or not self.follows else self.page
        self.is_first = False
        self.is_disordered &= self.page is not None

    def restart(self) -> None:
        """Begin with the first page again: the server does not know this one any more."""
        if not self.follows:
            self.page = None

    def position(self) -> dict[str, Any]:
        """Return the position after the last event or page."""
        keys = [key for _, key in self._keys]
        found: dict[str, Any] = {"keys": keys, "cursor": self.cursor}
        if self.follows:
            found["page"] = self.page
        return found

    def _remember(self, cursor: Scalar | None, key: str) -> None:
        self._known[key] = self._known.pop(key, 0) + 1
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        self._keys.append((cursor, key))
        most = _MOST_STORED if self._cursor_at is not None and self._keys[0][0] == cursor else _STORED
        while len(self._keys) > most or (len(self._keys) > _STORED and self._keys[0][0] != cursor):
            self._keys.popleft()

    def _key(self, item: bytes) -> str:
        found = find_scalar(item, self._key_at) if self._key_at is not None else None
        data = item if found is None else f"{type(found).__name__}:{found}".encode()
        return blake2b(data, digest_size=8).hexdigest()


def _scalar(value: Any) -> Scalar | None:
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _is_before(new: Scalar, old: Scalar | None) -> bool:
    """Return whether a cursor is before another: as numbers or as times. Strings of other kinds have no order."""
    if isinstance(new, str) and isinstance(old, str):
        try:
            return datetime.fromisoformat(new) < datetime.fromisoformat(old)
        except (ValueError, TypeError):  # a time without a zone cannot be compared with one that has it
            return False
    return isinstance(new, int | float) and isinstance(old, int | float) and new < old
