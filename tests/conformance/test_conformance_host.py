"""The host accepts a plugin that does everything right, at each ABI, and finds each thing that one does wrong."""

import json
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from ..waiting import PATIENCE
from . import host
from .conftest import APIS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "src" / "lanner" / "docker" / "example.jsonl"
RECORDING = ROOT / "tests" / "data" / "docker-engine-20.10-events.jsonl"
ALL_FIELDS = (
    "docker.type,docker.action,docker.status,docker.id,docker.from,docker.actor.id,docker.attributes.name,docker.attributes.image,"
    "docker.attributes[image],docker.attributes[com.docker.stack.namespace],docker.exitcode,docker.stack.namespace"
)


def expected_fields(event, *, lists):
    """Return the values of the peer's fields, read by Python."""
    kind, action = event.get("Type"), event.get("Action")
    actor = event.get("Actor", {})
    attributes = actor.get("Attributes") or {}
    exit_code = attributes.get("exitCode", attributes.get("containerExitCode") if action in {"die", "died"} else None)
    either = kind in {"container", "image"}
    values = {
        "docker.type": kind,
        "docker.action": action,
        "docker.status": event.get("status", action if either else None),
        "docker.id": event.get("id", actor.get("ID") if either else None),
        "docker.from": event.get("from", attributes.get("image") if kind == "container" else None),
        "docker.actor.id": actor.get("ID"),
        "docker.attributes.name": attributes.get("name"),
        "docker.attributes.image": attributes.get("image"),
        "docker.attributes[image]": attributes.get("image"),
        "docker.attributes[com.docker.stack.namespace]": attributes.get("com.docker.stack.namespace"),
        "docker.exitcode": int(exit_code) if exit_code and exit_code.isdigit() else None,
        "docker.stack.namespace": attributes.get("com.docker.stack.namespace"),
    }
    if lists:
        values["docker.attributes.keys"] = list(attributes) or None
    return {name: value for name, value in values.items() if value is not None}


@pytest.fixture(params=APIS)
def api(request):
    return request.param


@pytest.mark.parametrize("how", [(), ("--lazy",), ("--deepbind",)])
def test_info_alone_needs_no_init(conformance_host, peers, api, how):
    report = conformance_host(peers[api], "--info", "--api", api, *how)
    assert report["violations"] == []
    assert report["exit"] == 0
    assert "runs" not in report
    info = report["info"]
    assert (info["api"], info["name"], info["version"], info["id"], info["source"]) == (api, "peer", "0.1.0", 998, "docker")
    assert info["capabilities"] == ["sourcing", "extraction"]
    assert ("get_type" in info["symbols"]) == (api == "0.3.0")
    assert json.loads(info["schema"])["type"] == "object"
    assert [field["name"] for field in info["fields"]][:2] == ["docker.type", "docker.action"]


@pytest.mark.parametrize("path", [EVENTS, RECORDING], ids=lambda path: path.stem)
def test_every_event_and_value_is_right(conformance_host, peers, api, path):
    lists = api != "0.3.0"
    fields = ALL_FIELDS + ",docker.attributes.keys" * lists
    report = conformance_host(peers[api], "--open", f"file:{path}", "--fields", fields, "--offline")
    assert report["violations"] == []
    (run,) = report["runs"]
    lines = path.read_text("utf-8").splitlines()
    assert (run["init"], run["open"], run["end"], run["count"]) == ({"rc": "success"}, {"rc": "success"}, "eof", len(lines))
    assert run["open_params"][0]["value"] == "unix:/var/run/docker.sock"
    assert run["progress"] == {"of_10000": 10000, "text": "100%"}
    assert [event["payload"] for event in run["events"]] == lines
    for line, event in zip(lines, run["events"], strict=True):
        assert event["ts"] == json.loads(line)["timeNano"]
        assert event["text"] == line
        assert event["fields"] == expected_fields(json.loads(line), lists=lists)


def test_each_life_of_a_plugin_is_like_the_first(conformance_host, peers, api):
    report = conformance_host(peers[api], "--open", f"file:{EVENTS}", "--cycles", "3", "--threads", "4", "--reload", "--lazy")
    assert report["violations"] == []
    assert report["unloaded"] == 3
    assert [(run["cycle"], run["thread"]) for run in report["runs"]] == [(cycle, thread) for cycle in range(3) for thread in range(4)]
    assert len({run["digest"] for run in report["runs"]}) == 1
    assert ["events" in run for run in report["runs"]] == [True] + [False] * 11


