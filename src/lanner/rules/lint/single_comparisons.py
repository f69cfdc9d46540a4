"""Lints of single comparisons: impossible values, strings in order, missing values, and regexes that an operator can replace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.rules.condition.ast import And, Check, Constant, ConstantList, Field, Macro, Not, Or, Transform, find_operands
from lanner.rules.condition.unparse import show, show_operand
from lanner.rules.language.catalog import GENERIC_FIELDS
from lanner.rules.language.typed import Test
from lanner.rules.language.vocabulary import BY_TRANSFORMER, LITERAL_OPERATORS
from lanner.rules.lint.hints import ABSENT_FIELD, IMPOSSIBLE_VALUE, SIMPLE_REGEX, TEXT_ORDER, Hint
from lanner.rules.resolve.rule import TEXT
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lanner.rules.condition.ast import Condition, Operand, Span
    from lanner.rules.lint.hints import Subject

_EQUALITY: Final = frozenset({"=", "==", "!=", "in", "intersects"})
_ORDER: Final = frozenset({"<", "<=", ">", ">="})
_JSON_SCALAR: Final = re.compile(r"true|false|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)")
_NUMBERS: Final = frozenset({FieldType.UINT64, FieldType.RELTIME, FieldType.ABSTIME})
_ALWAYS_THERE: Final = frozenset(field.name for field in GENERIC_FIELDS) - {"evt.asynctype"}
# Macros that users replace, and that match no event until then
_PLACEHOLDER: Final = re.compile(r"(?i)(?:^|_)(?:never|nothing|none|placeholder)(?:_|$)")
# Every character except special ones, which need a backslash
_LITERAL: Final = r"(?:[^.+*?^$()\[\]{}|\\]|\\[.+*?^$()\[\]{}|\\/-])"
_SIMPLE: Final = re.compile(rf"\^?(\.\*)?({_LITERAL}+)(\.\*)?\$?")
_CHOICE: Final = re.compile(rf"\^?\(({_LITERAL}+(?:\|{_LITERAL}+)+)\)\$?")
_ESCAPE: Final = re.compile(r"\\(.)")


def find_impossible_values(subject: Subject) -> Iterator[Hint]:
    """Yield constants that the left side never equals."""
    for check in subject.checks():
        constants = check.right.items if isinstance(check.right, ConstantList) else (check.right,)
        for constant in constants:
            reason = _explain_impossible(subject, check, constant) if isinstance(constant, Constant) else ""
            if reason and isinstance(constant, Constant):
                message = f"{show_operand(check.left)} is never '{constant.text}': {reason}."
                yield Hint(IMPOSSIBLE_VALUE, message, "Compare with a possible value.", check.span)
                break
            if isinstance(constant, Constant) and (hint := _of_other_type(subject, check, constant.text)):
                yield hint
                break


def _of_other_type(subject: Subject, check: Check, text: str) -> Hint | None:
    """Return a hint for a comparison with true, false or a number of a field that only a JSON text at a place gives a value."""
    info = subject.checker.catalog.lookup(check.left.name) if isinstance(check.left, Field) else None
    if info is None or not info.text_place or check.operator not in _EQUALITY or not (known := _JSON_SCALAR.fullmatch(text)):
        return None
    what, words = ("a number", ".text() or .integer()") if known["number"] else (text, ".text() or .boolean()")
    message = f"{info.name} is the text at {info.text_place}, and has no value if the payload has {what} there."
    advice = f"If the payload has {what} there, declare the field with {words}; if it has a string, with always_text=True."
    return Hint(IMPOSSIBLE_VALUE, message, advice, check.span)


def _explain_impossible(subject: Subject, check: Check, constant: Constant) -> str:
    text = constant.text
    if isinstance(check.left, Transform) and (lacks := BY_TRANSFORMER[check.left.name].lacks) and check.operator in LITERAL_OPERATORS:
        pattern, reason = lacks
        return f"{check.left.name}() {reason}" if re.search(pattern, text) else ""
    test = subject.check(check)
    if isinstance(test, Test) and test.left.kind.type in _NUMBERS:
        if text.lstrip().startswith("-") and text.strip("- 0"):
            return "numbers here are not negative, and Falco reads it as a very large number"
        digits = text.strip().lstrip("+").lstrip("0")
        if len(digits) > 20 or int(digits or "0") >> 64:
            return "it does not fit into 64 bits, and Falco uses the largest number that does"
    if isinstance(check.left, Field) and check.operator in {"=", "==", "in"}:
        if check.left.name == "evt.source" and text != subject.checker.catalog.source:
            return f"the rule matches only events of the source '{subject.checker.catalog.source}'"
        if check.left.name == "evt.is_async" and text == "true":
            return "a plugin's events are not asynchronous"
    return ""


def find_text_orders(subject: Subject) -> Iterator[Hint]:
    """Yield `f > 5` for a string `f`: Falco compares the characters, not the numbers that they may write."""
    for check in subject.checks():
        if check.operator not in _ORDER or not isinstance(check.right, Constant):
            continue
        test = subject.check(check)
        if isinstance(test, Test) and test.left.kind.type is FieldType.STRING:
            shown = show_operand(check.left)
            message = f"`{show(check)}` compares strings, character by character: '10' is less than '5'."
            advice = f"{shown} must be a number in its plugin (.integer()) to be compared as one; for strings, write =, in or startswith."
            yield Hint(TEXT_ORDER, message, advice, check.span)


def find_absent_fields(subject: Subject) -> Iterator[Hint]:
    """Yield `f != x` and `not f = x` in conditions that do not handle events without `f`."""
    # By field, the strings that ask for it: an `exists` within a negated macro does not decide about other events
    asked: dict[Operand | None, set[int]] = {}
    for check in subject.checks():
        if check.operator == "exists":
            asked.setdefault(check.left, set()).add(check.span[0] // TEXT)
    negated: dict[Span, tuple[str, dict[str, None]]] = {}  # by the place of the `not`: a macro, and the fields that it compares
    presence = _Presence()
    todo: list[_Part] = [_Part(subject.rule.condition)]
    while todo:
        node, wanted, sure, case, negation = todo.pop()
        match node:
            case Not(child):
                todo.append(_Part(child, not wanted, sure, case, node if wanted else None))
            case And(children) | Or(children):
                if isinstance(node, And) is wanted:
                    sure |= presence.of(node, wanted=wanted)
                case = case or (isinstance(node, And) and not wanted and presence.combines(node))
                todo += [_Part(child, wanted, sure, case, negation) for child in reversed(children)]
            case Check(Field(name) as field, operator, Constant(text) as constant, None) if text and name not in _ALWAYS_THERE:
                macro = subject.macro(node.span)
                outside = negation is not None and negation.span[0] // TEXT != node.span[0] // TEXT
                aware = asked.get(field, set()) - ({node.span[0] // TEXT} if outside else set())
                shown = show_operand(field)
                if aware or field in sure:
                    continue
                if operator == "!=" and wanted:
                    message = f"`{show(node)}` is false if an event has no {shown}."
                    instead = f"not {shown} = {show_operand(constant)}"
                    advice = f"To include such events, write `{instead}`; to exclude them, write `{shown} exists and` before."
                    yield Hint(ABSENT_FIELD, message, advice, node.span)
                elif operator in {"=", "=="} and not wanted and not case and not subject.in_exception(node.span):
                    if negation is None or not outside:
                        message = f"`not {show(node)}` is true if an event has no {shown}."
                        advice = f"To exclude such events, write `{shown} exists and` before."
                        yield Hint(ABSENT_FIELD, message, advice, node.span)
                    elif not _PLACEHOLDER.search(macro):
                        negated.setdefault(negation.span, (macro, {}))[1][shown] = None
    for span, (macro, fields) in negated.items():
        yield _negated_macro(subject.text_of(span), macro, [*fields], span)


def _negated_macro(written: str, macro: str, fields: Sequence[str], span: Span) -> Hint:
    *others, last = fields
    listed = f"{', '.join(others)} or {last}" if others else last
    exist = " and ".join(f"{field} exists" for field in fields)
    message = f"`{written}` is true if an event has no {listed}, which the macro '{macro}' compares."
    advice = f"To exclude such events, write `({exist} and {written})` here; the macro itself can stay as it is."
    return Hint(ABSENT_FIELD, message, advice, span)


class _Part(NamedTuple):
    """A node on the way down a condition.

    `case`: within `not (f = x and ...)`, which excludes one case, as exceptions do, and intends to include all others. `negation` is
    the `not` that requires the node to be false.
    """

    node: Condition
    wanted: bool = True
    sure: frozenset[Field] = frozenset()
    case: bool = False
    negation: Not | None = None


class _Presence:
    """Return the fields that an event must have for a node to be true, or false. `!=` does not count, because it is under test."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, bool], frozenset[Field]] = {}

    def of(self, node: Condition, *, wanted: bool) -> frozenset[Field]:
        key = id(node), wanted
        if key not in self._known:
            self._known[key] = self._of(node, wanted=wanted)
        return self._known[key]

    def combines(self, node: And) -> bool:
        """Return whether an `and` contains more than one comparison besides its field's `exists`."""
        parts = [child for child in node.children if not (isinstance(child, Check) and child.operator == "exists")]
        there = frozenset[Field]().union(*(self.of(part, wanted=True) for part in parts))
        asked = (child.left for child in node.children if isinstance(child, Check) and child.operator == "exists")
        return len(parts) != 1 or any(field not in there for field in asked)

    def _of(self, node: Condition, *, wanted: bool) -> frozenset[Field]:
        match node:
            case Not(child):
                return self.of(child, wanted=not wanted)
            case And(children) | Or(children):
                parts = [self.of(child, wanted=wanted) for child in children]
                if isinstance(node, And) is wanted:
                    return frozenset[Field]().union(*parts)
                return parts[0].intersection(*parts[1:])
            case Check(left, operator):
                return frozenset(find_operands(Field, left)) if wanted and operator != "!=" else frozenset()
            case Macro():
                return frozenset()


def find_simple_regexes(subject: Subject) -> Iterator[Hint]:
    """Yield regexes that are equivalent to `=`, `in`, `contains`, `startswith` or `endswith`."""
    for check in subject.checks():
        if check.operator != "regex" or check.modifier or not isinstance(check.right, Constant):
            continue
        instead = _suggest_instead(check.right.text)
        if instead:
            message = f"The regex '{check.right.text}' is equivalent to `{instead}`: regexes match the whole text."
            advice = f"Write `{show_operand(check.left)} {instead}`."
            yield Hint(SIMPLE_REGEX, message, advice, check.span)


def _suggest_instead(pattern: str) -> str:
    if found := _CHOICE.fullmatch(pattern):
        items = re.split(r"(?<!\\)\|", found[1])
        return f"in ({', '.join(_quote(item) for item in items)})"
    found = _SIMPLE.fullmatch(pattern)
    if found is None:
        return ""
    operator = {(False, False): "=", (True, False): "endswith", (False, True): "startswith"}.get((bool(found[1]), bool(found[3])))
    return f"{operator or 'contains'} {_quote(found[2])}"


def _quote(literal: str) -> str:
    return show_operand(Constant(_ESCAPE.sub(r"\1", literal), quoted=True))
