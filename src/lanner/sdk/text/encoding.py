"""Text to bytes and back: the one place that knows how Lanner keeps bytes that are not UTF-8.

Inside Lanner text is `str`. A byte that is not UTF-8 is an escape, a character from U+DC80 to U+DCFF (Python's `surrogateescape`).
Other surrogates are halves of characters, which no bytes represent. `lanner.sdk.text.printable` makes text fit for people.
"""

from __future__ import annotations

_FIRST_HALF, _LAST_HALF = "\ud800", "\udfff"


def to_bytes(text: str) -> bytes:
    """Return the UTF-8 of `text`, with the bytes of its escapes. Raises UnicodeEncodeError for halves of characters."""
    return text.encode("utf-8", "surrogateescape")


def from_bytes(data: bytes) -> str:
    """Return `data` as text, with escapes for bytes that are not UTF-8: `to_bytes` restores them."""
    return data.decode("utf-8", "surrogateescape")


def to_bytes_leniently(text: str) -> bytes:
    """Return the bytes of any text: as `to_bytes`, with a question mark for each half of a character."""
    try:
        return to_bytes(text)
    except UnicodeEncodeError:
        return to_bytes("".join(["?" if is_half(char) else char for char in text]))


def without_halves(text: str) -> str:
    """Return `text` with a question mark for each half of a character, so that `to_bytes` takes it."""
    return text if text.isascii() else from_bytes(to_bytes_leniently(text))


def is_half(char: str) -> bool:
    """Return whether the character is half of one, and no escape of a byte."""
    return _FIRST_HALF <= char <= _LAST_HALF and not is_byte(char)


def is_byte(char: str) -> bool:
    """Return whether the character is the escape of a byte."""
    return "\udc80" <= char <= "\udcff"


def to_lossless(text: str) -> bytes:
    """Return bytes from which `from_lossless` makes any `str` again: UTF-8, and three bytes for each surrogate."""
    return text.encode("utf-8", "surrogatepass")


def from_lossless(data: bytes) -> str:
    """Return the text of bytes of `to_lossless`. Raises UnicodeDecodeError."""
    return str(data, "utf-8", "surrogatepass")


def cut_at_nul(text: str) -> str:
    """Return the text up to its first NUL, as a host in C reads it."""
    return text.partition("\0")[0]


def many(count: int, what: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
