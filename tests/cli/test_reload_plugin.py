"""`lanner run --reload`: a plugin that changes during a run is reloaded; an error is shown, and the old one stays."""

import os
import select
import signal
import time

import pytest

from ..waiting import PATIENCE

pytestmark = pytest.mark.slow

PLUGIN = '''
import itertools, time
import lanner
from helper import WORD

class Counter(lanner.Plugin):
    """Counts on."""

    id, name, version, event_source, contact = 999, "counter", "0.1.0", "counter", "github.com/you/counter"
    fields = (lanner.field("counter.value", lanner.payload["value"].integer(), "Value"),)

    def open(self, params, position):
        for number in itertools.count((position or 0) + 1):
            yield lanner.Event('{"value": %d}' % number, position=number)
            time.sleep(0.005)

    @lanner.field("counter.word", "A word")
    def word(self, event: lanner.Event) -> str:
        return WORD
'''
RULE = "- rule: Count\n  desc: d\n  condition: evt.num > 0\n  output: '{output}'\n  priority: NOTICE\n  source: counter\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "counter.py").write_text(PLUGIN)
    (tmp_path / "helper.py").write_text("WORD = 'one'\n")
    (tmp_path / "rules.yaml").write_text(RULE.format(output="%counter.value %counter.word"))
    return tmp_path


@pytest.fixture
def run(folder, start):
    """The running command, in the directory of the plugin."""

    def begin(*options, plugin="counter.py"):
        state = f"lanner.state_directory={folder / 'state'}"
        return start("run", plugin, "-r", "rules.yaml", "-o", state, "--reload", *options, cwd=folder)

    return begin


def replace(path, text):
    other = path.with_name("other.tmp")
    other.write_text(text)
    other.rename(path)


def until(stream, words):
    """Read lines of the stream until these words appear, and return all of them."""
    lines, deadline = [], time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if select.select([stream], [], [], 0.2)[0] or stream.peek(1):
            lines.append(stream.readline().decode())
            if words in lines[-1]:
                return lines
            if not lines[-1]:
                break
    pytest.fail(f"{words!r} did not appear: {lines[-20:]}")
    return []


def end(process):
    process.send_signal(signal.SIGINT)
    out, err = process.stdout.read(), process.stderr.read()  # `communicate` would lose what `until` has buffered
    assert process.wait(PATIENCE) == 0, err
    return out.decode().splitlines(), err.decode()


def values(lines):
    return [int(line.split()[-2]) for line in lines if line.strip()]


def test_a_changed_plugin_continues_at_the_position_with_the_same_rules(folder, run):
    process = run()
    lines = until(process.stdout, " one")
    replace(folder / "counter.py", PLUGIN.replace("return WORD", "return WORD + 'x'"))
    lines += until(process.stdout, " onex")
    replace(folder / "helper.py", "WORD = 'two'\n")
    lines += until(process.stdout, " twox")
    more, err = end(process)
    assert err.count("lanner: reloaded: the plugin counter") == 2
    found = values([*lines, *more])
    assert found == list(range(1, len(found) + 1))


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("counter.py", PLUGIN.replace("itertools, time", "itertools, time,"), "SyntaxError"),
        ("counter.py", PLUGIN.replace("from helper", "from helpre"), "No module named 'helpre'"),
        ("counter.py", PLUGIN.replace("fields =", "feilds ="), "unknown attribute 'feilds': did you mean 'fields'"),
        ("counter.py", PLUGIN.replace('"counter.value"', '"counter.number"'), "counter.value"),
        ("counter.py", PLUGIN.replace('999, "counter"', '999, "other"'), "the plugin counter has another name or event source now, other"),
        ("helper.py", "WORD = 1 / 0\n", "ZeroDivisionError"),
    ],
)
def test_an_error_is_shown_and_the_old_plugin_stays(folder, run, file, text, says):
    process = run()
    lines = until(process.stdout, " one")
    replace(folder / file, text)
    told = until(process.stderr, "error: reload failed, keeping the current configuration")
    assert says in "".join(told)
    lines += [line for line in until(process.stdout, "hot restart failure") if "Notice" in line]
    lines += until(process.stdout, " one")
    replace(folder / "counter.py", PLUGIN.replace("return WORD", "return 'good'"))
    replace(folder / "helper.py", "WORD = 'good'\n")
    lines += [line for line in until(process.stdout, " good") if "Notice" in line]
    more, _ = end(process)
    found = values([*lines, *(line for line in more if "Notice" in line)])
    assert found == list(range(1, len(found) + 1))


def test_a_source_that_cannot_be_opened_returns_to_the_old_one(folder, run):
    process = run()
    lines = until(process.stdout, " one")
    broken = PLUGIN.replace(
        "    def open(self, params, position):\n",
        "    def open(self, params, position):\n        raise OSError('no way')\n\n    def _old(self, params, position):\n",
    )
    replace(folder / "counter.py", broken.replace("        for number in itertools", "        yield\n        for number in itertools", 1))
    assert "no way" in "".join(until(process.stderr, "no way"))
    until(process.stdout, "hot restart failure")
    lines += until(process.stdout, " one")
    end(process)


def test_a_source_that_fails_later_waits_for_the_next_change(folder, run):
    process = run()
    until(process.stdout, " one")
    replace(
        folder / "counter.py", PLUGIN.replace("            time.sleep", "            raise ValueError('too many')\n            time.sleep")
    )
    until(process.stderr, "ValueError: too many")
    replace(folder / "counter.py", PLUGIN.replace("return WORD", "return 'again'"))
    until(process.stdout, " again")
    end(process)


def test_rules_are_still_reloaded_without_the_plugin(folder, run):
    process = run()
    lines = until(process.stdout, " one")
    replace(folder / "rules.yaml", RULE.format(output="now %counter.value %counter.word"))
    lines += until(process.stdout, "now ")
    more, err = end(process)
    assert "reloaded: the plugin" not in err
    found = values([*lines, *more])
    assert found == list(range(1, len(found) + 1))


@pytest.mark.parametrize("options", [(), ("--reload",), ("-r", "plugin"), ("-r", "plugin", "-r", "more.yaml")], ids=" ".join)
def test_the_rules_that_a_plugin_ships_are_watched(folder, start, options):
    (folder / "counter.py").write_text(PLUGIN.replace("    fields =", "    rules = 'rules.yaml'\n    fields ="))
    (folder / "more.yaml").write_text(RULE.replace("Count", "More").format(output="more"))
    process = start("run", "counter.py", "-o", f"lanner.state_directory={folder / 'state'}", *options, cwd=folder)
    until(process.stdout, "one")
    replace(folder / "rules.yaml", RULE.format(output="changed"))
    until(process.stderr, "reloaded: ")
    until(process.stdout, "changed")


def test_without_the_option_a_changed_plugin_is_left_alone(folder, start):
    process = start("run", "counter.py", "-r", "rules.yaml", "-o", f"lanner.state_directory={folder / 'state'}", cwd=folder)
    until(process.stdout, " one")
    replace(folder / "helper.py", "WORD = 'two'\n")
    replace(folder / "rules.yaml", RULE.format(output="now %counter.value %counter.word"))
    assert " one" in until(process.stdout, "now ")[-1]
    end(process)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("docker",), "--reload is for plugins under development, and docker has no files of yours"),
        (("counter.py", "--replay", os.devnull), "--replay reads recorded events and opens no event source: leave out --reload"),
    ],
)
def test_wrong_use_is_refused(folder, lanner, arguments, says):
    done = lanner("run", *arguments, "--reload", cwd=folder)
    assert done.code == 2
    assert says in done.err
