"""Python's own operations that values as data refuse, because no event exists yet when the class is defined.

Without a refusal some of them have another meaning in silence: `a or b` is always `a`, and iteration over a place never ends.
"""

from __future__ import annotations

from lanner.sdk.errors import DefinitionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Never


class Refusals:
    """Base of values: each of these operations raises `DefinitionError` with the word that does the same for events."""

    def __bool__(self) -> Never:
        """Refuse `or`, `and`, `not` and `if`."""
        raise DefinitionError(
            "a value is neither true nor false, because it is read from each event later: "
            "write `a | b` instead of `a or b`, and `a.when(b)` or `a.unless(b)` instead of `if`, `and` and `not`"
        )

    def __iter__(self) -> Never:
        """Refuse iteration, which `__getitem__` would otherwise allow."""
        raise DefinitionError('a value cannot be iterated: payload["items", EACH, "name"] reads the member of each item of an array')

    if not TYPE_CHECKING:  # a checker refuses these itself

        def __contains__(self, other: object) -> Never:
            raise DefinitionError('a value has no operator `in`: a list has `a.any("x")`, which is a boolean')

        def __len__(self) -> Never:
            raise DefinitionError("a value has no length here: rules have the transformer `len`")

        def __add__(self, other: object) -> Never:
            raise DefinitionError('a value has no operator `+`: write concat(a, "/", b)')

        __radd__ = __add__

        def __ror__(self, other: object) -> Never:
            raise DefinitionError("`a | b` needs two values: a constant text is lanner.text(...)")

        def __format__(self, spec: str) -> Never:
            raise DefinitionError('a value cannot be part of a formatted text: write concat(a, "/", b)')

        def __lt__(self, other: object) -> Never:
            raise DefinitionError('values are compared by rules: condition: my.field > 5. To compare strings write a.when(b, "x")')

        __le__ = __gt__ = __ge__ = __lt__
