"""Advice on syntax errors of a condition: the word that was probably meant. The messages are Falco's; the advice follows them."""

from __future__ import annotations

from typing import Final

from lanner.rules.language import vocabulary
from lanner.sdk.misspelt import find_near

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


def advise_operator(word: str) -> str:
    """Return advice on a word where an operator must be, or ""."""
    return _ask(_OTHER_OPERATORS.get(word.casefold()) or find_near(word, _OPERATORS))


def advise_connective(word: str, last: str) -> str:
    """Return advice on a word where `and` or `or` must be, or "". `last` is the word before it."""
    if word == "(":
        return _ask(find_near(last, _CALLS))
    return _ask(_OTHER_CONNECTIVES.get(word) or find_near(word, ("and", "or")))


def _ask(name: str) -> str:
    return f"Did you mean '{name}'?" if name else ""
