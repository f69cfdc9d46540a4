# lanner.rules.plan.native_program describes programs. A hit is (index in the batch, rule, whether it is sure, time in ns or
# None, the values that its alert shows or None if Python must read them).
from collections.abc import Sequence
from typing import Any, TypeAlias, final

from lanner.sdk.types import FieldValue

Hit: TypeAlias = tuple[int, int, bool, int | None, tuple[FieldValue, ...] | None]

OPERATORS: list[str]
TRANSFORMERS: list[tuple[str, int, int | None]]

@final
class Executor:
    def __new__(cls, program: tuple[Any, ...], first: bool) -> Executor: ...
    def copy(self) -> Executor: ...
    def evaluated(self) -> int: ...
    def misfits(self) -> list[dict[str, int]]: ...
    def match(self, values: tuple[Any, ...], /) -> list[Hit]: ...
    def run(
        self,
        payloads: Sequence[bytes],
        timestamps: list[int | None] | None,
        number: int,
        before: int | None,
        first: int | None,
        now: int | None,
        /,
    ) -> tuple[list[Hit], int, int, int | None, int | None]: ...
