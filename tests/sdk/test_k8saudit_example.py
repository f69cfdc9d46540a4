"""The declaration in examples/k8saudit.py has the values that the official plugin extracts."""

import json
import lzma
from pathlib import Path

import pytest

from lanner.host.plugin_loader import load_plugin
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.hosting.field_reader import FieldReader
from lanner.sdk.hosting.plugin_init import init_plugin

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "k8saudit.jsonl.xz"
"""Answers of the official plugin k8saudit 0.18.0 under Falco 0.44.1: the queries, then an event and its values by query a line."""


@pytest.fixture(scope="module")
def k8saudit():
    return load_plugin(str(ROOT / "examples" / "k8saudit.py"))


@pytest.fixture(scope="module")
def answers():
    queries, *lines = map(json.loads, lzma.decompress(DATA.read_bytes()).splitlines())
    return queries, lines


def test_the_fields_are_those_of_the_official_plugin_and_almost_all_are_data(k8saudit, answers):
    fields = plugin_info(k8saudit).fields
    assert {each.info.name for each in fields} == {name for name, _ in answers[0]}
    assert len(fields) == 100
    assert [each.info.name for each in fields if each.value is None] == ["ka.req.volume.hostpath"]


def test_every_field_has_the_value_of_the_official_plugin(k8saudit, answers):
    queries, lines = answers
    reader = FieldReader(init_plugin(k8saudit), [(name, argument) for name, argument in queries])
    assert len(lines) > 500
    for line in lines:
        assert reader.load(line["payload"].encode())
        got = [reader.get(slot) for slot in range(len(queries))]
        expected = [None] * len(queries)
        for slot, value in line["values"].items():
            expected[int(slot)] = tuple(value) if isinstance(value, list) else value
        different = [(query, want, has) for query, want, has in zip(queries, expected, got, strict=True) if want != has]
        assert different == [], line["payload"]
