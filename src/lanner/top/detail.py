"""The screen of one alert: its members, and why it fired. A thread asks; the terminal never waits for a plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from lanner.alerts.alert_store import AlertStore
from lanner.alerts.store_errors import StoreError
from lanner.top.pieces import BAD, BOLD, DIM, escape_text
from lanner.top.why import describe_alert, describe_content, describe_why

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any, TypeAlias

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from lanner.alerts.stored import Detail, StoredAlert

    Ask: TypeAlias = Callable[[Detail, AlertStore], dict[str, Any]]

_LONGEST = 2000


class DetailScreen(Screen[None]):
    """The alert `chosen` of the store at `path`. `ask` explains it, and may take seconds."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,left", "back", "Back")]
    CSS = """
    DetailScreen { background: ansi_default; }
    DetailScreen VerticalScroll { scrollbar-size-vertical: 1; }
    DetailScreen Static { height: auto; }
    """

    def __init__(self, path: Path, chosen: StoredAlert, ask: Ask) -> None:
        super().__init__()
        self._path, self._chosen, self._ask = path, chosen, ask

    def compose(self) -> ComposeResult:
        """See `Screen`."""
        with VerticalScroll():
            yield Static(Text("..."), id="alert", markup=False)
            yield Static(Text("\nWhy it fired\n", BOLD), id="title", markup=False)
            yield Static(Text("asking the plugin ...\n", DIM), id="why", markup=False)
            yield Static(Text(""), id="content", markup=False)
        yield Static(Text(" Escape: back   Up, Down, Page Up, Page Down: scroll", DIM), id="keys", markup=False)

    def on_mount(self) -> None:
        """Ask in a thread."""
        self.query_one(VerticalScroll).focus()
        self.run_worker(self._find, thread=True, exclusive=True, exit_on_error=False)

    def action_back(self) -> None:
        """Return to the list."""
        self.dismiss()

    def _find(self) -> None:
        """Read the alert and explain it, in a thread."""
        try:
            store = AlertStore(self._path)
        except StoreError as error:
            self._show("alert", Text(escape_text(str(error), _LONGEST), BAD))
            return
        try:
            detail = store.find(self._chosen.key)
            if detail is None:
                self._show("alert", Text(escape_text(store.explain_missing(self._chosen.key), _LONGEST), BAD))
                self._show("why", Text("unknown", DIM))
                return
            self._show("alert", describe_alert(detail))
            self._show("content", describe_content(detail))
            self._show("why", describe_why(self._ask(detail, store)))
        except StoreError as error:
            self._show("why", Text(escape_text(str(error), _LONGEST), BAD))
        except Exception as error:  # noqa: BLE001 - a bug must not end the view
            self._show("why", Text(escape_text(f"this is a bug in Lanner: {type(error).__name__}: {error}", _LONGEST), BAD))
        finally:
            store.close()

    def _show(self, where: str, text: Text) -> None:
        def show() -> None:
            if self.is_attached:
                self.query_one(f"#{where}", Static).update(text)

        self.app.call_from_thread(show)
