"""Exceptions of rules: read from YAML, checked, and written into the condition.

The input are a rule's `exceptions`, the output are `RuleException`s, and later the text `(condition) and not (...)` that replaces
the rule's condition. It is text, as in Falco, so that the name of a list in a value is expanded like one in the condition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from lanner.rules import findings
from lanner.rules.files.items import ExceptionEntry, RuleException
from lanner.rules.files.placed_text import Text, TextBuilder
from lanner.rules.files.scalars import ItemError, make_missing_error, read_required
from lanner.rules.findings import Sight, make_finding
from lanner.rules.language.vocabulary import BY_OPERATOR, MODIFIERS, Side, operators_of
from lanner.sdk.errors import LannerError
from lanner.yamlfile.reader import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence as Seq

    from lanner.rules.files.items import Step
    from lanner.yamlfile.reader import Node
    from lanner.yamlfile.source import Context

_LIST_OPERATORS: Final = frozenset[str](operators_of(Side.LIST))
_MODIFIED: Final = frozenset(f"{operator} {modifier}" for operator in operators_of(Side.TEXT) for modifier in MODIFIERS)
_COMPARISONS: Final = _MODIFIED.union(BY_OPERATOR)


# Reading


def read_exceptions(item: Mapping, context: Context, steps: list[Step], *, append: bool) -> tuple[RuleException, ...]:
    """Return the exceptions of a rule. Only exceptions that are appended to others may lack fields."""
    node = item.values.get("exceptions")
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return ()
    outer: Context = (*context, node.spot("exceptions"))
    if not isinstance(node, Sequence):
        raise ItemError("Rule exceptions must be a sequence", outer)
    found: list[RuleException] = []
    names = set()
    for each in node.items:
        if not isinstance(each, Mapping):
            raise ItemError("Rule exception must be a mapping", (*outer, each.spot("exception")))
        label = read_required(each, "name", (*outer, each.spot("exception")))
        name = label.value
        inner: Context = (*context, each.spot("exception", name))
        if name in names:
            message = f"Multiple definitions of exception '{name}' in the same rule"
            steps.append(make_finding("warning", "LOAD_EXCEPTION_NAME_NOT_UNIQUE", message, inner))
        names.add(name)
        found.append(_read_exception(each, label, inner, steps, append=append))
    return tuple(found)


def _read_exception(node: Mapping, label: Scalar, context: Context, steps: list[Step], *, append: bool) -> RuleException:
    if "fields" not in node.values and not append:
        raise make_missing_error(node, "fields", context)
    fields = _entry(node.values.get("fields"), "fields", context)
    comps = _entry(node.values.get("comps"), "comps", context)
    values = node.values.get("values")
    if values is None:
        if append:
            message = "Overriding/appending exception with no values"
            steps.append(make_finding("warning", "LOAD_APPEND_NO_VALUES", message, context))
        return RuleException(context, label, fields, comps)
    outer = (*context, values.spot("exception values"))
    if not isinstance(values, Sequence):
        raise ItemError("Rule exception values must be a sequence", outer)
    entries = tuple(_entry(value, "", (*outer, value.spot("exception value"))) for value in values.items)
    return RuleException(context, label, fields, comps, entries)


def _entry(node: Node | None, key: str, context: Context) -> ExceptionEntry:
    """Return a string or a list of entries. Anything else counts as an empty text."""
    if isinstance(node, Scalar) and not node.is_null:
        if not node.value:
            raise ItemError("Value must be non-empty", (*context, node.spot("value for", key)))
        return ExceptionEntry(node.value)
    if isinstance(node, Sequence):
        inner = (*context, node.spot("value for", key))
        return ExceptionEntry(entries=tuple(_entry(each, "", (*inner, each.spot("exception"))) for each in node.items), is_list=True)
    return ExceptionEntry()


# Checking


def check_exception(exception: RuleException, is_field: Callable[[str], bool] | None) -> RuleException:
    """Return the exception with default comparisons. Raises `ItemError`.

    `is_field` returns whether a string is valid left of an operator. Its error for a field with a wrong argument is reported.
    """
    fields, comps, context = exception.fields, exception.comps, exception.context
    if fields.is_list:
        if not comps.is_given:
            comps = ExceptionEntry(entries=(ExceptionEntry("="),) * len(fields.entries), is_list=True)
        if len(fields.entries) != len(comps.entries):
            raise _refuse("Fields and comps lists must have equal length", context)
        comps = replace(comps, entries=tuple(replace(each, text=each.text.strip(" \t\r\n")) for each in comps.entries))
        for each in comps.entries:
            if each.text not in _COMPARISONS:
                raise _refuse(f"'{each.text}' is not a supported comparison operator", context)
        names = [each.text for each in fields.entries]
    else:
        if not comps.is_given:
            comps = ExceptionEntry("in")
        if comps.is_list:
            raise _refuse("Fields and comps must both be strings", context)
        comps = replace(comps, text=comps.text.strip(" \t\r\n"))
        if comps.text not in _LIST_OPERATORS | _MODIFIED:
            allowed = "(in, pmatch, intersects) or a modifier operator (e.g. startswith oneof)"
            raise _refuse(f"When fields is a single value, comps must be one of {allowed}", context)
        names = [fields.text]
    if is_field is not None:
        _check_fields(names, is_field, context)
    return replace(exception, comps=comps)


def _check_fields(names: list[str], is_field: Callable[[str], bool], context: Context) -> None:
    for name in names:
        try:
            known = is_field(name)
        except LannerError as error:
            raise ItemError(str(error), context, code=findings.VALIDATE, sight=Sight()) from None
        if not known:
            raise _refuse(f"'{name}' is not a supported filter field", context)


def _refuse(message: str, context: Context) -> ItemError:
    return ItemError(message, context, code=findings.VALIDATE)


# Writing


def add_exceptions(condition: Text, exceptions: Seq[RuleException]) -> Text:
    """Return the condition and the exceptions as one text. Raises `ItemError` for values that do not fit their fields."""
    if not exceptions:
        return condition
    builder = TextBuilder()
    builder.add("(")
    builder.add_text(condition)
    builder.add(")")
    for exception in exceptions:
        text = _list_form(exception) if exception.fields.is_list else _scalar_form(exception)
        if text:
            builder.add(" and not ")
            builder.add_as(text, exception.label, 0, len(exception.name))
    return builder.build()


def _scalar_form(exception: RuleException) -> str:
    if any(value.is_list for value in exception.values):
        raise _refuse("Expected values array to contain a list of strings", exception.context)
    if not exception.values:
        return ""
    values = ", ".join(quote(value.text) for value in exception.values)
    return f"({exception.fields.text} {exception.comps.text} ({values}))"


def _list_form(exception: RuleException) -> str:
    fields, comps = exception.fields.entries, exception.comps.entries
    rows = []
    for values in exception.values:
        if len(values.entries) != len(fields):
            raise _refuse("Fields and values lists must have equal length", exception.context)
        checks = [
            f" {field.text} {comp.text} {_right_side(value, comp.text)}"
            for field, comp, value in zip(fields, comps, values.entries, strict=False)  # more operators than fields: see `collect`
        ]
        rows.append(f"({' and '.join(checks)})")
    return f"({' or '.join(rows)})" if rows else ""


def _right_side(value: ExceptionEntry, operator: str) -> str:
    if value.is_list:
        return f"({', '.join(quote(each.text) for each in value.entries)})"
    if operator in _LIST_OPERATORS | _MODIFIED:
        return value.text if value.text.startswith("(") else f"({value.text})"
    return quote(value.text)


def quote(text: str) -> str:
    """Return the text, in quotes if it contains a blank but no quote before that. Nothing inside is escaped, as in Falco."""
    return f'"{text}"' if " " in text and text[0] not in "\"'" else text
