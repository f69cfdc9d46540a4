"""/metrics: Falco's names for what Falco has, as Falco's own text has them, and figures that a Prometheus server takes."""

import dataclasses
import json
import os
import queue
import stat

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lanner.operating.metrics import render
from lanner.operating.periodic import Periodic, figures
from lanner.operating.snapshot import RuleMatches

from ..waiting import PATIENCE


def samples(text):
    """{(name, labels): value} of what a Prometheus server reads."""
    families = text_string_to_metric_families(text.decode())
    return {(sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # the labels of Falco's example in falco_metrics.cpp: the priority as its number, each tag a label
        (
            (
                "falcosecurity_falco_rules_matches_total",
                ("priority", "4"),
                ("rule_name", "Shell in a container"),
                ("source", "docker"),
                ("tag_T1059", "true"),
                ("tag_container", "true"),
                ("tag_mitre_execution", "true"),
            ),
            3,
        ),
        (("falcosecurity_falco_rules_matches_total", ("priority", "4"), ("rule_name", "Objects pruned"), ("source", "docker")), 1),
        (("falcosecurity_falco_version_info", ("version", "0.44.1+lanner-1.2.3")), 1),
        (("falcosecurity_falco_sha256_rules_files_info", ("file_name", "mine.yaml"), ("sha256", "ab" * 32)), 1),
        (("falcosecurity_falco_sha256_config_files_info", ("file_name", "falco.yaml"), ("sha256", "cd" * 32)), 1),
        (("falcosecurity_falco_outputs_queue_num_drops_total",), 2),
        (("falcosecurity_falco_start_timestamp_nanoseconds",), 1_700_000_000e9),
        (("falcosecurity_falco_reload_timestamp_nanoseconds",), 1_700_000_100e9),
        (("falcosecurity_evt_hostname_info", ("hostname", "host")), 1),
        (("falcosecurity_falco_kernel_release_info", ("kernel_release", os.uname().release)), 1),
        (("falcosecurity_falco_host_num_cpus_total",), os.cpu_count()),
        (("falcosecurity_scap_engine_name_info", ("engine_name", "source_plugin"), ("evt_source", "docker")), 1),
        (("falcosecurity_scap_n_evts_total",), 1234),
        (("falcosecurity_plugins_docker_lines_too_long_total",), 1),
        (("falcosecurity_plugins_docker_events_dropped_total",), 19),
        (("falcosecurity_plugins_docker_gaps_total",), 11),
        (("lanner_info", ("plugin", "docker"), ("plugin_version", "0.1.0"), ("version", "1.2.3")), 1),
        (("lanner_events_not_json_total",), 2),
        (("lanner_field_failures_total", ("field", "docker.time")), 4),
        (("lanner_field_misfits_total", ("field", "docker.scope"), ("type", "boolean")), 5),
        (("lanner_output_delivered_total", ("output", "stdout_output")), 4),
        (("lanner_output_dropped_total", ("output", "http_output")), 2),
        (("lanner_output_retried_total", ("output", "http_output")), 5),
        (("lanner_output_failures_total", ("output", "http_output")), 6),
        (("lanner_output_pending", ("output", "http_output")), 7),
        (("lanner_output_spooled", ("output", "http_output")), 8),
        (("lanner_output_delivery_seconds_bucket", ("le", "0.001"), ("output", "stdout_output")), 1),
        (("lanner_output_delivery_seconds_bucket", ("le", "0.5"), ("output", "stdout_output")), 3),
        (("lanner_output_delivery_seconds_bucket", ("le", "+Inf"), ("output", "stdout_output")), 3),
        (("lanner_output_delivery_seconds_sum", ("output", "stdout_output")), 0.75),
        (("lanner_output_delivery_seconds_count", ("output", "stdout_output")), 3),
        (("lanner_output_alert_age_seconds_bucket", ("le", "+Inf"), ("output", "stdout_output")), 4),
        (("lanner_output_alert_age_seconds_sum", ("output", "stdout_output")), 90.5),
        (("lanner_store_bytes",), 123_456),
        (("lanner_store_files",), 7),
        (("lanner_store_damaged_files",), 1),
        (("lanner_store_first_day_timestamp_seconds",), 20_000 * 86400),
        (("lanner_engine_connected", ("host", "unix:///a")), 1),
        (("lanner_engine_connected", ("host", "tcp://b:2375")), 0),
        (("lanner_reloads_total", ("result", "ok")), 3),
        (("lanner_reloads_total", ("result", "failed")), 1),
        (("lanner_reload_failing",), 1),
        (("lanner_ready",), 1),
        (("lanner_healthy",), 1),
    ],
)
def test_what_a_run_counts_is_there(busy, name, value):
    assert samples(render(busy))[name] == value


