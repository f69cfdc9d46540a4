"""Selection of events: every form of a time, the parameters of open in both forms, their precedence over the configuration, and
messages for invalid ones."""

import json
import time
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

import lanner
from lanner.docker.query import Query, make_query

SECOND = 1_000_000_000
NOW = 1795426345 * SECOND + 860357172
HOUR = 3600 * SECOND
TIME_ADVICE = "which is not a time: write seconds since 1970, 2026-01-31T20:00:00Z, or a duration before now such as 10m"


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: NOW)


@pytest.fixture
def zone(monkeypatch):
    """Local time is two and a half hours before UTC."""
    monkeypatch.setenv("TZ", "XXX2:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def query(params="", since="", until="", filters=None):
    return make_query(params, since, until, filters or {})


def failure(*args, **kwargs):
    with pytest.raises(lanner.UsageError) as caught:
        query(*args, **kwargs)
    return str(caught.value)


def utc(*fields):
    return int(datetime(*fields, tzinfo=UTC).timestamp()) * SECOND


TIMES = [
    ("0", 0),
    ("1795426345", 1795426345 * SECOND),
    ("1795426345.860357172", NOW),
    ("1795426345.5", 1795426345 * SECOND + 500_000_000),
    ("1795426345.000000001", 1795426345 * SECOND + 1),
    ("10ns", NOW - 10),
    ("7us", NOW - 7_000),
    ("20ms", NOW - 20_000_000),
    ("0s", NOW),
    ("90s", NOW - 90 * SECOND),
    ("10m", NOW - 600 * SECOND),
    ("2d", NOW - 48 * HOUR),
    ("1h30m", NOW - HOUR - HOUR // 2),
    ("24h", NOW - 24 * HOUR),
    ("1h2m3s4ms5us6ns", NOW - HOUR - 123 * SECOND - 4_005_006),
    ("999999999999h", 0),
    ("2026-11-23T20:00:00Z", utc(2026, 11, 23, 20)),
    ("2026-11-23t20:00:00Z", utc(2026, 11, 23, 20)),
    ("2026-11-23 20:00:00Z", utc(2026, 11, 23, 20)),
    ("2026-11-23T20:00Z", utc(2026, 11, 23, 20)),
    ("2026-11-23T20:00:00+02:00", utc(2026, 11, 23, 18)),
    ("2026-11-23T20:00:00-02:30", utc(2026, 11, 23, 22, 30)),
    ("2026-11-23T20:00:00.5Z", utc(2026, 11, 23, 20) + 500_000_000),
    ("2026-11-23T20:00:00.000000001+00:00", utc(2026, 11, 23, 20) + 1),
    ("2026-11-23Z", utc(2026, 11, 23)),
    ("2026-11-23T20:00:00", utc(2026, 11, 23, 22, 30)),
    ("2026-11-23T20:00:00.25", utc(2026, 11, 23, 22, 30) + 250_000_000),
    ("2026-11-23", utc(2026, 11, 23, 2, 30)),
    ("1970-01-01T00:00:00Z", 0),
]


@pytest.mark.parametrize("key", ["since", "until"])
@pytest.mark.parametrize(("text", "nanoseconds"), TIMES, ids=[text for text, _ in TIMES])
def test_a_time_is_read_in_each_form_that_docker_events_takes(zone, key, text, nanoseconds):
    expected = Query(**{key: nanoseconds})
    assert query(**{key: text}) == expected
    assert query(f"{key}={text}") == expected
    assert query(json.dumps({key: text})) == expected


@pytest.mark.parametrize("number", ["1795426345", "1795426345.860357172"])
def test_a_time_in_json_may_be_a_number_and_keeps_its_nanoseconds(number):
    assert query(f'{{"since": {number}}}') == query(f"since={number}")


@pytest.mark.parametrize("key", ["since", "until"])
@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "-10m",
        "10 m",
        "10w",
        "m",
        "1h30",
        "1.5h",
        "-1",
        "1e9",
        "12345678901",
        "1.",
        ".5",
        "1.1234567890",
        "1,5",
        "\u0661",  # a digit, of Arabic
        "10m\n",
        "2026-02-30T00:00:00Z",
        "2026-11-23T25:00:00Z",
        "2026-11-23T20:00:00 Z",
        "2026-11-23T20:00:00+0200",
        "2026-11-23T20:00:00+99:00",
        "2026-11-23T:Z",
        "2026-11-23.5",
        "23.11.2026",
        "1969-12-31T23:59:59Z",
        "0001-01-01",
        "2026-13-01",
    ],
)
def test_what_is_no_time_is_reported_with_what_to_write(key, text):
    says = f"{key}` is {text!r}, {TIME_ADVICE}"
    assert failure(**{key: text}) == f"`$.{says}"
    assert failure(json.dumps({key: text})) == f"`{says}"


@pytest.mark.parametrize(
    ("value", "shown"), [("true", "True"), ("false", "False"), ("[]", "[]"), ('{"a": 1}', "{'a': '1'}"), ("-5", "'-5'"), ("1e3", "'1e3'")]
)
def test_what_is_no_time_in_json_is_told_too(value, shown):
    assert failure(f'{{"since": {value}}}') == f"`since` is {shown}, {TIME_ADVICE}"