def test_it_stops_after_some_events_and_keeps_what_it_is_told_to(conformance_host, peers):
    report = conformance_host(peers["3.0.0"], "--open", f"file:{EVENTS}", "--events", "5", "--cycles", "2", "--keep", "all")
    assert [(run["end"], run["count"], len(run["events"])) for run in report["runs"]] == [("events", 5, 5)] * 2


def test_failures_are_reported_and_no_violations(conformance_host, peers, api):
    report = conformance_host(peers[api], "--init", "{ }")
    assert report["violations"] == []
    assert report["runs"][0]["init"] == {"rc": "failure", "error": "there is nothing to configure: {}"}
    report = conformance_host(peers[api], "--open", "file:/nowhere")
    assert report["violations"] == []
    assert report["runs"][0]["open"] == {"rc": "failure", "error": "/nowhere: No such file or directory"}
    assert report["runs"][0]["end"] == "open failed"


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("null", "In <root>, Value type not permitted by 'type' constraint."),
        ("[]", "In <root>, Value type not permitted by 'type' constraint."),
        ('{"a": 1}', "In <root>, Object contains a property that could not be validated using"),
        ("abc", "init config is not a valid json"),
    ],
)
def test_a_configuration_that_the_schema_refuses_never_reaches_the_plugin(conformance_host, peers, api, config, says):
    report = conformance_host(peers[api], "--init", config)
    assert report["violations"] == []
    assert report["runs"][0]["init"]["rc"] == "refused by the schema"
    assert says in report["runs"][0]["init"]["error"]
    assert report["runs"][0]["end"] == "init failed"


def test_logs_and_offsets_of_newer_versions(conformance_host, peers):
    report = conformance_host(
        peers["3.12.0"], "--open", f"file:{EVENTS}", "--offsets", "--fields", "docker.actor.id,docker.attributes.keys"
    )
    assert report["violations"] == []
    assert report["logs"] == [{"owner": "peer", "message": "the peer begins", "severity": 6}]
    for event in report["runs"][0]["events"]:
        block = bytes(38) + event["payload"].encode()
        for name, offsets in event["offsets"].items():
            values = event["fields"][name]
            texts = values if isinstance(values, list) else [values]
            assert [block[start : start + length].decode() for start, length in offsets] == texts


def test_payloads_may_be_any_bytes(conformance_host, peers, tmp_path):
    lines = [b"\xff\xfe\x00", '{"Type": "é\\u0001\\"\U0001f433"}'.encode(), b"\xed\xa0\x80", b"not JSON\x7f"]
    path = tmp_path / "events"
    path.write_bytes(b"\n".join(lines))
    report = conformance_host(peers["3.0.0"], "--open", f"file:{path}")
    assert report["violations"] == []
    events = report["runs"][0]["events"]
    payloads = [bytes.fromhex(it["hex"]) if isinstance(it, dict) else it.encode() for it in (event["payload"] for event in events)]
    assert payloads == lines
    assert [event["fields"] for event in events] == [{}, {"docker.type": 'é\x01"\U0001f433'}, {}, {}]


def test_a_source_that_waits(conformance_host, peers, api, tmp_path):
    """An HTTP answer in chunks that cut lines anywhere; a while nothing comes, and then the end."""
    lines = EVENTS.read_bytes().splitlines(keepends=True)[:40]
    path = str(tmp_path / "engine.sock")
    request = []

    def serve():
        connection, _ = server.accept()
        with connection:
            request.append(connection.recv(4096))
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            text = b"".join(lines)
            for start in range(0, len(text), 100):
                chunk = text[start : start + 100]
                connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            resume.wait(0.1)  # longer than the source waits within one call
            connection.sendall(b"0\r\n\r\n")

    resume = threading.Event()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        report = conformance_host(peers[api], "--open", f"unix:{path}", "--slow-ms", "500")
        thread.join()
    assert report["violations"] == []
    (run,) = report["runs"]
    assert [event["payload"] for event in run["events"]] == [line.decode().rstrip("\n") for line in lines]
    assert run["end"] == "eof"
    assert run["timeouts"] > 0
    assert request[0].startswith(b"GET /events HTTP/1.1\r\n")


