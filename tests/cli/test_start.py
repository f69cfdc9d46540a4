"""How the command line begins: help, version, and what a name, a configuration or a rules file can be wrong in."""

import contextlib
import itertools
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lanner import __version__

from ..waiting import PATIENCE

pytestmark = pytest.mark.slow


def test_the_version_is_printed(lanner):
    done = lanner("--version")
    assert (done.code, done.out.decode(), done.err) == (0, f"lanner {__version__}\n", "")


def test_the_version_imports_nothing_heavy():
    code = (
        "import sys; before = set(sys.modules); sys.argv = ['lanner', '--version']\n"
        "from lanner.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    version, modules = done.stdout.splitlines()
    assert version == f"lanner {__version__}"
    imported = set(modules.split())
    assert {name for name in imported if name.startswith("lanner")} == {
        "lanner",
        "lanner._lazy",
        "lanner._version",
        "lanner.cli",
        "lanner.cli.main",
        "lanner.cli.messages",
        "lanner.sdk",
        "lanner.sdk.signals",
    }
    assert not imported & {"click", "msgspec", "yaml", "rich", "re2", "json", "logging", "inspect", "dataclasses", "pathlib", "socket"}


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_every_command(lanner, option):
    done = lanner(option)
    assert (done.code, done.err) == (0, "")
    for command in ("run", "record", "fields", "plugin", "build"):
        assert f"\n  {command} " in done.out.decode()


def test_no_command_shows_the_help_and_is_wrong_usage(lanner):
    done = lanner()
    assert (done.code, done.out) == (2, b"")
    assert "Commands:" in done.err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["rum"], "No such command 'rum'"),
        (["run"], "Missing argument 'PLUGIN'"),
        (["run", "docker", "--max-events", "0"], "'--max-events'"),
        (["run", "docker", "--format", "xml"], "'xml' is not one of 'text', 'json'"),
    ],
    ids=["command", "argument", "bound", "choice"],
)
def test_wrong_usage_is_said_with_a_way_to_help(lanner, arguments, problem):
    done = lanner(*arguments)
    assert (done.code, done.out) == (2, b"")
    assert done.err.startswith("lanner: error: ")
    assert problem in done.err
    assert "--help" in done.err


def test_an_unknown_plugin_is_answered_with_one_that_there_is(lanner):
    done = lanner("run", "dokcer")
    assert done.code == 2
    assert done.err == (
        "lanner: error: no plugin named 'dokcer': did you mean 'docker'? built-in plugins: docker; "
        "name your own as module:Class or path/to/file.py[:Class]\n"
    )


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import lanner\n\nclass Doors(lanner.Plugin)\n    pass\n", r"SyntaxError: expected ':' (doors.py, line 3)"),
        (
            "import lanner\n\nclass Doors(lanner.Plugin):\n    '''Doors.'''\n    name, version = 'doors', '0.1.0'\n",
            "line 3: DefinitionError: plugin class Doors: 'contact' is missing",
        ),
        ("x = 1\n", "it has no class that derives from lanner.Plugin"),
    ],
    ids=["syntax", "definition", "none"],
)
def test_a_plugin_file_that_cannot_be_used_is_said_with_its_place(lanner, tmp_path, code, problem):
    path = tmp_path / "doors.py"
    path.write_text(code)
    done = lanner("fields", path)
    assert (done.code, done.out) == (1, b"")
    assert done.err.startswith("lanner: error: ")
    assert str(path) in done.err
    assert problem in done.err
    assert "Traceback" not in done.err


def test_a_plugin_without_a_source_cannot_be_run(lanner, plugin):
    done = lanner("run", plugin("Extractor"))
    assert done.code == 2
    assert done.err.startswith(
        "lanner: error: the plugin extractor has no event source, so there is nothing to run. Load it with the plugin of "
    )
    assert "`plugins` and `load_plugins` of a falco.yaml, and use `lanner run -c falco.yaml`" in done.err


def test_nor_can_its_events_be_recorded(lanner, plugin, tmp_path):
    done = lanner("record", plugin("Extractor"), "-o", tmp_path / "events.jsonl")
    assert done.code == 2
    assert "nothing to record: record with the plugin of its events" in done.err


