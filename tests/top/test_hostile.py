"""Hostile strings of events do not become markup, run an action or control the terminal."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from lanner.sdk.text.printable import printable_line
from lanner.top.app import TopApp

from .conftest import Run, View

pytestmark = pytest.mark.slow

MARKUP = (
    "[@click=app.quit]echo[/]",
    "[red]evil[/] [bold",
    "broken [/red] text",
    "[",
    "]",
    "[[",
    "\\[b]",
    "[link=http://x]y[/link]",
    "$primary [on red]",
    "[@click=app.bell()]",
)
PIECES = st.one_of(
    st.sampled_from(
        [
            *MARKUP,
            "\x1b[2J",
            "\x1b]0;title\x07",
            "\x9b31m",
            "\u202e",
            "\u2066",
            "\r\n",
            "\x00",
            "\ufeff",
            "\u5bb9\u5668",
            "e\u0301",
            "\U0001f600",
        ]
    ),
    st.text(max_size=20),
)
HOSTILE = st.lists(PIECES, min_size=1, max_size=4).map("".join)


async def look_at_everything(path, count, why):
    """Show alerts in the list, the panels, the filter and the detail, and click on them. Return the screens."""
    app = TopApp(path, lambda *_: why)
    actions = []
    app.action_bell = lambda: actions.append("bell")
    async with app.run_test(size=(200, 60)) as pilot:
        view = View(app, pilot)
        await view.until(lambda: app.query_one("#list").selected)
        seen = [view.text]
        for x, y in ((12, 0), (12, 1), (12, 3), (12, 8), (60, 3), (90, 4), (130, 5)):
            await pilot.click(offset=(x, y))
        await view.press("up", "down")
        for _ in range(count):
            await view.press("enter")
            await view.until(lambda: "Why it fired" in view.text and "asking the plugin" not in view.text)
            seen.append(view.text)
            for y in (0, 5, 12, 14, 20):
                await pilot.click(offset=(20, y))
            await view.press("escape", "up")
        await view.press("s")
        seen.append(view.text)
        await view.press("slash")
        seen.append(view.text)
        await view.press("enter")  # leaves the filter as it is
        assert not app.query_one("#filter").display
        await view.press("slash")
        view.paste("pasted \x1b[2J\u202e")
        await view.shows("pasted \\x1b[2J\\u202e")
        assert app.is_running
    assert actions == []
    return seen


def check(*texts):
    parts = [{"kind": "test", "holds": True, "text": text, "values": {text: text}, "exception": text} for text in texts]
    why = {
        "rule": texts[0], "place": texts[0], "matches": True, "deciding": [[0]], "taken_by": texts[0], "unfit": list(texts),
        "condition": {"kind": "all", "holds": True, "macros": list(texts), "parts": parts},
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as directory:
        run = Run(Path(directory) / "store")
        for text in texts:
            event = text.encode("utf-8", "replace")
            run.raise_alerts(text, rule=text or "r", subject=text, fields={text or "f": text}, tags=[text], event=event)
        run.tell(
            plugin=texts[0], events=1, connected=dict.fromkeys(texts, True), outputs={text: {"delivered": 1} for text in texts},
            not_ready=list(texts), unhealthy=list(texts), reload_error=texts[0],
        )  # fmt: skip
        seen = asyncio.run(look_at_everything(run.path, len(texts), why))
        run.end()
    for screen in seen:
        assert all(line.isprintable() for line in screen.split("\n"))
    return seen


def test_markup_is_shown_as_it_is():
    listed, *details, _, _ = check(*MARKUP)
    for text, detail in zip(reversed(MARKUP), details, strict=True):
        assert listed.count(text) >= 4  # rule and subject in the list and the panels
        assert detail.count(text) >= 6


@settings(max_examples=3, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate))
@example(["\x1b[2J\x1b]0;title\x07\u202e", "\ud800\udcff", ""])
@given(st.lists(HOSTILE, min_size=1, max_size=3))
def test_any_text_is_text(texts):
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    listed = check(*texts)[0]
    for text in texts:
        shown = printable_line(text)
        if len(shown) < 60 and shown.isascii():
            assert shown.rstrip() in listed


def test_a_field_of_a_megabyte_is_shown_in_short():
    listed, detail, _, _ = check("x" * 1_000_000)
    assert "characters ...]" in listed
    assert "characters...]" in "".join(detail.split())  # wrapped
