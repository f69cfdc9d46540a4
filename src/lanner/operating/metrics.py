"""Convert a snapshot to Prometheus's text format.

Metrics that Falco also has keep Falco's names (falco_metrics.cpp of Falco 0.44.1 and metrics_collector.cpp of its libs), so that
dashboards made for Falco show Lanner too: `falcosecurity_*`, with the source's counters as metrics of the plugin. Lanner's additional
metrics are named `lanner_*`. Process metrics have the names that all Prometheus clients use.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from lanner.operating.falco_versions import falco_version, in_a_name
from lanner.operating.process import boot_time, resources
from lanner.rules.files.items import Priority
from lanner.sdk.text.printable import escape_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lanner.operating.snapshot import Snapshot
    from lanner.outputs.histogram import HistogramCounts

_FALCO: Final = "falcosecurity_falco"


def render(snapshot: Snapshot, *, rules: bool = True, resource_utilization: bool = True) -> bytes:
    """Return the text of /metrics. `rules` and `resource_utilization` are the switches in falco.yaml's `metrics` block."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(snapshot, rules=rules, resource_utilization=resource_utilization))
    if resource_utilization:
        ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, snapshot: Snapshot, *, rules: bool, resource_utilization: bool) -> None:
        self._snapshot, self._rules, self._resources = snapshot, rules, resource_utilization

    def collect(self) -> Iterator[Metric]:
        yield from _about_the_run(self._snapshot)
        if self._rules:
            yield _matches(self._snapshot)
        if self._resources:
            yield from _resources()
        yield from _counters(self._snapshot)
        yield from _own_metrics(self._snapshot)
        yield from _outputs(self._snapshot)
        yield from _store(self._snapshot)


def _about_the_run(snapshot: Snapshot) -> Iterator[Metric]:
    yield _info(f"{_FALCO}_version", "What runs", version=falco_version(snapshot.version))
    for kind, files in (("rules", snapshot.rules_files), ("config", snapshot.config_files)):
        named = sorted({(Path(path).name, digest) for path, digest in files.items()})
        hashes = [({"file_name": name, "sha256": digest}, 1.0) for name, digest in named]
        yield _gauge(f"{_FALCO}_sha256_{kind}_files_info", f"SHA-256 of each {kind} file as it was last loaded", hashes)
    drops = sum(counts.dropped for counts in snapshot.outputs.values())
    yield _counter(f"{_FALCO}_outputs_queue_num_drops", "Alerts dropped before delivery", [({}, drops)])
    yield _gauge(f"{_FALCO}_reload_timestamp_nanoseconds", "Time of the last load of rules and configuration", [({}, snapshot.loaded)])
    yield _gauge(f"{_FALCO}_start_timestamp_nanoseconds", "Start time of the run", [({}, snapshot.started)])
    yield _counter(f"{_FALCO}_duration_seconds", "Duration of the run", [({}, _duration(snapshot))])
    yield _info(f"{_FALCO}_kernel_release", "The kernel", kernel_release=os.uname().release)
    yield _info("falcosecurity_evt_hostname", "Host name in alerts", hostname=snapshot.hostname)
    yield _info("falcosecurity_scap_engine_name", "Kind of event source", engine_name="source_plugin", evt_source=snapshot.event_source)
    booted = boot_time()
    yield _gauge(f"{_FALCO}_host_boot_timestamp_nanoseconds", "Boot time of the machine", [] if booted is None else [({}, booted)])
    yield _gauge(f"{_FALCO}_host_num_cpus_total", "CPUs of the machine", [({}, os.cpu_count() or 0)])
    yield _counter("falcosecurity_scap_n_evts", "Events evaluated", [({}, snapshot.events)])


def _duration(snapshot: Snapshot) -> int:
    return max(0, time.time_ns() - snapshot.started) // 1_000_000_000


def _matches(snapshot: Snapshot) -> Metric:
    samples = []
    for rule in snapshot.matches:
        number = Priority.parse(rule.priority)
        labels = {"rule_name": rule.rule, "priority": "" if number is None else str(int(number)), "source": rule.source}
        # each tag is a label, as in Falco
        samples.append((labels | {in_a_name(f"tag_{tag}"): "true" for tag in rule.tags}, rule.count))
    return _counter(f"{_FALCO}_rules_matches", "Alerts by rule", samples)


def _resources() -> Iterator[Metric]:
    for name, value in resources().items():
        if name.endswith("_perc"):
            yield _gauge(f"{_FALCO}_{name.removesuffix('_perc')}_ratio", "CPU time per second; 1 is one CPU", [({}, value / 100)])
        elif name.endswith("_kb"):
            yield _gauge(f"{_FALCO}_{name.removesuffix('_kb')}_bytes", "Memory", [({}, value * 1024)])
        else:
            yield _gauge(f"{_FALCO}_{name}_total", "Current value for the whole machine", [({}, value)])


