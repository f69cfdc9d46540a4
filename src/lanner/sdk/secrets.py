"""Mask secrets in options and in texts of options: by the names of the options, and in addresses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lanner.sdk.address import MASK, mask_addresses

_NAME: Final = (
    r"(?:[\w-]*(?i:passw|passphrase|pwd|secret|token|credential|(?:api|access|private|auth)[_-]?key)[\w-]*"
    r"|(?:[\w-]*[_-])?(?i:key)|[\w-]*[a-z]Key)"
)
_SECRET: Final = re.compile(_NAME)
_NEXT: Final = r""",\s*["']?[\w-]+["']?\s*[:=]"""
_IN_TEXT: Final = re.compile(
    rf"""(?<![\w-])((?:\\*+["'])?{_NAME}(?:\\*+["'])?\s*[:=]\s*)"""
    rf"""(?:\\++["'](?:(?!\\++["']).)*\\++["']|"(?:[^"\\]|\\.)*"|'[^']*'|(?:(?!{_NEXT})[^\n\]}}"'])+)"""
)
"""A secret option and its value: quoted, also within a quoted text, else up to the next option, the end of the line or of the map."""


class MaskingMixin:
    """Mixin for msgspec structs: the repr masks addresses, and secret options in maps and in texts of options."""

    __slots__ = ()
    if TYPE_CHECKING:  # the decoder of configurations reads annotations
        __struct_fields__: ClassVar[tuple[str, ...]]

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return options with printable values, for `rich` as well."""
        return [(name, mask_option(getattr(self, name))) for name in self.__struct_fields__]


def mask_option(value: Any, name: Any = "") -> Any:
    """Return the printable value of an option with that name."""
    if value is not None and value != "" and not isinstance(value, bool) and isinstance(name, str) and _SECRET.fullmatch(name):
        return type(value)(mask_option(item, name) for item in value) if isinstance(value, list | tuple) else MASK
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(mask_option(item, name) for item in value)
    if isinstance(value, dict):
        return {key: mask_option(item, key) for key, item in value.items()}
    return value


def mask_text(text: str) -> str:
    """Return a text of options (JSON, YAML, a command line) with the values of secret options and secrets of addresses masked."""
    return _IN_TEXT.sub(rf"\1{MASK}", mask_addresses(text))
