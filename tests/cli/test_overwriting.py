"""No output of a command destroys a file that it reads, and no report a file that is not one."""

import shutil

import pytest

from .conftest import PLUGINS
from .refused_reload import reload_with_output

RULE = "- {rule: R, desc: d, condition: docker.action exists, output: got it, priority: WARNING, source: docker}\n"


@pytest.fixture
def files(tmp_path, example):
    """A recording, a rules file, a configuration, and other names of them."""
    shutil.copy(example, tmp_path / "e.jsonl")
    (tmp_path / "r.yaml").write_text(RULE)
    (tmp_path / "falco.yaml").write_text("json_output: false\n")
    (tmp_path / "options.yaml").write_text("inspect: false\n")
    (tmp_path / "link.jsonl").symlink_to("e.jsonl")
    (tmp_path / "hard.yaml").hardlink_to(tmp_path / "r.yaml")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--output e.jsonl", "the recording e.jsonl, and would also write to it (--output): name another file"),
        ("--output link.jsonl", "the recording e.jsonl, and would also write to it, as link.jsonl (--output)"),
        ("--output r.yaml", "the rules file r.yaml, and would also write to it (--output)"),
        ("--output hard.yaml", "the rules file r.yaml, and would also write to it, as hard.yaml (--output)"),
        ("--output falco.yaml", "the configuration file falco.yaml, and would also write to it (--output)"),
        ("--output options.yaml", "the plugin's configuration options.yaml, and would also write to it (--output)"),
        ("--dry-run --output e.jsonl", "the recording e.jsonl, and would also write to it (--output)"),
        (
            "-o file_output.enabled=true -o file_output.filename=./e.jsonl",
            "the recording e.jsonl, and would also write to it, as ./e.jsonl ($.file_output.filename)",
        ),
        ("--report e.jsonl", "the recording e.jsonl, and would also write to it (--report)"),
        ("--report hard.yaml", "the rules file r.yaml, and would also write to it, as hard.yaml (--report)"),
        ("-P link.jsonl", "the recording e.jsonl, and would also write to it, as link.jsonl (--pidfile)"),
        ("--output new --report new", "this command writes the output new, and would also write to it (--report)"),
    ],
)
def test_a_run_does_not_write_to_its_inputs(lanner, files, options, said):
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    common = ("run", "docker", "-c", "falco.yaml", "-r", "r.yaml", "--config", "@options.yaml", "--replay", "e*.jsonl")
    done = lanner(*common, *options.split(), cwd=files)
    assert (done.code, done.out) == (2, b"")
    assert said in done.err
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before


def test_the_place_of_the_output_is_named(lanner, files):
    (files / "falco.yaml").write_text("file_output:\n  enabled: true\n  filename: r.yaml\n")
    done = lanner("run", "docker", "-c", "falco.yaml", "-r", "r.yaml", "--replay", "e.jsonl", cwd=files)
    assert done.code == 2
    assert "error: falco.yaml:3: this command reads the rules file r.yaml" in done.err
    assert (files / "r.yaml").read_text() == RULE


def test_a_plugin_is_an_input(lanner, plugin, words, files):
    shutil.copy(PLUGINS, files / "plugins.py")
    before = (files / "plugins.py").read_bytes()
    for command in (
        ("run", "plugins.py:Words", "-o", "lanner.allow_no_rules=true", "--open", words(b"a"), "--output", "plugins.py"),
        ("record", "plugins.py:Words", "--open", words(b"a"), "-o", "plugins.py"),
    ):
        done = lanner(*command, cwd=files)
        assert done.code == 2, done.err
        assert "this command reads the plugin" in done.err
    assert (files / "plugins.py").read_bytes() == before


def test_a_recording_does_not_replace_the_configuration(lanner, files):
    done = lanner("record", "docker", "--config", "@options.yaml", "-o", "options.yaml", cwd=files)
    assert done.code == 2
    assert "the plugin's configuration options.yaml, and would also write to it (-o)" in done.err
    assert (files / "options.yaml").read_text() == "inspect: false\n"


def test_streams_are_files_too(lanner, files):
    """A loop through standard input or output is one, too; a device is none."""
    recording = files / "e.jsonl"
    before = recording.read_bytes()
    with recording.open("ab") as opened:
        done = lanner("run", "docker", "-r", "r.yaml", "--replay", "e.jsonl", cwd=files, stdout=opened)
    assert done.code == 2
    assert "standard output" in done.err
    assert recording.read_bytes() == before
    assert lanner("run", "docker", "-r", "r.yaml", "--replay", "e.jsonl", "--output", "/dev/null", cwd=files).code == 0
    assert lanner("run", "docker", "-r", "r.yaml", "--replay", "/dev/stdin", "--output", "/dev/stdout", stdin=before, cwd=files).code == 0


def test_only_a_report_is_replaced_by_a_report(lanner, files):
    common = ("run", "docker", "-r", "r.yaml", "--replay", "e.jsonl", "--report")
    for name, text in (("d2.py", "x = 1\n"), ("page.html", "<!doctype html>\n<p>mine\n"), ("copy.jsonl", (files / "e.jsonl").read_text())):
        (files / name).write_text(text)
        for more in ((), ("--dry-run",)):
            done = lanner(*common, name, *more, cwd=files)
            assert (done.code, done.out) == (2, b"")
            assert (
                f"{name} exists and is not a report, so it is not overwritten: choose another file with --report, or remove it" in done.err
            )
        assert (files / name).read_text() == text
    (files / "empty.html").touch()
    for name in ("new.html", "new.html", "empty.html", "/dev/null"):
        assert lanner(*common, name, cwd=files).code == 0
    assert b'id="data"' in (files / "new.html").read_bytes()


def test_a_reload_does_not_write_to_an_input(start, plugin, files):
    """The run keeps its outputs."""
    words = files / "words.yaml"
    words.write_text(RULE.replace("docker.action exists", "evt.num > 0").replace("docker", "ticks"))
    before = words.read_bytes()
    config = files / "falco.yaml"
    config.write_text("file_output:\n  enabled: true\n  filename: " + str(files / "out") + "\n")
    process = start("run", plugin("Ticks"), "-c", config, "-r", words, "--open", "100")
    assert b"this command reads the rules file" in reload_with_output(process, config, words)
    assert words.read_bytes() == before
