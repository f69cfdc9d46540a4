"""The screen of one alert: its members, and why it fired. A thread asks; the terminal never waits for a plugin."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from lanner.alerts.alert_store import AlertStore
from lanner.alerts.store_errors import StoreError
from lanner.top.pieces import BAD, BOLD, DIM, escape_text
from lanner.top.why import describe_alert, describe_content, describe_exception, describe_why

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any, TypeAlias

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from lanner.alerts.stored import Detail, StoredAlert
    from lanner.inquiry.process_messages import Kind

    Ask: TypeAlias = Callable[[Kind, Detail, AlertStore], dict[str, Any]]

_LONGEST = 2000


class DetailScreen(Screen[None]):
    """The alert `chosen` of the store at `path`. `ask` answers questions about it, and may take seconds."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,left", "back", "Back"), Binding("e", "exception", "Exception")]
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
            yield Static(Text(""), id="exception", markup=False)
            yield Static(Text(""), id="content", markup=False)
        yield Static(Text(" q, Escape: back   e: exception   Up, Down, Page Up, Page Down: scroll", DIM), id="keys", markup=False)

    def on_mount(self) -> None:
        """Ask in a thread."""
        self.query_one(VerticalScroll).focus()
        self.run_worker(self._find, thread=True, exclusive=True, exit_on_error=False)

    def action_back(self) -> None:
        """Return to the list."""
        self.dismiss()

    def action_exception(self) -> None:
        """Ask for an exception in a thread."""
        title = Text("\nException for alerts like this one\n", BOLD)
        self.query_one("#exception", Static).update(title + Text("asking the plugin ...\n", DIM))

        def ask() -> None:
            try:
                with closing(AlertStore(self._path)) as store:
                    detail = store.find(self._chosen.key)
                    if detail is None:
                        found = Text(escape_text(store.explain_missing(self._chosen.key), _LONGEST), BAD)
                    else:
                        found = describe_exception(self._ask("exception", detail, store))
            except StoreError as error:
                found = Text(escape_text(str(error), _LONGEST), BAD)
            except Exception as error:  # noqa: BLE001 - a bug must not end the view
                found = Text(escape_text(f"this is a bug in Lanner: {type(error).__name__}: {error}", _LONGEST), BAD)
            self._show("exception", title + found)

        self.run_worker(ask, thread=True, group="exception", exclusive=True, exit_on_error=False)

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
            self._show("why", describe_why(self._ask("why", detail, store)))
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
