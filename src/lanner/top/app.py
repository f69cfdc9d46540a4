"""The application of `lanner top`: rates, rules, subjects, engines and the newest alerts of a store, as they come."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.app import App
from textual.binding import Binding
from textual.containers import Horizontal
from textual.css.query import NoMatches
from textual.message import Message

from lanner.alerts.alert_store import AlertStore
from lanner.alerts.filter_notes import find_notes
from lanner.alerts.filters import FilterError, parse_filter, quote_value
from lanner.alerts.store_errors import StoreError
from lanner.sdk.text.printable import printable_line
from lanner.top.detail import DetailScreen
from lanner.top.panels import SIDE, head_lines, key_line, side_lines
from lanner.top.pieces import BAD
from lanner.top.store_feed import NO_FILTER, Feed
from lanner.top.widgets import AlertList, FilterInput, Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer

    from lanner.alerts.filters import Filter
    from lanner.top.detail import Ask
    from lanner.top.store_feed import Update

_WIDE: Final = 100
"""Columns from which the side panel is shown."""
_FASTEST: Final = 0.18
_SLOWEST: Final = 0.8
_CELLS_PER_SECOND: Final = 37_000
"""Cells of the list that may change in a second: a screen over a slow line is drawn less often."""
_TYPING: Final = 0.25
"""Seconds after the last key before a filter is used."""

_OF_THE_LIST: Final = {"filter", "only", "clear", "pause"}


class TopApp(App[None]):
    """The view of the store at `path`. `ask` explains an alert, in a thread. At the end, `release` makes `ask` return at once."""

    TITLE = "lanner top"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: ansi_default; color: ansi_default; }
    #head { height: 2; }
    #keys { height: 1; }
    #side { width: 42; border-right: ascii ansi_default; }
    #list { width: 1fr; background: ansi_default; scrollbar-size: 0 0; }
    #filter { height: 1; border: none; padding: 0; background: ansi_default; display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", "Quit", priority=True, system=True),
        Binding("slash", "filter", "Filter"),
        Binding("r", "only('rule')", "Only this rule"),
        Binding("s", "only('subject')", "Only this subject"),
        Binding("escape", "clear", "All alerts"),
        Binding("p,space", "pause", "Pause"),
    ]

    class FeedUpdate(Message):
        """The feed has something new."""

    def __init__(
        self, path: Path, ask: Ask, text: str = "", wanted: Filter = NO_FILTER, release: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(ansi_color=True)
        self._path, self._ask, self._release = path, ask, release
        self._text = text
        self._feed = Feed(path, self._tell, wanted)
        self._update: Update | None = None
        self._error = self._notes_on(wanted)
        self._typing: Timer | None = None
        self._event_loop: asyncio.AbstractEventLoop | None = None
        self._signal = 0

    def compose(self) -> ComposeResult:
        """See `App`."""
        yield Lines(id="head")
        with Horizontal():
            yield Lines(id="side")
            yield AlertList(id="list")
        # selecting on focus, which comes later, would select text that was typed in between
        yield FilterInput(
            id="filter", select_on_focus=False, placeholder='rule:"Shell in a container" priority>=warning container:web text'
        )
        yield Lines(id="keys")

    def on_mount(self) -> None:
        """Start the feed."""
        self._event_loop = asyncio.get_running_loop()
        if self._signal:
            self.exit()
        self.query_one("#list").focus()
        self._arrange(self.size.width, self.size.height)
        self._draw()
        self._feed.start()

    @contextlib.contextmanager
    def handle_signals(self) -> Iterator[None]:
        """Let a signal quit the application, and raise it again at the end, for the handler that was set before."""
        heard = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._hear) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            if self._signal:
                signal.raise_signal(self._signal)

    def _hear(self, number: int, _: object) -> None:
        """Quit from the event loop: an exception would end whichever task the signal interrupts, with a traceback."""
        self._signal = number
        if self._event_loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the application has ended
                self._event_loop.call_soon_threadsafe(self.exit)

    def on_unmount(self) -> None:
        """End the feed, and a question to a plugin: Python waits for its thread."""
        self._release()
        self._feed.close()

    def on_resize(self, event: events.Resize) -> None:
        """Arrange the panels for the new size."""
        self._arrange(event.size.width, event.size.height)
        self._draw()

    def _arrange(self, width: int, height: int) -> None:
        with _unless_closed():
            self.query_one("#side").display = width >= _WIDE
        self._feed.interval = min(_SLOWEST, max(_FASTEST, width * height / _CELLS_PER_SECOND))

    def _tell(self) -> None:
        self.post_message(self.FeedUpdate())

    def on_top_app_feed_update(self, _: FeedUpdate) -> None:
        """Show the alerts of the feed."""
        update = self._update = self._feed.take()
        with _unless_closed():
            alerts = self.query_one(AlertList)
            if update.resets:
                alerts.replace(update.alerts)
            else:
                alerts.add(update.alerts)
        self._draw()

    def on_alert_list_follow_change(self, _: AlertList.FollowChange) -> None:
        """Say whether new alerts are shown."""
        self._draw()

    async def on_event(self, event: events.Event) -> None:
        """Use each key at once. Textual posts keys to the widget in focus: keys that arrive together would all go to the same one."""
        if not isinstance(event, events.Key | events.Paste) or not self.screen_stack:
            await super().on_event(event)
            return
        self.app_focus = True  # some terminals tell late that the user is back
        field = self.focused
        if isinstance(event, events.Paste):
            if isinstance(field, FilterInput):
                field.write(event.text)
        elif isinstance(field, FilterInput) and event.character is not None and event.is_printable:
            field.write(event.character)
        elif (bound := self.screen.active_bindings.get(event.key)) is not None:
            await self.run_action(bound.binding.action, bound.node)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse the actions of the list while an alert is shown."""
        if action in _OF_THE_LIST and isinstance(self.screen, DetailScreen):
            return False
        return super().check_action(action, parameters)

    def on_input_changed(self, _: FilterInput.Changed) -> None:
        """Use the filter when the user has stopped typing."""
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(_TYPING, self._use_filter)

    def action_submit(self) -> None:
        """Use the filter and return to the list."""
        if self._use_filter():
            self._close_filter()

    async def action_choose(self) -> None:
        """Show the selected alert. A key that follows at once finds the parts of that screen."""
        alert = self.query_one(AlertList).choose()
        if alert is not None:
            await self.push_screen(DetailScreen(self._path, alert, self._ask))

    def action_filter(self) -> None:
        """Open the input of the filter."""
        field = self.query_one(FilterInput)
        field.value = printable_line(self._text)  # the name of a rule or subject may contain anything
        field.select_all()
        field.display = True
        self.screen.set_focus(field)

    def action_only(self, what: str) -> None:
        """Narrow to the rule or subject of the selected alert."""
        alert = self.query_one(AlertList).selected
        value = "" if alert is None else str(getattr(alert, what))
        if value:
            self._narrow(f"{self._text} {what}:{quote_value(value)}".strip())

    def action_clear(self) -> None:
        """Close the filter's input, or show all alerts."""
        if self.query_one("#filter").display:
            self._close_filter()
        else:
            self._narrow("")

    def action_pause(self) -> None:
        """Hold the list, or follow again."""
        self.query_one(AlertList).action_pause()

    def _use_filter(self) -> bool:
        """Use the filter of the input. Return whether it is valid."""
        field = next(iter(self.query("#filter").results(FilterInput)), None)
        if field is None:  # the timer of the last key ended while the app is closing
            return True
        text = field.value.strip()
        return not field.display or text == printable_line(self._text).strip() or self._narrow(text)

    def _narrow(self, text: str) -> bool:
        try:
            wanted = parse_filter(text, time.time_ns())
        except FilterError as error:
            self._error = str(error)
        else:
            self._error = self._notes_on(wanted)
            self._text = text
            self._feed.narrow(wanted)
        self._draw()
        return self._text == text

    def _notes_on(self, wanted: Filter) -> str:
        try:
            with contextlib.closing(AlertStore(self._path)) as store:
                return "; ".join(find_notes(store, wanted))
        except StoreError:  # the head says it
            return "; ".join(wanted.notes)

    def _close_filter(self) -> None:
        if self._typing is not None:
            self._typing.stop()
        self.query_one("#filter").display = False
        self.screen.set_focus(self.query_one("#list"))

    def _draw(self) -> None:
        with _unless_closed():
            alerts = self.query_one(AlertList)
            head = head_lines(self._path, self._update, self._text, alerts.pause, now=time.time_ns())
            self.query_one("#head", Lines).show(head)
            side = self.query_one("#side", Lines)
            if side.display and self._update is not None:
                side.show(side_lines(self._update.figures, self._update.state, side.size.height or SIDE))
            keys = [Segment(f" {self._error}", BAD)] if self._error else key_line()
            self.query_one("#keys", Lines).show([keys])


def _unless_closed() -> contextlib.AbstractContextManager[None]:
    """Ignore widgets that are gone: messages still arrive while the application closes, after it has removed its widgets."""
    return contextlib.suppress(NoMatches)


def run_top(path: Path, ask: Ask, release: Callable[[], None], text: str, wanted: Filter) -> Any:
    """Show the store until the user quits. Return the exit code, or None."""
    app = TopApp(path, ask, text, wanted, release)
    with app.handle_signals():
        app.run(mouse=False)
    return app.return_code
