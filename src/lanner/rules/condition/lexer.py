"""The lexer of the condition language: a cursor over one text, and the tokens it can read.

The input is the text of a condition, the output are tokens, one at a time. The parser (parser.py) determines which tokens may
follow. The language has no fixed token classes: the parser's request decides what a word is, as in Falco,
where `in` may be an operator, a macro's name or a string.

Every method takes time in proportion to the text it consumes, or constant time if it consumes nothing, so that parsing is
linear. The one exception is an unclosed quote, after which nothing can be parsed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lanner.rules.findings import ConditionError
from lanner.rules.language import vocabulary
from lanner.rules.language.vocabulary import Side
from lanner.sdk.text.encoding import cut_at_nul

if TYPE_CHECKING:
    from collections.abc import Iterable

Pattern = re.Pattern[str]


def _any_of(names: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, names))})"


_SPACE: Final = r" \t\n\v\f\r"
BARE_TEXT: Final = re.compile(rf"""[^()"'{_SPACE}=,]++""")
# A further item of a list whose text has no escapes, as nearly all have none: in quotes (1) or without (2)
NEXT_ITEM: Final = re.compile(rf"""[ \t\x08\r\n]*+,[ \t\x08\r\n]*+(?:("[^"\\\0]*+"|'[^'\\\0]*+')|({BARE_TEXT.pattern}))""")
BARE_ARGUMENT: Final = re.compile(rf"""[^\]\["'{_SPACE}]++""")
IDENTIFIER: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*+")
FIELD_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*+(?:\.[a-zA-Z][a-zA-Z0-9_]*+)++")
NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]+|[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?")
NOT: Final = re.compile(rf"not[{_SPACE}]++")
TRANSFORMER: Final = re.compile(_any_of(row.name for row in vocabulary.TRANSFORMERS if not row.only_right) + r"\(")

# A backspace is a blank for Falco, unlike the vertical tab and the form feed
_BLANKS: Final = re.compile(r"[ \t\x08\r\n]++")
NUMBER_OPERATOR: Final = re.compile(_any_of(vocabulary.operators_of(Side.NUMBER)))
# These words need a blank after them; a list operator does not
_TEXT_OPERATORS: Final = vocabulary.operators_of(Side.TEXT)
_SYMBOLS: Final = _any_of(name for name in _TEXT_OPERATORS if not name.isalpha())
_WORDS: Final = _any_of(name for name in _TEXT_OPERATORS if name.isalpha())
TEXT_OPERATOR: Final = re.compile(rf"{_SYMBOLS}|{_WORDS}(?=[ \t\x08\r\n])")
LIST_OPERATOR: Final = re.compile(_any_of(vocabulary.operators_of(Side.LIST)))
MODIFIER: Final = re.compile(_any_of(vocabulary.MODIFIERS) + r"(?=[ \t\x08\r\n])")
KEYWORD: Final = re.compile(r"(?:and|or|not)(?![a-zA-Z0-9])")

# The usual start of an operand, in one step. After an optional "not" (1) it is a macro's name (2), not followed by a dot or a parenthesis.
# Or it is a field (3, with 4 in brackets) and exists (5), or an operator before a number (6), a string (7) or a list (8). The lexer reads
# anything else word by word.
OPERAND: Final = re.compile(
    rf"[ \t\x08\r\n]*+(not[{_SPACE}]++)?+[ \t\x08\r\n]*+(?!not[{_SPACE}(])(?:({IDENTIFIER.pattern})(?![.(])|"
    rf"({FIELD_NAME.pattern})(?:\[({BARE_ARGUMENT.pattern})\])?+[ \t\x08\r\n]*+"
    rf"(?:(exists)|({NUMBER_OPERATOR.pattern})|({TEXT_OPERATOR.pattern})|({LIST_OPERATOR.pattern})))"
)
NEGATION: Final = 1
NAME: Final = 2
FIELD: Final = 3
ARGUMENT: Final = 4
EXISTS: Final = 5
BEFORE_NUMBER: Final = 6
BEFORE_LIST: Final = 8
# The usual text between two operands, with "and" or "or" (1)
CONNECTIVE: Final = re.compile(r"[ \t\x08\r\n]*+(and|or)[ \t\x08\r\n]++")
# A constant after an operator that takes a string, in quotes (1) or without (2): neither a transformer nor a modifier
TEXT: Final = re.compile(rf"""[ \t\x08\r\n]*+(?!{MODIFIER.pattern})(?:("[^"\\\0]*+"|'[^'\\\0]*+')|({BARE_TEXT.pattern})(?!\())""")

_PLAIN_QUOTED: Final = re.compile(r""""([^"\\\0]*+)"|'([^'\\\0]*+)'""")  # without escapes
_NEXT_WORD: Final = re.compile(rf"[^(){_SPACE}]+|.", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
# A backslash before a blank is a backslash: Falco keeps this for old rules
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", " ": "\\", "\\": "\\", "/": "/"}


class Scanner:
    """A cursor (`at`) over `text`. `last` is the last token, which Falco's messages quote.

    Spans and the offsets of errors count from `base`, so that several strings can share one numbering.
    """

    def __init__(self, text: str, base: int = 0) -> None:
        self.text = text
        self.base = base
        self.at = 0
        self.last = ""

    def skip_blanks(self) -> bool:
        """Skip blanks, and return whether there were any."""
        found = _BLANKS.match(self.text, self.at)
        if found is None:
            return False
        self.at = found.end()
        return True

    def take(self, word: str) -> bool:
        """Skip exactly this word, regardless of the next character."""
        if not self.text.startswith(word, self.at):
            return False
        self.at += len(word)
        self.last = word
        return True

    def match(self, pattern: re.Pattern[str]) -> bool:
        """Skip a token of this pattern, which becomes `last`."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return False
        self.at = found.end()
        self.last = found[0]
        return True

    def sees(self, pattern: re.Pattern[str]) -> bool:
        """Return whether a token of this pattern is at the cursor. Do not move the cursor."""
        return pattern.match(self.text, self.at) is not None

    def skip_quoted(self) -> bool:
        """Skip a string in quotes; `last` becomes its unescaped value.

        A quote after a backslash does not close the text, even if that backslash is itself escaped.
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
        end = _find_closing(self.text, quote, begin)
        if end < 0:
            self.last = cut_at_nul(self.text[begin:])
            return False
        self.at = end
        self.last = self._unescape(begin, end)
        return True

    def span(self, begin: int) -> tuple[int, int]:
        """Return the span from an earlier value of `at` to the cursor."""
        return self.base + begin, self.base + self.at

    def next_word(self) -> str:
        """Return the word or character at the cursor; "" at the end."""
        word = _NEXT_WORD.match(self.text, self.at)
        return word[0] if word else ""

    def error(self, message: str, length: int | None = None, *, advice: str = "") -> ConditionError:
        """Return the error for an unexpected token at the cursor."""
        if length is None:
            length = len(self.next_word()) or 1
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


def _find_closing(text: str, quote: str, begin: int) -> int:
    """Return the offset after the quote that closes the one at `begin`, or -1. A NUL ends every text for Falco."""
    at = text.find(quote, begin + 1)
    while at > 0 and text[at - 1] == "\\":
        at = text.find(quote, at + 1)
    return -1 if at < 0 or text.find("\0", begin, at) >= 0 else at + 1
