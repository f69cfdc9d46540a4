"""The base class of event sources in this package, and of a plugin author's own ones."""

from __future__ import annotations

import _thread
import time
from typing import TYPE_CHECKING, Any

from lanner.sdk.authoring.protocols import OpenInstance
from lanner.sdk.hosting.opening import current_opening
from lanner.sources import waiting
from lanner.sources.waiting import Counters, Flag

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Sequence

    from lanner.sdk.authoring.events import Event


class Feed(OpenInstance):
    """An event source that any thread may close. A subclass writes `events`.

    `open` returns it, or is a generator that reads it: hosts then see its connections and counters as well, and close it.
    `name` is the name of its connection, in /readyz, metrics and messages. `files` are the paths of files that it reads: `lanner run`
    refuses to write its outputs to them, with `lanner.UsageError`.
    """

    def __init__(self, name: str, files: Sequence[str] = ()) -> None:
        self.name: str = name
        self._files = files
        self.closing: Flag = Flag()
        """Set by `close`."""
        self.counted: Counters = Counters()
        """Counters for the summary and the metrics."""
        # dicts, to which an author's feed may write; hosts only read them
        self.counters: dict[str, int] = self.counted.counts  # pyright: ignore[reportIncompatibleVariableOverride]
        self.connections: dict[str, bool] = {name: False}  # pyright: ignore[reportIncompatibleVariableOverride]
        self._warnings: dict[str, tuple[float, int]] = {}  # by kind: the time of the next one, and the cases since the last one
        self._warning = _thread.allocate_lock()
        self._opening = current_opening()
        if self._opening is not None:
            self._opening.add_files(self.list_files)
            self._opening.add(self)

    def events(self) -> Iterator[Event]:
        """Yield the events. Return at the end, and when `closing` is set."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Event]:
        try:
            if not self.closing.is_set:
                yield from self.events()
        finally:
            self.close()
        if self._opening is not None and self._opening.is_closed:
            # the host has closed the source: end the generator that reads this feed immediately
            raise GeneratorExit

    def wait(self, seconds: float, others: Sequence[Flag] = ()) -> bool:
        """Wait until `close`, one of the `others`, or for this number of seconds. Return whether the feed is closed."""
        if not self.closing.is_set:
            waiting.pause([self.closing, *others], seconds)
        return self.closing.is_set

    def list_files(self, written: Sequence[str]) -> Iterable[tuple[str, str]]:
        """Return the files that it reads, each with its use, and those of the `written` paths that it would read as well."""
        del written  # a feed that finds its files by a pattern reads more than those it knows now
        return [("reads", path) for path in self._files]

    def describe(self) -> str:
        """See `OpenInstance`."""
        return self.name

    def close(self) -> None:
        """See `OpenInstance`."""
        self.closing.set()
        if self._opening is not None:
            self._opening.remove(self)
            self._opening.remove_files(self.list_files)

    def log(self) -> logging.Logger:
        """Return the logger of the plugin that uses the feed."""
        import logging  # rare, and slow to import

        return logging.getLogger("lanner.sources" if self._opening is None else f"lanner.plugin.{self._opening.plugin}")

    def warn(self, kind: str, text: str, *values: Any, count: int = 1, again: float = 60.0) -> None:
        """Log a warning, at most once per `again` seconds for each kind, because clients could cause any number of them.

        `count` is the number of new cases. The warning contains the number of cases since the last one of its kind.
        """
        now = time.monotonic()
        with self._warning:
            due, cases = self._warnings.get(kind, (0.0, 0))
            cases += count
            is_due = now >= due
            self._warnings[kind] = (now + again, 0) if is_due else (due, cases)
        if is_due:
            more = f" ({cases:,} such cases{' since the last warning' if due else ''})" if cases > 1 else ""
            self.log().warning(f"{text}%s", *values, more)
