"""All sinks. falco.yaml's keys, checks, reloads, doctor and the configuration reference iterate over `SINKS`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lanner.sinks.file import FILE
from lanner.sinks.http import HTTP
from lanner.sinks.program import PROGRAM
from lanner.sinks.stdout import STDOUT
from lanner.sinks.store import STORE
from lanner.sinks.syslog import SYSLOG

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lanner.outputs.base import Sink
    from lanner.sdk.authoring.checks import Finding
    from lanner.sinks.declaration import CommonSettings, Declaration

SINKS: Final[tuple[Declaration[Any, Any], ...]] = (FILE, STDOUT, PROGRAM, SYSLOG, HTTP, STORE)
"""The sinks in the order in which they receive alerts."""


class ConfiguredSink(NamedTuple):
    """A sink and its part of a configuration."""

    declaration: Declaration[Any, Any]
    block: Any
    additions: Any

    @property
    def is_enabled(self) -> bool:
        """Whether the sink is enabled."""
        return bool(self.block.enabled)

    def make(self, common: CommonSettings) -> Sink:
        """Return the sink. Raises OutputError."""
        return self.declaration.make(self.block, self.additions, common)

    def check(self, common: CommonSettings) -> None:
        """Raise the OutputError that `make` would raise. Creates and sends nothing."""
        if self.declaration.check:
            self.declaration.check(self.block)
        else:
            self.make(common).close()

    def examine(self) -> Iterable[Finding]:
        """Return doctor's findings."""
        return self.declaration.examine(self.block, self.additions)

    @property
    def file(self) -> str:
        """The path of the file that alerts go to; "" if they go to none."""
        return getattr(self.block, self.declaration.file) if self.declaration.file and self.is_enabled else ""

    def list_written(self) -> Iterator[tuple[str, str | int]]:
        """Yield each file that alerts go to, a path or a descriptor, with its key or name; none if the sink is not enabled."""
        if not self.is_enabled:
            return
        if self.declaration.is_stdout:
            yield "standard output", 1
        for key in filter(None, (self.declaration.file, self.declaration.directory)):
            yield f"$.{self.declaration.path}.{key}", getattr(self.block, key)

    def find_missing(self) -> Iterator[tuple[str, str]]:
        """Yield the required keys that are empty, each with what to write, if the sink is enabled."""
        if self.is_enabled:
            for key, what in self.declaration.required.items():
                if not getattr(self.block, key):
                    yield key, what
