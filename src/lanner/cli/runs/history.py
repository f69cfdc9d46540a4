"""The description of a run in the store: its key, and each load of rules and configuration."""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, cast

from lanner._version import __version__
from lanner.alerts.alert_record import Recorder, Recording, RunLoad
from lanner.alerts.machine_mark import machine_mark
from lanner.alerts.raised_bound import RaisedBound
from lanner.alerts.retention import measure_store
from lanner.cli.messages import say
from lanner.cli.runs.run_outputs import link_prefix
from lanner.host.own_rules import rules_files
from lanner.host.pump import host_name
from lanner.operating.run_state import RunState, StoreState
from lanner.rules.files.load import MAX_SIZE
from lanner.sdk.files import read_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from lanner.alerts.lock import StoreLock
    from lanner.cli.runs.settings import Settings
    from lanner.cli.runs.status import Status
    from lanner.config.plugin_entries import PluginSetup
    from lanner.host.runner import Runner
    from lanner.outputs.base import RecordSink, Sink
    from lanner.sdk.authoring.plugin import PluginInfo


class History:
    """The records and the state of a run. `use` is called with the sinks before each pump is made, `announce` when the run has it."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.current: Recording | None = None
        """Additions of the current load to its alerts; None if no sink wants records and the console has no address."""
        self._stores: list[RecordSink] = []
        self._state: RunState | None = None
        self._bound: RaisedBound | None = None
        self._lock: StoreLock | None = None

    def use(self, sinks: Iterable[Sink]) -> None:
        """Make records if one of these sinks is a store."""
        self._stores = [cast("RecordSink", sink) for sink in sinks if sink.wants_records]

    def load(self, infos: Sequence[PluginInfo], settings: Settings) -> Recording | None:
        """Begin a load of rules and configuration. Return `current`, for a pump."""
        link = link_prefix(settings.falco)
        if link and not self._stores:
            say("warning: $.lanner.console.address is set without $.lanner.store_output: the links of alerts (%lanner.link) lead to none")
        load = describe_load(self.recorder.key, infos, settings) if self._stores else None
        self.current = Recording(self.recorder, load, f"{link}{self.recorder.key}-" if link else "") if link or load else None
        return self.current

    def announce(self, runner: Runner, make_status: Callable[[], Status]) -> None:
        """Store the current load, which may never raise an alert, and keep the state of the run beside its alerts."""
        directory = self._stores[0].directory if self._stores else None
        if self._state is not None and self._state.directory != directory:
            self.close()
            make_status().store = None
        if self.current is not None and self.current.load is not None:
            for store in self._stores:
                store.note(self.current.load)
        if directory is not None and self._state is None:
            self._lock = _share_lock(directory)  # the sink closes before the end of the run is written
            kill = self._stores[0].kill
            more = lambda: StoreState(self.recorder.key, self.recorder.raised, runner.last_event, kill)  # noqa: E731 - one of two
            status = make_status()
            self._bound = RaisedBound(directory, self.recorder.key, self.recorder.raised)
            self.recorder.use_bound(self._bound.extend)
            self._state = RunState(directory, status.snapshot, more, partial(self._tend, directory, status))

    def close(self) -> None:
        """Write that the run has ended, then let another run have the store. A second call does nothing."""
        state, self._state = self._state, None
        if state is not None:
            state.close()
        if self._bound is not None:
            self.recorder.use_bound(None)
            self._bound.close(self.recorder.raised)
            self._bound = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _tend(self, directory: Path, status: Status) -> None:
        """Apply the retention, and measure the store: in this thread, because its disk may be slow."""
        for store in self._stores:
            store.retain()
        with suppress(OSError):  # the output reports the error
            status.store = measure_store(directory)


def _share_lock(directory: Path) -> StoreLock | None:
    """Return the lock of the store, which its sink in this process has; None if it cannot be opened, which the sink reports."""
    from lanner.alerts.lock import lock_store  # imports sqlite3, which a run without a store does not need
    from lanner.alerts.store_errors import StoreError

    try:
        return lock_store(directory, 0)
    except StoreError:
        return None


def describe_load(key: str, infos: Sequence[PluginInfo], settings: Settings) -> RunLoad:
    """Return the description of a load of rules and configuration at this moment. It contains no option of a plugin."""
    falco = settings.falco
    contents = _read(rules_files(settings.rules, infos[0]))
    configs = _read(settings.config_files)
    setups = (settings.plugin, *settings.beside)
    about = {
        "plugin": infos[0].name,
        "target": _absolute_target(setups[0]),
        "plugins": [
            {"name": info.name, "version": info.version, "target": _absolute_target(setup)}
            for info, setup in zip(infos, setups, strict=True)
        ],
        "source": infos[0].event_source,
        "hostname": host_name(),
        "version": __version__,
        "machine": machine_mark(key),
        "replay": settings.limits.replay,
        "settings": {
            "json_include_output_property": falco.json_include_output_property,
            "json_include_message_property": falco.json_include_message_property,
            "json_include_tags_property": falco.json_include_tags_property,
            "json_include_output_fields_property": falco.json_include_output_fields_property,
            "time_format_iso_8601": falco.time_format_iso_8601,
            "rule_matching": falco.rule_matching.value,
            "priority": str(falco.priority),
            "static_fields": falco.static_fields,
        },
        "rules": _digests(contents),
        "config": _digests(configs),
    }
    text = json.dumps(about, ensure_ascii=False).encode("utf-8", "replace").decode()  # a path may not be UTF-8
    files = {_digest(content): content for content in contents.values() if content is not None}
    return RunLoad(key, time.time_ns(), infos[0].name, text, files)


def _absolute_target(setup: PluginSetup) -> str:
    """Return the plugin's name, or its absolute path."""
    path, colon, name = setup.target.partition(":")
    return f"{os.path.abspath(path)}{colon}{name}" if path.endswith(".py") else setup.target  # noqa: PTH100


def _read(paths: Iterable[str]) -> dict[str, bytes | None]:
    """Return the content of each file, None of an unreadable one, such as a pipe."""
    found: dict[str, bytes | None] = {}
    for path in paths:
        try:
            found[path] = read_whole(path, MAX_SIZE, pipes=False)
        except OSError:
            found[path] = None
    return found


def _digests(contents: Mapping[str, bytes | None]) -> list[dict[str, str]]:
    return [{"path": os.path.abspath(path), "sha256": _digest(content)} for path, content in contents.items()]  # noqa: PTH100 - as named


def _digest(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()
