"""Declaration of the sink `stdout_output`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from lanner.sdk.authoring.checks import Finding
from lanner.sdk.options.blocks import Block
from lanner.sdk.options.secrets import SafeRepr
from lanner.sinks.declaration import CommonSettings, Declaration, SinkBlock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.outputs.base import Sink


class StdoutBlock(SinkBlock, Block, frozen=True):
    """Write alerts to standard output."""


class StdoutAdditions(SafeRepr, msgspec.Struct, frozen=True):
    """Lanner's additions to `stdout_output`."""

    summary: Annotated[bool, Meta(description="True: print a summary instead of the alerts, as `lanner run --watch` does")] = False


def _make(_: StdoutBlock, additions: StdoutAdditions, common: CommonSettings) -> Sink:
    if additions.summary:
        from lanner.outputs.summary_output import SummaryOutput

        return SummaryOutput(has_rate=not common.is_replay)
    from lanner.outputs.stdout_output import StdoutOutput

    return StdoutOutput()


def _examine(_: StdoutBlock, additions: StdoutAdditions) -> Iterator[Finding]:
    yield Finding.ok("standard output, a summary" if additions.summary else "standard output")


STDOUT: Final = Declaration("stdout_output", StdoutBlock, _make, _examine, additions=StdoutAdditions, is_stdout=True)
