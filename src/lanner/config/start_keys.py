"""The keys that a run reads when it starts (`AT_START` in their declarations)."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_type_hints

import msgspec

from lanner.sdk.options.blocks import AT_START, annotations_of, has

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_late_changes(old: msgspec.Struct, new: msgspec.Struct, prefix: str = "") -> Iterator[str]:
    """Yield the paths of the keys whose new value takes effect only at the next start."""
    for name, kind in get_type_hints(type(old), include_extras=True).items():
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        if has(annotations_of(kind), AT_START):
            yield f"{prefix}{name}"
        elif isinstance(before, msgspec.Struct):
            yield from find_late_changes(before, after, f"{prefix}{name}.")
