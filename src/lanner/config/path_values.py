"""Values of a configuration that are paths: characters that they cannot contain, and forms that do not work as users expect."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, get_type_hints

from lanner.config.plain_values import refuse_null_byte
from lanner.sdk.options.blocks import INPUT, annotations_of, has

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import msgspec

_HOME: Final = re.compile(r"~[\w.-]*(?=/|$)", re.ASCII)
_VARIABLE: Final = re.compile(r"\$([A-Za-z_]\w*)", re.ASCII)


def look_at_paths(value: str | tuple[str, ...] | Mapping[str, str] | None, path: str) -> Iterator[str]:
    """Yield warnings about the paths of a key. Raises `ConfigError` for a null byte."""
    match value:
        case None:
            return
        case str():
            yield from _look_at_path(value, path)
        case tuple():
            for number, item in enumerate(value):
                yield from _look_at_path(item, f"{path}[{number}]")
        case _:
            for name, item in value.items():
                yield from _look_at_path(item, f"{path}.{name}")


def list_inputs(block: msgspec.Struct, path: str) -> Iterator[tuple[str, str]]:
    """Yield the files that a block of the configuration at `path` reads, each with its key."""
    for name, kind in get_type_hints(type(block), include_extras=True).items():
        if has(annotations_of(kind), INPUT):
            value = getattr(block, name)
            files = value if isinstance(value, dict) else {"": value}
            yield from ((f"{path}.{name}{key and '.'}{key}", file) for key, file in files.items() if file)


def _look_at_path(value: str, path: str) -> Iterator[str]:
    refuse_null_byte(value, path)
    if found := _HOME.match(value):
        yield f"{path} begins with `{found[0]}`, which is not expanded here: write the whole path, or ${{HOME}}"
    if found := _VARIABLE.search(value):
        yield f"{path} has `{found[0]}`, which is not expanded here: write ${{{found[1]}}}"
