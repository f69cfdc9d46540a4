"""The exit statuses that docs/operating.md lists: 2 for wrong usage, 3 where the event source cannot be opened."""

import re

import pytest

WRONG_PARAMS = [
    (["--open", "since=abc"], "error: `since` is 'abc', which is not a time: write seconds since 1970"),
    (["--open", "sinc=1"], "error: the open parameters have 'sinc', which is none of since, until, filters: did you mean 'since'?"),
    (["--open", "since"], "error: the open parameters have 'since', which is not key=value"),
    (["--open", '{"until": []}'], "error: `until` is [], which is not a time"),
    (["--open", "filters={"], "error: `filters` is invalid JSON"),
    (["--open", "filters=[1]"], "error: invalid `filters`"),
    (["--host", "nonsense"], "error: invalid engine address 'nonsense'"),
    (["--host", "tcp://[::1"], "error: invalid engine address"),
    (["--host", "ssh://-oProxyCommand=x"], "error: invalid engine address"),
    (["--config", '{"until": "never"}'], "error: `$.until` is 'never', which is not a time"),
]
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["generator", "async", "iterator"])
@pytest.mark.parametrize("command", ["run", "record"])
def test_a_source_that_fails_before_it_yields_cannot_be_opened(lanner, plugin, rules, tmp_path, command, kind):
    recording = tmp_path / "recording"
    recording.write_text("of before\n")
    more = ["-o", recording] if command == "record" else ["-r", rules("away", output="x")]
    done = lanner(command, plugin("Away"), "--open", kind, *more)
    assert done.code == 3
    assert "error: plugin away: open: FileNotFoundError: [Errno 2] No such file or directory: '/nonexistent/events' (" in done.err
    assert recording.read_text() == "of before\n"


@pytest.mark.parametrize("command", ["run", "record", "dry run"])
@pytest.mark.parametrize(("given", "said"), WRONG_PARAMS)
def test_wrong_open_parameters_are_wrong_usage(lanner, tmp_path, command, given, said):
    more = {"record": ["-o", tmp_path / "x"], "dry run": ["--dry-run"]}.get(command, [])
    done = lanner(command.split()[-1], "docker", *given, *more)
    assert (done.code, done.out) == (2, b""), done.err
    assert said in done.err
    assert not (tmp_path / "x").exists()


def test_a_plugin_of_ones_own_checks_its_open_parameters(lanner, plugin, rules):
    for more in ([], ["--dry-run"]):
        done = lanner("run", plugin("Choosy"), "--open", "nope", "-r", rules("choosy", output="x"), *more)
        assert (done.code, done.out) == (2, b""), done.err
        assert "lanner: error: there is no door 'nope'\n" in done.err


ERRORS = ["ValueError", "ConfigError", "UsageError"]
REFUSALS = [
    *(("run", place, "") for place in ("__init__", "check_open_params", "open", "first event", "second event")),
    *(("run", place, "chunks") for place in ("first event", "second event")),
    *(("dry run", place, "") for place in ("__init__", "check_open_params")),
    *(("record", place, "") for place in ("__init__", "open", "first event")),
]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(("command", "place", "params"), REFUSALS)
def test_the_status_says_what_a_plugin_refuses(lanner, plugin, rules, tmp_path, command, place, params, error):
    opening = place in {"check_open_params", "open", "first event"}
    more = ["-o", tmp_path / "recording"] if command == "record" else ["-r", rules("refusing", output="x")]
    flags = ["--dry-run"] if command == "dry run" else []
    env = {"REFUSES": f"{place}: {error}"}
    done = lanner(command.split()[-1], plugin("Refusing"), "--open", params, *more, *flags, env=env)
    assert done.code == (1 if not opening else 2 if error == "UsageError" else 3), done.err
    assert "no such door" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("error", ERRORS)
def test_a_build_fails_only_if_init_refuses(lanner, plugin, tmp_path, error):
    for place, code in (("__init__", 1), ("check_open_params", 0), ("open", 0), ("first event", 0)):
        done = lanner("build", plugin("Refusing"), "-o", tmp_path / "libx.so", env={"REFUSES": f"{place}: {error}"})
        assert done.code == code, done.err
        assert "no such door" in done.err + done.out.decode()


@pytest.mark.parametrize("command", ["run", "record", "fields", "plugin", "build", "package", "rules show", "rules check", "rules explain"])
@pytest.mark.parametrize("name", ["dokcer", "missing.py", "missing:Class", "json:Class", "doors.py:Windows", ""])
def test_an_unknown_plugin_is_wrong_usage(lanner, tmp_path, command, name):
    (tmp_path / "doors.py").write_text("import lanner\n")
    more = {
        "record": ["-o", "x"],
        "package": ["-o", "."],
        "rules check": ["--plugin", name],
        "rules explain": ["--replay", "x", "--plugin", name],
    }
    arguments = more.get(command, [])
    given = ["x"] if "--plugin" in arguments else [name]
    done = lanner(*command.split(), *given, *arguments, cwd=tmp_path)
    assert (done.code, done.out) == (2, b""), done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["run", "record"])
def test_a_plugin_without_a_source_is_wrong_usage(lanner, plugin, tmp_path, command):
    more = ["-o", tmp_path / "x"] if command == "record" else []
    done = lanner(command, plugin("Extractor"), *more)
    assert (done.code, done.out) == (2, b"")
    assert f"error: the plugin extractor has no event source, so there is nothing to {command}" in done.err


def test_a_plugin_that_cannot_be_imported_is_a_failure(lanner, tmp_path):
    (tmp_path / "doors.py").write_text("import missing_library\n")
    for name in ("doors.py", "doors:Doors"):
        done = lanner("fields", name, cwd=tmp_path)
        assert done.code == 1
        assert "ModuleNotFoundError: No module named 'missing_library'" in done.err


def test_a_log_file_that_is_a_directory_cannot_be_opened(lanner, rules, tmp_path):
    (tmp_path / "follow.py").write_text(
        "import lanner\nfrom lanner import sources\n\n\nclass Follow(lanner.Plugin):\n    'Lines.'\n\n"
        "    id, name, version, event_source, contact = 999, 'follow', '0.1.0', 'follow', 'the tests'\n\n"
        "    def open(self, params: str):\n        return sources.tail(params)\n"
    )
    path = rules("follow", output="x")
    done = lanner("run", tmp_path / "follow.py", "-r", path, "--open", tmp_path)
    assert done.code == 3, done.err
    assert f"cannot follow {tmp_path}" in done.err


def test_a_bug_in_a_plugin_is_not_one_in_lanner(lanner, plugin, rules):
    done = lanner("run", plugin("Unlooked"), "-r", rules("unlooked"))
    assert done.code == 1
    assert re.search(r"error: KeyError: 'prefixes' \(.*plugins\.py, line \d+\)\nThis is a bug in that file, not in Lanner", done.err)
