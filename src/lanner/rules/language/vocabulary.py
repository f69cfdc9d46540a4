"""The vocabulary of conditions: operators, modifiers and transformers, each declared once.

The lexer, the parser's messages, exceptions, the checker, the requirements of rules, the lints and the tables in the documentation
all derive from these rows. Each word is computed by a case in `operators` or `transformers`, and its native form is in
`native/rules/operators.cpp` or `native/rules/transforms.cpp`.

The rows are in Falco's order, which its error messages and its lexer use.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Final, Literal, NamedTuple, TypeAlias

from msgspec import Struct

from lanner.sdk.types import FieldType

# For the type checker; a test compares these with the rows
Operator: TypeAlias = Literal[
    "exists", "<=", "<", ">=", ">", "==", "=", "!=", "glob", "iglob", "contains", "icontains", "bcontains", "startswith",
    "bstartswith", "endswith", "regex", "intersects", "in", "pmatch",
]  # fmt: skip
Modifier: TypeAlias = Literal["oneof", "anyof", "allof"]
TransformerName: TypeAlias = Literal["val", "tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt"]


class Engine(NamedTuple):
    """The engine of the first Falco release with a feature."""

    version: tuple[int, int, int]
    falco: str


FALCO_0_32: Final = Engine((0, 12, 0), "0.32")
FALCO_0_38: Final = Engine((0, 40, 0), "0.38")
FALCO_0_39: Final = Engine((0, 43, 0), "0.39")
FALCO_0_40: Final = Engine((0, 46, 0), "0.40")
FALCO_0_44: Final = Engine((0, 62, 0), "0.44")


class Side(Enum):
    """The right side of an operator, which is also its token class: how to read the operator and what the parser expects next."""

    NOTHING = "nothing"
    NUMBER = "a number"
    TEXT = "a string"
    LIST = "a list"


class Group(StrEnum):
    """Types of values that take the same operators."""

    STRINGS = "strings"
    NUMBERS = "numbers"
    BOOLEANS = "booleans"
    ADDRESSES = "addresses"
    BUFFERS = "byte buffers"
    LISTS = "lists"


GROUPS: Final = {
    FieldType.STRING: Group.STRINGS,
    FieldType.UINT64: Group.NUMBERS,
    FieldType.RELTIME: Group.NUMBERS,
    FieldType.ABSTIME: Group.NUMBERS,
    FieldType.BOOL: Group.BOOLEANS,
    FieldType.IPADDR: Group.ADDRESSES,
    FieldType.IPNET: Group.ADDRESSES,
}

_ALL: Final = frozenset(Group)
_SINGLE: Final = _ALL - {Group.LISTS}
_ORDERED: Final = frozenset({Group.STRINGS, Group.NUMBERS})
_STRINGS: Final = frozenset({Group.STRINGS})
_BUFFERS: Final = frozenset({Group.BUFFERS})


class OperatorRow(Struct, frozen=True, gc=False):
    """An operator. `since` is None if every Falco with plugins has it."""

    name: Operator
    side: Side
    types: frozenset[Group]
    since: Engine | None = None
    same_as: Operator | None = None
    """The operator of which this is another spelling."""
    takes_fields: bool = True
    """Whether a field or a transformer may be on the right."""
    is_member: bool = False
    """Whether it is true exactly for the values among its constants."""
    is_literal: bool = False
    """Whether it compares with the constant's exact characters: a value without them makes it pointless."""
    remarks_na: bool = False
    """Whether Falco warns about a comparison with `<NA>`."""


OPERATORS: Final = (
    OperatorRow("exists", Side.NOTHING, _ALL),
    OperatorRow("<=", Side.NUMBER, _ORDERED),
    OperatorRow("<", Side.NUMBER, _ORDERED),
    OperatorRow(">=", Side.NUMBER, _ORDERED),
    OperatorRow(">", Side.NUMBER, _ORDERED),
    OperatorRow("==", Side.TEXT, _SINGLE, same_as="=", is_member=True, is_literal=True, remarks_na=True),
    OperatorRow("=", Side.TEXT, _SINGLE, is_member=True, is_literal=True, remarks_na=True),
    OperatorRow("!=", Side.TEXT, _SINGLE, is_literal=True, remarks_na=True),
    OperatorRow("glob", Side.TEXT, _STRINGS),
    OperatorRow("iglob", Side.TEXT, _STRINGS, FALCO_0_38),
    OperatorRow("contains", Side.TEXT, _STRINGS | _BUFFERS, is_literal=True),
    OperatorRow("icontains", Side.TEXT, _STRINGS),
    OperatorRow("bcontains", Side.TEXT, _BUFFERS, FALCO_0_32),
    OperatorRow("startswith", Side.TEXT, _STRINGS | _BUFFERS, is_literal=True),
    OperatorRow("bstartswith", Side.TEXT, _BUFFERS, FALCO_0_32),
    OperatorRow("endswith", Side.TEXT, _STRINGS | _BUFFERS, is_literal=True),
    OperatorRow("regex", Side.TEXT, _STRINGS, FALCO_0_39, takes_fields=False),
    OperatorRow("intersects", Side.LIST, _ALL, is_member=True, is_literal=True, remarks_na=True),
    OperatorRow("in", Side.LIST, _ALL, is_member=True, is_literal=True, remarks_na=True),
    OperatorRow("pmatch", Side.LIST, _STRINGS, takes_fields=False, remarks_na=True),
)

