"""Alerts about the program itself, in Falco's layouts."""

import json
import time

import pytest

from lanner.rules.output.alert import AlertWriter
from lanner.rules.output.internal import internal_line

TIMESTAMP = 1_700_000_000_000_000_015


@pytest.fixture(autouse=True)
def zone(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_text_has_the_message_and_the_figures_in_brackets():
    line = internal_line(AlertWriter(), "a rule", "Informational", "snapshot", {"b": 1.5, "a": "x y"}, TIMESTAMP)
    assert line == '22:13:20.000000015: Informational snapshot (a="x y" b=1.5)'
    assert internal_line(AlertWriter(), "a rule", "Critical", "failure", {}, TIMESTAMP) == "22:13:20.000000015: Critical failure ()"


def test_json_has_falcos_keys_and_no_others():
    line = internal_line(AlertWriter("json", hostname="h"), "a rule", "Critical", 'it\n"failed"', {"b": 1, "a": "\udc80é"}, TIMESTAMP)
    assert json.loads(line) == {
        "hostname": "h",
        "output": 'it\n"failed"',
        "output_fields": {"a": "\ufffdé", "b": 1},
        "priority": "Critical",
        "rule": "a rule",
        "source": "internal",
        "time": "2023-11-14T22:13:20.000000015Z",
    }
    assert list(json.loads(line)) == sorted(json.loads(line))
    assert "\n" not in line
