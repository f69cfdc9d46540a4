"""`lanner top`: what it shows of a store that a run writes, and its keys."""

import shutil
import threading
import time

import pytest

from lanner.alerts.filters import parse_filter
from lanner.alerts.store_format import DAY
from lanner.top.widgets import AlertList

from ..waiting import PATIENCE
from .conftest import Run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("threads_end")]


def test_it_shows_what_is_there_and_what_comes(run, watch):
    run.raise_alerts("the first", rule="Shell in a container", priority="Critical", subject="web-1")

    async def talk(view):
        await view.shows("CRIT   Shell in a container", "web-1", "the first", "CRIT 1")
        run.raise_alerts("the second", rule="Other", priority="Notice", subject="web-2")
        await view.shows("NOTICE Other", "the second", "NOTICE 1")

    watch(talk)


def test_rules_and_subjects_are_counted(run, watch):
    run.raise_alerts(*"abc", rule="Often", subject="web-1")
    run.raise_alerts("d", rule="Seldom", subject="web-2")

    async def talk(view):
        await view.shows("Rules, ", "       3 Often", "       1 Seldom", "Subjects, ", "       3 web-1", "       1 web-2")

    watch(talk)


def test_engines_and_outputs_come_from_the_run(run, watch):
    run.raise_alerts()
    now = time.time_ns()
    run.tell(
        plugin="docker", events=1234, last_event=now - 5 * 10**9, connected={"unix:///a": True, "tcp://b:2375": False},
        outputs={"file_output": {"delivered": 4000, "dropped": 2, "pending": 3, "spooled": 4}},
        not_ready=["tcp://b:2375 is unreachable"], unhealthy=[], reload_error="the rules have 1 error",
    )  # fmt: skip

    async def talk(view):
        await view.shows("Engines 1/2", "away tcp://b:2375", "ok   unix:///a", "file_output    4,000  7 waiting  2 lost")
        await view.shows("docker  1,234 events", "tcp://b:2375 is unreachable", "reload failed: the rules have 1 error")

    watch(talk, size=(200, 40))


def test_a_store_without_a_run_says_so(run, watch):
    run.raise_alerts("left")
    run.end()

    async def talk(view):
        await view.shows("no run writes this store", "left")

    watch(talk)


def test_a_damaged_state_of_the_run_leaves_the_alerts(run, watch):
    run.raise_alerts("still here")
    (run.path / "run.json").write_text("{")

    async def talk(view):
        await view.shows("run.json is damaged", "still here")

    watch(talk, size=(250, 30))


def test_a_filter_narrows_the_list_and_the_counts(run, watch):
    run.raise_alerts("one", rule="Shell", priority="Critical", subject="web")
    run.raise_alerts("two", rule="Mount", priority="Notice", subject="db")

    async def talk(view):
        await view.shows("one", "two")
        await view.press("slash", *"container:web", "enter")
        await view.until(lambda: "two" not in view.text)
        await view.shows("one", "filter container:web")
        assert "NOTICE" not in view.text
        run.raise_alerts("three", rule="Shell", subject="web")
        run.raise_alerts("four", rule="Mount", subject="db")
        await view.shows("three")
        assert "four" not in view.text
        await view.press("escape")
        await view.shows("two", "four")

    watch(talk)


def test_a_filter_is_used_while_it_is_typed(run, watch):
    run.raise_alerts("alpha", "beta")

    async def talk(view):
        await view.shows("alpha", "beta")
        await view.press("slash", *"beta")
        await view.until(lambda: "alpha" not in view.text)

    watch(talk)


def test_a_value_that_the_store_does_not_have_is_a_note(run, watch):
    run.raise_alerts("alpha", rule="Shell in a container")
    text = 'rule:"Shel in a container"'
    note = "no alert was found with rule 'shel in a container': did you mean rule:\"Shell in a container\"?"

    async def talk(view):
        await view.shows(note)
        await view.press("escape")
        await view.shows("alpha", "/ filter")
        await view.press("slash", *"severity:x", "enter")
        await view.shows("'severity' is not a key of filters")

    watch(talk, text=text, wanted=parse_filter(text, time.time_ns()))


def test_an_impossible_filter_is_explained_and_the_earlier_one_stays(run, watch):
    run.raise_alerts("alpha")

    async def talk(view):
        await view.shows("alpha")
        await view.press("slash", *"priority>=loud", "enter")
        await view.shows("invalid priority 'loud'", "alpha")
        await view.press("escape")
        await view.until(lambda: not view.app.query_one("#filter").display)
        await view.press("escape")
        await view.shows("/ filter")

    watch(talk)