def _counters(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield the source's counters under Falco's names for plugin metrics."""
    by_name: Counter[str] = Counter()  # names that differ only in punctuation are one metric
    for what, count in snapshot.counters.items():
        by_name[in_a_name(f"{snapshot.plugin}_{what}").removesuffix("_")] += count
    for name, count in by_name.items():
        yield _counter(f"falcosecurity_plugins_{name}", "Counter of the event source", [({}, count)])


def _own_metrics(snapshot: Snapshot) -> Iterator[Metric]:
    about = {"version": snapshot.version, "plugin": snapshot.plugin, "plugin_version": snapshot.plugin_version}
    yield _info("lanner", "Versions of Lanner and its plugin", **about)
    yield _counter(
        "lanner_events_not_json",
        "Payloads that no field can read: not valid JSON, or not lines of the plugin's pattern",
        [({}, snapshot.not_json)],
    )
    yield _counter("lanner_events_invalid_utf8", "Payloads with invalid UTF-8, whose fields were read", [({}, snapshot.invalid_utf8)])
    failures = _samples("field", snapshot.failures)
    yield _counter("lanner_field_failures", "Failed field extractions", failures)
    misfits = [({"field": name, "type": kind}, count) for name, by_type in snapshot.misfits.items() for kind, count in by_type.items()]
    yield _counter("lanner_field_misfits", "Values in payloads of another type than their field, which has no value", misfits)
    suppressed = _samples("rule_name", snapshot.suppressed)
    yield _counter("lanner_alerts_suppressed", "Alerts suppressed by throttling or deduplication", suppressed)
    connected = _samples("host", snapshot.connected)
    yield _gauge("lanner_engine_connected", "1 if the engine's stream is open", connected)
    reloads = _samples("result", {"ok": snapshot.reloads, "failed": snapshot.reloads_failed})
    yield _counter("lanner_reloads", "Reloads of rules and configuration", reloads)
    yield _gauge("lanner_reload_failing", "1 if the last reload failed and the previous rules stay", [({}, bool(snapshot.reload_error))])
    yield _gauge("lanner_ready", "1 if events are being watched", [({}, not snapshot.not_ready)])
    yield _gauge("lanner_healthy", "1 if the process is healthy", [({}, not snapshot.unhealthy)])


def _outputs(snapshot: Snapshot) -> Iterator[Metric]:
    counters = (
        ("delivered", "Alerts delivered"),
        ("dropped", "Alerts dropped"),
        ("retried", "Alerts sent again after a failure"),
        ("failures", "Failed deliveries"),
        ("timeouts", "Deliveries that exceeded output_timeout"),
        ("damaged", "Damaged alerts and spool files, set aside"),
    )
    outputs = snapshot.outputs
    for name, text in counters:
        yield _counter(f"lanner_output_{name}", text, _samples("output", {key: getattr(counts, name) for key, counts in outputs.items()}))
    for name, text in (("pending", "Alerts queued in memory"), ("spooled", "Alerts queued on disk")):
        yield _gauge(f"lanner_output_{name}", text, _samples("output", {key: getattr(counts, name) for key, counts in outputs.items()}))
    for name, text, field in (
        ("lanner_output_delivery_seconds", "Duration of each delivery of a batch of alerts, failed ones included", "durations"),
        ("lanner_output_alert_age_seconds", "Age of each delivered alert: from its event's time to its delivery", "ages"),
    ):
        yield _histogram(name, text, {key: getattr(counts, field) for key, counts in outputs.items()})


def _store(snapshot: Snapshot) -> Iterator[Metric]:
    size = snapshot.store
    if size is None:
        return
    yield _gauge("lanner_store_bytes", "Size of the alert store on disk", [({}, size.bytes)])
    yield _gauge("lanner_store_files", "Files of the alert store, about one a day", [({}, size.files)])
    yield _gauge("lanner_store_damaged_files", "Damaged files of the alert store, set aside", [({}, size.damaged)])
    if size.files:
        yield _gauge(
            "lanner_store_first_day_timestamp_seconds", "Begin of the first day in the alert store", [({}, size.first_day * 86400)]
        )


def _histogram(name: str, text: str, by_output: Mapping[str, HistogramCounts]) -> Metric:
    family = Metric(name, text, "histogram")
    for output, found in by_output.items():
        labels = {"output": output}
        bounds = (*map(floatToGoString, found.bounds), "+Inf")
        for bound, count in zip(bounds, accumulate(found.counts), strict=False):  # a replay's sinks have no counts
            family.add_sample(f"{name}_bucket", labels | {"le": bound}, float(count))
        if found.counts:
            family.add_sample(f"{name}_sum", labels, found.total)
            family.add_sample(f"{name}_count", labels, float(sum(found.counts)))
    return family


def _samples(label: str, values: Mapping[str, float]) -> list[tuple[dict[str, str], float]]:
    return [({label: key}, value) for key, value in values.items()]


def _info(name: str, text: str, **labels: str) -> Metric:
    return _gauge(f"{name}_info", text, [(labels, 1.0)])


def _gauge(name: str, text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Metric:
    return _family(name, text, "gauge", name, samples)


def _counter(name: str, text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Metric:
    return _family(name, text, "counter", f"{name}_total", samples)


def _family(name: str, text: str, kind: str, sample: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Metric:
    family = Metric(name, text, kind)
    for labels, value in samples:
        # a file name may be invalid UTF-8
        shown = {key: escape_bytes(label) for key, label in labels.items()}
        family.add_sample(sample, shown, float(value))
    return family
