"""One kind of sink, declared: its block in falco.yaml, its additions under `lanner:`, its constructor and its doctor checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import msgspec

from lanner.sdk.options.secrets import SafeRepr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lanner.outputs.base import Sink
    from lanner.sdk.authoring.checks import Finding


class SinkBlock(SafeRepr, msgspec.Struct, frozen=True):
    """A sink's block in falco.yaml. Its docstring is the sink's description in the configuration reference.

    A block in which Falco's schema requires at least one key also derives from `lanner.sdk.options.blocks.Block`.
    """

    enabled: bool = False


class NoAdditions(SafeRepr, msgspec.Struct, frozen=True):
    """The additions of a sink without additions."""


class CommonSettings(NamedTuple):
    """Settings that all sinks share. `timeout`: seconds for one exchange. `json`: alerts are lines of JSON."""

    timeout: float
    json: bool
    is_replay: bool = False


def keys_of(part: msgspec.Struct) -> dict[str, Any]:
    """Return the keys of a block or of additions with their values, as arguments of the sink's class; without `enabled`."""
    return {name: getattr(part, name) for name in part.__struct_fields__ if name != "enabled"}


B = TypeVar("B", bound=SinkBlock)
A = TypeVar("A", bound=SafeRepr)


@dataclass(frozen=True, slots=True, eq=False)
class Declaration(Generic[B, A]):
    """A kind of sink. Its module must be cheap to import, as every command imports it; `make` imports what is expensive.

    `name`: its key in falco.yaml, which ends in `_output`; its additions have the key before that under `lanner:`.
    `is_own`: Falco has no such sink, and its block is under `lanner:`.
    `required`: keys of the block that must not be empty when the sink is enabled, each with the text that says what to write.
    `examine`: doctor's findings about an enabled sink; it sends no alert.
    `check`: raise the OutputError that `make` would raise, without its effects; None if `make` has none.
    `file`, `directory`: the key of the block with the path of the file or directory that alerts go to; `is_stdout`: they go to
    standard output. A run refuses to write to a file that it reads. Doctor checks the disk of a `file` for space.
    """

    name: str
    block: type[B]
    make: Callable[[B, A, CommonSettings], Sink]
    examine: Callable[[B, A], Iterable[Finding]]
    additions: type[A] = NoAdditions  # type: ignore[assignment] # then A is NoAdditions
    required: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[B], None] | None = None
    file: str = ""
    directory: str = ""
    is_stdout: bool = False
    is_own: bool = False

    @property
    def path(self) -> str:
        """The path of its block in falco.yaml, such as `file_output` or `lanner.store_output`."""
        return f"lanner.{self.name}" if self.is_own else self.name

    @property
    def additions_key(self) -> str:
        """The key of its additions under `lanner:`; "" if it has none."""
        return "" if self.additions is NoAdditions else self.name.removesuffix("_output")
