"""Operators: the types that they take, and the test that each performs.

`refusal` returns why an operator does not fit a type. `test` and `comparison` create the predicates that the executor calls
with existing values. The executor handles missing values (they make a check false).
"""

from __future__ import annotations

import operator as op
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lanner.native import fnmatch
from lanner.rules.language.path_prefixes import PathPrefixes
from lanner.rules.language.typed import Kind, Net
from lanner.rules.language.vocabulary import BY_OPERATOR, GROUPS, LIST_OPERATORS, OPERATORS, Group
from lanner.sdk.text.encoding import cut_at_nul, to_bytes
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lanner.rules.language.typed import Constant
    from lanner.rules.language.vocabulary import Modifier, Operator

Predicate: TypeAlias = "Callable[[Any], bool]"

# Falco's names of types for an operator that does not fit (filter_compare.cpp; booleans are "numeric" there, too)
_FILTERS: Final = {
    Group.STRINGS: "for string filters",
    Group.NUMBERS: "for numeric filters",
    Group.BOOLEANS: "for numeric filters",
    Group.ADDRESSES: "for ip address and network filters",
    Group.BUFFERS: "for buffer filters",
    Group.LISTS: "list filters",
}
_ORDERINGS: Final[dict[str, Callable[[Any, Any], bool]]] = {"<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge}


def refusal(operator: Operator, modifier: Modifier | None, kind: Kind, *, is_buffer: bool = False) -> str | None:
    """Return Falco's reason why the operator does not fit values of this kind (or a byte buffer), or None if it does."""
    group = _group(kind, is_buffer=is_buffer)
    if group in BY_OPERATOR[operator].types:
        return None
    what = "with modifier" if modifier and group is Group.ADDRESSES else "operator"
    return f"'{operator}' {what} not supported {_FILTERS[group]}"


def advise(kind: Kind, *, is_buffer: bool = False) -> str:
    """Return the operators that fit values of this kind, as advice."""
    group = _group(kind, is_buffer=is_buffer)
    names = ", ".join(f"`{row.name}`" for row in OPERATORS if group in row.types and row.same_as is None)
    return f"The operators for {group} are {names}."


def _group(kind: Kind, *, is_buffer: bool) -> Group:
    return Group.BUFFERS if is_buffer else Group.LISTS if kind.is_list else GROUPS[kind.type]


def test(operator: Operator, constants: tuple[Constant, ...], modifier: Modifier | None, kind: Kind) -> Predicate:
    """Return the predicate for a comparison of values of this kind with constants."""
    if kind.is_list:
        return _list_test(operator, constants, kind)
    if modifier:
        return _modify(operator, constants, modifier, kind)
    if kind.type is FieldType.IPNET:
        inside = _combine_any([_network(net) for net in constants if isinstance(net, Net)])
        return (lambda value: not inside(value)) if operator == "!=" else inside
    if operator in LIST_OPERATORS:
        members = frozenset(constants)
        return _compare_whole(members.__contains__, kind)
    if operator == "pmatch":
        return _compare_whole(PathPrefixes(map(str, constants)).match, kind)
    return _compare_single(operator, constants[0], kind)


def comparison(operator: Operator, left: Kind, right: Kind) -> Callable[[Any, Any], bool]:
    """Return the predicate for a comparison of two values of the same type."""
    if operator in LIST_OPERATORS:
        return _comparison_of_sets(operator, left, right)
    if left.type is not FieldType.STRING:
        return _ORDERINGS.get(operator) or (op.ne if operator == "!=" else op.eq)
    compare = _BYTES[operator]
    return lambda a, b: compare(_c_bytes(a), _c_bytes(b))


def _comparison_of_sets(operator: Operator, left: Kind, right: Kind) -> Callable[[Any, Any], bool]:
    """Return the test for `in` and `intersects` of two fields.

    Falco compares lengths and bytes here. It removes trailing NULs only from a single value on the left.
    """
    if not left.is_list:
        return (lambda _a, _b: False) if right.terminated else (lambda a, b: _strip(a) == b)
    if left.terminated != right.terminated:
        return (lambda a, _b: not a) if operator == "in" else (lambda _a, _b: False)
    if operator == "in":
        return lambda a, b: set(a).issubset(b)
    return lambda a, b: not set(a).isdisjoint(b)


def _list_test(operator: Operator, constants: tuple[Constant, ...], kind: Kind) -> Predicate:
    every = operator == "in"
    if kind.type is FieldType.IPNET:
        inside = _combine_any([_network(net) for net in constants if isinstance(net, Net)])
        return (lambda values: all(map(inside, values))) if every else (lambda values: any(map(inside, values)))
    # a constant never has the trailing NUL that these values count
    members = frozenset() if kind.terminated else frozenset(constants)
    return members.issuperset if every else lambda values: not members.isdisjoint(values)


def _modify(operator: Operator, constants: tuple[Constant, ...], modifier: Modifier, kind: Kind) -> Predicate:
    if not constants:
        return lambda _value: False
    if (operator, modifier) in {("=", "anyof"), ("!=", "allof")}:
        # Falco searches for the value's bytes in a set; a network's bytes never equal those of an address
        members = frozenset() if kind.type is FieldType.IPNET else frozenset(constants)
        if operator == "=":
            return _compare_whole(members.__contains__, kind)
        return _compare_whole(lambda value: value not in members, kind)
    tests = [test(operator, (constant,), None, kind) for constant in constants]
    if modifier == "anyof":
        return _combine_any(tests)
    if modifier == "allof":
        return lambda value: all(each(value) for each in tests)
    return lambda value: sum(each(value) for each in tests) == 1


def _compare_single(operator: Operator, constant: Constant, kind: Kind) -> Predicate:
    if operator == "=":
        return _cut(lambda value: bool(value == constant), kind)
    if operator == "!=":
        return _cut(lambda value: bool(value != constant), kind)
    if not isinstance(constant, str):
        ordering = _ORDERINGS[operator]
        return lambda value: ordering(value, constant)
    return _compare_whole(_regex(constant), kind) if operator == "regex" else _cut(_text_test(operator, constant), kind)


def _text_test(operator: Operator, constant: str) -> Predicate:
    # Constants are whole characters, so these agree with a search for their bytes
    if operator == "contains":
        return lambda value: bool(constant in value)
    if operator == "startswith":
        return lambda value: bool(value.startswith(constant))
    if operator == "endswith":
        return lambda value: bool(value.endswith(constant))
    needle = to_bytes(constant)
    if operator in _ORDERINGS:
        ordering = _ORDERINGS[operator]
        return lambda value: ordering(to_bytes(value), needle)
    if operator == "icontains":
        needle = needle.lower()
        return lambda value: needle in to_bytes(value).lower()
    compare = _BYTES[operator]
    return lambda value: compare(to_bytes(value), needle)


def _regex(pattern: str) -> Predicate:
    match = compile_regex(pattern).fullmatch
    return lambda value: match(to_bytes(value)) is not None


def compile_regex(pattern: str) -> Any:
    """Compile the pattern with RE2 as Falco does (POSIX syntax, leftmost-longest, UTF-8). Raises re2.error."""
    import re2

    options = re2.Options()
    options.posix_syntax = True
    options.longest_match = True
    options.never_capture = True  # only the match matters; groups would cost a hundred times as much
    options.log_errors = False
    return re2.compile(to_bytes(pattern), options)


def _glob(pattern: bytes, text: bytes, *, casefold: bool) -> bool:
    return fnmatch(pattern, text, casefold)


def _network(net: Net) -> Predicate:
    size, shift = len(net.address), len(net.address) * 8 - net.bits
    wanted = int.from_bytes(net.address, "big") >> shift
    return lambda value: len(value) == size and int.from_bytes(value, "big") >> shift == wanted


def _combine_any(tests: Iterable[Predicate]) -> Predicate:
    tests = tuple(tests)
    return tests[0] if len(tests) == 1 else lambda value: any(each(value) for each in tests)


def _cut(predicate: Predicate, kind: Kind) -> Predicate:
    """Return the comparison of C strings, which end at the first NUL."""
    return (lambda value: predicate(cut_at_nul(value))) if kind.binary else predicate


def _compare_whole(predicate: Predicate, kind: Kind) -> Predicate:
    """Return the comparison by length, which removes trailing NULs from the value but keeps those inside."""
    return (lambda value: predicate(_strip(value))) if kind.binary else predicate


def _strip(value: Any) -> Any:
    return value.rstrip("\0") if isinstance(value, str) else value


def _c_bytes(text: str) -> bytes:
    return to_bytes(text).partition(b"\0")[0]


# The operators on the bytes of two strings: (value, operand)
_BYTES: Final[dict[str, Callable[[bytes, bytes], bool]]] = {
    "=": op.eq,
    "!=": op.ne,
    **_ORDERINGS,
    "contains": lambda a, b: b in a,
    "icontains": lambda a, b: b.lower() in a.lower(),
    "startswith": lambda a, b: a.startswith(b),
    "endswith": lambda a, b: a.endswith(b),
    "glob": lambda a, b: _glob(b, a, casefold=False),
    "iglob": lambda a, b: _glob(b, a, casefold=True),
}
