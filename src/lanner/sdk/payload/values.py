"""Expressions on `payload`: values in an event's JSON payload, as data.

`payload` is the start of every value. An expression on it is a small tree that is independent of its evaluators: the reference is
`lanner.sdk.payload.evaluate`, the fast one is native. `Value.data()` returns the tree as lists that JSON can write.
`lanner.sdk.payload.words` has the table of all expressions.

A string ends at its first NUL. If an object has two members of the same name, the last one counts. A payload that is not valid JSON
(RFC 8259, at most 1024 levels deep) has no values. A string may have bytes that are not UTF-8, which are kept. A list without items counts
as no value.
"""

from __future__ import annotations

from lanner.sdk.errors import DefinitionError
from lanner.sdk.payload.nodes import Node
from lanner.sdk.payload.operands import check_separator, check_texts, operand_text
from lanner.sdk.payload.path_parts import ItemFilter, part_data, path_text
from lanner.sdk.payload.sharing import mark_shared_parts
from lanner.sdk.payload.value_refusals import Refusals
from lanner.sdk.payload.words import DATE_FORMS, ROWS, TRANSPARENT, UNITS, FieldArgument, ItemPlace
from lanner.sdk.types import FieldType
from lanner.sdk.typing_marks import final

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Literal, Never, TypeAlias

    from lanner.sdk.payload.path_parts import Data, Part
    from lanner.sdk.payload.words import TimeForm, Unit, WordRow

_SHOWN: Final = (FieldType.STRING, FieldType.UINT64, FieldType.BOOL)
PartForm: TypeAlias = 'Literal["pointer", "logfmt", "cef"]'
_NEEDS: Final[dict[PartForm, str]] = {
    "pointer": '`pointer` needs a JSON pointer, such as "/spec/containers/0/image"',
    "logfmt": '`logfmt` needs a name, such as logfmt["level"]',
    "cef": '`cef` needs a name, such as cef["deviceVendor"]',
}


