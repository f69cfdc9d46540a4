"""The tree of a checked condition: fields are numbers, constants have their field's type, all checks are valid.

Plain data. `check` creates it, the plan contains it, and the executors read it. Nodes compare and hash by value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from lanner.rules.language.catalog import PLUGIN_INFO, PRINTED_PLUGIN_INFO
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from lanner.rules.language.catalog import FieldRequest
    from lanner.rules.language.vocabulary import Modifier, Operator, TransformerName


class Net(NamedTuple):
    """An IP network: an address of 4 or 16 bytes, of which `bits` leading bits are significant."""

    address: bytes
    bits: int


# The type of a constant follows the field's: STRING str, numbers and times int, BOOL bool, IPADDR bytes, IPNET Net
Constant: TypeAlias = str | int | bool | bytes | Net


class Kind(Struct, frozen=True, gc=False):
    """Properties of an operand's values that are known before the first event.

    `terminated`: Falco's values include a trailing NUL (results of tolower, toupper, b64 and basename), so that comparisons by
    length and bytes never find them equal to values without one. `binary`: they may contain NULs (results of b64).
    """

    type: FieldType
    is_list: bool = False
    terminated: bool = False
    binary: bool = False


class Slot(Struct, frozen=True, gc=False):
    """The value of the plan's field with this number."""

    number: int
    kind: Kind


class Text(Struct, frozen=True, gc=False):
    """A string that is the same for every event."""

    text: str
    kind: Kind = Kind(FieldType.STRING)


class Items(Struct, frozen=True, gc=False):
    """The values of several operands as one list; no value if one of them has none."""

    items: tuple[Operand, ...]
    kind: Kind = Kind(FieldType.STRING, is_list=True)


class Transformation(Struct, frozen=True, gc=False):
    """The result of a transformer; no value if an operand has none. `selector` is getopt's option.

    "decimal" is not in the vocabulary: it converts numbers in a list of operands.
    """

    name: TransformerName | Literal["decimal"]
    operands: tuple[Operand, ...]
    kind: Kind
    selector: str | None = None


Operand: TypeAlias = Slot | Text | Items | Transformation


class Test(Struct, frozen=True, gc=False):
    """A comparison with constants. For an operator that takes one constant, `constants` contains only that."""

    left: Operand
    operator: Operator
    constants: tuple[Constant, ...] = ()
    modifier: Modifier | None = None


class Comparison(Struct, frozen=True, gc=False):
    """A comparison of two values of the event, of the same type."""

    left: Operand
    operator: Operator
    right: Operand


class Negation(Struct, frozen=True, gc=False):
    """True if the child is false, and therefore also if a value of the child is missing."""

    child: Tree


class All(Struct, frozen=True, gc=False):
    """All of the children."""

    children: tuple[Tree, ...]


class Some(Struct, frozen=True, gc=False):
    """At least one of the children."""

    children: tuple[Tree, ...]


Tree: TypeAlias = Test | Comparison | Negation | All | Some


class FieldTable:
    """Numbers for the values that rules request: equal requests get the same number."""

    def __init__(self) -> None:
        self._numbers: dict[FieldRequest, int] = {}
        self._outputs: OutputFields | None = None

    def of_outputs(self) -> OutputFields:
        """Return this table for the fields of outputs, where one field has another text than in conditions."""
        if self._outputs is None:
            self._outputs = OutputFields(self._numbers)
        return self._outputs

    def number(self, request: FieldRequest) -> int:
        """Return the request's number, a new one for a new request."""
        return self._numbers.setdefault(request, len(self._numbers))

    @property
    def requests(self) -> tuple[FieldRequest, ...]:
        """All requests, each at the index of its number."""
        return tuple(self._numbers)


class OutputFields(FieldTable):
    """The numbers of a table, for the fields of outputs. `known` is for the parser of outputs: the parsed placeholders by their text."""

    def __init__(self, numbers: dict[FieldRequest, int]) -> None:
        super().__init__()
        self._numbers = numbers
        self.known: dict[str, Any] = {}

    def number(self, request: FieldRequest) -> int:
        return super().number(replace(request, name=PRINTED_PLUGIN_INFO) if request.name == PLUGIN_INFO else request)
