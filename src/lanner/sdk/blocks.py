"""How the typed blocks of falco.yaml say what Falco takes: C++'s sizes of numbers, and its schema's demands on blocks and keys."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Meta

from lanner.sdk.secrets import Masked

UINT8: Final = Meta(ge=0, le=(1 << 8) - 1)
INT16: Final = Meta(ge=-(1 << 15), le=(1 << 15) - 1)
UINT16: Final = Meta(ge=0, le=(1 << 16) - 1)
UINT32: Final = Meta(ge=0, le=(1 << 32) - 1)
UINT64: Final = Meta(ge=0, le=(1 << 64) - 1)
"""A number that does not fit is replaced by the default, as in Falco."""

REQUIRED: Final = Meta(extra={"required": True})
"""The schema demands the key wherever its block is given."""

WHOLE: Final = Meta(extra={"whole": True})
"""The schema takes whole numbers alone, though Falco reads others."""

WITHOUT_EFFECT: Final = Meta(extra={"without_effect": True})
"""The key is read and checked, and nothing comes of it here."""


def schema_limit(limit: int) -> Meta:
    """Return the mark of a number for which Falco's schema has a limit that Falco itself has not."""
    return Meta(extra={"schema_limit": limit})


def find_schema_limit(about: tuple[Meta, ...]) -> int | None:
    """Return the limit that a key's annotations give for the schema."""
    return next((each.extra["schema_limit"] for each in about if each.extra and "schema_limit" in each.extra), None)


class Block(Masked, msgspec.Struct, frozen=True):
    """A block in which the schema demands at least one key."""


def has(about: tuple[Meta, ...], mark: Meta) -> bool:
    """Whether a key's annotations include this mark."""
    return any(each is mark for each in about)
