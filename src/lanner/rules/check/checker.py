"""Check a condition against a catalog: names, types, constants.

The input is a parsed tree with expanded macros, and the catalog of fields. The output is a typed tree and warnings, or
a ConditionError with Falco's message at the invalid check. Errors are found in Falco's order: left side,
operator, right side. Nothing is evaluated here.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from lanner.rules.check import deprecations
from lanner.rules.condition import ast
from lanner.rules.condition.suggestions import advise_symbol
from lanner.rules.findings import ConditionError
from lanner.rules.language import constants, operators, transformers, typed
from lanner.rules.language.catalog import LINK, PLAIN, FieldError, Traits
from lanner.rules.language.vocabulary import BY_OPERATOR, BY_TRANSFORMER, LIST_OPERATORS, Group
from lanner.sdk.errors import LannerError
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from lanner.rules.language.catalog import Catalog
    from lanner.rules.language.vocabulary import Modifier, Operator

# Matches transformers in a string: their names with a parenthesis
_TRANSFORMERS: Final = tuple(f"{name}(" for name in BY_TRANSFORMER)
_NO_BLANKS: Final = str.maketrans(dict.fromkeys(" \t\n\v\f\r"))
_REGEX_SPECIAL: Final = frozenset(".+*?^$()[]{}|\\")
# Limit for all regexes of the rules together, in RE2's instructions; an ordinary regex has 10 to 100
MAX_PROGRAM: Final = 2_000_000
_REGEX_REPEAT: Final = frozenset("+*?")


class ConditionWarning(Struct, frozen=True, gc=False):
    """A warning about a valid check; `span` contains its offsets in the condition."""

    message: str
    span: ast.Span


class CheckedCondition(Struct, frozen=True, gc=False):
    """A typed condition, and the warnings about it in the order of the text."""

    tree: typed.Tree
    warnings: tuple[ConditionWarning, ...]


def check(condition: ast.Condition, catalog: Catalog, fields: typed.FieldTable) -> CheckedCondition:
    """Check a condition and number the values that it needs in `fields`. Raises ConditionError."""
    return Checker(catalog, fields).check(condition)


def check_operand(node: ast.Field | ast.Transform, catalog: Catalog, fields: typed.FieldTable) -> typed.Operand:
    """Check a single field or transformer, as in an output. Raises ConditionError."""
    return Checker(catalog, fields).operand(node)


class _RefusedError(LannerError, ValueError):
    """An invalid check. The caller adds its place."""


class _OperatorError(_RefusedError):
    """An operator that does not fit the type of the left side."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


class _PatternError(_RefusedError):
    """An invalid regular expression."""


class _ProgramError(_RefusedError):
    """The regular expressions together exceed the limit."""


_REFUSALS: Final = (_RefusedError, FieldError, constants.ConstantError, transformers.TransformError)


class _Side(Struct, frozen=True, gc=False):
    """One side of a check. `name` and `base` are those of the innermost field, which Falco's messages and some of its rules use."""

    operand: typed.Operand
    name: str
    base: typed.Kind
    combined: bool = False  # made by join, concat or getopt
    traits: Traits = PLAIN

    @property
    def kind(self) -> typed.Kind:
        return self.operand.kind

    @property
    def is_buffer(self) -> bool:
        return self.traits.type_name == "BYTEBUF"

    @property
    def type_name(self) -> str:
        """Name of the type in libscap, for messages and comparisons."""
        return (self.traits.type_name or transformers.TYPE_NAMES[self.kind.type]) + (" (list)" if self.kind.is_list else "")


