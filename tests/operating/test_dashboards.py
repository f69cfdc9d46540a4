"""Grafana dashboards and Prometheus alerts: a real Prometheus scrapes a run, and every query of a panel returns a series."""

import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from lanner.yamlfile import placed_values

from ..docker.stand_in import StandInEngine, chunk, event
from ..waiting import PATIENCE

pytestmark = pytest.mark.slow

PACKAGING = Path(__file__).parents[2] / "packaging"
DASHBOARDS = sorted((PACKAGING / "grafana").glob("*.json"))
LANNER = Path(sys.executable).with_name("lanner")
BROKEN = """
import lanner

class Broken(lanner.Plugin):
    \"\"\"A field that fails.\"\"\"

    name = "broken"
    version = "0.1.0"
    description = "fails"
    contact = "here"
    extract_sources = ["docker"]

    @lanner.field("broken.field", "Fails")
    def broken(self, event: lanner.Event) -> str:
        raise ValueError
"""
RULES = """
- rule: Fails
  desc: d
  condition: docker.type = volume and (broken.field = x or docker.scope = x)
  output: o
  priority: DEBUG
  source: docker
- rule: Happens
  desc: d
  condition: docker.type = volume
  output: o %docker.actor.id
  priority: CRITICAL
  source: docker
- rule: Repeats
  desc: d
  condition: docker.type = image
  output: o
  priority: NOTICE
  source: docker
- rule: Never
  desc: d
  condition: docker.type = never
  output: o
  priority: ERROR
  source: docker
"""
CONFIGURATION = """
plugins: [{{name: docker, library_path: docker, init_config: {{hosts: ["{url}"]}}}}, {{name: broken, library_path: {folder}/broken.py}}]
load_plugins: [docker, broken]
rules_files: [{folder}/rules.yaml]
webserver: {{enabled: true, listen_port: 0, prometheus_metrics_enabled: true}}
metrics: {{enabled: true, interval: 1h}}
file_output: {{enabled: true, filename: {folder}/alerts}}
http_output: {{enabled: true, url: "http://127.0.0.1:1/"}}
lanner: {{store_output: {{enabled: true, path: {folder}/store}}, spool: {{path: {folder}/spool}}, deduplicate: {{window: 3600}}, state_directory: {folder}}}
"""


