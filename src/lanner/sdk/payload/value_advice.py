"""Advice for misused values: misspelt words, attributes instead of members, and words without their parentheses."""

from __future__ import annotations

from types import MethodType
from typing import Final

from lanner.sdk.payload.nodes import Node
from lanner.sdk.payload.words import FORMS, ROWS
from lanner.sdk.text.misspelt import find_misspelt, find_near

_SYNONYMS: Final = {
    "bool": "boolean",
    "casefold": "lower",
    "cidr": "network",
    "date": "time",
    "datetime": "time",
    "float": "text",
    "int": "integer",
    "ip": "address",
    "lowercase": "lower",
    "number": "integer",
    "str": "text",
    "string": "text",
    "timedelta": "duration",
    "timestamp": "time",
    "to_int": "integer",
    "to_str": "text",
    "uint64": "integer",
    "uppercase": "upper",
}
"""Names of words in Python and in other tools, each with Lanner's."""
_NEVER_MEMBERS: Final = frozenset({"bool", "casefold", "float", "int", "lowercase", "str", "to_int", "to_str", "uint64", "uppercase"})
"""Synonyms that hardly name a member of a payload."""
_CONDITIONS: Final = ("when", "unless")
_OF_PATHS: Final = ("where", "each", "pointer", "keys")
_WRITTEN: Final = {
    **{row.name: row.form.removeprefix("a.") for row in ROWS.values()},
    **{form.partition(".")[2].partition("(")[0]: form.partition(".")[2] for form, _ in reversed(FORMS) if "." in form},
}
"""By name, each word as it is written after a value: `integer()`."""


def describe_attribute(name: str, place: str) -> str:
    """Return the message for an unknown attribute of a value, with the word that was meant.

    `place` is the expression that reads the member of that name, "" for values without members.
    """
    if not place and name in _OF_PATHS:
        return f"{name!r} needs a place in a JSON payload: payload[...].{_WRITTEN[name]}"
    words = (*_CONDITIONS, *ROWS, *_OF_PATHS) if place else tuple(word for word in (*_CONDITIONS, *ROWS) if word not in _OF_PATHS)
    word = _SYNONYMS.get(name.lower()) or (find_misspelt(name, words) if place else find_near(name, words))
    if word:
        also = f" If not, {_read_with(place)}" if place and name in _SYNONYMS and name not in _NEVER_MEMBERS else ""
        return f"a value has no method {name!r}: did you mean {_WRITTEN[word]}?{also}"
    if place:
        return f"a value has no attribute {name!r}: {_read_with(place)}"
    return f"a value has no attribute {name!r}: its methods are {', '.join(words)}"


def describe_member(name: str, place: str) -> str:
    """Return the message for an attribute of `logfmt`, `cef` or a pattern, which have no words but members."""
    return f"no attribute {name!r}: {_read_with(place)}"


def _read_with(place: str) -> str:
    return f"to read the member of that name, write {place}"


def describe_uncalled(given: object) -> str:
    """Return advice for a method of a value that is used instead of the value: it needs parentheses. "" for everything else."""
    if not isinstance(given, MethodType) or not isinstance(given.__self__, Node):
        return ""
    name = given.__name__
    return f"the method `{name}` without parentheses: write {_WRITTEN.get(name, f'{name}()')}"
