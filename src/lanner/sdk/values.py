"""Expressions on `payload`: values in an event's JSON payload, as data.

`payload` is the start of every value. An expression on it is a small tree that is independent of its evaluators: the reference is
`lanner.sdk.evaluate`, the fast one is native. `Value.data()` returns the tree as lists that JSON can write.

`WORDS` and `FORMS` define the words for every evaluator, and docs/plugins.md has the same table. A new word is a row, a method of
`Value`, and a case in `lanner.sdk.evaluate` and in `native/values/values.cpp`.

A text ends at its first NUL. If an object has two members of the same name, the last one counts. A payload that is not valid JSON
(RFC 8259, at most 1024 levels deep) has no values. A text may have bytes that are not UTF-8, which are kept.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Never, TypeAlias, final

from lanner.sdk.errors import DefinitionError
from lanner.sdk.misspelt import find_misspelt
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
        """The values from which this one is computed."""
        return ()

    def data(self) -> Data:
        """Return the tree as lists of plain data: [word, operand, ...]."""
        raise NotImplementedError

    def __or__(self, other: Value) -> FirstValue:
        """Return the first of the two values that an event has; "" is a value."""
        if not isinstance(other, Value):
            return NotImplemented
        if (self.type, self.is_list) != (other.type, other.is_list):
            raise DefinitionError(f"`a | b` needs two values of the same type, not {self.type} and {other.type}")
        return FirstValue((*_options(self), *_options(other)))

    def when(self, condition: Value, *texts: str) -> ConditionalValue:
        """Return the value only if the text `condition` equals one of `texts`."""
        if not texts:
            raise DefinitionError('`when` needs at least one text: payload["id"].when(payload["Type"], "container")')
        if condition.type is not FieldType.STRING or condition.is_list:
            raise DefinitionError("`when` compares a text, but its condition here is a " + _kind(condition))
        return ConditionalValue(self, condition, texts)

    def before(self, separator: str) -> Word:
        """Return the text before the first `separator`, or the whole text without a separator."""
        return _word("before", _text(self, "before"), _separator(separator))

    def after(self, separator: str) -> Word:
        """Return the text after the first `separator`, or no value without a separator."""
        return _word("after", _text(self, "after"), _separator(separator))

    def after_last(self, separator: str) -> Word:
        """Return the text after the last `separator`, or the whole text without a separator."""
        return _word("after_last", _text(self, "after_last"), _separator(separator))

    def integer(self) -> Word:
        """Return an unsigned 64-bit integer, from a text of decimal digits or a JSON integer."""
        return _word("integer", _text(self, "integer"))

    def time(self, unit: Unit) -> Word:
        """Return a point in time, from an integer that counts `unit` since 1970 (UTC)."""
        if unit not in UNITS:
            raise DefinitionError(f"unknown time unit {unit!r}: write one of {', '.join(UNITS)}")
        return _word("time", _text(self, "time"), unit)


class WordRow(Record):
    """A word: a method of a value that returns another value.

    `form` and `means` are the row of the documentation. `operand` is the argument of the method.
    """

    name: str
    form: str
    means: str
    operand: Literal["separator", "unit"] | None = None
    gives: FieldType = FieldType.STRING
    is_list: bool = False


FORMS: tuple[tuple[str, str], ...] = (
    (
        'payload["a", "b", 0]',
        "the text at that place: member `b` of the object at `a`, then its first item. For a number there, use `integer` or `time`",
    ),
    ("payload[KEY]", "the same, with the field's argument as a name: `field[argument]`"),
    ("payload[INDEX]", "the same, with the field's argument as a number"),
    ("a | b", 'the first of the two that has a value; "" is a value'),
    ('a.when(b, "x", "y")', "`a`, if the text `b` equals one of these texts"),
)
"""The expressions in addition to `WORDS`: form and meaning of each."""

WORDS: tuple[WordRow, ...] = (
    WordRow("before", 'a.before(":")', "the text before the first separator; without a separator, the whole text", "separator"),
    WordRow("after", 'a.after(":")', "the text after the first separator; without a separator, no value", "separator"),
    WordRow("after_last", 'a.after_last("/")', "the text after the last separator; without a separator, the whole text", "separator"),
    WordRow(
        "integer",
        "a.integer()",
        "an unsigned 64-bit integer, from a text of at most 20 decimal digits or a JSON integer. `-0`, a fraction and an exponent give "
        "no value",
        gives=FieldType.UINT64,
    ),
    WordRow(
        "time",
        'a.time("ns")',
        "a point in time, from such an integer that counts `ns`, `us`, `ms` or `s` since 1970. More than 64 bits of nanoseconds give no "
        "value",
        "unit",
        FieldType.ABSTIME,
    ),
    WordRow(
        "keys",
        "a.keys()",
        "a list of the names of an object's members, each once, in order of first appearance. An empty object has no value",
        is_list=True,
    ),
)
_ROWS = {row.name: row for row in WORDS}


@final
class Word(Value):
    """A word of `WORDS` applied to a value."""

    row: WordRow
    value: Value
    operand: str | None = None

    @property
    def type(self) -> FieldType:
        return self.row.gives

    @property
    def is_list(self) -> bool:
        return self.row.is_list

    @property
    def children(self) -> tuple[Value, ...]:
        return (self.value,)

    def data(self) -> Data:
        return [self.row.name, self.value.data(), *([] if self.operand is None else [self.operand])]


@final
class Path(Value):
    """A place in the payload."""

    parts: tuple[Part, ...] = ()

    def __getitem__(self, parts: Part | tuple[Part, ...]) -> Path:
        """Return the place below this one: names of members, indexes of items from 0, `KEY` or `INDEX`."""
        new = parts if isinstance(parts, tuple) else (parts,)
        for part in new:
            if isinstance(part, bool) or not isinstance(part, (str, int)) or (isinstance(part, int) and part < 0):
                raise DefinitionError(f"invalid path element {part!r}: a path consists of names, numbers from 0, KEY and INDEX")
        whole = (*self.parts, *new)
        if sum(isinstance(part, FieldArgument) for part in whole) > 1:
            raise DefinitionError("a path has room for one argument: KEY or INDEX, once")
        return Path(whole)

    if not TYPE_CHECKING:  # a checker refuses unknown attributes itself

        def __getattr__(self, name: str) -> Never:
            """Raise AttributeError with advice: brackets read a member of the payload."""
            if name.startswith("__"):
                raise AttributeError(name)
            if near := find_misspelt(name, ("when", *(row.name for row in WORDS))):
                raise AttributeError(f"a value has no method {name!r}: did you mean {near!r}?")
            parts = (
                part.name if isinstance(part, FieldArgument) else f'"{part}"' if isinstance(part, str) else str(part)
                for part in (*self.parts, name)
            )
            raise AttributeError(f"a value has no attribute {name!r}: to read the member of that name, write payload[{', '.join(parts)}]")

    def keys(self) -> Word:
        """Return the names of the members of the object at this place, as a list."""
        return _word("keys", self)

    def data(self) -> Data:
        return ["path", [{"argument": part.value} if isinstance(part, FieldArgument) else part for part in self.parts]]


@final
class FirstValue(Value):
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
class ConditionalValue(Value):
    """A value that counts only if a text equals one of several."""

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


payload = Path()


def arguments(value: Value) -> frozenset[FieldArgument]:
    """Return the arguments that the tree of `value` has in its paths."""
    own = {part for part in value.parts if isinstance(part, FieldArgument)} if isinstance(value, Path) else set()
    return frozenset(own).union(*(arguments(child) for child in value.children))


def _options(value: Value) -> tuple[Value, ...]:
    return value.options if isinstance(value, FirstValue) else (value,)


def _kind(value: Value) -> str:
    return f"list of {value.type}" if value.is_list else value.type.value


def _text(value: Value, word: str) -> Value:
    if value.type is not FieldType.STRING or value.is_list:
        raise DefinitionError(f"`{word}` needs a text, not a {_kind(value)}")
    return value


def _word(name: str, value: Value, operand: str | None = None) -> Word:
    return Word(_ROWS[name], value, operand)


def _separator(separator: str) -> str:
    if not isinstance(separator, str) or not separator:
        raise DefinitionError("a separator must be a text of at least one character")
    return separator