def test_a_source_that_continues_is_left_after_some_time(conformance_host, peers, tmp_path):
    path = str(tmp_path / "engine.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while connection.recv(4096):  # until the plugin closes it
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        report = conformance_host(peers["3.0.0"], "--open", f"unix:{path}", "--seconds", "0.2")
        thread.join()
    assert report["violations"] == []
    assert (report["runs"][0]["end"], report["runs"][0]["count"]) == ("seconds", 0)


def test_values_of_every_type(conformance_host, types):
    before = time.time_ns()
    report = conformance_host(types, "--init", "abc", "--set-config", "abcdef")
    assert report["violations"] == []
    assert report["info"]["extract_sources"] == ["types"]
    (run,) = report["runs"]
    assert (run["set_config"], run["event_types"]) == ({"rc": "success"}, [322])
    assert run["metrics"] == {"config_bytes": 6, "below": -0.5}
    first, second = run["events"]
    assert first == {
        "ts": 1234567890,
        "payload": "first",
        "fields": {
            "types.bool": True,
            "types.bools": [True, False, True],
            "types.uint64": 2**64 - 1,
            "types.reltime": 1500000000,
            "types.abstime": 1700000000000000001,
            "types.ipaddr": "192.0.2.1",
            "types.ipaddrs": ["192.0.2.1", "2001:db8::1"],
            "types.ipnet": "2001:db8::1",
            "types.strings": ["a", "", {"hex": "ff"}],
        },
    }
    assert (second["payload"], second["fields"]) == ("", {})
    assert before <= second["ts"] <= time.time_ns()  # the event had no time
    assert (run["end"], run["timeouts"]) == ("eof", 1)


def test_arguments_are_indexes_and_keys(conformance_host, types):
    arguments = ["7", "07", "0", "a,b"]
    report = conformance_host(types, "--fields", ",".join(f"types.arg[{argument}]" for argument in arguments))
    assert report["violations"] == []
    assert report["runs"][0]["events"][0]["fields"] == {
        "types.arg[7]": "key 7, index 7",
        "types.arg[07]": "key 07, index -1",
        "types.arg[0]": "key 0, index -1",
        "types.arg[a,b]": "key a,b, index -1",
    }


def test_a_source_that_fails(conformance_host, types):
    report = conformance_host(types, "--open", "fail")
    assert report["violations"] == []
    (run,) = report["runs"]
    assert (run["end"], run["count"], run["next_batch"]) == ("failure", 2, {"rc": "failure", "error": "told to fail"})


def test_a_plugin_that_only_extracts_is_fed(conformance_host):
    path = host.BUILD / "libextracts.so"
    host.make(str(path))
    report = conformance_host(path, "--feed", str(EVENTS), "--threads", "2", "--offline", "--fields", "types.uint64")
    assert report["violations"] == []
    assert (report["info"]["capabilities"], report["info"]["extract_sources"]) == (["extraction"], ["docker"])
    lines = EVENTS.read_text("utf-8").splitlines()
    assert [event["payload"] for event in report["runs"][0]["events"]] == lines
    assert all(event["fields"] == {"types.uint64": 2**64 - 1} for event in report["runs"][0]["events"])
    assert [(run["end"], run["count"]) for run in report["runs"]] == [("eof", len(lines))] * 2


def test_several_plugins_live_at_the_same_time(conformance_host, peers, types):
    options = ["--open", f"file:{EVENTS}", "--open", "", "--open", f"file:{EVENTS}", "--cycles", "2", "--threads", "2", "--reload"]
    report = conformance_host(peers["3.0.0"], *options, beside=[types, peers["2.0.0"]])
    assert report["violations"] == []
    assert [info["name"] for info in report["beside"]] == ["types", "peer"]
    assert report["unloaded"] == 6
    runs = report["runs"]
    assert [run["plugin"] for run in runs] == [0, 0, 1, 1, 2, 2] * 2
    # the peers' events are the same; `types` gives the time of day
    assert len({run["digest"] for run in runs if run["plugin"] != 1}) == 1
    assert [run["count"] for run in runs if run["plugin"] == 1] == [2] * 4


@pytest.mark.parametrize(
    ("what", "violation"),
    [
        ("BOOL", "extract_fields: types.bool: a bool of 197121: it takes 4 bytes, 0 or 1 (event 1)"),
        ("ADDRESS", "extract_fields: types.ipaddr: an address of 5 bytes (event 1)"),
        ("LIST", "extract_fields: types.strings: NULL string in res (event 1)"),
        ("METRIC", "get_metrics: below: type 7"),
    ],
)
def test_wrong_values_of_types_are_found(conformance_host, types, what, violation):
    assert violation in conformance_host(types, env={"TYPES_BREAK": what})["violations"]


@pytest.mark.skipif(shutil.which("sysdig") is None, reason="no sysdig: a real framework of API 0.3 is not there to compare with")
def test_a_real_framework_agrees(conformance_host, peers, tmp_path):
    """sysdig 0.29 offers API 0.3: it sees in the same plugin what the host sees. Debian has no packages of frameworks with newer APIs."""
    version = subprocess.run(["sysdig", "--version"], capture_output=True, text=True, check=True).stdout
    if "0.29." not in version:
        pytest.skip(f"{version.strip()} is not known to offer API 0.3")
    names = ["docker.type", "docker.action", "docker.id", "docker.exitcode", "docker.attributes[name]"]
    config = {
        "plugins": [{"name": "peer", "library_path": str(peers["0.3.0"]), "init_config": "", "open_params": f"file:{EVENTS}"}],
        "load_plugins": ["peer"],
    }
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(config), "utf-8")  # JSON is YAML
    output = "*%evt.num # " + " # ".join(f"%{name}" for name in names)
    command = ["sysdig", "--plugin-config-file", str(path), "-p", output]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    (run,) = conformance_host(peers["0.3.0"], "--open", f"file:{EVENTS}", "--fields", ",".join(names))["runs"]
    seen = [[str(number), *(str(event["fields"].get(name, "<NA>")) for name in names)] for number, event in enumerate(run["events"], 1)]
    assert [line.split(" # ") for line in printed.splitlines()] == seen


