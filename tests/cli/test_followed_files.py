"""A run writes nothing to the files that its event source reads: what it writes there would be events again, without end."""

import pytest

from .refused_reload import reload_with_output

pytestmark = pytest.mark.slow

PLUGIN = """
import lanner
from lanner import sources

class Returned(lanner.Plugin):
    '''Lines'''
    id, name, version, event_source, contact = 999, "lines", "0.1.0", "lines", "the tests"
    fields = (lanner.field("lines.text", lanner.payload["text"], "The line"),)
    def open(self, params):
        return sources.tail(params)

class Generated(Returned):
    '''Lines'''
    def open(self, params):
        yield from sources.tail(params)

class Keeping(Returned):
    '''Lines'''
    def open(self, params):
        texts = sources.StateTexts("cursor", "name another file", "name another file")
        self.state = sources.StateFile(params, 1.0, texts, lambda: None, lambda: None, lambda: None)
        return iter(())

class Own(Returned):
    '''Lines'''
    def open(self, params):
        class Reads(sources.Feed):
            def events(self):
                return iter(())
        return iter(Reads("reads", files=[params]))
"""
LINE = '{"text": "first"}\n'
RULE = "- {rule: R, desc: d, condition: evt.num > 0, output: got %lines.text, priority: WARNING, source: lines}\n"


@pytest.fixture
def log(tmp_path):
    """A plugin, a rule, and a log file with one line and another name."""
    (tmp_path / "lines.py").write_text(PLUGIN)
    (tmp_path / "r.yaml").write_text(RULE)
    (tmp_path / "app.log").write_text(LINE)
    (tmp_path / "other.log").symlink_to("app.log")
    return tmp_path / "app.log"


def _run(lanner, log, name, params, *options, **more):
    return lanner("run", f"lines.py:{name}", "-r", "r.yaml", "--open", params, "--duration", "20", *options, cwd=log.parent, **more)


@pytest.mark.parametrize("name", ["Returned", "Generated"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--output app.log", "this command follows app.log, and would also write to it (--output): name another file"),
        ("--output other.log", "this command follows app.log, and would also write to it, as other.log (--output)"),
        (
            "-o file_output.enabled=true -o file_output.filename=./app.log",
            "-o file_output.filename: this command follows app.log, and would also write to it, as ./app.log ($.file_output.filename)",
        ),
        (
            "--output app.log.alerts",
            "this command follows app.log, and would take for a rotated form of it app.log.alerts, and would also write to it (--output)",
        ),
        (
            "-o metrics.enabled=true -o metrics.interval=1s -o metrics.output_file=app.log",
            "this command follows app.log, and would also write to it ($.metrics.output_file)",
        ),
    ],
)
def test_a_run_does_not_write_to_what_it_follows(lanner, log, name, options, said):
    done = _run(lanner, log, name, "app.log", *options.split())
    assert (done.code, done.out) == (2, b"")
    assert said in done.err
    assert log.read_text() == LINE


@pytest.mark.parametrize(("stream", "said"), [("stdout", "standard output"), ("stderr", "standard error")])
def test_streams_are_files_too(lanner, log, stream, said):
    with log.open("ab") as opened:
        done = _run(lanner, log, "Generated", "app.log", **{stream: opened})
    assert done.code == 2
    text = log.read_text()
    if stream == "stderr":  # the messages are in the log then
        assert text.count("\n") < 10
    else:
        text = done.err
    assert f"this command follows app.log, and would also write to it ({said}): name another file" in text


def test_a_recording_does_not_grow_by_what_it_records(lanner, log):
    for name in ("Returned", "Generated"):
        done = lanner("record", f"lines.py:{name}", "--open", "app.log", "-o", "other.log", "--duration", "20", cwd=log.parent)
        assert done.code == 2
        assert "this command follows app.log, and would also write to it, as other.log (-o): name another file" in done.err
        assert log.read_text() == LINE


def test_the_files_of_other_sources_are_inputs(lanner, log):
    done = _run(lanner, log, "Own", "app.log", "--output", "app.log")
    assert (done.code, "this command reads app.log, and would also write to it (--output)" in done.err) == (2, True)
    for name in ("state", "state.lock"):
        done = _run(lanner, log, "Keeping", "state", "--output", name)
        assert done.code == 2
        assert f"/{name}, and would also write to it, as {name} (--output): name another file" in done.err


def test_other_files_are_written(lanner, log):
    done = _run(lanner, log, "Returned", "app.log", "--output", "alerts.log", "--max-events", "1")
    assert done.code == 0, done.err
    assert "Warning got first" in (log.parent / "alerts.log").read_text()


def test_a_reload_does_not_write_to_what_is_followed(start, log):
    """The run keeps its outputs."""
    config = log.parent / "falco.yaml"
    config.write_text(f"file_output:\n  enabled: true\n  filename: {log.parent / 'out'}\n")
    plugin, rules = log.parent / "lines.py", log.parent / "r.yaml"
    process = start("run", f"{plugin}:Returned", "-c", config, "-r", rules, "--open", log)
    assert b"this command follows " in reload_with_output(process, config, log.parent / "other.log")
    assert log.read_text() == LINE


@pytest.mark.parametrize("content", ["first\n", "123 456\n", "x" * 100, "1\n" * 20])
def test_only_a_process_id_is_replaced_by_a_process_id(lanner, log, content):
    log.write_text(content)
    done = _run(lanner, log, "Returned", "app.log", "-P", "app.log")
    assert (done.code, done.out) == (2, b"")
    assert "app.log exists and has no process ID, so it is not overwritten: choose another file with --pidfile, or remove it" in done.err
    assert log.read_text() == content


@pytest.mark.parametrize("content", [None, "", "4711", " 4711\n"])
def test_a_process_id_is_replaced(lanner, log, content):
    pid = log.parent / "run.pid"
    if content is not None:
        pid.write_text(content)
    assert _run(lanner, log, "Returned", "app.log", "-P", pid, "--max-events", "1").code == 0
    assert pid.read_text().isdigit()