@pytest.mark.parametrize("params", ["", "  ", "{}", "since=", '{"since": null}', '{"filters": {}}', "filters=null", "filters={}", "&"])
def test_without_a_word_it_is_all_events_from_now_on(params):
    assert query(params) == Query()
    assert query(params).target("1.41") == "/v1.41/events"


OPTIONS = {"since": "1", "until": "2", "filters": {"type": ["container"]}}
ASKED = Query(SECOND, 2 * SECOND, {"type": ("container",)})


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, ASKED),
        ({"since": "3"}, ASKED._replace(since=3 * SECOND)),
        ({"until": "3"}, ASKED._replace(until=3 * SECOND)),
        ({"filters": {"event": ["die"]}}, ASKED._replace(filters={"event": ("die",)})),
        ({"since": "", "until": "", "filters": {}}, Query()),
        ({"since": "3", "until": "4", "filters": {"image": ["web", "db"]}}, Query(3 * SECOND, 4 * SECOND, {"image": ("web", "db")})),
    ],
)
def test_parameters_take_the_place_of_the_configuration_one_by_one_in_both_forms(params, expected):
    words = "&".join(f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in params.items())
    assert query(words, **OPTIONS) == expected
    assert query(json.dumps(params), **OPTIONS) == expected
    assert query(f" {json.dumps(params)}\n", **OPTIONS) == expected


def test_what_parameters_replace_is_not_looked_at():
    assert query("since=3", since="yesterday") == Query(since=3 * SECOND)


@pytest.mark.parametrize(
    ("given", "filters"),
    [
        ('{"type": "container"}', {"type": ("container",)}),
        ('{"type": ["container", "image"], "label": ["a=b"]}', {"type": ("container", "image"), "label": ("a=b",)}),
        ("%7B%22label%22%3A%5B%22a%26b%22%5D%7D", {"label": ("a&b",)}),
        ('{"label": ["100%"]}', {"label": ("100%",)}),
    ],
)
def test_filters_are_json_within_words_percent_encoded_or_not(given, filters):
    assert query(f"filters={given}").filters == filters


@pytest.mark.parametrize("instant", ["2026-11-23T20:00:00+02:00", "2026-11-23T20%3A00%3A00%2B02%3A00"])
def test_a_word_may_be_percent_encoded_and_a_plus_is_a_plus(instant):
    assert query(f"since={instant}").since == utc(2026, 11, 23, 18)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ("sinc=10m", "the open parameters have 'sinc', which is none of since, until, filters"),
        ("since=10m&type=container", "the open parameters have 'type', which is none of since, until, filters"),
        ('{"Since": "10m"}', "the open parameters have 'Since', which is none of since, until, filters"),
        ("10m", "the open parameters have '10m', which is not key=value: write since=10m&until=...&filters=..."),
        ("since=10m&container", "the open parameters have 'container', which is not key=value: write since=10m&until=...&filters=..."),
        ("since=1&since=2", "the open parameters have 'since' twice"),
        ('{"since": "10m"', "the open parameters are invalid JSON: "),
        ('{"filters":' * 100_000, "the open parameters are invalid JSON: "),
        ("filters=container", "`filters` is invalid JSON: "),
        ("filters=", "`filters` is invalid JSON: "),
        ('filters="container"', "invalid `filters`: it is 'container'; write {"),
        ('filters=["container"]', "invalid `filters`: it is ['container']; write {"),
        ('filters={"type": [["container"]]}', "invalid `filters`: 'type' is [['container']]; write {"),
        ('filters={"type": null}', "invalid `filters`: 'type' is None; write {"),
        ('filters={"type": {"container": true}}', "invalid `filters`: 'type' is {'container': True}; write {"),
        (
            '{"filters": {"type": [true]}}',
            """invalid `filters`: 'type' is [True]; write {"type": ["container"], "event": ["die", "oom"]}""",
        ),
    ],
)
def test_wrong_parameters_are_reported_by_the_part_that_is_wrong(params, says):
    assert failure(params).startswith(says)


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        (Query(), "/v1.41/events"),
        (Query(since=0), "/v1.41/events?since=0.000000000"),
        (Query(since=NOW), "/v1.41/events?since=1795426345.860357172"),
        (Query(until=1), "/v1.41/events?until=0.000000001"),
        (Query(1, 2 * SECOND), "/v1.41/events?since=0.000000001&until=2.000000000"),
        (Query(filters={}), "/v1.41/events"),
        (Query(1, 2).from_time(3 * SECOND), "/v1.41/events?since=3.000000000&until=0.000000002"),
        (Query(1, 2).from_time(None), "/v1.41/events?until=0.000000002"),
    ],
)
def test_the_target_names_api_version_and_times_to_the_nanosecond(asked, target):
    assert asked.target("1.41") == target


@pytest.mark.parametrize("text", ["web", "a=b", "a b", "a&b", "a+b", "100%", "%41", "#?/", '"\\', "ü", "\U0001f433", "\r\n", ""])
def test_filters_arrive_at_the_engine_as_they_were_given(text):
    target = query(json.dumps({"filters": {"label": [text, "x"]}})).target("1.41")
    assert target.isascii()
    assert target.isprintable()
    assert " " not in target
    asked = parse_qs(urlsplit(target).query, strict_parsing=True)
    assert asked.keys() == {"filters"}
    assert [json.loads(found) for found in asked["filters"]] == [{"label": [text, "x"]}]
