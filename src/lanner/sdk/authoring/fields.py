"""Declare fields: as data (`field(name, value, description)`) or as methods (`@field(name, description)`).

Each results in a `FieldDeclaration`: the `FieldInfo` for hosts and rules, and the source of the value. A method's
annotations declare the type, whether it is a list, and its argument (see `annotations.py`).
"""

from __future__ import annotations

from types import FunctionType

from lanner.sdk.errors import DefinitionError
from lanner.sdk.payload.trees import arguments, needs_argument, text_place, uses_item
from lanner.sdk.payload.values import Value
from lanner.sdk.payload.words import KEY
from lanner.sdk.records import Record, replace_members
from lanner.sdk.types import Argument, FieldInfo, FieldType, is_field_name
from lanner.sdk.typing_marks import overload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    _M = TypeVar("_M", bound=Callable[..., Any])

_MARK = "__lanner_field__"
_SUSPENDS = 0x20 | 0x80 | 0x100 | 0x200  # inspect's CO_GENERATOR, CO_COROUTINE, CO_ITERABLE_COROUTINE, CO_ASYNC_GENERATOR


class FieldDeclaration(Record):
    """One field of a plugin: its description, and its value as data or the name of the method that computes it."""

    info: FieldInfo
    value: Value | None = None
    method: str | None = None


@overload
def field(name: str, value: Value, description: str, /, *, add_output: bool = False, always_text: bool = False) -> FieldDeclaration: ...
@overload
def field(name: str, description: str, /, *, add_output: bool = False) -> Callable[[_M], _M]: ...
def field(
    name: str, second: Value | str | None = None, third: str | None = None, /, *, add_output: bool = False, always_text: bool = False
) -> FieldDeclaration | Callable[[_M], _M]:
    """Declare a field by its full name ("docker.type") and a description.

    `field(name, value, description)` declares a value of the event's JSON payload, as data (see `lanner.payload`).
    `@field(name, description)` declares a method, whose annotations declare the type. `add_output` suggests the field for the end of
    rules' outputs: it is added if falco.yaml has `append_output: [{suggested_output: true}]`. `always_text`: the payload has a string there
    even for true and numbers, so `lanner rules check` accepts comparisons with these.

    Raise `DefinitionError` for an invalid declaration.
    """
    if not isinstance(name, str) or not is_field_name(name):
        raise DefinitionError(f'invalid field name {name!r}: write words joined by dots, such as "docker.actor.id"')
    if isinstance(second, Value):
        info = _data_info(name, second, _description(name, third), add_output=add_output)
        return FieldDeclaration(replace_members(info, text_place="") if always_text else info, value=second)
    if third is not None or not isinstance(second, str):
        from lanner.sdk.payload.value_advice import describe_uncalled  # rare

        if uncalled := describe_uncalled(second):
            raise DefinitionError(f'the value of the field "{name}" is {uncalled}')
        raise DefinitionError(
            f'field "{name}": write field(name, value, description) with a value such as payload["name"], '
            "or @field(name, description) above a method"
        )
    description = _description(name, second)

    def mark(method: _M) -> _M:
        if not _is_plain(method):
            raise DefinitionError(f'@field("{name}", ...) must be directly above a method that is a plain `def` and returns the value')
        setattr(method, _MARK, (name, description, add_output))
        return method

    return mark


def gate(condition: Value, *fields: FieldDeclaration) -> tuple[FieldDeclaration, ...]:
    """Return fields as data that have a value only in events for which the boolean `condition` is true.

    `gate(payload["auditID"].exists(), field(...), field(...))` is `when(payload["auditID"].exists())` for each of them.
    """
    for each in fields:
        if not isinstance(each, FieldDeclaration) or each.value is None:
            raise DefinitionError(f"`gate` needs fields as data, such as lanner.field(name, value, description), not {each!r}")
    return tuple(replace_members(each, value=each.value.when(condition)) for each in fields if each.value is not None)


def method_declaration(owner: str, method_name: str, method: Any) -> FieldDeclaration | None:
    """Return the declaration of a method that `@field` marks, or None for any other attribute. Raises `DefinitionError`."""
    if isinstance(method, Value):
        return None
    inner = getattr(method, "fget", None) or getattr(method, "__func__", method)
    marked = getattr(inner, _MARK, None)
    if marked is None:
        return None
    name, description, add_output = marked
    where = f'{owner}.{method_name} (field "{name}")'
    if inner is not method:
        raise DefinitionError(f"{where}: a field must be a plain method; remove @{type(method).__name__}")
    from lanner.sdk.authoring.annotations import argument_of, type_of  # slow to import, and most fields are data

    kind, is_list = type_of(method, where)
    return FieldDeclaration(_info(name, kind, description, is_list, argument_of(method, where), add_output), method=method_name)


def _info(name: str, kind: FieldType, description: str, is_list: bool, argument: Argument | None, add_output: bool) -> FieldInfo:
    if add_output and argument and argument.required:
        raise DefinitionError(f'field "{name}" needs an argument, but add_output adds fields without one')
    return FieldInfo(name, kind, description, is_list, argument, add_output)


def _is_plain(method: object) -> bool:
    return isinstance(method, FunctionType) and not method.__code__.co_flags & _SUSPENDS


def _description(name: str, text: str | None) -> str:
    if not isinstance(text, str) or not text.strip():
        raise DefinitionError(f'field "{name}" has no description: Falco rejects a field without one')
    return text


def _data_info(name: str, value: Value, description: str, *, add_output: bool) -> FieldInfo:
    if uses_item(value):
        raise DefinitionError(f'field "{name}" reads `item` outside `each`: write payload["items", EACH].each(item["name"])')
    used = arguments(value)
    if len(used) > 1:
        raise DefinitionError(f'field "{name}" uses KEY and INDEX: a data field has one kind of argument')
    argument = None
    if used:
        is_key = KEY in used
        argument = Argument(key=is_key, index=not is_key, required=needs_argument(value))
    return replace_members(_info(name, value.type, description, value.is_list, argument, add_output), text_place=text_place(value))