# what `bench` always has, in these units
BENCH_KEYS = (
    "load_ms",
    "init_ms",
    "rss_after_events_kb",
    "private_after_events_kb",
    "next_batch_ns",
    "first_field_ns",
    "further_field_ns",
    "all_fields_ns",
)


def test_bench(conformance_host):
    path = host.peer_path("3.0.0")
    host.make(str(path))
    report = conformance_host(path, "--bench", "--open", f"file:{EVENTS}", "--events", "2000", "--fields", "docker.type,docker.action")
    assert report["violations"] == []
    bench = report["bench"]
    assert bench["events"] >= 2000
    assert all(isinstance(bench[key], float) for key in BENCH_KEYS)
    assert 0 < bench["first_field_ns"] < bench["all_fields_ns"] * 2  # noise is one thing, nonsense another
    assert list(bench["fields"]) == ["docker.type", "docker.action"]


OPEN = ("--open", f"file:{EVENTS}")
FAILING_INIT = ("--init", "{ }")
BREAKS = [
    # what the peer does wrong, where, options, what the host says
    ("NO_EVENTS", APIS, OPEN, "next_batch: SUCCESS with 0 events"),
    ("COUNT_UNWRITTEN", APIS, OPEN, "next_batch: nevts is not written (with timeout)"),
    ("NULL_EVENTS", APIS, OPEN, "next_batch: 128 events, but the pointer to them is NULL"),
    ("EOF_ONCE", APIS, OPEN, "next_batch: after EOF, another call is not EOF without events"),
    ("SLOW", ("3.0.0",), (*OPEN, "--slow-ms", "20"), "next_batch: took more than 20 ms"),
    ("WRONG_ID", ("3.0.0", "3.12.0"), OPEN, "next_batch: plugin id 7 in an event of plugin 998"),
    ("LENGTH", ("3.0.0",), OPEN, "next_batch: lengths that do not add up"),
    ("EVENT_CHANGES", ("3.0.0",), OPEN, "next_batch: an event changed before the next call"),
    ("READ_ONLY", ("3.0.0",), OPEN, "signal 11 in what next_batch returned: the framework writes into events"),
    ("RC_UNWRITTEN", APIS, OPEN, "init: rc is not written"),
    ("NULL_STATE", APIS, FAILING_INIT, "init: the state is NULL, so its error cannot be queried"),
    ("NO_ERROR", APIS, FAILING_INIT, "init failed, and get_last_error has no text"),
    ("NO_ERROR", APIS, ("--open", "file:/nowhere"), "open failed, and get_last_error has no text"),
    ("SAME_STATE", ("2.0.0", "3.0.0"), (*OPEN, "--threads", "2", "--events", "1"), "init: the same state twice"),
    ("LOG_TOO_OLD", ("3.0.0",), OPEN, " in init"),  # there is no log_fn before 3.3: a crash
    ("NULL_STRING", ("0.3.0",), OPEN, "extract_fields: docker.type: NULL in res_str"),
    ("NULL_STRING", APIS[1:], OPEN, "extract_fields: docker.type: NULL string in res"),
    ("NULL_VALUES", APIS[1:], OPEN, "extract_fields: docker.type: res is NULL"),
    ("TWO_VALUES", APIS[1:], OPEN, "extract_fields: docker.type: 2 values, but it is not a list"),
    ("VALUES_UNWRITTEN", ("0.3.0",), OPEN, "extract_fields: docker.from: field_present is not written"),
    ("VALUES_UNWRITTEN", APIS[1:], OPEN, "extract_fields: docker.from: res_len is not written"),
    ("INPUT_CHANGES", APIS[1:], OPEN, "extract_fields: docker.action: what is input was changed"),
    ("VALUE_CHANGES", APIS[1:], (*OPEN, "--fields", "docker.type"), "extract_fields: docker.type: the value changed before the next call"),
    ("RETURN_CODE", ("3.0.0",), OPEN, "extract_fields: docker.type: it returned -1"),
    ("STALE_CACHE", APIS, (*OPEN, "--offline"), "extract_fields: other values when the event is read again"),
    ("OFFSETS", ("3.12.0",), (*OPEN, "--offsets"), "extract_fields: docker.type: offsets beyond the event's end"),
    ("PROGRESS", APIS, OPEN, "get_progress: above 10000"),
    ("SIGNAL", ("3.0.0",), OPEN, "guest: another handler of signal 2 (INT)"),
    ("LOCALE", ("3.0.0",), OPEN, "guest: the locale is now C.UTF-8"),
    ("ENVIRONMENT", ("3.0.0",), OPEN, "guest: the environment changed"),
    ("FILES", ("3.0.0",), (*OPEN, "--cycles", "2"), "guest: each life of the plugin leaves files open"),
    ("THREAD", ("3.0.0",), OPEN, "guest: threads are left after destroy: 1"),
    ("FIELDS", APIS, OPEN, "get_fields: no JSON array"),
    ("VERSION", APIS, OPEN, "get_version: '0.1' is not a version"),
]


