r"""Strings as JSON strings, byte for byte as the two libraries that Falco uses for alerts.

A string is a `str`, with surrogate escapes for bytes that are not UTF-8. nlohmann/json 3.11 writes the alert, jsoncpp 1.9.5 the values in
output_fields. They treat invalid UTF-8 differently, and so do `replace_invalid` and `replace_loosely` here. Both leave `/`, DEL and
non-ASCII characters unchanged, and write control characters as \b \t \n \f \r or \u00XX, as `encode` does.
"""

from __future__ import annotations

from typing import Final

import msgspec

from lanner.sdk.text.encoding import to_bytes

encode: Final = msgspec.json.Encoder().encode
"""JSON without blanks, as bytes, of strings that are UTF-8 (else `UnicodeEncodeError`).

Three times as fast for a message as the encoder of the standard library, with the same output.
"""

_REPLACEMENT: Final = 0xFFFD
# lead bytes below the limit -> number of following bytes, significant bits of the lead byte, least code point
_FORMS: Final = ((0xE0, 1, 0x1F, 0x80), (0xF0, 2, 0x0F, 0x800), (0xF8, 3, 0x07, 0x10000))


def quote(text: str) -> str:
    """Return the text as a JSON string with its quotes, invalid UTF-8 as in `replace_invalid`."""
    return encode(replace_invalid(text)).decode()


def replace_invalid(text: str) -> str:
    """Replace each maximal invalid sequence with U+FFFD, as nlohmann/json does with error_handler_t::replace."""
    return text if text.isascii() else to_bytes(text).decode("utf-8", "replace")


def replace_loosely(text: str) -> str:
    """Replace invalid UTF-8 as jsoncpp and then nlohmann/json do: continuation bytes are not checked (C3 41 is one character)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _decode_loosely(to_bytes(text))
    return text


def _decode_loosely(data: bytes) -> str:
    chars = []
    position = 0
    while position < len(data):
        code, size = _read_loose_code(data, position)
        chars.append(chr(code))
        position += size
    return "".join(chars)


def _read_loose_code(data: bytes, position: int) -> tuple[int, int]:
    """Return the code point that jsoncpp (json_writer.cpp, utf8ToCodepoint) reads at `position`, and its length in bytes."""
    lead = data[position]
    if lead < 0x80:
        return lead, 1
    form = next((form for form in _FORMS if lead < form[0]), None)
    if form is None or len(data) - position <= form[1]:
        return _REPLACEMENT, 1
    _, following, mask, least = form
    code = lead & mask
    for byte in data[position + 1 : position + 1 + following]:
        code = code << 6 | byte & 0x3F
    if code < least or 0xD800 <= code <= 0xDFFF:
        code = _REPLACEMENT
    elif code > 0xFFFF:
        code = 0x10000 + (code - 0x10000 & 0xFFFFF)  # the part that fits into a surrogate pair
    return code, 1 + following
