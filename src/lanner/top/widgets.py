"""The widgets of `lanner top`: lines of segments, and a list of alerts that draws only the visible ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from lanner.sdk.text.encoding import many
from lanner.sdk.text.printable import printable_line
from lanner.top.newest import NewestAlerts
from lanner.top.pieces import alert_strip, message_of

if TYPE_CHECKING:
    from textual import events
    from textual.binding import BindingType

    from lanner.alerts.stored import StoredAlert
    from lanner.top.pieces import Line

_MOST_TEXTS: Final = 1000


class Lines(Widget):
    """Some lines of segments, cut at the widget's width."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - the name in Textual
        super().__init__(id=id)
        self._lines: list[Line] = []

    def show(self, lines: list[Line]) -> None:
        """Replace the lines. Draw nothing if they are the same."""
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """See `Widget`."""
        width = self.size.width
        return Strip(self._lines[y]).adjust_cell_length(width) if y < len(self._lines) else Strip.blank(width)


class FilterInput(Input):
    """The line of the filter."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "app.submit", "Use the filter")]

    def write(self, text: str) -> None:
        """Put text at the cursor, or replace the selected text by it. Pasted text may contain anything, so show it with escapes."""
        self.replace(printable_line(" ".join(text.splitlines())), *self.selection)


class AlertList(ScrollView, can_focus=True):
    """The newest alerts, the newest at the end.

    It follows new alerts while the last one is selected. Otherwise it stays as it is, and new alerts wait.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up"),
        Binding("down,j", "move(1)", "Down"),
        Binding("pageup", "move_page(-1)", "Page up"),
        Binding("pagedown", "move_page(1)", "Page down"),
        Binding("home,g", "first", "Oldest"),
        Binding("end,G", "last", "Newest, and follow"),
        Binding("enter", "app.choose", "Why"),
    ]

    class FollowChange(Message):
        """The list follows new alerts, or not any more."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - the name in Textual
        super().__init__(id=id)
        self.show_horizontal_scrollbar = False
        self._alerts, self._waiting = NewestAlerts(), NewestAlerts()
        self._texts: dict[int, str] = {}  # of alerts that were drawn, by position
        self._selected = -1
        self.follows = True

    @property
    def pause(self) -> str:
        """Position of the list, and how many new alerts wait; "" while it follows."""
        if self.follows:
            return ""
        return f"paused at {self._selected + 1:,} of {len(self._alerts):,}, {many(len(self._waiting), 'new alert')}"

    @property
    def selected(self) -> StoredAlert | None:
        """The selected alert."""
        return self._alerts[self._selected] if len(self._alerts) else None

    def replace(self, alerts: list[StoredAlert]) -> None:
        """Show other alerts, and follow new ones."""
        self._alerts, self._waiting = NewestAlerts(alerts), NewestAlerts()
        self._texts.clear()  # another store has other alerts at these positions
        self.action_last()

    def add(self, alerts: list[StoredAlert]) -> None:
        """Add new alerts at the end."""
        if not alerts:
            return
        if self.follows:
            self._alerts.add(alerts)
            self.action_last()
        else:
            self._waiting.add(alerts)

    def on_resize(self, _: events.Resize) -> None:
        """Keep the selected alert in view."""
        self._draw()

    def action_move(self, count: int) -> None:
        """Move the selection, and stop following if it leaves the end."""
        if not len(self._alerts):
            return
        before, last = self._selected, len(self._alerts) - 1
        self._selected = max(0, min(last, self._selected + count))
        if count > 0 and before == last:
            self.action_last()
        else:
            self._follow(follows=False)
            self._draw()

    def action_move_page(self, pages: int) -> None:
        """Move the selection by screens."""
        self.action_move(pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """Select the oldest alert."""
        self.action_move(-len(self._alerts))

    def action_last(self) -> None:
        """Select the newest alert, and follow."""
        self._alerts.add(self._waiting.take())
        self._selected = len(self._alerts) - 1
        self._follow(follows=True)
        self._draw()

    def action_pause(self) -> None:
        """Stop following, or follow again."""
        if self.follows:
            self._follow(follows=False)
        else:
            self.action_last()

    def choose(self) -> StoredAlert | None:
        """Stop following, and return the selected alert."""
        if self.selected is not None:
            self._follow(follows=False)
        return self.selected

    def render_line(self, y: int) -> Strip:
        """See `Widget`."""
        place, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        if place >= len(self._alerts):
            return Strip.blank(width)
        alert = self._alerts[place]
        text = self._texts.get(alert.position)
        if text is None:
            if len(self._texts) >= _MOST_TEXTS:
                self._texts.clear()
            text = self._texts[alert.position] = message_of(alert)
        return alert_strip(alert, text, width, selected=place == self._selected and not self.follows)

    def _follow(self, *, follows: bool) -> None:
        if follows != self.follows:
            self.follows = follows
            self.post_message(self.FollowChange())

    def _draw(self) -> None:
        height, count = self.size.height, len(self._alerts)
        self.virtual_size = Size(0, count)
        top = self.scroll_offset.y
        if self.follows:
            top = max(0, count - height)
        elif self._selected < top:
            top = self._selected
        elif self._selected >= top + height:
            top = self._selected - height + 1
        self.scroll_to(y=top, animate=False, force=True, immediate=True)
        self.refresh()
