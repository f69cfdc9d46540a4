"""Places: the JSON strings of values in a payload, as bytes. `lanner.sdk.payload.jsondoc` has checked the whole payload."""

from __future__ import annotations

import re
from typing import Final

from lanner.sdk.payload.jsondoc import decode

_KINDS: Final = {"{": "object", "[": "array", '"': "text", "t": "boolean", "f": "boolean", "n": "null"}
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\]]|[^"{}\[\]:, \t\n\r]+', re.DOTALL)


def kind_at(place: bytes) -> str:
    """Return the kind of a JSON value: object, array, text, boolean, null, number."""
    return _KINDS.get(chr(place[0]), "number")


def split_container(place: bytes) -> list[bytes]:
    """Return the names and values in a valid object, or the values in an array, as JSON strings."""
    found, depth, begin = [], 0, 0
    for token in _TOKEN.finditer(place, 1):
        if depth == 0:
            begin = token.start()
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(token[0], 0)
        if depth == 0:
            found.append(place[begin : token.end()])
    return found


def members_at(place: bytes) -> dict[str, bytes]:
    """Return the members of a valid object: of equal names the last one."""
    names_and_values = split_container(place)
    return dict(zip(map(decode, names_and_values[::2]), names_and_values[1::2], strict=True))
