"""Declaration of the sink `lanner.store_output`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from lanner.sdk.checks import Finding
from lanner.sinks.declaration import Common, Declaration, NoAdditions, SinkBlock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from lanner.outputs.base import Sink


class StoreBlock(SinkBlock, frozen=True):
    """Store alerts in a directory, with all their fields and the beginning of their events, for `lanner alerts`, `console` and `top`."""

    path: Annotated[str, Meta(description="The directory, which is created with mode 0700")] = ""
    retain_days: Annotated[int, Meta(ge=1, le=36_500, description="Files of older days are deleted")] = 30
    max_size_mb: Annotated[int, Meta(ge=64, description="MiB on disk; the oldest files are deleted when the store is larger")] = 4096


def _make(block: StoreBlock, _: NoAdditions, __: Common) -> Sink:
    made: Sink = _import().open_store(block.path, block.retain_days, block.max_size_mb << 20)
    return made


def _check(block: StoreBlock) -> None:
    _import().check_store_output(block.path)


def _import() -> ModuleType:
    """Return the module of the output. Raises OutputError without Python's sqlite3."""
    try:
        from lanner.outputs import store_output
    except ImportError as error:
        from lanner.outputs.base import OutputError

        raise OutputError(f"$.lanner.store_output needs Python's sqlite3, which this Python lacks: {error}") from error
    return store_output


def _examine(block: StoreBlock, _: NoAdditions) -> Iterator[Finding]:
    yield Finding.ok(f"the alert store {block.path}")


STORE: Final = Declaration(
    "store_output",
    StoreBlock,
    _make,
    _examine,
    is_own=True,
    check=_check,
    required={"path": "the directory for the store"},
)