def test_a_plugin_that_ships_no_rules_needs_a_file(lanner, plugin):
    done = lanner("run", plugin("Words"))
    assert (done.code, done.err) == (1, "lanner: error: the plugin words ships no rules: name a rules file with -r FILE\n")


def test_an_option_out_of_bounds_is_said_with_its_path_and_the_bound(lanner):
    done = lanner("run", "docker", "--config", '{"flushInterval": -1}')
    assert (done.code, done.err) == (1, "lanner: error: plugin docker: Expected `int` >= 0 - at `$.flushInterval`\n")


_RULE = """\
- rule: Volumes
  desc: Something about volumes
  condition: CONDITION
  output: volume %docker.actor.id
  priority: NOTICE
  source: docker
"""


# the place of the mistake is between the brackets
@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        (_RULE.replace("CONDITION", "docker.type = volume and⟦⟧"), "expected"),
        (_RULE.replace("CONDITION", "⟦docker.tipe = volume⟧"), "docker.tipe"),
        (_RULE.replace("CONDITION", "⟦docker.exitcode = many⟧"), "many"),
        (_RULE.replace("CONDITION", "docker.type = volume and ⟦is_odd⟧"), "is_odd"),
        ("- macro: one\n  condition: docker.type exists or ⟦one⟧\n" + _RULE.replace("CONDITION", "one"), "one"),
        (_RULE.replace("CONDITION", "docker.type = volume").replace("%docker.actor.id", "⟦%docker.actor.it⟧"), "unknown filter"),
    ],
    ids=["syntax", "field", "type", "macro", "loop", "output"],
)
def test_a_mistake_in_rules_is_shown_where_it_stands(lanner, tmp_path, rules, problem):
    before, _, rest = rules.partition("⟦")
    span, _, after = rest.partition("⟧")
    path = tmp_path / "rules.yaml"
    path.write_text(before + span + after)
    done = lanner("run", "docker", "-r", path, "--replay", os.devnull)
    assert (done.code, done.out) == (1, b"")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    errors = done.err.splitlines()
    start = next((place for place, text in enumerate(errors) if text.startswith(f"{path}:{line}:{column}: error: ")), None)
    assert start is not None, done.err
    assert problem in errors[start]
    # the snippet is set in by two
    assert errors[start + 1] == "  " + (before + span + after).splitlines()[line - 1]
    assert errors[start + 2] == "  " + " " * (column - 1) + "^" * max(1, len(span))
    assert errors[-1] == "lanner: error: the rules have 1 error; `lanner rules check` shows all findings"


def test_a_rules_file_that_is_not_there_is_said(lanner, tmp_path):
    done = lanner("run", "docker", "-r", tmp_path / "rules.yaml")
    assert (done.code, done.out) == (1, b"")
    assert str(tmp_path / "rules.yaml") in done.err
    assert "No such file" in done.err
    assert done.err.splitlines()[-1] == "lanner: error: the rules have 1 error"
    assert "Traceback" not in done.err


def test_the_fields_are_reported_as_falcos_get_fields_does(lanner):
    done = lanner("fields", "docker", "--json")
    assert done.code == 0
    fields = {field["name"]: field for field in json.loads(done.out)}
    assert fields["docker.attributes"] == {
        "name": "docker.attributes",
        "type": "string",
        "isList": False,
        "desc": fields["docker.attributes"]["desc"],
        "arg": {"isRequired": True, "isIndex": False, "isKey": True},
    }
    assert fields["docker.attributes.keys"]["isList"] is True
    assert fields["docker.exitcode"]["type"] == "uint64"


def test_the_fields_are_shown_as_a_table(lanner):
    header, *rows = lanner("fields", "docker").lines
    assert header.split() == ["NAME", "TYPE", "DESCRIPTION"]
    assert any(row.startswith("docker.attributes[key] ") for row in rows)
    assert len({row.find(row.split(maxsplit=1)[1]) for row in rows if row.split()[1] == "string"}) == 1


def test_a_plugin_is_reported_with_its_schema(lanner):
    facts = json.loads(lanner("plugin", "docker", "--json").out)
    assert (facts["name"], facts["id"], facts["event_source"]) == ("docker", 5, "docker")
    assert set(facts["init_schema"]["properties"]) > {"flushInterval", "host", "hosts", "since", "until", "filters", "cursor", "inspect"}
    for file in ("rules_file", "recording"):
        assert Path(facts[file]).is_file()


