# What each of these does is told in its own docstring and, for values, in lanner.sdk.values.
from collections.abc import Sequence
from typing import final

from lanner.sdk.types import FieldValue
from lanner.sdk.values import Data

def fnmatch(pattern: bytes, text: bytes, casefold: bool, /) -> bool: ...

@final
class Reader:
    def __new__(cls, table: Sequence[Data]) -> Reader: ...
    def load(self, payload: bytes, /) -> bool: ...
    def get(self, slot: int, argument: str | int | None = None, /) -> FieldValue: ...
