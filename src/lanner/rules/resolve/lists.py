"""Expansion of lists in conditions before they are parsed.

The input are the collected lists and a condition's text. The output is the text with each list's name between
delimiters replaced by its items. This works on text, as in Falco, including text in quotes: a list `shells` also changes
`"a (shells)"`. Each list is expanded once, in the order of definition, so that names of lists in its items are expanded only if they are
those of later lists.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lanner.rules.files.exceptions import quote
from lanner.rules.files.placed_text import Text, TextBuilder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lanner.rules.resolve.collect import ListDefinition

# Lists may contain lists: limits for the number of items in all of them, and for the length of a condition
MAX_ITEMS: Final = 2_000_000
MAX_TEXT: Final = 4_000_000
# Every expanded list copies the condition again: limit of the copied characters, where a piece counts as many
MAX_COPIED: Final = 400_000_000
_PIECE: Final = 100

_BLANKS: Final = " \t\n\r"
_DELIMITERS: Final = " \t\n\r(),="
_WORD: Final = re.compile(r"[^ \t\n\r(),=]+")


class TooLargeError(Exception):
    """Expanded lists exceed a limit, named in the message."""


class Lists:
    """All lists, with their items as text, ready to be expanded. `used` contains the names of the expanded ones."""

    def __init__(self, definitions: Mapping[str, ListDefinition]) -> None:
        self.used: set[str] = set()
        self._copied = 0
        self.names = list(definitions)
        self._items = list(_flatten(definitions, self.used))
        self._texts = [", ".join(map(quote, items)) for items in self._items]
        self._numbers = {name: number for number, name in enumerate(self.names)}
        # A name that contains a delimiter is not a word. Such names are rare, and searched for each time
        self._odd = frozenset(number for number, name in enumerate(self.names) if not _WORD.fullmatch(name))
        self._names = frozenset(self.names)
        self._mentions = [self._find_mentioned(text) for text in self._texts]

    def items(self, name: str) -> list[str]:
        """Return the expansion of a list's name."""
        return self._items[self._numbers[name]]

    def write_into(self, text: Text) -> Text:
        """Return the text with expanded lists. Raises `TooLargeError`.

        A string without pieces is faster to expand than one with places, and reaches the limit later.
        """
        todo = self._find_mentioned(text.text)
        while todo:
            number = min(todo)
            todo.discard(number)
            written = _write(text, self.names[number], self._texts[number])
            if written is text:
                continue
            self.used.add(self.names[number])
            text = written
            todo |= {later for later in self._mentions[number] if later > number}
            self._copied += len(text.text) + _PIECE * len(text.pieces)
            if len(text.text) > MAX_TEXT or self._copied > MAX_COPIED:
                raise TooLargeError(f"lists make the condition too long, up to list '{self.names[number]}'")
        return text

    def _find_mentioned(self, text: str) -> set[int]:
        return {self._numbers[word] for word in self._names.intersection(_WORD.findall(text))} | self._odd


def _flatten(definitions: Mapping[str, ListDefinition], used: set[str]) -> Iterable[list[str]]:
    """Return each list's items, with the items of earlier lists that it names, one level deep."""
    total = 0
    for definition in definitions.values():
        items: list[str] = []
        for item in definition.items:
            other = definitions.get(item.value)
            if other is None or other.index >= definition.visibility:
                items.append(item.value)
                continue
            used.add(other.name)
            items += [each.value for each in other.items]
            if total + len(items) > MAX_ITEMS:
                raise TooLargeError(f"lists hold more than {MAX_ITEMS} items in all, up to list '{definition.name}'")
        total += len(items)
        yield items


def _write(text: Text, name: str, items: str) -> Text:
    """Return the text with one list expanded, or the same object without its name."""
    source = text.text
    out = TextBuilder()
    done = 0  # end of the source that was copied
    start = source.find(name)
    while start >= 0:
        end = start + len(name)
        if not _is_delimited(source, start, end):
            start = source.find(name, start + 1)
            continue
        out.add_text(text, done, start)
        out.strip(_BLANKS)
        done = end
        while done < len(source) and source[done] in _BLANKS:
            done += 1
        if not items and not out.take_off(",") and source[done : done + 1] == ",":
            done += 1
        if out.size:
            out.add(" ")
            start = source.find(name, done)
        else:
            # After a name at the very start, Falco continues one character too late
            start = source.find(name, done + 1)
        _write_items(out, text, items, end - len(name), len(name))
    if not done:
        return text
    out.add_text(text, done)
    return out.build()


def _is_delimited(source: str, start: int, end: int) -> bool:
    return (start == 0 or source[start - 1] in _DELIMITERS) and (end >= len(source) or source[end] in _DELIMITERS)


def _write_items(out: TextBuilder, text: Text, items: str, start: int, length: int) -> None:
    """Give all items the place of the name that they replace."""
    piece = text.piece_at(start)
    if piece is None or not piece.begin <= start < piece.begin + piece.size:
        out.add(items)
    else:
        out.add_as(items, piece.scalar, piece.value_offset(start - piece.begin), piece.whole or length)
    out.add(" ")
