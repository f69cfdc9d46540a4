"""Read the annotations of a field method: the field's type, whether it is a list, and its argument.

def f(self, event: Event) -> str                            string
def f(self, event: Event, key: str) -> int | None           uint64, argument required, a key
def f(self, event: Event, index: int = 0) -> list[Abstime]  list of abstime, argument optional, an index
"""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Annotated, Any, Union, get_args, get_origin

from lanner.sdk.authoring.type_hints import raw_annotations, resolve
from lanner.sdk.errors import DefinitionError
from lanner.sdk.types import Argument, FieldType

Abstime = Annotated[int, FieldType.ABSTIME]
"""An int that counts nanoseconds since 1970, UTC (a datetime loses the nanoseconds)."""
Reltime = Annotated[int, FieldType.RELTIME]
"""An int that counts nanoseconds."""

_TYPES: dict[Any, FieldType] = {
    str: FieldType.STRING,
    int: FieldType.UINT64,
    bool: FieldType.BOOL,
    datetime: FieldType.ABSTIME,
    timedelta: FieldType.RELTIME,
    IPv4Address: FieldType.IPADDR,
    IPv6Address: FieldType.IPADDR,
    IPv4Network: FieldType.IPNET,
    IPv6Network: FieldType.IPNET,
    IPv4Interface: FieldType.IPADDR,
    IPv6Interface: FieldType.IPADDR,
}
_KNOWN = (
    "str, int, bool, datetime, timedelta, lanner.Abstime, lanner.Reltime, an address or network of ipaddress, "
    "a list of one of them, or any of these | None"
)


def type_of(method: Any, where: str) -> tuple[FieldType, bool]:
    """Return the type of a field method's result and whether it is a list. Raises `DefinitionError`, which contains `where`."""
    if "return" not in raw_annotations(inspect.unwrap(method)):
        raise DefinitionError(f"{where}: annotate the return type: -> {_KNOWN}")
    hint = _hint(method, "return", where)
    options = [option for option in _options(hint) if option is not type(None)]
    if len(options) == 1 and get_origin(options[0]) in {list, tuple, Sequence}:
        items = [item for item in get_args(options[0]) if item is not Ellipsis]
        return _scalar([option for item in items for option in _options(item)], hint, where), True
    return _scalar(options, hint, where), False


def type_text(method: Any) -> str:
    """Return the annotation of a field method's result as its author wrote it."""
    annotation = raw_annotations(inspect.unwrap(getattr(method, "__func__", method)))["return"]
    if isinstance(annotation, str):
        return annotation
    text = inspect.formatannotation(annotation)
    for alias, name in ((Abstime, "lanner.Abstime"), (Reltime, "lanner.Reltime")):
        text = text.replace(inspect.formatannotation(alias), name)
    return text


def argument_of(method: Any, where: str) -> Argument | None:
    """Return the argument that a field method takes after `self` and `event`. Raises `DefinitionError`, which contains `where`."""
    parameters = list(_signature(method).parameters.values())
    if len(parameters) < 2 or parameters[0].name != "self":
        raise DefinitionError(f"{where}: a field method takes (self, event) and perhaps an argument")
    extra = parameters[2:]
    if not extra:
        return None
    names = {parameter.name for parameter in extra}
    annotations = raw_annotations(inspect.unwrap(method))
    for parameter, kind in ((p, {"key": str, "index": int}.get(p.name)) for p in extra):
        hint = _hint(method, parameter.name, where) if kind is not None and parameter.name in annotations else kind
        by_name = parameter.kind in {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
        if kind is None or not by_name or {option for option in _options(hint) if option is not type(None)} != {kind}:
            raise DefinitionError(f"{where}: the argument of a field is `key: str` or `index: int`, not `{parameter}`")
    required = all(parameter.default is inspect.Parameter.empty for parameter in extra)
    if len(extra) > 1 and any(parameter.default is inspect.Parameter.empty for parameter in extra):
        raise DefinitionError(f"{where}: with both a key and an index, each needs a default, because only one of them is given")
    return Argument(key="key" in names, index="index" in names, required=required)


def _signature(method: Any) -> inspect.Signature:
    if sys.version_info >= (3, 14):
        import annotationlib

        return inspect.signature(method, annotation_format=annotationlib.Format.FORWARDREF)
    return inspect.signature(method)


def _hint(method: Any, name: str, where: str) -> Any:
    # one annotation at a time: that of `event` may use names that only a type checker imports
    function = inspect.unwrap(method)
    try:
        return resolve(raw_annotations(function)[name], function.__globals__)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        raise DefinitionError(f"{where}: cannot resolve its annotation of {name!r}: {error}") from None


def _options(hint: Any) -> list[Any]:
    if get_origin(hint) in {Union, types.UnionType}:
        return [option for part in get_args(hint) for option in _options(part)]
    return [hint]


def _scalar(options: list[Any], hint: Any, where: str) -> FieldType:
    kinds = {_kind(option) for option in options}
    if len(kinds) != 1 or None in kinds:
        raise DefinitionError(f"{where}: invalid field type {inspect.formatannotation(hint)}: use {_KNOWN}")
    (kind,) = kinds
    assert kind is not None
    return kind


def _kind(option: Any) -> FieldType | None:
    if get_origin(option) is Annotated:
        return next((mark for mark in get_args(option)[1:] if isinstance(mark, FieldType)), _TYPES.get(get_args(option)[0]))
    return _TYPES.get(option)