MODIFIERS: Final[tuple[Modifier, ...]] = ("oneof", "anyof", "allof")
MODIFIERS_SINCE: Final = FALCO_0_44

BY_OPERATOR: Final[dict[str, OperatorRow]] = {row.name: row for row in OPERATORS}
MEMBER_OPERATORS: Final = frozenset(row.name for row in OPERATORS if row.is_member)
LITERAL_OPERATORS: Final = frozenset(row.name for row in OPERATORS if row.is_literal)
LIST_OPERATORS: Final = frozenset(row.name for row in OPERATORS if Group.LISTS in row.types and row.side is Side.LIST)
"""Operators that compare whole lists: `in` and `intersects`."""


def operators_of(*sides: Side) -> tuple[Operator, ...]:
    """Return the operators with these right sides, in order."""
    return tuple(row.name for row in OPERATORS if row.side in sides)


# An operand of a transformer, by type and whether it is a list
_Kinds: TypeAlias = frozenset[tuple[FieldType, bool]]
TEXT: Final[_Kinds] = frozenset({(FieldType.STRING, False)})
TEXTS: Final[_Kinds] = frozenset({(FieldType.STRING, True)})
VALUE: Final[_Kinds] = frozenset((kind, False) for kind in FieldType)
VALUES: Final[_Kinds] = frozenset((kind, True) for kind in FieldType)


class Shape(Enum):
    """Whether a transformer returns one value or a list."""

    VALUE = "a value"
    SAME = "a list for a list, otherwise a value"
    SELECTED = "a list, or with a selector one value"


class TransformerRow(Struct, frozen=True, gc=False):
    """A transformer.

    `operands` are the types of its operands; `repeats`: the last of them may repeat. `terminated` and `binary` are as in
    `typed.Kind`. `lacks` is a regex that its result never matches, and a description of that.
    """

    name: TransformerName
    operands: tuple[_Kinds, ...]
    gives: FieldType | None
    """The type of its result; None for its operand's."""
    shape: Shape
    since: Engine
    repeats: bool = False
    takes_buffers: bool = False
    only_right: bool = False
    terminated: bool = False
    binary: bool = False
    lacks: tuple[str, str] | None = None

    @property
    def is_combining(self) -> bool:
        """Whether it combines several values to one."""
        return self.repeats or len(self.operands) > 1

    @property
    def takes_selector(self) -> bool:
        """Whether brackets may follow it."""
        return self.shape is Shape.SELECTED


_STRING: Final = FieldType.STRING

TRANSFORMERS: Final = (
    TransformerRow("val", (VALUE | VALUES,), None, Shape.SAME, FALCO_0_38, takes_buffers=True, only_right=True),
    TransformerRow("tolower", (TEXT | TEXTS,), _STRING, Shape.SAME, FALCO_0_38, terminated=True, lacks=("[A-Z]", "has no capital letters")),
    TransformerRow("toupper", (TEXT | TEXTS,), _STRING, Shape.SAME, FALCO_0_38, terminated=True, lacks=("[a-z]", "has no small letters")),
    TransformerRow("b64", (TEXT | TEXTS,), _STRING, Shape.SAME, FALCO_0_38, terminated=True, binary=True),
    TransformerRow("basename", (TEXT | TEXTS,), _STRING, Shape.SAME, FALCO_0_39, terminated=True, lacks=("/", "has no slash")),
    TransformerRow("len", (TEXT | VALUES,), FieldType.UINT64, Shape.VALUE, FALCO_0_40, takes_buffers=True),
    # a separator that includes its trailing NUL adds it to the text
    TransformerRow("join", (VALUE, VALUES), _STRING, Shape.VALUE, FALCO_0_44, takes_buffers=True, binary=True),
    TransformerRow("concat", (TEXT,), _STRING, Shape.VALUE, FALCO_0_44, repeats=True),
    TransformerRow("getopt", (TEXTS, TEXT), _STRING, Shape.SELECTED, FALCO_0_44, takes_buffers=True),
)

BY_TRANSFORMER: Final[dict[str, TransformerRow]] = {row.name: row for row in TRANSFORMERS}


def list_names(names: tuple[str, ...]) -> str:
    """Return the names as Falco's messages list them."""
    return ", ".join(f"'{name}'" for name in names)
