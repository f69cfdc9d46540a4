"""Annotations for the typed blocks of falco.yaml: sizes of numbers in C++, and the requirements of Falco's schema for blocks and keys."""

from __future__ import annotations

from typing import Annotated, Any, Final, get_args, get_origin

import msgspec
from msgspec import Meta

from lanner.sdk.options.secrets import SafeRepr

UINT8: Final = Meta(ge=0, le=(1 << 8) - 1)
INT16: Final = Meta(ge=-(1 << 15), le=(1 << 15) - 1)
UINT16: Final = Meta(ge=0, le=(1 << 16) - 1)
UINT32: Final = Meta(ge=0, le=(1 << 32) - 1)
UINT64: Final = Meta(ge=0, le=(1 << 64) - 1)
"""As in Falco, the default replaces a number that does not fit."""

REQUIRED: Final = Meta(extra={"required": True})
"""The schema requires the key in its block."""

WHOLE: Final = Meta(extra={"whole": True})
"""The schema accepts only whole numbers, although Falco reads others."""

WITHOUT_EFFECT: Final = Meta(extra={"without_effect": True})
"""The key is read and checked, but has no effect."""

AT_START: Final = Meta(extra={"at_start": True})
"""The key is read when a run starts. A reload reports a change of it, and uses the old value."""

PATH: Final = Meta(extra={"path": True})
"""The value is a path, or several. A null byte is an error. `~` and `$NAME`, which are parts of the name as in Falco, are warnings."""

INPUT: Final = Meta(extra={"input": True})
"""A run reads the file of this path while its block is enabled, so no output may write to it."""

COMMAND: Final = Meta(extra={"command": True})
"""The value is a command line for the shell. A null byte is an error."""


def schema_limit(limit: int) -> Meta:
    """Return the mark of a number with a limit only in Falco's schema, not in Falco itself."""
    return Meta(extra={"schema_limit": limit})


def find_schema_limit(about: tuple[Meta, ...]) -> int | None:
    """Return the schema's limit in a key's annotations."""
    return next((each.extra["schema_limit"] for each in about if each.extra and "schema_limit" in each.extra), None)


class Block(SafeRepr, msgspec.Struct, frozen=True):
    """A block in which the schema requires at least one key."""


def annotations_of(kind: Any) -> tuple[Any, ...]:
    """Return the annotations of a key, from its type."""
    return get_args(kind)[1:] if get_origin(kind) is Annotated else ()


def without_annotations(kind: Any) -> Any:
    """Return the type of a key without its annotations."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def has(about: tuple[Meta, ...], mark: Meta) -> bool:
    """Return whether a key's annotations include this mark."""
    return any(each is mark for each in about)
