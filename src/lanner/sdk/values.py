"""Values read off an event's JSON payload, as data: the words with which a field says where its value stands.

`payload` is the start of every value. What is built from it is a small tree that says nothing of how it is evaluated: the
reference evaluator is `lanner.sdk.evaluate`, the fast one is native. `Value.data()` gives the tree as plain JSON-able lists.

What the words mean, for every evaluator:

- `payload["a", "b", 0]`: the member `b` of the object at `a`, then its first item. A text is a value, up to its first NUL;
  anything else at that place is no value (numbers are reached with `integer` and `time`). Of equal names the last counts.
- `KEY` and `INDEX` stand in a path for the argument of the field (`field[argument]`).
- `a | b`: the first that has a value; "" is a value.
- `a.when(b, "x", "y")`: `a`, but only where the text `b` is one of those given.
- `a.before(":")`: the text before the first separator, the whole text where there is none.
- `a.after(":")`: the text after the first separator, no value where there is none.
- `a.after_last("/")`: the text after the last separator, the whole text where there is none.
- `a.integer()`: an unsigned integer of at most 64 bits, from decimal digits in a text (at most 20) or from a JSON integer (`-0`
  and numbers with a fraction or an exponent are none).
- `a.time("ns")`: such an integer, counted in that unit since 1970, as nanoseconds; no value where those pass 64 bits.
- `a.keys()`: the names of the object at `a`, up to their first NUL, each once, in order of first appearance; no value where there are none.

A payload that is not wholly valid JSON (RFC 8259, UTF-8, at most 1024 levels deep) has no values.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, TypeAlias, final

from lanner.sdk.errors import DefinitionError
from lanner.sdk.records import Record
from lanner.sdk.types import FieldType


class FieldArgument(StrEnum):
    """The places in a path that the argument of a field fills."""

    KEY = "key"
    INDEX = "index"


KEY = FieldArgument.KEY
INDEX = FieldArgument.INDEX

Unit: TypeAlias = Literal["ns", "us", "ms", "s"]
UNITS: dict[Unit, int] = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
Part: TypeAlias = str | int | FieldArgument
Data: TypeAlias = "list[str | int | dict[str, str] | Data]"


class Value(Record):
    """A value as data: a node of a tree, with its field type and the values that it is made of."""

    @property
    def type(self) -> FieldType:
        """The type of the field that this value makes."""
        return FieldType.STRING

    @property
    def is_list(self) -> bool:
        """Whether the value is a list of `type`."""
        return False

    @property
    def children(self) -> tuple[Value, ...]:
        """The values that this one is made of."""
        return ()

    def data(self) -> Data:
        """The tree as lists of plain data: [word, operand, ...]."""
        raise NotImplementedError

    def __or__(self, other: Value) -> First:
        """Return the first of the two values that an event has; "" is a value."""
        if not isinstance(other, Value):
            return NotImplemented
        if (self.type, self.is_list) != (other.type, other.is_list):
            raise DefinitionError(f"`a | b` needs two values of the same type, not {self.type} and {other.type}")
        return First((*_options(self), *_options(other)))

    def when(self, condition: Value, *texts: str) -> When:
        """Return the value only if the text `condition` equals one of `texts`."""
        if not texts:
            raise DefinitionError('`when` needs at least one text: payload["id"].when(payload["Type"], "container")')
        if condition.type is not FieldType.STRING or condition.is_list:
            raise DefinitionError("`when` compares a text; its condition here is a " + _kind(condition))
        return When(self, condition, texts)

    def before(self, separator: str) -> Before:
        """Return the text before the first `separator`, or the whole text without a separator."""
        return Before(_text(self, "before"), _separator(separator))

    def after(self, separator: str) -> After:
        """Return the text after the first `separator`, or no value without a separator."""
        return After(_text(self, "after"), _separator(separator))

    def after_last(self, separator: str) -> AfterLast:
        """Return the text after the last `separator`, or the whole text without a separator."""
        return AfterLast(_text(self, "after_last"), _separator(separator))

    def integer(self) -> Integer:
        """Return an unsigned 64-bit integer, from a text of decimal digits or a JSON integer."""
        return Integer(_text(self, "integer"))

    def time(self, unit: Unit) -> Time:
        """Return a point in time, from an integer that counts `unit` since 1970 (UTC)."""
        if unit not in UNITS:
            raise DefinitionError(f"unknown unit {unit!r} of time; write one of {', '.join(UNITS)}")
        return Time(_text(self, "time"), unit)


@final
class Path(Value):
    """A place in the payload."""

    parts: tuple[Part, ...] = ()

    def __getitem__(self, parts: Part | tuple[Part, ...]) -> Path:
        """Return the place below this one: names of members, indexes of items from 0, `KEY` or `INDEX`."""
        new = parts if isinstance(parts, tuple) else (parts,)
        for part in new:
            if isinstance(part, bool) or not isinstance(part, (str, int)) or (isinstance(part, int) and part < 0):
                raise DefinitionError(f"a path is made of names, numbers from 0, KEY and INDEX, not {part!r}")
        whole = (*self.parts, *new)
        if sum(isinstance(part, FieldArgument) for part in whole) > 1:
            raise DefinitionError("a path has room for one argument: KEY or INDEX, once")
        return Path(whole)

    def keys(self) -> Keys:
        """Return the names of the members of the object at this place, as a list."""
        return Keys(self)

    def data(self) -> Data:
        return ["path", [{"argument": part.value} if isinstance(part, FieldArgument) else part for part in self.parts]]


@final
class First(Value):
    """The first option that has a value."""

    options: tuple[Value, ...]

    @property
    def type(self) -> FieldType:
        return self.options[0].type

    @property
    def is_list(self) -> bool:
        return self.options[0].is_list

    @property
    def children(self) -> tuple[Value, ...]:
        return self.options

    def data(self) -> Data:
        return ["first", [option.data() for option in self.options]]


@final
class When(Value):
    """A value that counts only where a text is one of some."""

    value: Value
    condition: Value
    texts: tuple[str, ...]

    @property
    def type(self) -> FieldType:
        return self.value.type

    @property
    def is_list(self) -> bool:
        return self.value.is_list

    @property
    def children(self) -> tuple[Value, ...]:
        return (self.value, self.condition)

    def data(self) -> Data:
        return ["when", self.value.data(), self.condition.data(), list(self.texts)]


@final
class Before(Value):
    """The text before a separator."""

    value: Value
    separator: str

    @property
    def children(self) -> tuple[Value, ...]:
        return (self.value,)

    def data(self) -> Data:
        return ["before", self.value.data(), self.separator]


@final
class After(Value):
    """The text after a separator."""

    value: Value
    separator: str

    @property
    def children(self) -> tuple[Value, ...]:
        return (self.value,)

    def data(self) -> Data:
        return ["after", self.value.data(), self.separator]


@final
class AfterLast(Value):
    """The text after the last separator."""

    value: Value
    separator: str

    @property
    def children(self) -> tuple[Value, ...]:
        return (self.value,)

    def data(self) -> Data:
        return ["after_last", self.value.data(), self.separator]


@final
class Integer(Value):
    """An unsigned integer."""

    value: Value

    @property
    def type(self) -> FieldType:
        return FieldType.UINT64

    @property
    def children(self) -> tuple[Value, ...]:
        return (self.value,)

    def data(self) -> Data:
        return ["integer", self.value.data()]


@final
class Time(Value):
    """A point in time."""

    value: Value
    unit: Unit

    @property
    def type(self) -> FieldType:
        return FieldType.ABSTIME

    @property
    def children(self) -> tuple[Value, ...]:
        return (self.value,)

    def data(self) -> Data:
        return ["time", self.value.data(), self.unit]


@final
class Keys(Value):
    """The names of an object's members."""

    path: Path

    @property
    def is_list(self) -> bool:
        return True

    @property
    def children(self) -> tuple[Value, ...]:
        return (self.path,)

    def data(self) -> Data:
        return ["keys", self.path.data()]


payload = Path()


def arguments(value: Value) -> frozenset[FieldArgument]:
    """The arguments that stand anywhere in the tree of `value`."""
    own = {part for part in value.parts if isinstance(part, FieldArgument)} if isinstance(value, Path) else set()
    return frozenset(own).union(*(arguments(child) for child in value.children))


def _options(value: Value) -> tuple[Value, ...]:
    return value.options if isinstance(value, First) else (value,)


def _kind(value: Value) -> str:
    return f"list of {value.type}" if value.is_list else value.type.value


def _text(value: Value, word: str) -> Value:
    if value.type is not FieldType.STRING or value.is_list:
        raise DefinitionError(f"`{word}` works on a text, not on a {_kind(value)}")
    return value


def _separator(separator: str) -> str:
    if not isinstance(separator, str) or not separator:
        raise DefinitionError("a separator is a text of at least one character")
    return separator
