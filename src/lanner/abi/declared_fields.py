"""A plugin's fields as a host of a given API version sees them: which exist, their types, and the text of get_fields."""

from __future__ import annotations

from lanner.sdk.types import FieldType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Final

    from lanner.abi.versions import Api
    from lanner.sdk.types import FieldInfo

# plugin_types.h, ss_plugin_field_type
TYPE_NUMBERS: Final = {
    FieldType.UINT64: 8,
    FieldType.STRING: 9,
    FieldType.RELTIME: 20,
    FieldType.ABSTIME: 21,
    FieldType.BOOL: 25,
    FieldType.IPADDR: 40,
    FieldType.IPNET: 41,
}
_LONGEST_NAME: Final = 63
_LOWERED: Final = {
    FieldType.RELTIME: (FieldType.UINT64, "a number of nanoseconds"),
    FieldType.ABSTIME: (FieldType.UINT64, "a number of nanoseconds since 1970"),
    FieldType.BOOL: (FieldType.STRING, 'the string "true" or "false"'),
    FieldType.IPADDR: (FieldType.STRING, "a string"),
    FieldType.IPNET: (FieldType.STRING, "a string"),
}


def offers(number: int, field: FieldInfo) -> bool:
    """Return whether an API of these structs (`Api.number`) can have the field. A field's id is its index among those that it can have."""
    return number != 0 or not field.is_list


def fields_json(fields: Iterable[FieldInfo], api: Api) -> str:
    """Return the text of get_fields."""
    import json  # only a build needs it

    return json.dumps([_describe_field(field, api) for field in fields if offers(api.number, field)], ensure_ascii=False)


def _describe_field(field: FieldInfo, api: Api) -> dict[str, Any]:
    kind = field.type if api.has_all_types else _LOWERED.get(field.type, (field.type, ""))[0]
    result: dict[str, Any] = {"name": field.name, "type": kind.value, "desc": field.description}
    argument = field.argument
    if not api.has_lists:
        return {**result, "argRequired": True} if argument and argument.required else result
    if field.is_list:
        result["isList"] = True
    if field.add_output:
        result["addOutput"] = True
    if argument:
        result["arg"] = {"isRequired": argument.required, "isIndex": argument.index, "isKey": argument.key}
    return result


def losses(fields: Iterable[FieldInfo], api: Api) -> list[str]:
    """Return one sentence for each field that a host of this API sees differently from its declaration."""
    told = []
    for field in fields:
        if not offers(api.number, field):
            told.append(f"{field.name} is omitted: API {api.name} has no lists")
        elif not api.has_all_types and field.type in _LOWERED:
            told.append(f"{field.name} ({field.type}) becomes {_LOWERED[field.type][1]}")
        if not api.has_all_types and len(field.name.encode()) > _LONGEST_NAME:
            told.append(f"hosts of API {api.name} cut {field.name} to {_LONGEST_NAME} bytes: choose a shorter name")
    return told
