"""Constants in conditions: the text on the right of an operator as a value of the field's type.

The input is a string, the output is the value as a Python object of the field's type, or `ConstantError` with Falco's message.
As in Falco, the C library reads some constants: scanf numbers, inet_pton addresses.
"""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, Final

from lanner.rules.language.typed import Constant, Net
from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import to_bytes
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable

# sinsp_filtercheck.h: s_max_filter_value_buf_size, the closing NUL included
_STRING_LIMIT: Final = 256
_UINT64: Final = 1 << 64
_SCANF_UNSIGNED: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)", re.ASCII)


class ConstantError(LannerError, ValueError):
    """A string that is not a value of the type."""


def convert(text: str, kind: FieldType) -> Constant:
    """Return the constant `text` for a field of type `kind`. Raises ConstantError."""
    return _CONVERTERS[kind](text)


def _string(text: str) -> str:
    if len(text) * 4 < _STRING_LIMIT:  # regardless of the bytes per character
        return text
    used = len(to_bytes(text)) + 1
    if used > _STRING_LIMIT:
        raise ConstantError(f"filter parameter too long (used={used}, available={_STRING_LIMIT}):{text}")
    return text


def _unsigned_number(text: str) -> int:
    """Return sscanf's %llu of a string: leading blanks and a sign allowed, a minus wraps, overflow saturates, nothing may follow."""
    found = _SCANF_UNSIGNED.fullmatch(text)
    if found is None:
        raise ConstantError(f"{text} is not a valid number")
    magnitude = int(found[2]) if len(found[2].lstrip("0")) <= 20 else _UINT64
    if magnitude >= _UINT64:
        return _UINT64 - 1
    return -magnitude % _UINT64 if found[1] == "-" else magnitude


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ConstantError(f"filter error: unrecognized boolean value {text}")
    return text == "true"


def _address(text: str) -> bytes:
    family, name = (socket.AF_INET, "IPv4") if "." in text else (socket.AF_INET6, "IPv6")
    return _inet_pton(family, text, f"unrecognized {name} address {text}")


def _network(text: str) -> Net:
    four = "." in text
    if "/" not in text:
        raise ConstantError(f"unrecognized IP network {text}" if four else f"invalid v6 netmask: {text}")
    host, _, rest = text.partition("/")
    mask = rest.partition("\n")[0]
    if four:
        address = _inet_pton(socket.AF_INET, host, f"unrecognized IP address {text}")
    else:
        address = _inet_pton(socket.AF_INET6, host, f"unrecognized IPv6 address {text}")
    bits = _unsigned_number(mask) & 0xFF  # Falco reads it into a byte
    if four and bits > 32:
        raise ConstantError(f"invalid netmask {mask}")
    if not four and not 0 < bits <= 128:
        raise ConstantError(f"invalid v6 netmask {mask}")
    return Net(address, bits)


def _inet_pton(family: socket.AddressFamily, text: str, message: str) -> bytes:
    try:
        return socket.inet_pton(family, text)
    except (OSError, ValueError):
        raise ConstantError(message) from None


_CONVERTERS: Final[dict[FieldType, Callable[[str], Constant]]] = {
    FieldType.STRING: _string,
    FieldType.UINT64: _unsigned_number,
    FieldType.RELTIME: _unsigned_number,
    FieldType.ABSTIME: _unsigned_number,
    FieldType.BOOL: _boolean,
    FieldType.IPADDR: _address,
    FieldType.IPNET: _network,
}
