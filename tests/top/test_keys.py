"""The keys of `lanner top`: each is used where the keys before it lead, even if they arrive together."""

import pytest

from lanner.top.widgets import AlertList

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("threads_end")]


@pytest.mark.parametrize("groups", [("vo", "lu", "me"), ("vol", "ume"), ("volume",), ("xolu", "\x7f\x7f\x7f\x7fvo", "lume")], ids="-".join)
@pytest.mark.parametrize("opened", ["first", "together"])
def test_characters_that_arrive_together_make_the_filter(run, watch, groups, opened):
    run.raise_alerts("volume", "other")

    async def talk(view):
        await view.shows("volume", "other")
        field = view.app.query_one("#filter")
        first, *rest = groups
        if opened == "first":
            await view.press("slash")
            view.write(first)
        else:
            view.write(f"/{first}")
        typed = ""
        for group in (first, *rest):
            if group is not first:
                view.write(group)
            for char in group:
                typed = typed[:-1] if char == "\x7f" else typed + char
            await view.until(lambda typed=typed: field.value == typed)
            assert field.cursor_position == len(typed)
            await view.shows(f"filter {typed}")
        await view.until(lambda: "other" not in view.text)
        view.write("\r")
        await view.until(lambda: not field.display)
        assert (field.value, view.app.focused.id) == ("volume", "list")
        await view.shows("filter volume")

    watch(talk)


def test_keys_that_arrive_together_go_where_the_keys_before_lead(run, watch):
    run.raise_alerts(*[f"quick {number:02}" for number in range(20)], "slow")

    async def talk(view):
        alerts, field = view.app.query_one(AlertList), view.app.query_one("#filter")
        await view.shows("slow")
        view.write("/quick sp\x7f\x7f\x7f\rgjjj")
        await view.until(lambda: not field.display and field.value == "quick")
        view.write("gjjj")
        await view.until(lambda: len(alerts._alerts) == 20)
        view.write("gjjj\re")
        await view.shows("quick 03", "Exception for alerts like this one")
        view.write("qkk\r")
        await view.shows("quick 01", "Why it fired")
        view.write("\x1b/\x7fo\x1bqq")
        await view.until(lambda: not view.app.is_running)

    watch(talk)


def test_pasted_text_goes_to_the_cursor_with_escapes(run, watch):
    run.raise_alerts("alpha")

    async def talk(view):
        field = view.app.query_one("#filter")
        await view.shows("alpha")
        view.write("/ad")
        await view.until(lambda: field.value == "ad")
        await view.press("left")
        view.paste("\x1bb\n\u202e\r\n")
        view.write("c")
        await view.until(lambda: field.value == "a\\x1bb \\u202ecd")
        assert field.cursor_position == len(field.value) - 1

    watch(talk)


def test_keys_of_the_list_do_nothing_while_an_alert_is_shown(run, watch):
    run.raise_alerts("a shell")

    async def talk(view):
        await view.shows("a shell")
        view.write("\r/rsp e")
        await view.shows("Why it fired", "Exception for alerts like this one")
        view.write("\x1b")
        await view.shows("a shell", "paused at 1 of 1", "/ filter")
        assert not view.app.query_one("#filter").display

    watch(talk)


@pytest.mark.parametrize("key", ["q", "escape"])
def test_a_key_leaves_the_alert_and_the_list_stays(run, watch, key):
    run.raise_alerts("a shell")

    async def talk(view):
        await view.shows("a shell")
        await view.press("enter")
        await view.shows("Why it fired", "q, Escape: back")
        await view.press(key)
        await view.shows("Rules, ", "paused at 1 of 1")
        assert view.app.is_running

    watch(talk)
