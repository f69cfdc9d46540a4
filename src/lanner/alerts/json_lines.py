"""Lines of alerts as a run printed them with `json_output`, from the lines of the store, which have all members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, Raw, Struct, json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_ABSENT: Final = Raw(b"")


class _Line(Struct, omit_defaults=True, gc=False):
    """The members of an alert in their order. Their values are not decoded."""

    hostname: Raw = _ABSENT
    message: Raw = _ABSENT
    output: Raw = _ABSENT
    output_fields: Raw = _ABSENT
    priority: Raw = _ABSENT
    rule: Raw = _ABSENT
    source: Raw = _ABSENT
    tags: Raw = _ABSENT
    time: Raw = _ABSENT


_OPTIONAL: Final = {
    "json_include_message_property": "message",
    "json_include_output_property": "output",
    "json_include_output_fields_property": "output_fields",
    "json_include_tags_property": "tags",
}
"""The settings of a run that choose members."""

_decode: Final = json.Decoder(_Line).decode
_encode: Final = json.Encoder().encode


def trim_line(line: bytes, settings: Mapping[str, Any]) -> bytes:
    """Return the line with the members that these settings of a run include, byte for byte as the run printed it."""
    try:
        read = _decode(line)
    except DecodeError:  # a damaged line
        return line
    for setting, member in _OPTIONAL.items():
        if not settings.get(setting, True):
            setattr(read, member, _ABSENT)
    return _encode(read)
