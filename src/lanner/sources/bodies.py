"""Events within a JSON body: the items of a list in it, each with its own bytes, and members that Lanner adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

Place: TypeAlias = str | int | Sequence[str | int]
"""A place in a JSON document: a member, an index, or several of them from the outside in; `()` is the whole document."""


class ItemError(ValueError):
    """A body that is not the expected JSON. The message names the missing part."""


def steps(place: Place) -> tuple[str | int, ...]:
    """Return a place as a tuple."""
    return (place,) if isinstance(place, str | int) else tuple(place)


def find(body: bytes, place: Place) -> bytes | None:
    """Return the bytes of the value at a place in a JSON document, or None without one. Raises `ItemError` for invalid JSON."""
    found = msgspec.Raw(body)
    try:
        for step in steps(place):
            if isinstance(step, int):
                items = msgspec.json.decode(found, type=list[msgspec.Raw])
                if not -len(items) <= step < len(items):
                    return None
                found = items[step]
            else:
                members = msgspec.json.decode(found, type=dict[str, msgspec.Raw])
                if step not in members:
                    return None
                found = members[step]
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ItemError(f"invalid JSON: {error}") from None
    return bytes(found)


def find_scalar(body: bytes, place: Place) -> str | int | float | None:
    """Return the text or number at a place; None without one. Raises `ItemError` for invalid JSON."""
    found = find(body, place)
    if found is None:
        return None
    value = _decode(found, Any)
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def split(body: bytes, place: Place) -> list[bytes]:
    """Return the items of the list at a place, as they are written there. Raises `ItemError` if there is no list."""
    found = find(body, place)
    where = ".".join(map(str, steps(place)))
    if found is None:
        raise ItemError(f"no list at {where!r}")
    try:
        return [bytes(item) for item in _decode(found, list[msgspec.Raw])]
    except msgspec.ValidationError:
        raise ItemError(f"no list at {where!r}" if where else "the body is not a list") from None


def check(body: bytes) -> None:
    """Raise `ItemError` if the body is not JSON. An invalid byte within a string is accepted: the other fields can be read."""
    _decode(body, msgspec.Raw)


def add_members(item: bytes, members: Mapping[str, str | None]) -> bytes:
    """Return a JSON object with more members at its end, where they win over members of the same name. Raises `ItemError`."""
    if not members:
        return item
    text = item.strip()
    if not (text.startswith(b"{") and text.endswith(b"}")):
        raise ItemError("the event is not a JSON object")
    separator = b"," if text[1:-1].strip() else b""
    return text[:-1] + separator + msgspec.json.encode(members)[1:]


def _decode(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ItemError(f"invalid JSON: {error}") from None
