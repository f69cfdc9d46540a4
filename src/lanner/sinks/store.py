"""Declaration of the sink `lanner.store_output`."""

from __future__ import annotations

import stat
import time
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from lanner.sdk.authoring.checks import Finding, check_disk
from lanner.sdk.options.blocks import PATH
from lanner.sinks.declaration import CommonSettings, Declaration, NoAdditions, SinkBlock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from lanner.outputs.base import Sink


class StoreBlock(SinkBlock, frozen=True):
    """Store alerts in a directory, with all their fields and the beginning of their events, for `lanner alerts`, `console` and `top`."""

    path: Annotated[str, PATH, Meta(description="The directory, which is created with mode 0700")] = ""
    retain_days: Annotated[int, Meta(ge=1, le=36_500, description="Files of older days are deleted")] = 30
    max_size_mb: Annotated[int, Meta(ge=64, description="MiB on disk; the oldest files are deleted when the store is larger")] = 4096


def _make(block: StoreBlock, _: NoAdditions, __: CommonSettings) -> Sink:
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
    from pathlib import Path

    from lanner.alerts.lock import find_writer
    from lanner.alerts.retention import size_of
    from lanner.alerts.run_file import describe_kill, newest_key
    from lanner.alerts.store_errors import StoreError
    from lanner.alerts.store_format import day_files
    from lanner.alerts.writer import check_store
    from lanner.sdk.text.encoding import many

    directory = Path(block.path)
    writer = find_writer(directory)
    try:
        check_store(directory, is_in_use=bool(writer))
    except StoreError as error:
        yield Finding.problem(str(error), "$.lanner.store_output.path: a directory without files of others, which Lanner's user may write")
        return
    if not directory.exists():
        yield Finding.ok(f"the alert store {directory}, which does not exist yet")
    else:
        days = day_files(directory)
        size = sum(map(size_of, days.values()))
        by = f", written by {writer}" if writer else ""
        yield from _look_into(directory)
        said = "" if writer else describe_kill(directory, newest_key(next(reversed(days.values()), None)))
        if said and not find_writer(directory):  # a run that has just started has not ended
            yield Finding.warning(said, "look for them in the other outputs; a source that resumes raises them again in the next run")
        yield Finding.ok(f"the alert store {directory}: {many(len(days), 'file')}, {size >> 20:,} of {block.max_size_mb:,} MiB{by}")
        loose = [path for path in (directory, *days.values()) if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO)]
        if loose:
            advice = f"chmod -R go= {directory}"
            yield Finding.warning(f"other users can read the alert store ({loose[0]}), and alerts contain command lines", advice)
    folder = next(each for each in (directory, *directory.absolute().parents) if each.is_dir())
    used = sum(map(size_of, day_files(directory).values())) if directory.exists() else 0
    needed = max(0, (block.max_size_mb << 20) - used)
    yield check_disk(folder, needed, f"of the alert store {directory}", "Make room, or lower $.lanner.store_output.max_size_mb")


def _look_into(directory: Path) -> Iterator[Finding]:
    """Yield a warning for each file that no search can read, and for alerts of the future."""
    from lanner.alerts.alert_store import AlertStore
    from lanner.alerts.store_errors import StoreError
    from lanner.alerts.store_format import MINUTE

    try:
        with closing(AlertStore(directory)) as store:
            latest = max(store.ask(lambda reader: reader.last_minute, descending=True), default=0)
            problems = [*store.problems.values()]
    except StoreError:  # an empty directory
        return
    for problem in problems:
        yield Finding.warning(str(problem), "`lanner alerts search` and the console leave this file out")
    if latest * MINUTE > time.time_ns() + MINUTE:
        at = time.strftime("%Y-%m-%d", time.gmtime(latest * MINUTE // 10**9))
        yield Finding.warning(
            f"the alert store {directory} has alerts that arrived in the future ({at}): a clock was wrong",
            "Check the clock. Filters leave these alerts out with until: and a date",
        )


STORE: Final = Declaration(
    "store_output",
    StoreBlock,
    _make,
    _examine,
    is_own=True,
    check=_check,
    directory="path",
    required={"path": "the directory for the store"},
)
