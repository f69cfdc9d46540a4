"""Declaration of the sink `program_output`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from lanner.sdk.authoring.checks import Finding
from lanner.sdk.options.blocks import COMMAND, REQUIRED
from lanner.sinks.declaration import CommonSettings, Declaration, NoAdditions, SinkBlock, keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.outputs.base import Sink

_ANSWER: Final = 5.0
"""Timeout in seconds for the shell to find a command."""


class ProgramBlock(SinkBlock, frozen=True):
    """Write alerts to a program's standard input, one line each."""

    program: Annotated[str, REQUIRED, COMMAND, Meta(description="Command line for /bin/sh")] = ""
    keep_alive: Annotated[bool, Meta(description="True: one process for all alerts; false: one process for each alert")] = False


def _make(block: ProgramBlock, _: NoAdditions, common: CommonSettings) -> Sink:
    from lanner.outputs.program_output import ProgramOutput

    return ProgramOutput(timeout=common.timeout, **keys_of(block))


def _examine(block: ProgramBlock, _: NoAdditions) -> Iterator[Finding]:
    import subprocess

    words = block.program.split()
    if not words or any(char in words[0] for char in "=$`(;|&<>'\"\\"):
        yield Finding.ok(f"the program {block.program!r}, which the shell interprets")
        return
    # the shell that will run it also knows its built-in commands
    done = subprocess.run(  # noqa: S603 - a constant text, and a word that it does not run
        ["/bin/sh", "-c", 'command -v -- "$1"', "sh", words[0]], capture_output=True, timeout=_ANSWER, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        yield Finding.problem(f"the program {words[0]} does not exist", "$.program_output.program: install it, or write its absolute path")
    else:
        yield Finding.ok(f"the program {words[0]}")


PROGRAM: Final = Declaration("program_output", ProgramBlock, _make, _examine, required={"program": "the command line that alerts go to"})