def program(name):
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: apt-get install --no-install-recommends prometheus)")
    return found


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    """The address of a Prometheus that scrapes a run with events of all kinds."""
    prometheus = program("prometheus")
    folder = tmp_path_factory.mktemp("scraped")
    engine = StandInEngine(f"unix://{folder}/docker.sock")
    (folder / "broken.py").write_text(BROKEN)
    (folder / "rules.yaml").write_text(RULES)
    (folder / "falco.yaml").write_text(CONFIGURATION.format(url=engine.url, folder=folder))
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "LANNER_", "FALCO_"))}
    with contextlib.ExitStack() as stack:
        stack.callback(engine.stop)
        run = stack.enter_context(
            subprocess.Popen([LANNER, "run", "-c", folder / "falco.yaml"], stderr=subprocess.PIPE, text=True, env=environ)
        )
        stack.callback(run.terminate)
        port = said(run, r"listening on http://127\.0\.0\.1:(\d+)")
        (folder / "prometheus.yml").write_text(
            "scrape_configs:\n- job_name: lanner\n  scrape_interval: 1s\n  scrape_timeout: 1s\n"
            f"  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
        )
        server = stack.enter_context(
            subprocess.Popen(
                [
                    prometheus,
                    f"--config.file={folder}/prometheus.yml",
                    f"--storage.tsdb.path={folder}/tsdb",
                    "--web.listen-address=127.0.0.1:0",
                ],
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        stack.callback(server.terminate)
        address = said(server, r'msg="Listening on" address=([\d.:]+)', "Server is ready to receive web requests")
        ended = threading.Event()
        thread = threading.Thread(target=produce, args=(engine, ended))
        thread.start()
        stack.callback(thread.join)
        stack.callback(ended.set)
        yield f"http://{address}"


def said(process, first, *more):
    """Wait for lines of a process, and return the group of the first pattern. The rest is read and dropped."""
    seen = ""
    for line in process.stderr:
        seen += line
        if all(re.search(pattern, seen) for pattern in (first, *more)):
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return re.search(first, seen)[1]
    raise AssertionError(f"{process.args[0]} ended: {seen}")


def produce(engine, ended):
    """Send events of all kinds, and lose the connection once."""
    stream = engine.stream()
    stream.close()
    stream = engine.stream()
    for number in itertools.count():
        told = (
            event(time.time_ns(), Type="volume", Actor={"ID": f"v{number}", "Attributes": {}}, scope=True),
            event(time.time_ns(), Type="image"),
            b"no JSON\n",
            b'{"Type":"\xff"}\n',
        )
        with contextlib.suppress(OSError):
            stream.send(chunk(b"".join(told)))
        if ended.wait(0.1):
            return


def answer(address, query):
    parameters = urllib.parse.urlencode({"query": query})
    with urllib.request.urlopen(f"{address}/api/v1/query?{parameters}", timeout=PATIENCE) as response:
        return json.load(response)["data"]["result"]


def queries(path):
    """Each query of a dashboard with the title of its panel, as Grafana sends it."""
    document = json.loads(path.read_text())
    for panel in document["panels"]:
        for target in panel.get("targets", []):
            text = target["expr"]
            for name, value in {"$__rate_interval": "15s", "$__range": "1m", "$instance": ".*", "$output": ".*"}.items():
                text = text.replace(name, value)
            yield panel["title"], text


QUERIES = [(path.stem, title, query) for path in DASHBOARDS for title, query in queries(path)]


@pytest.mark.parametrize(("dashboard", "title", "query"), QUERIES, ids=[f"{each[0]}-{each[1]}" for each in QUERIES])
def test_every_query_of_a_panel_returns_a_series(scraped, dashboard, title, query):
    deadline = time.monotonic() + PATIENCE
    while not [each for each in answer(scraped, query) if each["value"][1] != "NaN"]:
        assert time.monotonic() < deadline, f"{dashboard}: {title}: no series for {query}"
        time.sleep(0.1)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_variable_of_a_dashboard_has_values(scraped, path):
    found = [each for each in json.loads(path.read_text())["templating"]["list"] if each["type"] == "query"]
    assert found
    for each in found:
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", each["query"]["query"]).groups()
        assert all(series["metric"][label] for series in answer(scraped, metric))


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_one_that_grafana_imports(path):
    document = json.loads(path.read_text())
    ids = [panel["id"] for panel in document["panels"]]
    assert len(set(ids)) == len(ids)
    assert document["uid"] == path.stem
    named = set(re.findall(r"\$\{?(\w+)", json.dumps(document))) - {"__rate_interval", "__range", "__all"}
    assert named == {each["name"] for each in document["templating"]["list"]}
    for panel in document["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel.get("targets", []))


def test_every_metric_of_lanner_is_on_a_dashboard(scraped):
    """Names of metrics, except those of versions, which have no values."""
    names = {each["metric"]["__name__"] for each in answer(scraped, '{__name__=~"lanner_.+",job="lanner"}')}
    shown = " ".join(query for _, _, query in QUERIES)
    missing = {name for name in names if name not in shown and not name.endswith(("_sum", "_count"))}
    assert missing == {"lanner_reloads_total"}


def test_prometheus_accepts_the_alerts():
    done = subprocess.run(
        [program("promtool"), "check", "rules", PACKAGING / "prometheus" / "alerts.yaml"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


CASES = [
    # the alert, samples each minute, whether it is raised after 20 minutes
    ("LannerEventsLost", {'falcosecurity_plugins_docker_gaps_total{instance="a"}': "_x15 1x5"}, True),
    ("LannerEventsLost", {'falcosecurity_plugins_docker_gaps_total{instance="a"}': "1x15 2x5"}, True),
    ("LannerEventsLost", {'falcosecurity_plugins_docker_gaps_total{instance="a"}': "1x20"}, False),
    ("LannerDown", {'up{job="lanner",instance="a"}': "0x20"}, True),
    ("LannerDown", {"lanner_healthy": "1x15 0x5"}, True),
    ("LannerDown", {"lanner_healthy": "1x20", 'up{job="lanner"}': "1x20"}, False),
    ("LannerEngineAway", {'lanner_engine_connected{host="a"}': "0x20"}, True),
    ("LannerEngineAway", {'lanner_engine_connected{host="a"}': "1x20"}, False),
    ("LannerAlertsDropped", {'lanner_output_dropped_total{output="a"}': "0x15 3x5"}, True),
    ("LannerAlertsDropped", {'lanner_output_dropped_total{output="a"}': "3x20"}, False),
    ("LannerSpoolDamaged", {'lanner_output_damaged_total{output="a"}': "0x15 1x5"}, True),
    ("LannerOutputBehind", {'lanner_output_pending{output="a"}': "900x20", 'lanner_output_spooled{output="a"}': "200x20"}, True),
    ("LannerOutputBehind", {'lanner_output_pending{output="a"}': "900x20", 'lanner_output_spooled{output="a"}': "0x20"}, False),
    ("LannerAlertsLate", {f'lanner_output_alert_age_seconds_bucket{{output="a",le="{le}"}}': f"0+{step}x20" for le, step in (("60", 0), ("1800", 9), ("+Inf", 9))}, True),
    ("LannerAlertsLate", {f'lanner_output_alert_age_seconds_bucket{{output="a",le="{le}"}}': f"0+{step}x20" for le, step in (("60", 9), ("1800", 9), ("+Inf", 9))}, False),
    ("LannerRulesNotLoaded", {"lanner_reload_failing": "1x20"}, True),
    ("LannerStoreFailing", {'lanner_output_failures_total{output="store_output"}': "0+1x20"}, True),
    ("LannerStoreFailing", {'lanner_output_failures_total{output="http_output"}': "0+1x20"}, False),
    ("LannerStoreFailing", {"lanner_store_damaged_files": "0x15 1x5"}, True),
    ("LannerStoreFailing", {"lanner_store_damaged_files": "1x20", 'lanner_output_failures_total{output="store_output"}': "3x20"}, False),
]  # fmt: skip


def test_every_alert_has_a_case():
    document = placed_values.load((PACKAGING / "prometheus" / "alerts.yaml").read_text(), "f.yaml")[0]
    rules = {rule["alert"] for group in document["groups"] for rule in group["rules"]}
    assert rules - {case[0] for case in CASES} == {"LannerRulesDiffer"}  # counts machines


@pytest.mark.parametrize(("alert", "series", "is_raised"), CASES, ids=[f"{case[0]}-{number}" for number, case in enumerate(CASES)])
def test_an_alert_is_raised_when_it_says(tmp_path, alert, series, is_raised):
    rows = [{"series": name, "values": values} for name, values in series.items()]
    case = {
        "interval": "1m",
        "input_series": rows,
        # an empty list means that no alert is raised
        "promql_expr_test": [{"expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})', "eval_time": "20m",
                              "exp_samples": [{"labels": "{}", "value": 1}] if is_raised else []}],
    }  # fmt: skip
    (tmp_path / "tests.yaml").write_text(
        json.dumps({"rule_files": [str(PACKAGING / "prometheus" / "alerts.yaml")], "evaluation_interval": "1m", "tests": [case]})
    )
    done = subprocess.run(
        [program("promtool"), "test", "rules", tmp_path / "tests.yaml"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