class Value(Refusals, Node):
    """A value as data: a node of a tree, with its field type and the values that it is made of."""

    @property
    def children(self) -> tuple[Value, ...]:
        """The values from which this one is computed."""
        return ()

    if not TYPE_CHECKING:  # a checker refuses unknown attributes itself

        def __getattr__(self, name: str) -> Never:
            """Raise AttributeError with advice: the word that was meant, or brackets for a member of the payload."""
            if name.startswith("__"):
                raise AttributeError(name)
            from lanner.sdk.payload.value_advice import describe_attribute  # rare

            place = path_text(self.root, (*self.parts, name)) if isinstance(self, Path) else ""
            raise AttributeError(describe_attribute(name, place))

    def __or__(self, other: Value) -> FirstValue:
        """Return the first of the two values that an event has; "" is a value."""
        if not isinstance(other, Value):
            raise DefinitionError(f"`a | b` needs two values, not {operand_text(other)}: a constant text is lanner.text(...)")
        if (self.type, self.is_list) != (other.type, other.is_list):
            raise DefinitionError(f"`a | b` needs two values of the same type, not {kind_of(self)} and {kind_of(other)}")
        return FirstValue((*_options(self), *_options(other)))

    def when(self, condition: Value | FieldArgument, *texts: str) -> ConditionalValue:
        """Return the value only if the text `condition` is one of `texts`; without strings, if the boolean `condition` is true.

        `when(INDEX)`, `when(KEY)`: only if the field has its argument.
        """
        if not texts and isinstance(condition, Value) and (condition.type is not FieldType.BOOL or condition.is_list):
            raise DefinitionError(
                '`when` needs strings, such as payload["id"].when(payload["Type"], "container"), or a boolean, such as b.exists()'
            )
        return ConditionalValue("when", self, *_condition("when", condition, texts))

    def unless(self, condition: Value | FieldArgument, *texts: str) -> ConditionalValue:
        """Return the value only if the text `condition` is none of `texts`; without strings, if `condition` has no value or is false."""
        return ConditionalValue("unless", self, *_condition("unless", condition, texts))

    def text(self) -> Word:
        """Return a string, number, true or false as JSON writes it."""
        if self.type not in _SHOWN:
            raise DefinitionError(f"`text` needs a string, integer or boolean, not a {kind_of(self)}")
        return _word("text", self)

    def raw(self) -> Word:
        """Return any JSON value at a place, as JSON without blanks."""
        if not _is_place(self):
            raise DefinitionError('`raw` needs a place in the payload, such as payload["spec"].raw(), not a computed value')
        return _word("raw", self)

    def boolean(self) -> Word:
        """Return a boolean, from true and false or the strings `true` and `false`."""
        return _word("boolean", self)

    def integer(self) -> Word:
        """Return an unsigned 64-bit integer, from a string of decimal digits or a JSON integer."""
        return _word("integer", self)

    def time(self, form: TimeForm) -> Word:
        """Return a point in time, from a number that counts a unit since 1970 (UTC), or from a string of that form."""
        if form not in UNITS and form not in DATE_FORMS:
            raise DefinitionError(f"unknown time unit or form {form!r}: write one of {', '.join((*UNITS, *DATE_FORMS))}")
        return _word("time", self, form)

    def duration(self, unit: Unit) -> Word:
        """Return a duration, from a number that counts `unit`."""
        if unit not in UNITS:
            raise DefinitionError(f"unknown time unit {unit!r}: write one of {', '.join(UNITS)}")
        return _word("duration", self, unit)

    def address(self) -> Word:
        """Return an IPv4 or IPv6 address, from a string."""
        return _word("address", self)

    def network(self) -> Word:
        """Return an IPv4 or IPv6 network, from a string."""
        return _word("network", self)

    def before(self, separator: str) -> Word:
        """Return the text before the first `separator`, or the whole text without a separator."""
        return _word("before", self, check_separator(separator))

    def after(self, separator: str) -> Word:
        """Return the text after the first `separator`, or no value without a separator."""
        return _word("after", self, check_separator(separator))

    def after_last(self, separator: str) -> Word:
        """Return the text after the last `separator`, or the whole text without a separator."""
        return _word("after_last", self, check_separator(separator))

    def basename(self) -> Word:
        """Return the text after the last `/`."""
        return _word("basename", self)

    def lower(self) -> Word:
        """Return the text with its ASCII letters in lower case."""
        return _word("lower", self)

    def upper(self) -> Word:
        """Return the text with its ASCII letters in upper case."""
        return _word("upper", self)

    def query(self, name: str | FieldArgument) -> Word:
        """Return the first value of the parameter `name` in the query of a URL, decoded; `KEY`: of the field's argument."""
        if name is FieldArgument.INDEX or not isinstance(name, str):
            raise DefinitionError(f"`query` needs the name of a parameter, or KEY, not {name!r}")
        return _word("query", self, name)

    def split(self, separator: str) -> Word:
        """Return the parts of the text between separators, as a list."""
        if self.is_list:
            raise DefinitionError(f"`split` needs a string, not a {kind_of(self)}")
        return _word("split", self, check_separator(separator))

    def listed(self) -> Word:
        """Return a list of only this value."""
        if self.is_list:
            raise DefinitionError(f"`listed` needs one value, not a {kind_of(self)}")
        return _word("listed", self)

    def nth(self, index: int | FieldArgument) -> Word:
        """Return an item of a list, from 0; `INDEX`: the item that the field's argument names."""
        is_number = isinstance(index, int) and not isinstance(index, bool) and index >= 0
        if not is_number and index is not FieldArgument.INDEX:
            raise DefinitionError(f"`nth` needs a number from 0, or INDEX, not {index!r}")
        return _of_list("nth", self, index)

    def join(self, separator: str) -> Word:
        """Return the strings of a list as one string, with `separator` between them."""
        if not isinstance(separator, str):
            raise DefinitionError(f"the separator of `join` must be a string, not {separator!r}")
        return _of_list("join", self, separator)

    def without(self, *texts: str) -> Word:
        """Return a list without these strings."""
        return _of_list("without", self, *check_texts("without", texts))

    def every(self) -> Word:
        """Return the list if no item was left out, or no value."""
        return _of_list("every", self)

    def any(self, *texts: str) -> Word:
        """Return whether a list has one of `texts`; without strings, whether a list of booleans has a true one."""
        if not texts and self.type is not FieldType.BOOL:
            raise DefinitionError(f"`any` without strings needs a list of booleans, such as a.boolean().any(), not a {kind_of(self)}")
        if texts and self.type is not FieldType.STRING:
            raise DefinitionError(f"`any` with strings needs a list of strings, not a {kind_of(self)}")
        return _of_list("any", self, *texts and check_texts("any", texts))

    def exists(self) -> Word:
        """Return whether the event has the value. At a place any JSON value counts, including null."""
        return _word("exists", self)

    def present(self) -> Word:
        """Return whether the event has the value, where null does not count."""
        return _word("present", self)


