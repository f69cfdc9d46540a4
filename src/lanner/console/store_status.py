"""The state of run and store for the page, with each problem: what, where, and what to do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from lanner.alerts.filters import Filter
from lanner.alerts.lock import find_writer
from lanner.alerts.run_file import describe_kill
from lanner.alerts.store_errors import StoreError
from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lanner.alerts.alert_store import AlertStore
    from lanner.alerts.stored import StoredAlert

_MS: Final = 1_000_000
_OLD: Final = 15 * 10**9
"""Age of the state of a run that is running: it writes it every two seconds."""


class Problem(NamedTuple):
    """A problem: the fault, its place, and what to do."""

    what: str
    where: str
    advice: str


class _Output(msgspec.Struct):
    dropped: int = 0
    pending: int = 0
    spooled: int = 0
    failures: int = 0
    last_error: str = ""


class RunState(msgspec.Struct):
    """The members of run.json from which problems are found."""

    plugin: str = ""
    written: int = 0
    ended: int | None = None
    connected: dict[str, bool] = {}
    outputs: dict[str, _Output] = {}
    counters: dict[str, int] = {}
    reload_error: str = ""
    not_ready: list[str] = []
    unhealthy: list[str] = []
    kill: str = ""


def describe_state(store: AlertStore, unreadable: Mapping[Path, StoreError]) -> dict[str, Any]:
    """Return the state of the run that writes the store, and of the store. Raises `StoreError`.

    `unreadable` are the files that other readers of the store could not read.
    """
    directory = store.path
    problems: list[Problem] = []
    is_running = bool(find_writer(directory))
    run: dict[str, Any] | None = None
    try:
        run = store.state()
        if run is not None:
            state = msgspec.convert(run, RunState)
            problems += _problems(state, is_running=is_running)
            if is_running and state.kill:
                problems.append(_lost(state.kill, directory))
    except (LannerError, msgspec.ValidationError) as error:
        problems.append(Problem("the state of the run cannot be read", str(directory), str(error)))
    newest: list[StoredAlert] = []
    oldest: list[StoredAlert] = []
    try:
        newest, oldest = store.read_newest(Filter(), 1).alerts, store.after(0, Filter(), 1).alerts
    except StoreError as error:
        problems.append(Problem("the store cannot be read", str(directory), str(error)))
    if not is_running and not _is_replay(store, newest):
        where = str(directory) if run is None else f"plugin {run.get('plugin')}"
        problems.append(Problem("no run writes this store", where, "start it: `lanner run`, or `systemctl start lanner`"))
    said = "" if is_running else describe_kill(directory, newest[0].key if newest else "")
    if said and not find_writer(directory):  # a run that has just started has not ended
        problems.append(_lost(said, directory))
    problems += [
        Problem("a file of the store cannot be read", str(path), str(error)) for path, error in {**unreadable, **store.problems}.items()
    ]
    return {
        "run": run,
        "is_running": is_running,
        "problems": [problem._asdict() for problem in problems],
        "store": {"days": len(store.days()), "bytes": _size(directory), "oldest_ms": _arrival(oldest), "newest_ms": _arrival(newest)},
    }


def _problems(state: RunState, *, is_running: bool) -> Iterator[Problem]:
    if not is_running:
        return  # the last state of engines and outputs no longer holds
    plugin = f"plugin {state.plugin}"
    if time.time_ns() - state.written > _OLD:
        yield Problem("the run does not write its state", plugin, "it may be stuck: read its log, then restart it")
    for engine, is_connected in state.connected.items():
        if not is_connected:
            yield Problem("the engine is unreachable", engine, f"check the network and the engine, then `lanner doctor {state.plugin}`")
    for name, output in state.outputs.items():
        if waiting := output.pending + output.spooled:
            if output.last_error:
                yield Problem(f"{many(waiting, 'alert')} waiting: {output.last_error}", f"$.{name}", "check its receiver")
        elif output.dropped:
            yield Problem(f"{many(output.dropped, 'alert')} dropped", f"$.{name}", "raise $.outputs_queue.capacity, or set $.lanner.spool")
    for name, count in state.counters.items():
        if count and ("dropped" in name or "gap" in name or "lost" in name):
            yield Problem(f"{name}: {count:,} since the run began", plugin, "events were lost: the run's log has the times")
    if state.reload_error:
        yield Problem("the last reload failed: the previous rules stay", plugin, state.reload_error)
    for reason in state.unhealthy:
        yield Problem(reason, plugin, "restart the run")
    unreachable = tuple(f"{engine} is unreachable" for engine, is_connected in state.connected.items() if not is_connected)
    for reason in state.not_ready:
        if reason not in unreachable:
            yield Problem(reason, plugin, "read the run's log")


def _lost(said: str, directory: Path) -> Problem:
    """Return the problem of alerts that a killed run has not stored."""
    return Problem(said, str(directory), "look for them in the other outputs; a source that resumes raises them again in the next run")


def _is_replay(store: AlertStore, newest: list[StoredAlert]) -> bool:
    """Return whether the newest alert is of a replay, which ends with its recording."""
    run = store.run_of(newest[0]) if newest else None
    return run is not None and bool(run.about.get("replay"))


def _size(directory: Path) -> int:
    """Return the bytes of the store's files."""
    size = 0
    for path in directory.iterdir():
        try:
            size += path.stat().st_size
        except OSError:
            continue  # retention has just removed it
    return size


def _arrival(alerts: list[StoredAlert]) -> int | None:
    return alerts[0].arrived // _MS if alerts else None
