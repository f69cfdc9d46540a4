"""Features of newer versions of the plugin API that a class may use: the places of values, and the host's log."""

import json

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.native]

PAYLOAD = (
    '{"text": "a:b\\u00e9", "number" : 12, "map":{ "x":"y","deep":{"er":"z"}}, "list":["p","q"], "at": 5, "z":[{"x,\\"y]":[{"text":1}]}]}'
)


def places(seen, built, payload, *names):
    """The part of the payload that each field's value is extracted from."""
    run = seen(built("places"), "--offsets", "--open", json.dumps([payload]), "--fields", ",".join(names))
    (event,) = run["events"]
    data = payload.encode()
    result = {}
    for name, spans in event["offsets"].items():
        result[name] = [data[begin - 38 : begin - 38 + size].decode() if size else None for begin, size in spans]
    return event["fields"], result


def test_a_value_is_found_where_it_stands(built, seen):
    values, told = places(
        seen,
        built,
        PAYLOAD,
        *(
            "every.text",
            "every.first",
            "every.number",
            "every.time",
            "every.keys",
            "every.map[x]",
            "every.item[1]",
            "every.deep",
            "every.str",
        ),
    )
    assert values["every.text"] == "a:b\u00e9"
    assert told == {
        "every.text": ["a:b\\u00e9"],
        "every.first": ["a:b\\u00e9"],
        "every.number": ["12"],
        "every.time": ["5"],
        "every.keys": ["x", "deep"],
        "every.map[x]": ["y"],
        "every.item[1]": ["q"],
        "every.deep": ["z"],
        "every.str": [None],
    }


def test_a_part_of_a_text_is_found_and_the_last_of_equal_names_counts(built, seen):
    _, told = places(seen, built, '{"text":"no:no","text":"a:b:c"}', "every.text", "every.before", "every.after")
    assert told == {"every.text": ["a:b:c"], "every.before": ["a"], "every.after": ["b:c"]}


def test_where_it_cannot_be_told_it_is_not_told(built, seen):
    values, told = places(seen, built, '{"te\\u0078t":"a:b","number":"1"}', "every.text", "every.number")
    assert values == {"every.text": "a:b", "every.number": 1}
    assert told == {"every.text": [None], "every.number": [None]}


def test_records_go_to_the_hosts_log_with_their_severity(built, run_host):
    report = run_host(built("places"), "--open", '["{\\"raise\\": \\"it\\"}"]', "--fields", "every.raises")
    assert report["violations"] == []
    said = [(log["severity"], log["message"].splitlines()[0]) for log in report["logs"]]
    assert (6, "asked for parameters") in said
    assert (4, "about to raise") in said
    assert (3, "every.raises failed (further failures of this kind are counted only)") in said
    assert "about to raise" not in report["stderr"]


def test_the_least_version_that_has_it_is_asked_for(built, run_host):
    assert run_host(built("places"), "--info")["info"]["api"] == "3.11.0"
    assert run_host(built("every"), "--info")["info"]["api"] == "3.0.0"