class Checker:
    """Checker of conditions for one catalog. It numbers the values that they need in `fields`.

    Parts that several conditions share, such as macros, are checked once.
    """

    def __init__(self, catalog: Catalog, fields: typed.FieldTable) -> None:
        self.catalog = catalog
        self.fields = fields
        self.deprecations = deprecations.Conditions()
        self._warnings: list[ConditionWarning] = []
        self._patterns: set[str] = set()
        self._program = 0
        # By identity of the node, which is valid as long as the node is kept
        self._known: dict[int, tuple[ast.Condition, CheckedCondition]] = {}
        self._sides: dict[tuple[str, str | None], _Side] = {}
        # By field, operator and identity of a list's items, which conditions share
        self._tests: dict[tuple[str, str | None, Operator, Modifier | None, int], tuple[tuple[ast.Constant, ...], typed.Test]] = {}

    def check(self, condition: ast.Condition) -> CheckedCondition:
        """Check a condition. Raises ConditionError."""
        self._warnings = []
        return CheckedCondition(self._tree(condition), tuple(self._warnings))

    def _tree(self, node: ast.Condition) -> typed.Tree:
        if isinstance(node, ast.Not):
            return typed.Negation(self._tree(node.child))
        known = self._known.get(id(node))
        if known:
            self._warnings += known[1].warnings
            return known[1].tree
        before = len(self._warnings)
        tree = self._new_tree(node)
        self._known[id(node)] = node, CheckedCondition(tree, tuple(self._warnings[before:]))
        return tree

    def _new_tree(self, node: ast.Check | ast.And | ast.Or | ast.Macro) -> typed.Tree:
        match node:
            case ast.Check():
                return self._check(node)
            case ast.And(children):
                return typed.All(tuple([self._tree(child) for child in children]))
            case ast.Or(children):
                return typed.Some(tuple([self._tree(child) for child in children]))
            case ast.Macro(name):
                raise self._error(f"filter error: unexpected identifier '{name}'", node)

    def _check(self, node: ast.Check) -> typed.Tree:
        left, right = node.left, node.right
        if not isinstance(left, ast.Field) or not isinstance(right, ast.ConstantList):
            return self._new_check(node)
        key = left.name, left.argument, node.operator, node.modifier, id(right.items)
        known = self._tests.get(key)
        if known:
            return known[1]
        before = len(self._warnings)
        tree = self._new_check(node)
        if isinstance(tree, typed.Test) and len(self._warnings) == before:
            self._tests[key] = right.items, tree
        return tree

    def _new_check(self, node: ast.Check) -> typed.Tree:
        try:
            return self._check_comparison(node)
        except _REFUSALS as error:
            advice = self._advice(error)
            if isinstance(error, constants.ConstantError) and isinstance(node.right, ast.Constant):  # `=>90` compares with ">90"
                advice = advice or advise_symbol(node.operator + node.right.text[:1])
            raise self._error(str(error), node, advice) from None

    def operand(self, node: ast.Field | ast.Transform) -> typed.Operand:
        """Check a single field or transformer. Raises ConditionError."""
        try:
            return self._side(node).operand
        except _REFUSALS as error:
            raise self._error(str(error), node, self._advice(error)) from None

    def _check_comparison(self, node: ast.Check) -> typed.Tree:
        left = self._side(node.left)
        if left.name == LINK:
            raise _RefusedError(f"filter error: {LINK} exists only in outputs: an alert gets it when its rule has matched")
        operator = BY_OPERATOR[node.operator].same_as or node.operator
        if not left.traits.comparable and operator != "exists":
            raise _RefusedError(f"filter error: '{operator}' operator not supported for type '{left.type_name}'")
        reason = operators.refusal(operator, node.modifier, left.kind, is_buffer=left.is_buffer)
        if reason:
            raise _OperatorError(f"filter error: {reason}", operators.advise(left.kind, is_buffer=left.is_buffer))
        if node.right is None:
            return typed.Test(left.operand, "exists")
        if isinstance(node.right, ast.Constant | ast.ConstantList):
            values = self._constants(operator, left, node.right)
            if left.traits.only_equal and operator != "=":
                raise _RefusedError(f"{left.name} supports only '=' comparison operator")
            return typed.Test(left.operand, operator, values, node.modifier)
        right = self._side(node.right)
        _refuse_sides(operator, left, right)
        if left.combined and (operator in LIST_OPERATORS or not _same_type(left, right)):
            # Falco accepts it and then has no constant to compare with: an empty list is `in` none, and intersects none
            return typed.Test(left.operand, "intersects" if operator == "intersects" else "in")
        return typed.Comparison(left.operand, operator, right.operand)

    @staticmethod
    def _error(message: str, node: ast.Check | ast.Macro | ast.Field | ast.Transform, advice: str = "") -> ConditionError:
        begin, end = node.span
        return ConditionError(message, begin, max(1, end - begin), advice=advice)

    def _advice(self, error: Exception) -> str:
        if isinstance(error, _OperatorError):
            return error.advice
        if isinstance(error, _PatternError):
            return "Patterns use RE2's syntax: write a backslash before a literal (, [, { or another special character."
        if isinstance(error, _ProgramError):
            return "Repetitions such as {1,100} are expanded: repeat less, or use `contains`, `startswith` and `in` instead."
        return self.catalog.advice(error.unknown) if isinstance(error, FieldError) and error.unknown else ""

    def _side(self, node: ast.Field | ast.Transform | ast.Constant | ast.ConstantList | ast.OperandList) -> _Side:
        match node:
            case ast.Field(name, argument):
                return self._sides.get((name, argument)) or self._field(name, argument)
            case ast.Transform():
                return self._transform(node)
            case ast.Constant(text):
                operand: typed.Operand = typed.Text(text)
            case ast.OperandList(items) | ast.ConstantList(items):
                operand = typed.Items(tuple(_item(self._side(item)) for item in items))
        return _Side(operand, "NA", operand.kind)

    def _field(self, name: str, argument: str | None) -> _Side:
        request = self.catalog.request(name if argument is None else f"{name}[{argument}]")
        kind = typed.Kind(request.info.type, request.info.is_list)
        traits = self.catalog.traits(request)
        side = _Side(typed.Slot(self.fields.number(request), kind), request.info.name, kind, traits=traits)
        self._sides[name, argument] = side
        return side

    def _transform(self, node: ast.Transform) -> _Side:
        sides = [self._side(argument) for argument in node.arguments]
        if node.name == "val" or len(sides) == 1:
            if node.selector is not None:
                subject = "transformer 'val'" if node.name == "val" else f"transformer '{node.name}'"
                raise _RefusedError(f"filter error: {subject} does not support field arguments")
            return sides[0] if node.name == "val" else self._check_single(node.name, sides[0])
        row = BY_TRANSFORMER[node.name]
        if not row.is_combining:
            raise _RefusedError(f"transformer '{node.name}' takes one argument, not {len(sides)}")
        kind = transformers.combine_kinds(
            row, [side.base for side in sides], node.selector, is_plain=not any(side.traits.type_name for side in sides)
        )
        operand = typed.Transformation(row.name, tuple(side.operand for side in sides), kind, node.selector)
        return _Side(operand, "NA", typed.Kind(FieldType.STRING), combined=True)

    @staticmethod
    def _check_single(name: str, side: _Side) -> _Side:
        row = BY_TRANSFORMER[name]
        if row.is_combining:
            raise _RefusedError(f"unknown field transfomer '{name}'")  # Falco's spelling
        if not side.traits.takes_transformers:
            raise _RefusedError(f"field '{side.name}' does not support transformers")
        kind = transformers.result(row, side.kind, side.name, side.traits.type_name)
        traits = side.traits._replace(type_name="")
        return _Side(typed.Transformation(row.name, (side.operand,), kind), side.name, side.base, side.combined, traits)

    def _constants(self, operator: Operator, left: _Side, right: ast.Constant | ast.ConstantList) -> tuple[typed.Constant, ...]:
        texts = [right.text] if isinstance(right, ast.Constant) else [item.text for item in right.items]
        is_hex = BY_OPERATOR[operator].types == {Group.BUFFERS}
        values = []
        for text in texts:
            if operator == "regex" or "." in text or "(" in text:  # as in a regex, in fields and in transformers; most strings have none
                self._warn(operator, text, right.span)
            if is_hex:
                _refuse_hex(text)
            if reason := left.traits.refusal(text):
                raise _RefusedError(reason)
            value = constants.convert(text, left.kind.type)
            if operator == "regex":
                self._add_pattern(text)
            values.append(value)
        return tuple(values)

    def _add_pattern(self, text: str) -> None:
        """Compile a regex, each once. After the limit compile none, so that the remaining checks are fast."""
        if text in self._patterns:
            return
        if self._program <= MAX_PROGRAM:
            self._program += _program_size(text)
            self._patterns.add(text)
        if self._program > MAX_PROGRAM:
            raise _ProgramError(f"the regexes up to this one need more than {MAX_PROGRAM} RE2 instructions in total")

    def _warn(self, operator: Operator, text: str, span: ast.Span) -> None:
        if operator == "regex" and _is_simple(text):
            instead = "'=', 'contains', 'startswith', 'endswith'"
            message = f"regex check with '{text}' may be optimized with simpler operators such as {instead}"
            self._warnings.append(ConditionWarning(message, span))
        packed = text.translate(_NO_BLANKS)
        try:
            self.catalog.request(packed)
            self._warnings.append(ConditionWarning(f"'{text}' may be a valid field misused as a const string value", span))
        except FieldError:
            pass
        if packed.startswith(_TRANSFORMERS) and packed.endswith(")"):
            self._warnings.append(ConditionWarning(f"'{text}' may be a valid field transformer misused as a const string value", span))


