"""The words of an alert, as the store indexes and searches them.

A word is a run of letters and digits, regardless of case. `index_text` returns the text for the full-text index, whose tokenizer is
`ascii`: it splits a string at ASCII characters that are neither letter nor digit, and ignores the case of ASCII letters. `fold` prepares
other characters for it, so that `words_of` finds the words that the index has.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from msgspec import json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INDEXED_CHARACTERS: Final = 16 << 10
"""Characters of an alert that the index covers: the beginning of its message, then of its field values."""
TRUNCATED: Final = "\u2026"
"""A word of the index that no text has."""

_WORD: Final = re.compile(r"[0-9a-z\x80-\U0010ffff]+")
_SEPARATOR: Final = re.compile(r"[\W_]")
_TIMES: Final = frozenset({"evt.time", "evt.time.iso8601"})
"""Fields that are not searched: every alert has one of them, with a different number."""


def fold(text: str) -> str:
    """Return a string that the index splits into the words of `text`. ASCII is unchanged."""
    if text.isascii():
        return text
    return _SEPARATOR.sub(" ", unicodedata.normalize("NFKC", text).casefold())


def words_of(text: str) -> list[str]:
    """Return the words of a string in their order."""
    return _WORD.findall(fold(text).lower())


def space_words(text: str) -> str:
    """Return the words of a string with a space before and after each, in which a phrase is a substring."""
    return f" {' '.join(words_of(text))} "


def value_texts(value: Any) -> list[str]:
    """Return the strings of a value in output_fields: of each item of a list, and none of null."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [item if isinstance(item, str) else json.encode(item).decode() for item in value]
    return [] if value is None else [json.encode(value).decode()]


def texts_of_alert(rule: str, message: str, fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield the strings of an alert that a search for words reads."""
    yield rule
    yield message
    for name, value in fields.items():
        if name not in _TIMES:
            yield from value_texts(value)


def is_searched(field: str) -> bool:
    """Return whether a search for words reads this field."""
    return field not in _TIMES


def index_text(rule: str, message: str, fields: Mapping[str, Any]) -> str:
    """Return the text for the index: the words of `texts_of_alert`, without those of values that the message contains.

    Of a long alert it has the first INDEXED_CHARACTERS, and the word TRUNCATED: a search must read such an alert itself.
    """
    parts = [rule]
    room = INDEXED_CHARACTERS
    texts = texts_of_alert(rule, message, fields)
    next(texts)
    for text in texts:
        if not text or (len(parts) > 1 and _contains(message, text)):
            continue
        if len(text) > room:
            parts.append(text[:room])
            return fold("\n".join(parts)) + f" {TRUNCATED}"
        parts.append(text)
        room -= len(text)
    return fold("\n".join(parts))


def _contains(message: str, text: str) -> bool:
    """Return whether the words of `text` are words of the message, at the first place that has it. May be False if they are."""
    begin = message.find(text)
    if begin < 0:
        return False
    end = begin + len(text)
    return (begin == 0 or _separates(message[begin - 1])) and (end == len(message) or _separates(message[end]))


def _separates(char: str) -> bool:
    return char.isascii() and not char.isalnum()
