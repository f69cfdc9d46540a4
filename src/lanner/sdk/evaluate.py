"""The reference evaluator of payload values: a few readable lines for each word of `lanner.sdk.values`.

The input are trees as plain data (`Value.data()`) and a payload, the output are field values. The native reader
(`lanner.native.Reader`) has the same interface and returns the same values, but faster. Tests compare the two.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from lanner.sdk.errors import PayloadError
from lanner.sdk.jsondoc import decode_any
from lanner.sdk.values import UNITS, Data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.sdk.types import FieldValue

UINT64_MAX: Final = 2**64 - 1
# msgspec reads -0 as the integer 0; as a fraction it is correctly a number that no field has as its value
_NEGATIVE_ZERO: Final = re.compile(rb'("(?:[^"\\]++|\\.)*+"?)|(?<![eE])-0(?![0-9.eE])', re.DOTALL)


class Reader:
    """Reads values from one payload at a time. `table` contains the trees; a slot is an index in it."""

    def __init__(self, table: Sequence[Data]) -> None:
        self._table = tuple(table)
        self._json: Any = None
        self._valid = False
        self.has_invalid_utf8 = False
        """Whether texts of the loaded payload have no UTF-8. Their bytes are escapes (`lanner.sdk.text`)."""

    def load(self, payload: bytes) -> bool:
        """Load the next payload, and return whether all of it is valid JSON. If not, no slot has a value."""
        text = _NEGATIVE_ZERO.sub(lambda found: found[1] or b"-0.0", payload) if b"-0" in payload else payload
        try:
            self._json, is_utf8 = decode_any(text)
            self._valid, self.has_invalid_utf8 = True, not is_utf8
        except PayloadError:
            self._json, self._valid, self.has_invalid_utf8 = None, False, False
        return self._valid

    def get(self, slot: int, argument: str | int | None = None) -> FieldValue:
        """Return the value of the tree at `slot`; `argument` fills KEY (str) or INDEX (int)."""
        if not self._valid:
            return None
        value: FieldValue = _evaluate(self._table[slot], self._json, argument)
        return value


def _text(value: str) -> str:
    # a C host reads texts only up to their first NUL
    return value.partition("\0")[0]


def _evaluate(tree: Any, json: Any, argument: str | int | None, *, number: bool = False) -> Any:
    """Return the value of `tree`: str, int, tuple of names or None. `number`: accept a JSON integer instead of a text."""
    match tree:
        case ["path", parts]:
            found = _walk(json, parts, argument)
            if isinstance(found, str):
                return _text(found)
            return found if number and isinstance(found, int) and not isinstance(found, bool) else None
        case ["first", options]:
            values = (_evaluate(option, json, argument, number=number) for option in options)
            return next((value for value in values if value is not None), None)
        case ["when", value, condition, texts]:
            holds = _evaluate(condition, json, argument) in texts
            return _evaluate(value, json, argument, number=number) if holds else None
        case ["before", value, separator]:
            text = _evaluate(value, json, argument)
            return None if text is None else text.partition(separator)[0]
        case ["after", value, separator]:
            text = _evaluate(value, json, argument)
            return text.partition(separator)[2] if text is not None and separator in text else None
        case ["after_last", value, separator]:
            text = _evaluate(value, json, argument)
            return None if text is None else text.rpartition(separator)[2]
        case ["integer", value]:
            return _unsigned(_evaluate(value, json, argument, number=True), 1)
        case ["time", value, unit]:
            return _unsigned(_evaluate(value, json, argument, number=True), UNITS[unit])
        case ["keys", ["path", parts]]:
            found = _walk(json, parts, argument)
            return (tuple(dict.fromkeys(map(_text, found))) or None) if isinstance(found, dict) else None
    raise ValueError(f"invalid value tree: {tree!r}")


def _walk(place: Any, parts: Sequence[Any], argument: str | int | None) -> Any:
    for part in parts:
        step = argument if isinstance(part, dict) else part
        if isinstance(place, dict) and isinstance(step, str):
            place = place.get(step)
        elif isinstance(place, list) and isinstance(step, int) and 0 <= step < len(place):
            place = place[step]
        else:
            return None
    return place


def _unsigned(value: str | int | None, factor: int) -> int | None:
    if isinstance(value, str):
        # 20 digits suffice for every unsigned 64-bit integer; longer texts with leading zeros do not occur
        value = int(value) if value.isascii() and value.isdigit() and len(value) <= 20 else None
    if value is None or not 0 <= value * factor <= UINT64_MAX:
        return None
    return value * factor