def _item(side: _Side) -> typed.Operand:
    """Return an operand as an item of a list of operands: numbers become decimal strings."""
    if side.base.type is FieldType.UINT64:
        return typed.Transformation("decimal", (side.operand,), typed.Kind(FieldType.STRING))
    return side.operand


def _refuse_sides(operator: Operator, left: _Side, right: _Side) -> None:
    """Raise for a right side that does not fit the left one."""
    if not BY_OPERATOR[operator].takes_fields:
        raise _RefusedError(f"operator '{operator.upper()}' doesn't support right-hand side fields")
    if left.kind.type is FieldType.IPNET:
        raise _RefusedError("field type 'IPNET' doesn't support right-hand side fields")
    if not left.traits.takes_fields:
        raise _RefusedError(f"field '{left.name}' doesn't support right-hand side fields")
    if not right.traits.takes_fields:
        raise _RefusedError(f"field '{right.name}' can't be used as a right-hand side field")
    if not left.combined and not _same_type(left, right):  # Falco does not check the types of join, concat and getopt
        raise _RefusedError(
            f"field '{left.name}' has type '{left.type_name}' while the right-hand side field "
            f"'{_internal(right)}' has incompatible type '{right.type_name}'"
        )


def _same_type(left: _Side, right: _Side) -> bool:
    return left.type_name == right.type_name


def _internal(side: _Side) -> str:
    return "INTERNAL" if side.combined and side.kind.is_list else side.name


def _refuse_hex(text: str) -> None:
    if len(text) % 2 or not all(char in string.hexdigits for char in text):
        raise _RefusedError("filter error: bcontains and bstartswith operator support hex strings only")


def _program_size(text: str) -> int:
    import re2

    try:
        return int(operators.compile_regex(text).programsize)
    except re2.error as error:
        reason = error.args[0]
        raise _PatternError(f"invalid regex pattern: {reason.decode() if isinstance(reason, bytes) else reason}") from None


def _is_simple(pattern: str) -> bool:
    """Return whether simpler operators may replace the pattern, by Falco's heuristic."""
    last = len(pattern) - 1
    index = 0
    while index <= last:
        char = pattern[index]
        anchor = (index == 0 and char == "^") or (index == last and char == "$")
        at_edge = (index == 0 and last > 0) or index == last - 1
        if at_edge and char == "." and pattern[index + 1] in _REGEX_REPEAT:
            index += 1
        elif not anchor and char in _REGEX_SPECIAL:
            return False
        index += 1
    return True
