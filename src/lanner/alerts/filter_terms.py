"""The terms of a filter: each compares one part of an alert."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

from msgspec import Struct

from lanner.alerts.search_words import space_words, texts_of_alert, value_texts

if TYPE_CHECKING:
    from lanner.alerts.stored import Content, StoredAlert

COMPARE: Final = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,4})?")
_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def lower_ascii(text: str) -> str:
    """Return a string with its ASCII letters in lower case, as SQLite's collation NOCASE compares it."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


class Pattern(Struct, frozen=True, gc=False):
    """A string to compare with, in lower case: the parts between its wildcards; one part is a literal string."""

    parts: tuple[str, ...]

    @property
    def literal(self) -> str | None:
        """The text of a pattern without a wildcard."""
        return self.parts[0] if len(self.parts) == 1 else None

    def fits(self, text: str) -> bool:
        """Return whether a string matches, regardless of the case of ASCII letters."""
        text = lower_ascii(text)
        if len(self.parts) == 1:
            return text == self.parts[0]
        first, *inner, last = self.parts
        if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
            return False
        begin, end = len(first), len(text) - len(last)
        for part in inner:
            found = text.find(part, begin, end)
            if found < 0:
                return False
            begin = found + len(part)
        return True


class Choice(Struct, frozen=True, gc=False):
    """Several strings to compare with, of which one must match: `in (a, b)`."""

    patterns: tuple[Pattern, ...]
    literal: ClassVar[None] = None

    def fits(self, text: str) -> bool:
        """Return whether a string matches one of them."""
        return any(pattern.fits(text) for pattern in self.patterns)


AnyPattern: TypeAlias = Pattern | Choice


class Value(Struct, frozen=True, gc=False):
    """The rule, source or subject has this value."""

    negated: bool
    key: str
    pattern: AnyPattern

    def holds(self, alert: StoredAlert, _: Content | None) -> bool:
        return self.pattern.fits(getattr(alert, self.key))


class Tag(Struct, frozen=True, gc=False):
    """One of the rule's tags has this value."""

    negated: bool
    pattern: AnyPattern

    def holds(self, _: StoredAlert, content: Content | None) -> bool:
        return content is not None and any(self.pattern.fits(tag) for tag in content.tags)


class Text(Struct, frozen=True, gc=False):
    """The words follow each other in the rule's name, the message or the value of a field. `is_open`: the last one may continue."""

    negated: bool
    words: tuple[str, ...]
    is_open: bool = False

    def holds(self, alert: StoredAlert, content: Content | None) -> bool:
        return content is not None and _has_phrase(alert, content, self.words, is_open=self.is_open)


class Field(Struct, frozen=True, gc=False):
    """A field has this value. Or the text has the term itself as `words`: `example.com:443` may be meant as text."""

    negated: bool
    name: str
    pattern: AnyPattern
    words: tuple[str, ...]

    def holds(self, alert: StoredAlert, content: Content | None) -> bool:
        if content is None:
            return False
        if self.name in content.output_fields and any(map(self.pattern.fits, value_texts(content.output_fields[self.name]))):
            return True
        return bool(self.words) and _has_phrase(alert, content, self.words)


class Comparison(Struct, frozen=True, gc=False):
    """A field has a number, or a string of digits, that satisfies a comparison."""

    negated: bool
    name: str
    operator: str
    number: int | float

    def holds(self, _: StoredAlert, content: Content | None) -> bool:
        if content is None or self.name not in content.output_fields:
            return False
        compare, numbers = COMPARE[self.operator], map(read_number, value_texts(content.output_fields[self.name]))
        return any(number is not None and compare(number, self.number) for number in numbers)


Term: TypeAlias = Value | Tag | Text | Field | Comparison


def read_number(text: str) -> int | float | None:
    """Return the number that a string is, exactly if it is a whole one; None for another string."""
    if not _NUMBER.fullmatch(text):
        return None
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


def _has_phrase(alert: StoredAlert, content: Content, words: tuple[str, ...], *, is_open: bool = False) -> bool:
    phrase = f" {' '.join(words)}{'' if is_open else ' '}"
    message = content.message or content.output
    return any(phrase in space_words(text) for text in texts_of_alert(alert.rule, message, content.output_fields))
