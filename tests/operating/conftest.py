"""Snapshots of runs that never were."""

import dataclasses

import pytest

from lanner.alerts.retention import StoreSize
from lanner.operating.snapshot import RuleMatches, Snapshot
from lanner.outputs.base import SinkCounts
from lanner.outputs.histogram import HistogramCounts

SECOND = 1_000_000_000

IDLE = Snapshot(
    plugin="docker",
    plugin_version="0.1.0",
    event_source="docker",
    hostname="host",
    started=1_700_000_000 * SECOND,
    loaded=1_700_000_100 * SECOND,
    version="1.2.3",
)

BUSY = dataclasses.replace(
    IDLE,
    events=1234,
    matches=(
        RuleMatches("Shell in a container", "Warning", "docker", ("container", "mitre_execution", "T1059"), 3),
        RuleMatches("Objects pruned", "Warning", "docker", (), 1),
    ),
    not_json=2,
    store=StoreSize(123_456, 7, 1, 20_000),
    suppressed={"Shell in a container": 3},
    failures={"docker.time": 4},
    misfits={"docker.scope": {"boolean": 5}},
    outputs={
        "stdout_output": SinkCounts(
            delivered=4, durations=HistogramCounts((0.001, 0.5), (1, 2, 0), 0.75), ages=HistogramCounts((1.0,), (3, 1), 90.5)
        ),
        "http_output": SinkCounts(delivered=1, dropped=2, retried=5, failures=6, pending=7, spooled=8, last_error="no route to host"),
    },
    counters={"lines too long": 1, "events dropped": 19, "gaps": 11},
    connected={"unix:///a": True, "tcp://b:2375": False},
    reloads=3,
    reloads_failed=1,
    reload_error="the rules have 1 error",
    rules_files={"/etc/lanner/rules.d/mine.yaml": "ab" * 32},
    config_files={"/etc/lanner/falco.yaml": "cd" * 32},
)


@pytest.fixture
def idle():
    """A run that has just begun."""
    return IDLE


@pytest.fixture
def busy():
    """A run that has seen all there is."""
    return BUSY
