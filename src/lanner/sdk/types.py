"""Field types and descriptions of fields, as Falco has them (plugin_api.h, `get_fields`).

Used everywhere: declarations create a `FieldInfo`, hosts and rule checks read it. Values are computed elsewhere.
"""

from __future__ import annotations

from enum import StrEnum

from lanner.sdk.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias


class FieldType(StrEnum):
    """The types of field values. A member's value is Falco's name for it.

    As Python objects inside Lanner (hosts, rules):

    - STRING: `str` without NUL; bytes that are not UTF-8 are surrogate escapes
    - UINT64: `int`. BOOL: `bool`
    - RELTIME, ABSTIME: `int`, nanoseconds; ABSTIME since 1970 (UTC)
    - IPADDR, IPNET: `bytes` of length 4 or 16 in network order

    The value of a list field is a non-empty `tuple` of these. No value is `None`.
    """

    STRING = "string"
    UINT64 = "uint64"
    BOOL = "bool"
    RELTIME = "reltime"
    ABSTIME = "abstime"
    IPADDR = "ipaddr"
    IPNET = "ipnet"


Scalar: TypeAlias = str | int | bool | bytes
FieldValue: TypeAlias = Scalar | tuple[Scalar, ...] | None


def is_field_name(name: str) -> bool:
    """Return whether Falco accepts the name of a field (plugin_filtercheck.cpp, the filter grammar): words joined by dots."""
    parts = name.split(".")
    return name.isascii() and len(parts) > 1 and all(part.isidentifier() and part[0] != "_" for part in parts)


class Argument(Record):
    """The kind of argument in the brackets of `field[...]`: a key, an index (0 is the first), or either."""

    key: bool = False
    index: bool = False
    required: bool = False


class FieldInfo(Record):
    """A field for hosts, rules and docs. `add_output`: it is suggested for rules' outputs (`suggested_output`).

    `text_place` is the place in the payload whose strings are the value, where a number or true gives no value; "" for other fields.
    """

    name: str
    type: FieldType
    description: str
    is_list: bool = False
    argument: Argument | None = None
    add_output: bool = False
    text_place: str = ""
