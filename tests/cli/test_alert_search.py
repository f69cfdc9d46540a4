"""`lanner alerts`: the alerts of runs as they printed them, one alert with its reason, and stores that cannot be read."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from lanner.alerts.store_format import DAY, HOUR, day_name
from lanner.alerts.writer import StoreWriter

from ..alerts.reading import raised
from ..alerts.stores import START, alert, make_store
from ..waiting import PATIENCE
from .test_unprivileged import AS_USER

SETTINGS = ("message", "output", "output_fields", "tags")


@pytest.fixture(scope="session")
def stored(made_once, lanner):
    """The directory of a store with three runs on the same events: text, JSON, and JSON with other members; and what each printed."""

    def make(path):
        path.mkdir()
        others = [f"json_include_{each}_property={str(each in {'message', 'tags'}).lower()}" for each in SETTINGS]
        json_output = ("-o", "json_output=true")
        for number, options in enumerate(
            [(), json_output, (*json_output, "--iso8601", *(word for each in others for word in ("-o", each)))]
        ):
            store = ("-o", "lanner.store_output.enabled=true", "-o", f"lanner.store_output.path={path / 'store'}")
            done = lanner("run", "docker", "--replay", "example", *store, *options)
            assert done.code == 0, done.err
            (path / f"{number}").write_bytes(done.out)

    path = made_once("searched-alerts", make)
    return path / "store", [(path / str(number)).read_bytes() for number in range(3)]


def test_an_export_has_the_lines_that_json_output_printed_byte_for_byte(lanner, stored):
    store, (_, plain, other) = stored
    done = lanner("alerts", "export", store)
    assert (done.code, done.err) == (0, "")
    assert done.out == plain + plain + other
    assert len(plain.splitlines()) > 50


def test_a_search_prints_the_text_that_the_run_printed(lanner, stored):
    store, (text, *_) = stored
    done = lanner("alerts", "search", store, "--limit", len(text.splitlines()) * 3)
    assert done.out.startswith(text + text)
    shells = [line for line in text.splitlines() if b"Shell in a container" in line]
    done = lanner("alerts", "search", store, 'rule:"Shell in a container"')
    assert done.out.splitlines()[:1] == shells


@pytest.fixture
def some(tmp_path):
    """A store with an alert an hour for two days."""
    alerts = [alert(number, arrived=START + number * HOUR, message=f"number {number} -", priority=number % 8) for number in range(1, 48)]
    make_store(tmp_path / "store", alerts)
    return tmp_path / "store"


def numbers(done):
    assert (done.code, done.err) == (0, "")
    return [int(line.split()[3]) for line in done.lines]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], list(range(1, 48))),
        (["--reverse"], list(range(47, 0, -1))),
        (["--limit", "3"], [45, 46, 47]),
        (["--limit", "3", "--reverse"], [47, 46, 45]),
        (["--limit", "99"], list(range(1, 48))),
        (["--limit", "2", "priority:debug"], [39, 47]),
        (["--since", "2024-10-05T20:00:00Z"], [44, 45, 46, 47]),
        (["--until", "2024-10-04T04:00:00Z"], [1, 2, 3]),
        (["since:2024-10-05T20:00:00Z", "--until", "2024-10-05T21:30:00Z"], [44, 45]),
        (["number 7"], [7]),
        (["number", "7"], [7]),
        (["-number"], None),
        (["-host", "--limit", "1"], [47]),
        (['"--limit"'], None),
        (["-", "--limit", "1"], [47]),
    ],
)
def test_options_choose_alerts(lanner, some, arguments, expected):
    done = lanner("alerts", "search", some, *arguments)
    if expected is None:
        assert (done.code, done.out, done.err) == (0, b"", "lanner: no alert matches\n")
    else:
        assert numbers(done) == expected


def test_an_export_has_options_of_time_and_number(lanner, some):
    done = lanner("alerts", "export", some, "--format", "text", "--since", "2024-10-05T20:00:00Z", "--limit", 2, "--reverse")
    assert numbers(done) == [47, 46]


def test_keys_are_printed_before_alerts(lanner, some):
    done = lanner("alerts", "search", some, "--keys", "--limit", "1")
    assert done.lines == ["0badcafe-47  12:00:00.000000000: Warning number 47 -"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["priority:loud"], "lanner: error: invalid priority 'loud' at character 10 of the filter: use emergency, alert,"),
        (["--since", "soon"], "lanner: error: Invalid value for '--since': 'soon' is not a time: write seconds since 1970,"),
        (["--limt", "3"], "lanner: error: No such option '--limt'. Did you mean '--limit'?"),
        (["--limit", "0"], "lanner: error: Invalid value for '--limit': 0 is not in the range x>=1."),
        (["--keys", "--format", "json"], "lanner: error: --keys needs --format text"),
    ],
)
def test_invalid_arguments_are_wrong_usage(lanner, some, arguments, says):
    done = lanner("alerts", "search", some, *arguments)
    assert done.code == 2
    assert done.err.startswith(says)
    assert done.out == b""


def test_a_hint_about_a_filter_is_a_note(lanner, some):
    done = lanner("alerts", "search", some, "pririty:debug")
    assert done.code == 0
    assert done.err == (
        "lanner: note: 'pririty' is not a key of filters and is searched as text: did you mean 'priority'?\nlanner: no alert matches\n"
    )


def test_a_filter_of_any_bytes_is_searched(lanner, some):
    for text in (b"\xff\xfe", "🦊".encode(), b'"', b"NEAR(", b"*", b"a" * 100_000):
        done = lanner("alerts", "search", some, os.fsdecode(text))
        assert done.code == 0, done.err


def test_a_reader_that_closes_ends_an_export_quietly(lanner, tmp_path):
    make_store(tmp_path, [alert(number, message="x" * 500) for number in range(1, 3000)])
    export = subprocess.Popen(
        [Path(sys.executable).with_name("lanner"), "alerts", "export", tmp_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with export:
        assert json.loads(export.stdout.readline())["priority"] == "Warning"
        export.stdout.close()
        assert export.stderr.read() == b""
    assert export.returncode == 0


def test_control_characters_do_not_reach_a_terminal(lanner, tmp_path):
    make_store(tmp_path, [alert(message="red \x1b[31m\r\n\u202e")])
    script = f"{Path(sys.executable).with_name('lanner')} alerts search --keys {tmp_path}"
    shown = {}
    for term in ("xterm", "dumb"):
        environ = os.environ | {"TERM": term, "NO_COLOR": ""}
        shown[term] = subprocess.run(
            ["script", "-qec", script, "/dev/null"], capture_output=True, timeout=PATIENCE, check=True, env=environ
        ).stdout
    assert b": Warning red \\u001b[31m\\r\\n\\u202e\r\n" in shown["dumb"]
    assert b"\x1b[33mWarning\x1b[0m red \\u001b[31m\\r\\n\\u202e\r\n" in shown["xterm"]


@pytest.mark.parametrize("command", [["search"], ["export"], ["show", "0badcafe-1"]])
def test_a_missing_store_is_an_error_that_says_how_to_make_one(lanner, tmp_path, command):
    done = lanner("alerts", command[0], tmp_path / "none", *command[1:])
    assert done.code == 1
    assert done.err == (
        f"lanner: error: there is no alert store at {tmp_path}/none: it does not exist. `lanner run` creates one, with "
        f"-o lanner.store_output.enabled=true -o lanner.store_output.path={tmp_path}/none\n"
    )


@pytest.mark.parametrize("command", [("alerts", "search"), ("console",), ("top",)], ids=lambda command: command[-1])
def test_a_store_that_is_a_file_is_refused_with_the_advice(lanner, tmp_path, command):
    (tmp_path / "file").write_text("text")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        done = lanner(*command, path)
        assert (done.code, done.out) == (1, b"")
        assert done.err == (
            f"lanner: error: there is no alert store at {path}: this is not a directory. Name the directory of a store, which is "
            "$.lanner.store_output.path of the run that writes it\n"
        )


def test_a_damaged_day_is_reported_after_the_other_days(lanner, some):
    path = some / day_name(START // DAY)
    path.write_bytes(b"damaged" * 5000)
    done = lanner("alerts", "search", some)
    assert done.code == 1
    assert done.lines[0].endswith("number 24 -")
    assert len(done.lines) == 24
    assert done.err.startswith(f"lanner: error: the alert store {path} is damaged (file is not a database)")


def test_a_day_without_rights_is_reported_after_the_other_days(lanner, some):
    path = some / day_name(START // DAY)
    path.chmod(0)
    done = lanner("alerts", "search", some, prefix=AS_USER)
    assert done.code == 1
    assert len(done.lines) == 24
    assert str(path) in done.err


def test_a_store_without_rights_is_an_error(lanner, some):
    some.chmod(0)
    try:
        done = lanner("alerts", "search", some, prefix=AS_USER)
    finally:
        some.chmod(0o700)
    assert done.code == 1
    assert done.err.startswith(f"lanner: error: cannot use the alert store {some}: Permission denied")


def test_a_store_in_a_directory_that_cannot_be_written_is_read(lanner, some):
    some.chmod(0o500)
    done = lanner("alerts", "search", some, prefix=AS_USER)
    some.chmod(0o700)
    assert len(numbers(done)) == 47
    assert sorted(path.name for path in some.iterdir()) == [day_name(START // DAY), day_name(START // DAY + 1), "lock"]


def test_a_copy_of_a_running_store_is_read_in_such_a_directory(lanner, some):
    for path in some.glob("*.db"):
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA journal_mode = wal")
    test_a_store_in_a_directory_that_cannot_be_written_is_read(lanner, some)


def test_a_log_in_such_a_directory_is_not_ignored(lanner, some, tmp_path):
    path = some / day_name(START // DAY + 1)
    with closing(StoreWriter(some)) as writer:
        writer.write([raised(48, arrived=START + 47 * HOUR + 1)])
        copy = tmp_path / "copy"
        copy.mkdir()
        shutil.copy(path, copy)
        shutil.copy(f"{path}-wal", copy)
    copy.chmod(0o500)
    done = lanner("alerts", "search", copy, prefix=AS_USER)
    copy.chmod(0o700)
    assert done.code == 1
    assert done.err.startswith(f"lanner: error: cannot use the alert store {copy / path.name}: it has a log, and this user may not write")


def test_a_store_is_read_while_it_is_written(lanner, tmp_path):
    with closing(StoreWriter(tmp_path)) as writer:
        writer.write([raised(1)])
        assert numbers_of(lanner("alerts", "export", tmp_path)) == ["alert 1"]
        writer.write([raised(2)])
        assert numbers_of(lanner("alerts", "export", tmp_path)) == ["alert 1", "alert 2"]


def numbers_of(done):
    assert (done.code, done.err) == (0, "")
    return [json.loads(line)["output"] for line in done.lines]


def test_an_alert_is_shown_with_its_fields_its_event_and_why_it_fired(lanner, stored):
    store, _ = stored
    (key,) = {line.split()[0] for line in lanner("alerts", "search", store, "--keys", "--limit", "80", 'rule:"reverse shell*"').lines[-1:]}
    done = lanner("alerts", "show", store, key)
    assert (done.code, done.err) == (0, "")
    text = done.out.decode()
    assert text.startswith(f"Reverse shell in a container\nkey       {key}\npriority  Critical\nsource    docker\nsubject   shop-web-1\n")
    assert "\n  docker.exec.command       nc -l -p 4444 -e /bin/sh\n" in text
    assert '\nEvent (550 bytes)\n  {"status":"exec_start: nc -l' in text
    assert "docker_rules.yaml:" in text.partition("Why it fired (")[2]
    assert '  yes      docker.exec.command glob "*nc* -e *"   -> "nc -l -p 4444 -e /bin/sh"\n' in text
    assert "Exception" not in text
    text = lanner("alerts", "show", store, f"http://127.0.0.1:8766/#alert={key}", "--exception").out.decode()
    assert "\n  - rule: Reverse shell in a container\n    exceptions:\n" in text.partition("\nException for alerts like this one\n")[2]
    assert re.search(r"\n  Note: It would have silenced \d+ of the \d+ alerts of this rule in the store\.\n", text)
    found = json.loads(lanner("alerts", "show", store, key, "--format", "json").out)
    assert (found["key"], found["rule"], found["event_size"], found["why"]["matches"]) == (key, "Reverse shell in a container", 550, True)


def test_an_alert_whose_plugin_is_missing_is_shown_without_its_reason(lanner, some):
    done = lanner("alerts", "show", some, "0badcafe-7")
    assert done.code == 0
    assert "Event (3 bytes)\n  {}\n" in done.out.decode()
    assert done.lines[-1].startswith("Why it fired: unavailable, ")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("0badcafe-99", "no alert 0badcafe-99 in {}: the last alert of its run that was stored is 0badcafe-"),
        ("00c0ffee-1", "no alert 00c0ffee-1 in {}: no alert of its run 00c0ffee is there. Retention has removed them, or another store"),
        ("x", "'x' is not the key of an alert, such as 1f0c22ab-17: `lanner alerts search --keys` prints the keys"),
        ("", "'' is not the key of an alert"),
        ("\x1b[31m", "is not the key of an alert"),
    ],
)
def test_an_alert_that_the_store_does_not_have_is_an_error_with_the_reason(lanner, some, key, said):
    done = lanner("alerts", "show", some, key)
    assert done.code == 1
    assert said.format(some) in done.err
    assert "\x1b" not in done.err


@pytest.mark.parametrize("command", [("alerts", "show", "DIR", "0badcafe-7"), ("console", "DIR"), ("top", "DIR")])
@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        ("nix.py", "the plugin file nix.py does not exist"),
        ("nix", "no plugin named 'nix'"),
        ("dockr", "did you mean 'docker'?"),
        ("nix:Nix", "there is no module 'nix'"),
        ("lib.so", "lib.so is a compiled plugin"),
        ("", "invalid plugin name ''"),
    ],
)
def test_a_plugin_that_does_not_exist_is_an_error_at_the_start(lanner, some, command, plugin, said):
    done = lanner(*(some if word == "DIR" else word for word in command), "--plugin", plugin)
    assert done.code == 2
    assert f"--plugin: {said}" in done.err or (said in done.err and "--plugin: " in done.err)
    assert not done.out


def test_a_plugin_of_any_kind_that_exists_is_accepted(lanner, some, tmp_path):
    (tmp_path / "shop.py").write_text("raise SystemExit('not run here')\n")
    for plugin in ("docker", tmp_path / "shop.py", f"{tmp_path / 'shop.py'}:Shop", "lanner.docker:Docker"):
        done = lanner("alerts", "show", some, "0badcafe-7", "--plugin", plugin)
        assert done.code == 0, done.err


@pytest.mark.parametrize("command", [("alerts", "show", "DIR", "0badcafe-7"), ("console", "DIR"), ("top", "DIR")])
def test_a_configuration_that_cannot_be_read_is_named(lanner, some, command):
    done = lanner(*(some if word == "DIR" else word for word in command), "--config", "@nix.json")
    assert done.code == 2
    assert "--config: cannot read nix.json: No such file or directory" in done.err


def test_a_key_in_upper_case_is_found(lanner, some):
    assert lanner("alerts", "show", some, "0BADCAFE-7").out == lanner("alerts", "show", some, "0badcafe-7").out


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("docker.acton.name:start", "no alert was found with a field 'docker.acton.name': did you mean 'docker.action.name'?"),
        ("-docker.acton.name:start", "no alert was found with a field 'docker.acton.name': did you mean 'docker.action.name'?"),
        ("docker.acton.name>0", "no alert was found with a field 'docker.acton.name': did you mean 'docker.action.name'?"),
        ("docker.acton.name in (start, stop)", "no alert was found with a field 'docker.acton.name': did you mean 'docker.action.name'?"),
        ("docker.acton:start", "no alert was found with a field 'docker.acton': did you mean 'docker.action.name'?"),
        ("source:dokcer", "no alert was found with source 'dokcer': did you mean source:\"docker\"?"),
        ('rule:"Reverse shel in a container"', 'did you mean rule:"Reverse shell in a container"?'),
        ("severity:warning", "'severity' is not a key of filters and is searched as text: did you mean 'priority'?"),
        ('rule:"Reverse', "a quote is not closed"),
        ("rule:Reverse shell", 'write rule:"Reverse shell" if it belongs to the rule\'s name'),
    ],
)
def test_a_name_or_value_that_the_store_does_not_have_is_a_note(lanner, stored, text, note):
    done = lanner("alerts", "search", stored[0], text)
    assert done.code == 0
    assert f"note: {note}" in done.err or note in done.err


@pytest.mark.parametrize("text", ["docker.action.name:nothing", "example.com:443", "source:docker", "rule:reverse*", "x.y:z"])
def test_names_and_values_of_the_store_have_no_note(lanner, stored, text):
    assert "note:" not in lanner("alerts", "search", stored[0], text).err