@pytest.mark.parametrize(
    ("what", "api", "options", "violation"),
    [(what, api, options, violation) for what, apis, options, violation in BREAKS for api in apis],
    ids=[f"{what}-{api}" for what, apis, _, _ in BREAKS for api in apis],
)
def test_what_a_broken_plugin_does_is_found(conformance_host, peers, what, api, options, violation):
    report = conformance_host(peers[api], *options, "--seconds", "0.3", env={"PEER_BREAK": what})
    assert report["exit"] == 1
    assert any(violation in text for text in report["violations"]), report["violations"]


def test_symbols_missing_and_without_their_capability(conformance_host):
    path = host.peer_path("3.0.0", "WRONG_SYMBOLS")
    host.make(str(path))
    report = conformance_host(path, *OPEN)
    assert report["exit"] == 1
    assert report["violations"] == [
        "symbol missing: plugin_get_contact",
        "symbol without its capability (async events): plugin_get_async_events",
    ]
    assert "runs" not in report


def test_a_library_that_is_no_plugin(conformance_host, peers, tmp_path):
    path = tmp_path / "libempty.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "/dev/null", "-o", str(path)], check=True)
    assert conformance_host(path)["violations"] == ["symbol missing: plugin_get_required_api_version"]
    (text,) = conformance_host(tmp_path / "nothing.so")["violations"]
    assert text.startswith("dlopen: ")
    assert "No such file" in text
    assert conformance_host(peers["2.0.0"], "--info", "--api", "3")["violations"] == ["get_required_api_version: 2.0.0, not 3"]


@pytest.mark.parametrize("options", [("--nonsense",), ("--cycles", "0"), ("--fields", "no.field"), ("--fields", "docker.type[x]")])
def test_wrong_usage(conformance_host, peers, options):
    with pytest.raises(RuntimeError, match="exit status 2"):
        conformance_host(peers["3.0.0"], *options)