@final
class Word(Value):
    """A word of `WORDS` applied to a value."""

    row: WordRow
    value: Value
    operands: tuple[str | int | FieldArgument, ...] = ()

    @property
    def type(self) -> FieldType:
        return self.value.type if self.row.name in TRANSPARENT else self.row.gives

    @property
    def is_list(self) -> bool:
        return self.row.shape == "list" or (self.row.shape == "item" and self.value.is_list)

    @property
    def children(self) -> tuple[Value, ...]:
        return (self.value,)

    @property
    def own_arguments(self) -> frozenset[FieldArgument]:
        return frozenset(operand for operand in self.operands if isinstance(operand, FieldArgument))

    def data(self) -> Data:
        return [self.row.name, self.value.data(), *map(part_data, self.operands)]


@final
class Path(Value):
    """A path in the payload, or in an item of a list (`root`)."""

    parts: tuple[Part | ItemFilter, ...] = ()
    root: Literal["path", "item"] = "path"

    @property
    def is_list(self) -> bool:
        return any(isinstance(part, ItemPlace) for part in self.parts)

    @property
    def own_arguments(self) -> frozenset[FieldArgument]:
        return frozenset(part for part in self.parts if isinstance(part, FieldArgument))

    def __getitem__(self, parts: Part | tuple[Part, ...]) -> Path:
        """Return the place below this one: names of members, indexes of items from 0, `KEY`, `INDEX` or `EACH`."""
        new = parts if isinstance(parts, tuple) else (parts,)
        for part in new:
            if isinstance(part, bool) or not isinstance(part, (str, int, ItemPlace)) or (isinstance(part, int) and part < 0):
                raise DefinitionError(f"invalid path element {part!r}: a path consists of names, numbers from 0, KEY, INDEX and EACH")
        whole = (*self.parts, *new)
        if sum(isinstance(part, FieldArgument) or part is ItemPlace.AT_INDEX for part in whole) > 1:
            raise DefinitionError("a path has room for one argument: KEY, INDEX or INDEX | EACH, once")
        return Path(whole, self.root)

    def where(self, name: str, *texts: str) -> Path:
        """Return the place for only those items whose member `name` is one of `texts`, or, without strings, that have it."""
        if not self.parts or not isinstance(self.parts[-1], (ItemPlace, ItemFilter)):
            raise DefinitionError('`where` selects items: write it after EACH, as in payload["subjects", EACH].where("kind", "User")')
        if not isinstance(name, str) or isinstance(name, FieldArgument):
            raise DefinitionError(f"`where` needs the name of a member, not {name!r}")
        return Path((*self.parts, ItemFilter(name, texts and check_texts("where", texts))), self.root)

    def each(self, value: Value) -> ItemValues:
        """Return a list of the value for each item. Paths in `value` begin at `lanner.item`, or as always at `lanner.payload`."""
        if not self.is_list:
            raise DefinitionError('`each` needs items: write EACH, as in payload["subjects", EACH].each(item["name"])')
        if not isinstance(value, Value):
            raise DefinitionError(f'`each` needs a value, such as item["name"], not {operand_text(value)}')
        return ItemValues(self, value)

    def pointer(self, pointer: str | FieldArgument) -> PayloadPart:
        """Return the value of Falco's json plugin for a JSON pointer (RFC 6901); `KEY`: for the field's argument."""
        if self.parts or self.root != "path":
            raise DefinitionError("a JSON pointer begins at the whole payload: write payload.pointer(...)")
        return PayloadPart("pointer", pointer)

    def keys(self) -> Word:
        """Return the names of the members of the object at this place, as a list."""
        return _word("keys", self)

    def data(self) -> Data:
        return [self.root, [part_data(part) for part in self.parts]]