def test_the_process_and_its_machine_are_measured(idle):
    found = samples(render(idle))
    falco = "falcosecurity_falco"
    resident = found[f"{falco}_memory_rss_bytes",]
    assert found[f"{falco}_memory_vsz_bytes",] > resident >= found[f"{falco}_memory_pss_bytes",] > 1024 * 1024
    assert found[f"{falco}_host_memory_used_bytes",] > 0
    assert found[f"{falco}_cpu_usage_ratio",] >= 0
    assert 0 <= found[f"{falco}_host_cpu_usage_ratio",] <= 1
    assert found[f"{falco}_host_procs_running_total",] >= 1
    assert found[f"{falco}_host_open_fds_total",] >= 1
    assert found[f"{falco}_host_boot_timestamp_nanoseconds",] > 1e18
    assert found["process_resident_memory_bytes",] == pytest.approx(resident, rel=0.2)
    assert found["process_open_fds",] >= 3
    assert found["process_cpu_seconds_total",] > 0


def test_the_switches_of_falco_yaml_leave_things_out(busy):
    found = {name for name, *_ in samples(render(busy, rules=False, resource_utilization=False))}
    assert "falcosecurity_falco_rules_matches_total" not in found
    assert not {name for name in found if "memory" in name or name.startswith("process_")}
    assert "falcosecurity_scap_n_evts_total" in found


def test_names_of_others_cannot_break_the_text(idle):
    wild = dataclasses.replace(
        idle,
        matches=(RuleMatches('a "rule"\n} 1\\', "Notice", "docker", ("t-a/g", "é"), 1),),
        rules_files={"/rules/\udcff.yaml": "ab"},
        counters={"lines, too long!": 1, "lines too long": 2},
    )
    found = samples(render(wild))
    labels = [dict(labels) for name, *labels in found if name == "falcosecurity_falco_rules_matches_total"]
    assert labels == [{"priority": "5", "rule_name": 'a "rule"\n} 1\\', "source": "docker", "tag_t_a_g": "true", "tag_": "true"}]
    assert found["falcosecurity_plugins_docker_lines_too_long_total",] == 3
    assert ("falcosecurity_falco_sha256_rules_files_info", ("file_name", "\\xff.yaml"), ("sha256", "ab")) in found


def test_each_name_is_declared_once(busy):
    """A Prometheus server refuses the whole text otherwise."""
    declared = [line.split()[2] for line in render(busy).decode().splitlines() if line.startswith("# TYPE")]
    assert len(declared) == len(set(declared))


def test_figures_bear_the_names_of_falcos_snapshots(busy):
    found = figures(busy, busy.started + 90_500_000_000)
    expected = {
        "evt.time": busy.started + 90_500_000_000,
        "evt.hostname": "host",
        "evt.source": "docker",
        "falco.version": "0.44.1+lanner-1.2.3",
        "falco.start_ts": busy.started,
        "falco.reload_ts": busy.loaded,
        "falco.duration_sec": 90,
        "falco.outputs_queue_num_drops": 2,
        "falco.num_evts": 1234,
        "falco.rules.matches_total": 4,
        "falco.rules.Shell_in_a_container": 3,
        "falco.sha256_rules_file.mine_yaml": "ab" * 32,
        "falco.sha256_config_file.falco_yaml": "cd" * 32,
        "plugins.docker.events_dropped": 19,
        "plugins.docker.gaps": 11,
        "scap.engine_name": "source_plugin",
        "lanner.outputs.http_output.spooled": 8,
        "lanner.reloads_failed": 1,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert found["falco.memory_rss_mb"] > 1
    assert "lanner.outputs.stdout_output.dropped" not in found


def test_a_file_gets_a_line_each_time(busy, idle, tmp_path):
    path = tmp_path / "metrics.jsonl"
    snapshots = iter([busy, dataclasses.replace(busy, events=2234), *[idle] * 1000])
    taken = queue.Queue()
    periodic = Periodic(0.01, lambda: next(snapshots), lambda fields, now: taken.put((fields, now)), str(path))
    (first, _), (second, now) = taken.get(timeout=PATIENCE), taken.get(timeout=PATIENCE)
    periodic.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["sample"] for line in lines] == list(range(1, len(lines) + 1))
    assert [line["output_fields"] for line in lines[:2]] == [first, second]
    assert (first["falco.num_evts_prev"], second["falco.num_evts_prev"]) == (0, 1234)
    assert second["falco.evts_rate_sec"] == pytest.approx(1000e9 / (now - first["evt.time"]), abs=0.1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_is_reported_once_and_the_alerts_continue(idle, tmp_path, caplog):
    taken = queue.Queue()
    periodic = Periodic(0.01, lambda: idle, lambda *given: taken.put(given), str(tmp_path / "no" / "metrics.jsonl"))
    for _ in range(3):
        taken.get(timeout=PATIENCE)
    periodic.close()
    assert [record.getMessage() for record in caplog.records] == [
        f"cannot write {tmp_path}/no/metrics.jsonl ($.metrics.output_file): No such file or directory"
    ]


def test_figures_that_fail_once_come_again(idle, caplog):
    taken = queue.Queue()
    answers = iter([ZeroDivisionError("once")])

    def snapshot():
        for error in answers:
            raise error
        return idle

    periodic = Periodic(0.01, snapshot, lambda *given: taken.put(given))
    taken.get(timeout=PATIENCE)
    periodic.close()
    assert [record.getMessage() for record in caplog.records] == ["collecting metrics failed this time"]