def test_a_filter_may_be_given_at_the_start(run, watch):
    run.raise_alerts("alpha", "beta")

    async def talk(view):
        await view.shows("beta", "filter beta")
        assert "alpha" not in view.text

    watch(talk, text="beta", wanted=parse_filter("beta", time.time_ns()))


@pytest.mark.parametrize(("key", "shown"), [("r", 'filter rule:"Shell \\"x\\""'), ("s", 'filter subject:"a \\"b\\""')])
def test_a_key_narrows_to_the_rule_or_subject_of_the_selected_alert(run, watch, key, shown):
    run.raise_alerts("alpha", rule='Shell "x"', subject='a "b"')
    run.raise_alerts("beta", rule="Mount", subject="db")

    async def talk(view):
        await view.shows("alpha", "beta")
        await view.press("up", key)
        await view.until(lambda: "beta" not in view.text)
        await view.shows(shown, "alpha")

    watch(talk)


def rows(view):
    """Return the lines of the list, without the side panel."""
    return [line.partition("|")[2] for line in view.lines if "old" in line]


def test_messages_that_arrive_while_the_application_closes_do_no_harm(run, watch):
    run.raise_alerts("the last")

    async def talk(view):
        await view.shows("the last")
        await view.app.default_screen.query("*").remove()
        run.raise_alerts("after the end")
        before = view.app._update
        await view.until(lambda: view.app._update is not before)
        await view.pilot.resize_terminal(80, 24)

    assert not watch(talk).return_code


def test_the_list_stays_while_an_alert_is_selected(run, watch):
    run.raise_alerts(*[f"old {number}" for number in range(50)])

    async def talk(view):
        await view.shows("old 49")
        await view.press("up")
        before = rows(view)
        run.raise_alerts("new one", "new two")
        await view.shows("paused at 49 of 50, 2 new alerts")
        assert rows(view) == before
        await view.press("end")
        await view.shows("new one", "new two")
        assert "paused" not in view.text
        await view.press("p")
        await view.shows("paused at 52 of 52, 0 new alerts")
        await view.press("p")
        await view.until(lambda: "paused" not in view.text)

    watch(talk)


def test_all_alerts_can_be_reached(run, watch):
    run.raise_alerts(*[f"alert {number:03}" for number in range(200)])

    async def talk(view):
        await view.shows("alert 199")
        await view.press("home")
        await view.shows("alert 000")
        await view.press("pagedown", "pageup", "down")
        assert b"alert 001" in view.app.query_one(AlertList).selected.line
        await view.press("end")
        await view.shows("alert 199")

    watch(talk)


def test_enter_shows_the_alert_and_why(run, watch):
    members = {"fields": {"proc.cmdline": "sh -c x", "n": 5}, "tags": ["T1059"], "event": b'{"raw":1}'}
    run.raise_alerts("a shell", rule="Shell", priority="Critical", subject="web", **members)
    why = {
        "rule": "Shell", "place": "rules.yaml:3", "matches": True, "deciding": [[1], [2, 0]],
        "condition": {"kind": "all", "holds": True, "parts": [
            {"kind": "test", "holds": True, "text": "evt.type = execve"},
            {"kind": "test", "holds": True, "text": "proc.name = sh", "values": {"proc.name": "sh"}},
            {"kind": "not", "holds": True, "parts": [{"kind": "test", "holds": False, "text": "user.name = root"}]},
        ]},
    }  # fmt: skip

    async def talk(view):
        await view.shows("a shell")
        await view.press("enter")
        await view.shows("Priority     Critical", "sh -c x", "T1059", "0badcafe-1", '{"raw":1}')
        await view.shows(
            "Decided by", "yes proc.name = sh   proc.name = sh", "yes not user.name = root", "yes evt.type = execve", "rules.yaml:3"
        )
        await view.press("escape")
        await view.shows("Rules, ")

    watch(talk, ask=lambda *_: why, size=(140, 40))


def test_an_exception_is_shown_with_its_effect(run, watch):
    run.raise_alerts("a shell")
    answers = {
        "why": {"unavailable": "no reason"},
        "exception": {"text": "- rule: R\n  exceptions: [[b]x[/b]]\n", "notes": ["It would have silenced 3 of the 5 alerts"]},
    }

    async def talk(view):
        await view.shows("a shell")
        await view.press("enter")
        await view.shows("no reason")
        await view.press("e")
        await view.shows("Exception for alerts like this one", "- rule: R", "exceptions: [[b]x[/b]]", "It would have silenced 3 of the 5")

    watch(talk, ask=lambda kind, *_: answers[kind])


def test_a_quiet_store_says_how_old_its_newest_alert_is(run, watch):
    run.raise_alerts("a shell", arrived=time.time_ns() - 3 * 3600 * 10**9)

    async def talk(view):
        await view.shows("a shell", "no alert in the last 5 min; the newest is 3 h old")
        await view.press("slash", *"bash", "enter")
        await view.shows("no alert so far")
        await view.press("escape")
        run.raise_alerts("another")
        await view.shows("another", "in 5 min")

    watch(talk)


