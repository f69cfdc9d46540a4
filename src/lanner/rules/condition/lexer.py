"""The words of the condition language: a cursor over one text, and what can stand at it.

In comes the text of a condition, out come tokens, one at a time; which of them may follow which is the parser's business
(condition.py). The language has no token classes of its own: what a word is depends on what the parser asks for, as in Falco,
where `in` may be an operator, a macro's name or a text.

Every method here costs time in proportion to what it consumes, or a constant where it consumes nothing, so that parsing is
linear. The one exception is a quote that never closes, after which nothing can be parsed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lanner.rules.findings import ConditionError
from lanner.rules.language import vocabulary
from lanner.rules.language.vocabulary import Side

if TYPE_CHECKING:
    from collections.abc import Iterable

Pattern = re.Pattern[str]


def _any_of(names: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, names))})"


_SPACE: Final = r" \t\n\v\f\r"
BARE_TEXT: Final = re.compile(rf"""[^()"'{_SPACE}=,]++""")
# A further item of a list whose text stands for itself, as nearly all do: in quotes (1) or without (2)
NEXT_ITEM: Final = re.compile(rf"""[ \t\x08\r\n]*+,[ \t\x08\r\n]*+(?:("[^"\\\0]*+"|'[^'\\\0]*+')|({BARE_TEXT.pattern}))""")
BARE_ARGUMENT: Final = re.compile(rf"""[^\]\["'{_SPACE}]++""")
IDENTIFIER: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*+")
FIELD_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*+(?:\.[a-zA-Z][a-zA-Z0-9_]*+)++")
NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]+|[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?")
NOT: Final = re.compile(rf"not[{_SPACE}]++")
TRANSFORMER: Final = re.compile(_any_of(row.name for row in vocabulary.TRANSFORMERS if not row.only_right) + r"\(")

# A backspace is a blank for Falco, while the vertical tab and the form feed are not
_BLANKS: Final = re.compile(r"[ \t\x08\r\n]++")
NUMBER_OPERATOR: Final = re.compile(_any_of(vocabulary.operators_of(Side.NUMBER)))
# A word needs a blank after it here; a list operator does not
_TEXT_OPERATORS: Final = vocabulary.operators_of(Side.TEXT)
_SYMBOLS: Final = _any_of(name for name in _TEXT_OPERATORS if not name.isalpha())
_WORDS: Final = _any_of(name for name in _TEXT_OPERATORS if name.isalpha())
TEXT_OPERATOR: Final = re.compile(rf"{_SYMBOLS}|{_WORDS}(?=[ \t\x08\r\n])")
LIST_OPERATOR: Final = re.compile(_any_of(vocabulary.operators_of(Side.LIST)))
MODIFIER: Final = re.compile(_any_of(vocabulary.MODIFIERS) + r"(?=[ \t\x08\r\n])")
KEYWORD: Final = re.compile(r"(?:and|or|not)(?![a-zA-Z0-9])")

# What most checks begin with, in one step: a field (1, with 2 in brackets), and exists (3) or an operator before a number (4), a text (5)
# or a list (6). What it does not match is read word by word.
LEFT: Final = re.compile(
    rf"({FIELD_NAME.pattern})(?:\[({BARE_ARGUMENT.pattern})\])?+[ \t\x08\r\n]*+"
    rf"(?:(exists)|({NUMBER_OPERATOR.pattern})|({TEXT_OPERATOR.pattern})|({LIST_OPERATOR.pattern}))"
)
# The name of a macro: neither a field nor a transformer, which continue with a dot or a parenthesis
NAME: Final = re.compile(rf"{IDENTIFIER.pattern}(?![.(])")
EXISTS: Final = 3
BEFORE_NUMBER: Final = 4
BEFORE_LIST: Final = 6
# A constant behind an operator before a text, in quotes (1) or without (2): neither a transformer nor a modifier
TEXT: Final = re.compile(rf"""[ \t\x08\r\n]*+(?!{MODIFIER.pattern})(?:("[^"\\\0]*+"|'[^'\\\0]*+')|({BARE_TEXT.pattern})(?!\())""")

_PLAIN_QUOTED: Final = re.compile(r""""([^"\\\0]*+)"|'([^'\\\0]*+)'""")  # what it holds stands for itself
_NEXT_WORD: Final = re.compile(rf"[^(){_SPACE}]+|.", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
# A backslash before a blank is a backslash: Falco keeps it for the sake of old rules
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", " ": "\\", "\\": "\\", "/": "/"}


class Scanner:
    """A cursor (`at`) over `text`. `last` is the last token, which Falco's messages quote.

    Spans and the offsets of errors are counted from `base` on, so that several texts can share one numbering.
    """

    def __init__(self, text: str, base: int = 0) -> None:
        self.text = text
        self.base = base
        self.at = 0
        self.last = ""

    def blank(self) -> bool:
        """Step over blanks; tells whether there were any."""
        found = _BLANKS.match(self.text, self.at)
        if found is None:
            return False
        self.at = found.end()
        return True

    def take(self, word: str) -> bool:
        """Step over exactly this word, whatever stands behind it."""
        if not self.text.startswith(word, self.at):
            return False
        self.at += len(word)
        self.last = word
        return True

    def match(self, pattern: re.Pattern[str]) -> bool:
        """Step over a token of this pattern, which becomes `last`."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return False
        self.at = found.end()
        self.last = found[0]
        return True

    def sees(self, pattern: re.Pattern[str]) -> bool:
        """Whether a token of this pattern stands at the cursor, which stays."""
        return pattern.match(self.text, self.at) is not None

    def quoted(self) -> bool:
        """Step over a text in quotes; `last` is what it stands for.

        A quote behind a backslash does not close, even where that backslash is itself escaped.
        """
        quote = self.text[self.at : self.at + 1]
        if quote not in ('"', "'"):
            return False
        begin = self.at
        plain = _PLAIN_QUOTED.match(self.text, begin)
        if plain:
            self.at = plain.end()
            self.last = self.text[begin + 1 : self.at - 1]
            return True
        end = _closing(self.text, quote, begin)
        if end < 0:
            self.last = self.text[begin:].partition("\0")[0]
            return False
        self.at = end
        self.last = self._unescape(begin, end)
        return True

    def span(self, begin: int) -> tuple[int, int]:
        """From an earlier value of `at` up to the cursor."""
        return self.base + begin, self.base + self.at

    def error(self, message: str, length: int | None = None, *, advice: str = "") -> ConditionError:
        """The error that something else should stand at the cursor."""
        if length is None:
            word = _NEXT_WORD.match(self.text, self.at)
            length = len(word[0]) if word else 1
        return ConditionError(message, self.base + self.at, length, advice=advice)

    def _unescape(self, begin: int, end: int) -> str:
        quote = self.text[begin]

        def replace(found: re.Match[str]) -> str:
            char = found[1]
            if char in _ESCAPED:
                return _ESCAPED[char]
            if char == quote:
                return quote
            message = f"unsupported string escape sequence: \\{char}"
            if char in "\"'":
                message = f"invalid \\{char} escape in {quote}-quoted string"
            raise ConditionError(message, self.base + begin + 1 + found.start(), 2, falco_offset=self.base + end)

        return _ESCAPE.sub(replace, self.text[begin + 1 : end - 1])


def _closing(text: str, quote: str, begin: int) -> int:
    """The offset behind the quote that closes the one at `begin`, or -1. A NUL ends every text for Falco."""
    at = text.find(quote, begin + 1)
    while at > 0 and text[at - 1] == "\\":
        at = text.find(quote, at + 1)
    return -1 if at < 0 or text.find("\0", begin, at) >= 0 else at + 1
