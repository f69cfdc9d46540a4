"""Conversions of strings that words need: addresses to bytes, and parameters of URLs."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from lanner.sdk.text.encoding import cut_at_nul, from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")


def pack_address(text: str, read: Callable[[str], IPv4Address | IPv6Address | IPv4Network | IPv6Network]) -> bytes | None:
    """Return an address or a network as bytes; None if `read` does not accept it, or for forms that Falco does not know."""
    if "%" in text or re.search(r"/(?!(0|[1-9][0-9]*)\Z)", text):  # zones, and netmasks instead of a number of bits
        return None
    try:
        found = read(text)
    except ValueError:
        return None
    return found.packed if isinstance(found, (IPv4Address, IPv6Address)) else found.network_address.packed


def find_parameter(url: str, name: str | int | None) -> str | None:
    """Return the first parameter of this name in the query of a URL; None without one, or for an invalid URL."""
    query = url.partition("#")[0].partition("?")[2]
    if _ESCAPE.search(url) or _CONTROLS.search(url) or ";" in query or not isinstance(name, str):
        return None
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if part and _decode_query(key) == name:
            return cut_at_nul(_decode_query(value))
    return None


def _decode_query(text: str) -> str:
    return from_bytes(unquote_to_bytes(to_bytes(text.replace("+", " "))))