class SlowPlugin:
    """A plugin that answers a question once it is released."""

    def __init__(self):
        self.asked, self.released = threading.Event(), threading.Event()

    def ask(self, *_):
        self.asked.set()
        assert self.released.wait(PATIENCE)
        return {"unavailable": "too late"}


async def ask_about_a_shell(view, plugin):
    await view.shows("a shell")
    await view.press("enter")
    await view.until(plugin.asked.is_set)


def test_a_slow_plugin_blocks_nothing(run, watch):
    run.raise_alerts("a shell")
    plugin = SlowPlugin()

    async def talk(view):
        await ask_about_a_shell(view, plugin)
        await view.shows("asking the plugin")
        await view.press("escape")
        run.raise_alerts("another")
        await view.press("end")
        await view.shows("another")
        plugin.released.set()
        await view.press("q")

    watch(talk, ask=plugin.ask)


def test_it_quits_while_a_plugin_is_asked(run, watch):
    run.raise_alerts("a shell")
    plugin = SlowPlugin()

    async def talk(view):
        await ask_about_a_shell(view, plugin)
        await view.press("ctrl+c")

    watch(talk, ask=plugin.ask, release=plugin.released.set)


def test_an_explanation_that_fails_is_said(run, watch):
    run.raise_alerts("a shell")

    def ask(*_):
        raise ValueError("odd")

    async def talk(view):
        await view.shows("a shell")
        await view.press("enter")
        await view.shows("this is a bug in Lanner: ValueError: odd")

    watch(talk, ask=ask)


def test_an_alert_that_retention_removed_is_said(run, watch):
    run.raise_alerts("a shell")

    async def talk(view):
        await view.shows("a shell")
        await view.press("up")
        run.end()
        for path in run.path.glob("alerts-*"):
            path.unlink()
        await view.press("enter")
        await view.shows("Retention has removed them")

    watch(talk)


def test_a_store_that_goes_away_and_appears_again(run, watch):
    run.raise_alerts("before")

    async def talk(view):
        await view.shows("before")
        run.end()
        shutil.rmtree(run.path)
        await view.shows("there is no alert store at")
        again = Run(run.path)
        again.raise_alerts("after")
        await view.shows("after")
        assert "there is no alert store" not in view.text
        again.end()

    watch(talk)


def test_days_turn(run, watch):
    today = time.time_ns()
    run.raise_alerts("yesterday", arrived=today - DAY)

    async def talk(view):
        await view.shows("yesterday")
        run.raise_alerts("today", arrived=today)
        await view.shows("yesterday", "today")
        run.raise_alerts("tomorrow", arrived=today + DAY)
        await view.shows("today", "tomorrow")
        assert len(list(run.path.glob("alerts-*.db"))) == 3

    watch(talk)


def test_a_store_without_an_alert_waits_for_the_first(run, watch):
    async def talk(view):
        await view.shows("lanner top", "0.0/s")
        run.raise_alerts("the first")
        await view.shows("the first")

    watch(talk)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (10, 4), (40, 10), (79, 24), (99, 30), (300, 100)], ids=str)
def test_every_size_of_a_terminal_works(run, watch, size):
    run.raise_alerts("a shell", rule="Shell", subject="web")

    async def talk(view):
        await view.until(lambda: view.app.query_one(AlertList).selected)
        assert all(len(line) <= size[0] for line in view.lines)
        assert ("Subjects" in view.text) == (size[0] >= 100)
        await view.press("up", "enter", "escape", "slash", "escape", "p", "p")

    watch(talk, size=size)


def test_a_resize_is_followed(run, watch):
    run.raise_alerts(*[f"alert {number:03}" for number in range(60)], rule="Shell", subject="web")

    async def talk(view):
        await view.shows("alert 059", "Subjects")
        for width, height in ((60, 10), (160, 50), (5, 2), (140, 30)):
            await view.pilot.resize_terminal(width, height)
            await view.until(lambda height=height: len(view.lines) == height)
        await view.shows("alert 059", "Subjects")

    watch(talk)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
@pytest.mark.parametrize("before", [(), ("slash",), ("enter",)], ids=str)
def test_it_quits(run, watch, key, before):
    run.raise_alerts("a shell")

    async def talk(view):
        await view.shows("a shell")
        await view.press(*before)
        if key == "q" and before:
            await view.press("escape")
            await view.until(lambda: len(view.app.screen_stack) == 1)
        await view.press(key)
        await view.until(lambda: not view.app.is_running)

    watch(talk)
