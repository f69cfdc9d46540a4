"""`lanner alerts show`: one alert with its fields and its event, and why it fired."""

from __future__ import annotations

from contextlib import closing
from textwrap import indent
from typing import TYPE_CHECKING, Any, Final

from lanner.alerts.alert_store import AlertStore
from lanner.cli.alert_search import report_problems
from lanner.cli.inquiry import make_inquiry
from lanner.cli.messages import fail
from lanner.cli.show import print_json, print_text
from lanner.console.rows import detail_of
from lanner.sdk.text.encoding import many
from lanner.sdk.text.printable import printable_json, printable_line
from lanner.sdk.text.tables import columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lanner.alerts.stored import Detail

_FACTS: Final = ("key", "priority", "source", "subject", "time", "arrived", "hostname", "plugin")
_INDENT: Final = "  "


def show_alert(directory: str, key: str, *, layout: str, with_exception: bool, plugins: Sequence[str], config: str) -> int:
    """Print the alert, with an exception if wanted, and return the exit code. Raises `LannerError`."""
    with closing(make_inquiry(plugins, config)) as inquiry, closing(AlertStore(directory)) as store:
        key = key.rpartition("#alert=")[2]  # of a link
        detail = store.find(key)
        if detail is None:
            return report_problems(store) or fail(store.explain_missing(key))
        found = detail_of(detail) | {"why": inquiry.ask("why", detail, store)}
        if with_exception:
            found["exception"] = inquiry.ask("exception", detail, store)
        if layout == "json":
            print_json(found)
        else:
            print_text(_text(detail, found))
        return report_problems(store)


def _text(detail: Detail, found: dict[str, Any]) -> str:
    facts = [(name, printable_line(found[name])) for name in _FACTS if found[name]]
    if found["tags"]:
        facts.append(("tags", printable_line(", ".join(found["tags"]))))
    parts = [printable_line(found["rule"]), *columns(facts), "", printable_line(found["output"])]
    if found["fields"]:
        fields = [(printable_line(name), _value_text(value)) for name, value in found["fields"].items()]
        parts += ["", "Fields", *(_INDENT + line for line in columns(fields))]
    if found["event"] is not None:
        stored, size = len(detail.event), detail.event_size
        part = many(size, "byte") if stored == size else f"the first {stored:,} of {many(size, 'byte')}"
        parts += ["", f"Event ({part})", _INDENT + printable_line(found["event"].rstrip())]
    why = found["why"]
    if "unavailable" in why:
        parts += ["", f"Why it fired: unavailable, {why['unavailable']}"]
    else:
        parts += ["", f"Why it fired ({printable_line(why['place'])})", indent(why["text"], _INDENT)]
        parts += [f"{_INDENT}Note: {printable_line(note)}" for note in why["notes"]]
    if (exception := found.get("exception")) is not None:
        parts += ["", *_exception(exception)]
    return "\n".join(parts)


def _exception(answer: dict[str, Any]) -> Iterator[str]:
    if "unavailable" in answer:
        yield f"Exception: unavailable, {answer['unavailable']}"
        return
    yield "Exception for alerts like this one"
    yield indent(answer["text"].rstrip("\n"), _INDENT)
    for note in answer["notes"]:
        yield f"{_INDENT}Note: {printable_line(note)}"


def _value_text(value: Any) -> str:
    return printable_line(value) if isinstance(value, str) else printable_json(value)