@final
class PayloadPart(Value):
    """The text at a name in the payload; `KEY` stands for the field's argument."""

    form: PartForm
    name: str | FieldArgument

    def __post_init__(self) -> None:
        """Check the name. Raises `DefinitionError`."""
        if self.name is FieldArgument.INDEX or not isinstance(self.name, str):
            raise DefinitionError(f"{_NEEDS[self.form]}, or KEY, not {self.name!r}")

    @property
    def own_arguments(self) -> frozenset[FieldArgument]:
        return frozenset({self.name} if isinstance(self.name, FieldArgument) else ())

    def data(self) -> Data:
        return [self.form, part_data(self.name)]


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
    """A value that counts only if a condition holds, or, for `unless`, if it does not."""

    name: Literal["when", "unless"]
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
        return [self.name, self.value.data(), self.condition.data(), list(self.texts)]


@final
class ItemValues(Value):
    """A list of a value for each item of a list."""

    items: Path
    value: Value

    @property
    def type(self) -> FieldType:
        return self.value.type

    @property
    def is_list(self) -> bool:
        return True

    @property
    def children(self) -> tuple[Value, ...]:
        return (self.items, self.value)

    def data(self) -> Data:
        return ["each", self.items.data(), mark_shared_parts(self.value.data())]


@final
class ArgumentPresence(Value):
    """Whether the field has its argument: the condition of `when(INDEX)`."""

    argument: FieldArgument

    @property
    def type(self) -> FieldType:
        return FieldType.BOOL

    @property
    def own_arguments(self) -> frozenset[FieldArgument]:
        return frozenset((self.argument,))

    def data(self) -> Data:
        return ["given"]


payload: Path = Path()
item: Path = Path((), "item")


def kind_of(value: Value) -> str:
    """Return the type of a value for messages."""
    return f"list of {value.type.value}" if value.is_list else value.type.value


def _options(value: Value) -> tuple[Value, ...]:
    return value.options if isinstance(value, FirstValue) else (value,)


def _condition(name: str, condition: Value | FieldArgument, texts: tuple[str, ...]) -> tuple[Value, tuple[str, ...]]:
    if isinstance(condition, FieldArgument):
        if texts:
            raise DefinitionError(f"`{name}({condition.name})` asks whether the field has its argument, and takes no strings")
        return ArgumentPresence(condition), ()
    if not isinstance(condition, Value):
        raise DefinitionError(f'`{name}` needs a value as its condition, such as payload["Type"], not {operand_text(condition)}')
    if texts and (condition.type is not FieldType.STRING or condition.is_list):
        raise DefinitionError(f"`{name}` compares a string, but its condition is a {kind_of(condition)}")
    return condition, texts and check_texts(name, texts)


def _is_place(value: Value) -> bool:
    """Return whether a value is a place in the payload, perhaps one of several."""
    match value:
        case Path():
            return True
        case FirstValue(options=options):
            return all(map(_is_place, options))
        case ConditionalValue(value=inner) | ItemValues(value=inner):
            return _is_place(inner)
        case Word(row=row, value=inner):
            return row.name in TRANSPARENT and _is_place(inner)
    return False


def _word(name: str, value: Value, *operands: str | int | FieldArgument) -> Word:
    row = ROWS[name]
    if row.takes is not None and value.type is not row.takes:
        raise DefinitionError(f"`{name}` needs a string, not a {kind_of(value)}")
    if isinstance(value, Word) and value.row.name == "keys" and row.reads in {"number", "decimal", "boolean"}:
        raise DefinitionError(f"`{name}` needs a string, not the names of members")
    return Word(row, value, operands)


def _of_list(name: str, value: Value, *operands: str | int | FieldArgument) -> Word:
    if not value.is_list:
        raise DefinitionError(f'`{name}` needs a list, such as payload["items", EACH, "name"], not a {kind_of(value)}')
    return _word(name, value, *operands)
