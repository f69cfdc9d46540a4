"""Declaration of the sink `stdout_output`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.sdk.blocks import Block
from lanner.sdk.checks import Finding
from lanner.sinks.declaration import Common, Declaration, NoAdditions, SinkBlock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.outputs.base import Sink


class StdoutBlock(SinkBlock, Block, frozen=True):
    """Write alerts to standard output."""


def _make(_: StdoutBlock, __: NoAdditions, ___: Common) -> Sink:
    from lanner.outputs.stdout_output import StdoutOutput

    return StdoutOutput()


def _examine(_: StdoutBlock, __: NoAdditions) -> Iterator[Finding]:
    yield Finding.ok("standard output")


STDOUT: Final = Declaration("stdout_output", StdoutBlock, _make, _examine)
