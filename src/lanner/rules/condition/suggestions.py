"""Advice on syntax errors of a condition: the word that was probably meant. The messages are Falco's; the advice follows them."""

from __future__ import annotations

import re
from typing import Final

from lanner.rules.language import vocabulary
from lanner.sdk.text.misspelt import find_near

_OPERATORS: Final = tuple(row.name for row in vocabulary.OPERATORS)
_CALLS: Final = (*(row.name for row in vocabulary.TRANSFORMERS), *vocabulary.MODIFIERS)
_OTHER_OPERATORS: Final = {
    "~": "regex",
    "matches": "regex",
    "match": "regex",
    "like": "glob",
    "has": "contains",
    "includes": "contains",
    "is": "=",
    "equals": "=",
    "eq": "=",
    "ne": "!=",
    "gt": ">",
    "lt": "<",
    "ge": ">=",
    "le": "<=",
}
"""Operators of other languages."""
_OTHER_CONNECTIVES: Final = {"&&": "and", "&": "and", "||": "or", "|": "or"}


_OTHER_SYMBOLS: Final = {"=>": ">=", "=<": "<=", "=~": "regex", "<>": "!=", "===": "=", "!==": "!="}
"""Operators of other languages that begin as one of Falco's."""
_SYMBOL: Final = re.compile("(?:" + "|".join(_OTHER_SYMBOLS) + r")$")
_SEVERAL: Final = {"=": "write `in ({}, ...)`", "==": "write `in ({}, ...)`", "!=": "write `not FIELD in ({}, ...)`"}
_LISTS: Final = tuple(row.name for row in vocabulary.OPERATORS if row.side is vocabulary.Side.LIST)
_SINGLES: Final = tuple(row.name for row in vocabulary.OPERATORS if row.side is vocabulary.Side.TEXT)
_LAST_COMPARISON: Final = re.compile(rf"""({"|".join(map(re.escape, (*_LISTS, *_SINGLES)))})\s*+([^\s(),]+)\s*$""")


def advise_operator(word: str) -> str:
    """Return advice on a word where an operator must be, or ""."""
    if word == "not":
        return "Write `not` before the field: `not FIELD in (a, b)`."
    return _ask(_OTHER_OPERATORS.get(word.casefold()) or find_near(word, _OPERATORS))


def advise_symbol(read: str) -> str:
    """Return advice if the text that was read ends with an operator of another language, or ""."""
    found = _SYMBOL.search(read[-3:])
    return _ask(_OTHER_SYMBOLS[found[0]]) if found else ""


def advise_connective(word: str, last: str, read: str) -> str:
    """Return advice on a word where `and` or `or` must be, or "". `last` is the word before it, and `read` the text up to it."""
    if advice := advise_symbol(read.rstrip()) or _advise_list(word, read):
        return advice
    if word == "(":
        return _ask(find_near(last, _CALLS))
    return _ask(_OTHER_CONNECTIVES.get(word) or find_near(word, ("and", "or")))


def _advise_list(word: str, read: str) -> str:
    """Return advice on a list without parentheses."""
    found = _LAST_COMPARISON.search(read[-200:])
    if found is None or word[:1] in {"(", "&", "|"} or find_near(word, ("and", "or")):
        return ""
    operator, first = found.groups()
    if operator in _LISTS:
        return f"Write the list in parentheses, with commas between its values: `{operator} ({first}, ...)`."
    if word.startswith(","):
        several = _SEVERAL.get(operator, "join comparisons with `or`").format(first)
        return f"`{operator}` compares with one value. For several, {several}."
    return ""


def _ask(name: str) -> str:
    return f"Did you mean '{name}'?" if name else ""
