"""Every output of the corpus is accepted or rejected as in Falco, and its alerts have Falco's bytes, as text and as JSON."""

import json
import time

import pytest

from lanner.host.generic import EventContext, generic_reader
from lanner.rules.findings import ConditionError
from lanner.rules.language.catalog import GENERIC_FIELDS
from lanner.rules.language.typed import FieldTable
from lanner.rules.output.alert import AlertRule, AlertWriter
from lanner.rules.output.template import drop_container_info, parse_output

from .executors import Values

# ruff: noqa: T201 - the report is meant to be read

TOGGLES = {
    "json_include_output_property": "include_output",
    "json_include_tags_property": "include_tags",
    "json_include_message_property": "include_message",
    "json_include_output_fields_property": "include_output_fields",
    "time_format_iso_8601": "iso8601",
}


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Events:
    """The corpus's events, with the generic fields read as the host reads them."""

    def __init__(self, kv):
        self.kv = kv
        # the corpus was recorded without information on the host (plugins_hostinfo: false)
        self.context = EventContext(source="kv", plugin="kv", hostname="", describe=self.payload)
        self.context.first_timestamp = kv.events[0]["ts"]
        self.generic = {field.name: generic_reader(field.name, self.context) for field in GENERIC_FIELDS}

    def payload(self):
        return self.context.payload.decode()

    def select(self, number):
        self.context.advance(number, self.kv.events[number - 1]["ts"], self.kv.lines[number - 1].encode())

    def value(self, request):
        if request.name in self.generic:
            return self.generic[request.name]()
        return self.kv.value(self.context.number, request.name, request.argument)


def writer(kind, case):
    chosen = dict.fromkeys(TOGGLES, True) | {
        name: value == "true" for name, _, value in (o.partition("=") for o in case.get("options", ()))
    }
    return AlertWriter(kind, hostname="testhost", **{TOGGLES[name]: chosen[name] for name in TOGGLES})


def outcome(case, events):
    text, warning = drop_container_info(case["format"].strip())
    fields = FieldTable()
    try:
        output = parse_output(text, events.kv.catalog, fields)
    except ConditionError as error:
        return {"load": "error", "errors": [(error.code, error.message)], "warnings": [warning] if warning else []}
    rule = AlertRule(case["id"], case.get("priority", "CRITICAL").capitalize(), "kv", ("t2", "t1"))
    lines = {}
    for kind in ("json", "text"):
        alert = writer(kind, case).compile(rule, output)
        values = Values(alert.operands, fields.requests, lambda slot: events.value(fields.requests[slot]))
        lines[kind] = {}
        for number in case["events"]:
            events.select(number)
            lines[kind][str(number)] = alert.line(events.context.timestamp, values()).encode("utf-8", "surrogateescape")
    return {"load": "ok", "warnings": [warning] if warning else [], **lines}


def expectation(case):
    expect = case["expect"]
    expected = {"load": expect["load"], "warnings": [warning["message"] for warning in expect.get("warnings", ())]}
    if expect["load"] != "ok":
        return expected | {"errors": [(error["code"], error["message"]) for error in expect["errors"]]}
    # nlohmann/json writes keys in order, without blanks, and non-ASCII characters unchanged
    alerts = {n: json.dumps(alert, ensure_ascii=False, separators=(",", ":"), sort_keys=True) for n, alert in expect["json"].items()}
    texts = {n: text.encode() for n, text in expect.get("text", {}).items()}
    texts |= {n: bytes.fromhex(text) for n, text in expect.get("text_hex", {}).items()}
    return expected | {"json": {n: line.encode() for n, line in alerts.items()}, "text": texts}


def test_outputs_are_taken_or_refused_and_printed_as_falco_does(corpus, kv, capsys):
    events = Events(kv)
    cases = [case for case in corpus.cases("outputs.jsonl") if case["expect"]["load"] != "crash"]
    wrong = [(case, got, wanted) for case in cases if (got := outcome(case, events)) != (wanted := expectation(case))]
    with capsys.disabled():
        print(f"\noutputs: {len(cases) - len(wrong)} agree, {len(wrong)} disagree")
        for case, got, wanted in wrong[:25]:
            print("  ", case["id"], case["format"][:100], case.get("options"))
            print("     ", difference(got, wanted))
    assert not wrong


def difference(got, wanted):
    """Return the first member that differs, in both."""
    for key in got.keys() | wanted.keys():
        ours, theirs = got.get(key), wanted.get(key)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            for number in ours.keys() | theirs.keys():
                if ours.get(number) != theirs.get(number):
                    return f"{key}[{number}]: {ours.get(number)!r}, expected {theirs.get(number)!r}"
        elif ours != theirs:
            return f"{key}: {ours!r}, expected {theirs!r}"
    return "nothing"


def test_a_crash_of_falco_is_an_error_here(corpus, kv):
    for case in corpus.cases("outputs.jsonl"):
        if case["expect"]["load"] == "crash":
            with pytest.raises(ConditionError):
                parse_output(drop_container_info(case["format"].strip())[0], kv.catalog, FieldTable())
