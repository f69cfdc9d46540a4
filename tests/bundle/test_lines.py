"""Payloads that are lines have the same values in a C host as in Lanner's own: RE2 is in the bundle, or loaded by the bound library."""

import zipfile

import pytest

from lanner.abi.versions import APIS
from lanner.host.plugin_loader import load_plugin
from lanner.sdk.hosting.field_reader import FieldReader
from lanner.sdk.hosting.plugin_init import init_plugin

from .conftest import PLUGINS, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.native]

LINES = [
    '203.0.113.9 [10/Oct/2000:13:55:36 -0700] "GET /a?b HTTP/1.0" 200',
    '203.0.113.9 [10/Oct/2000:13:55:36 -0700] "GET /<FF> HTTP/1.0"',
    'level=info msg="a b"',
    '{"level":"debug","a":{"b":[1,2.50]}}',
    "CEF:0|Security|threat|1.0|100|worm|10|src=10.0.0.1",
    "nothing of these",
    '203.0.113.9 [not a time] "" 5',
]
REQUESTS = [
    *(("texts." + name, None) for name in ("client", "path", "status", "level", "vendor", "json")),
    ("texts.key", "msg"),
    ("texts.pointer", "/a/b"),
]


def expected():
    reader = FieldReader(init_plugin(load_plugin(f"{PLUGINS / 'texts.py'}:Texts")), REQUESTS)
    for number, line in enumerate(LINES, 1):
        reader.load(line.encode().replace(b"<FF>", b"\xff"), number=number)
        values = {name if key is None else f"{name}[{key}]": reader.get(slot) for slot, (name, key) in enumerate(REQUESTS)}
        yield reader.timestamp, {name: value for name, value in values.items() if value is not None}


def shown(value):
    return {"hex": value.encode("utf-8", "surrogateescape").hex()} if isinstance(value, str) and "\udcff" in value else value


@pytest.mark.parametrize("api", APIS)
def test_lines_have_the_same_values_in_a_c_host(built, seen, api):
    fields = ",".join(name if key is None else f"{name}[{key}]" for name, key in REQUESTS)
    run = seen(built("texts:Texts", api), "--open", "\n".join(LINES), "--fields", fields)
    assert run["end"] == "eof"
    answers = [(event["ts"], event["fields"]) for event in run["events"]]
    wanted = [(time, {name: shown(value) for name, value in values.items()}) for time, values in expected()]
    assert [values for _, values in answers] == [values for _, values in wanted]
    assert [(one, two) for (one, _), (two, _) in zip(answers, wanted, strict=True) if two is not None and one != two] == []
    assert wanted[0] == (971211336 * 10**9, {"texts.client": "203.0.113.9", "texts.path": "/a?b", "texts.status": 200})


def test_the_places_of_parts_of_lines(built, seen):
    """The place of a value is that of its text in the line; a string with escapes has none."""
    lines = [
        LINES[0],
        'level=info msg="a b"',
        'msg="a\\tb"',
        "CEF:0|Security|threat|1.0|100|worm|10|src=10.0.0.1",
        '{"level":"x","a":{"b":"y"}}',
    ]
    fields = ("texts.client", "texts.path", "texts.status", "texts.level", "texts.key[msg]", "texts.vendor", "texts.pointer[/a/b]")
    run = seen(built("texts:TextPlaces"), "--offsets", "--open", "\n".join(lines), "--fields", ",".join(fields))
    places = []
    for line, event in zip(lines, run["events"], strict=True):
        # the block's header is before the payload
        spans = {name: found[0] for name, found in event["offsets"].items()}
        places.append({name: line[at - 38 : at - 38 + size] if size else None for name, (at, size) in spans.items()})
    assert places == [
        {"texts.client": "203.0.113.9", "texts.path": "/a?b", "texts.status": "200"},
        {"texts.level": "info", "texts.key[msg]": "a b"},
        {"texts.key[msg]": None},
        {"texts.vendor": "Security"},
        {"texts.pointer[/a/b]": "y"},
    ]


def test_nginx_reads_a_log_in_a_library(built, run_host, tmp_path):
    log = ROOT / "examples" / "nginx_example.log"
    report = run_host(
        built(str(ROOT / "examples" / "nginx.py"), "3.3"),
        "--open",
        str(log),
        "--events",
        "9",
        env={"LANNER_STATE_DIRECTORY": str(tmp_path)},
    )
    assert report["violations"] == [], report
    (run,) = report["runs"]
    assert [event["fields"]["nginx.status"] for event in run["events"]] == [200, 304, 404, 200, 500, 400, 400, 401, 302]
    assert run["events"][7]["fields"]["nginx.client"] == "2001:db8::17"
    assert run["events"][0]["ts"] == 1795943702 * 10**9


@pytest.mark.bundled
def test_only_a_bundle_with_a_pattern_has_re2(bundled):
    def natives(plugin):
        with zipfile.ZipFile(bundled(plugin)) as archive:
            return [name for name in archive.namelist() if "_pattern" in name or "re2" in name]

    assert natives("texts:Texts")
    assert natives("recorded") == []
