"""Periodic metrics, as in Falco's `metrics` block: a JSON line in a file, and optionally an alert.

Names are those of Falco's stats_writer (0.44.1), so that existing readers understand them. Lanner's additions begin with `lanner.`.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.operating.falco_versions import falco_version, in_a_name
from lanner.operating.process import boot_time, resources

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.operating.snapshot import Snapshot

_LOG: Final = logging.getLogger("lanner.metrics")
_MEBI: Final = 1024


class Periodic:
    """Thread that collects metrics every `interval` seconds until it is closed.

    Each time it calls `emit` (if given) with the metrics and the time in ns, and appends a line to `path` (unless ""). A file that
    cannot be written is logged once.
    """

    def __init__(
        self,
        interval: float,
        snapshot: Callable[[], Snapshot],
        emit: Callable[[dict[str, str | float], int], None] | None = None,
        path: str = "",
        *,
        rules: bool = True,
        resource_utilization: bool = True,
    ) -> None:
        self._interval, self._snapshot, self._emit, self._path = interval, snapshot, emit, path
        self._rules, self._resources = rules, resource_utilization
        self._samples = 0
        self._failing = False
        self._last: Snapshot | None = None
        self._last_at = 0
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="lanner-metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread."""
        self._closed.set()
        self._thread.join(1.0)

    def _work(self) -> None:
        while not self._closed.wait(self._interval):
            try:
                self._take()
            except Exception:  # noqa: BLE001 - figures that fail once may do so no more
                _LOG.exception("collecting metrics failed this time")

    def _take(self) -> None:
        now, snapshot = time.time_ns(), self._snapshot()
        fields = figures(snapshot, now, rules=self._rules, resource_utilization=self._resources)
        before = 0 if self._last is None else self._last.events
        fields["falco.num_evts_prev"] = before
        if before and now > self._last_at:
            fields["falco.evts_rate_sec"] = round((snapshot.events - before) * 1e9 / (now - self._last_at), 1)
        self._last, self._last_at = snapshot, now
        self._samples += 1
        if self._path:
            self._write(json.dumps({"output_fields": dict(sorted(fields.items())), "sample": self._samples}))
        if self._emit is not None:
            self._emit(fields, now)

    def _write(self, line: str) -> None:
        # opened each time, so that the file can be rotated
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(line + "\n")
        except OSError as error:
            if not self._failing:
                _LOG.error("cannot write %s ($.metrics.output_file): %s", self._path, error.strerror)
            self._failing = True
        else:
            self._failing = False


def figures(snapshot: Snapshot, now: int, *, rules: bool = True, resource_utilization: bool = True) -> dict[str, str | float]:
    """Return the current metrics. As with Falco's default, counters that are 0 are omitted, except for totals."""
    drops = sum(counts.dropped for counts in snapshot.outputs.values())
    fields: dict[str, str | float] = {
        "evt.time": now,
        "evt.hostname": snapshot.hostname,
        "evt.source": snapshot.event_source,
        "falco.version": falco_version(snapshot.version),
        "falco.start_ts": snapshot.started,
        "falco.duration_sec": max(0, now - snapshot.started) // 1_000_000_000,
        "falco.reload_ts": snapshot.loaded,
        "falco.kernel_release": os.uname().release,
        "falco.host_num_cpus": os.cpu_count() or 0,
        "falco.outputs_queue_num_drops": drops,
        "falco.num_evts": snapshot.events,
        "scap.engine_name": "source_plugin",
        "lanner.version": snapshot.version,
    }
    booted = boot_time()
    if booted is not None:
        fields["falco.host_boot_ts"] = booted
    for kind, files in (("rules", snapshot.rules_files), ("config", snapshot.config_files)):
        for path, digest in files.items():
            fields[f"falco.sha256_{kind}_file.{_name(Path(path).name)}"] = digest
    counts: dict[str, float] = {}
    if rules:
        fields["falco.rules.matches_total"] = sum(rule.count for rule in snapshot.matches)
        counts |= {f"falco.rules.{_name(rule.rule)}": rule.count for rule in snapshot.matches}
    if resource_utilization:
        # memory in MiB: Falco's default `convert_memory_to_mb`
        for name, value in resources().items():
            shown = (f"{name.removesuffix('_kb')}_mb", round(value / _MEBI, 1)) if name.endswith("_kb") else (name, value)
            counts[f"falco.{shown[0]}"] = shown[1]
    counts |= _source(snapshot)
    for output, each in snapshot.outputs.items():
        for what in ("delivered", "dropped", "retried", "failures", "pending", "spooled"):
            counts[f"lanner.outputs.{output}.{what}"] = getattr(each, what)
    counts["lanner.misfits"] = sum(sum(by_type.values()) for by_type in snapshot.misfits.values())
    counts |= {"lanner.not_json": snapshot.not_json, "lanner.invalid_utf8": snapshot.invalid_utf8}
    counts |= {"lanner.reloads": snapshot.reloads, "lanner.reloads_failed": snapshot.reloads_failed}
    return fields | {name: count for name, count in counts.items() if count}


def _source(snapshot: Snapshot) -> dict[str, float]:
    """Return the source's counters."""
    found: dict[str, float] = {}
    for what, count in snapshot.counters.items():
        name = f"plugins.{snapshot.plugin}.{in_a_name(what)}"
        found[name] = found.get(name, 0) + count
    return found


def _name(text: str) -> str:
    return in_a_name(text).removesuffix("_")