def test_a_plugin_is_shown_with_its_options(lanner):
    shown = lanner("plugin", "docker").lines
    assert any(line.split()[0:2] == ["event", "source"] and line.endswith(" docker") for line in shown)
    assert any(line.split() == ["OPTION", "TYPE", "DEFAULT", "DESCRIPTION"] for line in shown)
    assert any(line.startswith("flushInterval  ") for line in shown)


def test_a_reader_that_has_gone_is_no_failure(lanner):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        for arguments in (["fields", "docker"], ["plugin", "docker"], ["--help"], ["--version"]):
            done = lanner(*arguments, stdout=writer)
            assert (done.code, done.err) == (0, ""), arguments
    finally:
        os.close(writer)


@pytest.mark.parametrize("arguments", [["fields", "docker"], ["plugin", "docker"], ["--version"]], ids=["large", "small", "version"])
def test_a_full_device_is_said(lanner, arguments):
    with Path("/dev/full").open("wb") as full:
        done = lanner(*arguments, stdout=full)
    assert (done.code, done.err) == (1, "lanner: error: cannot write to standard output: No space left on device\n")


def test_a_closed_standard_output_is_said_and_no_other_file_is_written_to(lanner, example):
    for arguments in (["fields", "docker"], ["run", "docker", "--replay", example]):
        done = lanner(*arguments, preexec_fn=lambda: os.close(1))
        assert done.code == 1
        assert "standard output: Bad file descriptor" in done.err
        assert "defect" not in done.err


def test_a_closed_standard_input_is_said(lanner):
    done = lanner("run", "docker", "--replay", "-", stdin=None, preexec_fn=lambda: os.close(0))
    assert done.code == 1
    assert "cannot read the recording -: Bad file descriptor" in done.err


def test_rules_of_other_sources_are_summed_up_beside_an_error_too(lanner, rules, tmp_path):
    rule = "- rule: {}\n  desc: d\n  condition: docker.type = container\n  output: o\n  priority: NOTICE\n  source: dokcer\n"
    foreign = tmp_path / "foreign.yaml"
    foreign.write_text("".join(rule.format(f"Rule {number}") for number in range(5)))
    done = lanner("run", "docker", "-r", foreign, "-r", rules("docker", "docker.tpye = x"), "--replay", os.devnull)
    assert done.code == 1
    assert "5 rules of other event sources left out" in done.err
    assert done.err.count("Unknown source") == 3
    assert "docker.yaml:4:16: error: " in done.err


def test_a_table_on_a_terminal_is_not_padded(start):
    primary, secondary = pty.openpty()
    process = start("fields", "docker", columns="125", stdout=secondary)
    os.close(secondary)
    shown = b""
    with contextlib.suppress(OSError):  # the other side is closed
        while more := os.read(primary, 65536):
            shown += more
    os.close(primary)
    assert process.wait(PATIENCE) == 0
    lines = shown.decode().split("\r\n")
    assert len(lines) > 50
    assert [line for line in lines if line != line.rstrip()] == []


def test_each_line_of_a_hint_is_a_line(start, plugin, rules):
    process = start("run", plugin("Hinting"), "-r", rules("hinting", "words.text = never"), "--open", "")
    said = b"".join(itertools.takewhile(lambda line: line != b"    say more\n", process.stderr))
    assert b"    say something\n" in said
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)


def test_a_run_imports_no_lints_and_no_reports(tmp_path):
    """These modules would slow down the start, and most runs need none of them."""
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    code = (
        f"import sys; sys.argv = ['lanner', 'run', 'docker', '--replay', {str(empty)!r}]\n"
        "from lanner.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "lanner.rules.plan.compile" in imported
    rooms = ("lanner.rules.lint", "lanner.rules.report", "lanner.doctor", "lanner.package", "lanner.bundle", "lanner.testing")
    assert not [name for name in imported if name.startswith(rooms)]
    assert "lanner.sdk.options.config_class" not in imported  # checks of a plugin class, which the tests make for a built-in plugin
