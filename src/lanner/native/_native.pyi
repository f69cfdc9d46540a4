from collections.abc import Sequence
from typing import final

from lanner.sdk.types import FieldValue
from lanner.sdk.values import Data

def fnmatch(pattern: bytes, text: bytes, casefold: bool, /) -> bool:
    """Whether fnmatch(3) with no flags, or with FNM_CASEFOLD, matches; bytes in the C locale, as in Falco."""

@final
class Reader:
    """Reads values off one payload at a time, as `lanner.sdk.evaluate.Reader` does. For one thread at a time."""

    def __new__(cls, table: Sequence[Data]) -> Reader:
        """`table`: trees as `Value.data()` gives them; a slot is a place in it. ValueError for what is no such table."""

    def load(self, payload: bytes, /) -> bool:
        """Take the next payload; whether it is wholly valid JSON (where not, no slot has a value)."""

    def get(self, slot: int, argument: str | int | None = None, /) -> FieldValue:
        """The value of the tree at `slot`; `argument` fills KEY (str) or INDEX (int)."""
