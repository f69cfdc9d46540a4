"""The alerts for Prometheus name rules that are shipped."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_alerts_for_prometheus_name_rules_that_are_shipped():
    shipped = set(re.findall(r"^- rule: (.+)$", (ROOT / "src/lanner/docker/docker_rules.yaml").read_text(), re.MULTILINE))
    named = re.findall(r"alerts of rule (.+?) name ", (ROOT / "packaging/prometheus/alerts.yaml").read_text())
    assert named
    assert set(named) <= shipped
