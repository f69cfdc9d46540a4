"""An alert in detail as lines of text: its members, and which parts of its rule's condition decided."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from msgspec import DecodeError
from rich.text import Text

from lanner.alerts.stored import Content, priority_name, read_content
from lanner.sdk.text.encoding import from_bytes, many
from lanner.sdk.text.printable import printable_json
from lanner.top.pieces import BAD, BOLD, DIM, GOOD, PLAIN, escape_text, short_priority

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.style import Style

    from lanner.alerts.stored import Detail

_LONGEST: Final = 1000
_MOST_LINES: Final = 2000
_TITLES: Final = {"all": "all of", "one": "one of", "not": "not"}
_SECOND: Final = 1_000_000_000


def describe_alert(detail: Detail) -> Text:
    """Return the first members of an alert."""
    alert, content = detail.alert, _content(detail)
    text = Text()
    _row(text, "Rule", alert.rule, BOLD)
    _row(text, "Priority", priority_name(alert.priority), short_priority(alert.priority)[1])
    _row(text, "Subject", alert.subject, PLAIN)
    _row(text, "Event time", _moment(alert.timestamp), PLAIN)
    _row(text, "Arrived", _moment(alert.arrived), PLAIN)
    _row(text, "Output", content.output or content.message, PLAIN)
    return text


def describe_content(detail: Detail) -> Text:
    """Return the other members of an alert, its fields and its event."""
    alert, content = detail.alert, _content(detail)
    text = Text()
    _row(text, "Source", alert.source, PLAIN)
    _row(text, "Tags", ", ".join(map(str, content.tags)), PLAIN)
    _row(text, "Key", alert.key, PLAIN)
    text.append("\nFields\n", BOLD)
    for name, value in content.output_fields.items():
        _row(text, f"  {escape_text(name)}", value if isinstance(value, str) else printable_json(value), PLAIN, 34)
    text.append("\nEvent\n", BOLD)
    event = escape_text(from_bytes(detail.event), _LONGEST)
    text.append(f"  {event or 'none: Lanner itself raised the alert'}\n")
    if detail.event_size > len(detail.event):
        text.append(f"  (the first {len(detail.event):,} of {many(detail.event_size, 'byte')})\n", DIM)
    return text


def _content(detail: Detail) -> Content:
    try:
        return read_content(detail.alert.line)
    except DecodeError as error:
        return Content(message=f"the stored alert is damaged: {error}")


def describe_why(answer: dict[str, Any]) -> Text:
    """Return the explanation of an alert: the deciding parts, then the whole condition."""
    text = Text()
    if reason := answer.get("unavailable"):
        text.append(escape_text(str(reason), _LONGEST), BAD)
        return text
    condition = answer.get("condition") or {}
    verdict = "matches" if answer.get("matches") else "does not match (with the rules as they were stored)"
    text.append(f"The rule {verdict}")
    if place := answer.get("place"):
        text.append(f" ({escape_text(str(place))})", DIM)
    text.append("\n")
    if other := answer.get("taken_by"):
        text.append(f"but {escape_text(str(other))} raises the alert, because it comes first\n")
    deciding = {tuple(path) for path in answer.get("deciding", ())}
    text.append("\nDecided by\n", BOLD)
    for path in sorted(deciding):
        if (part := _part(condition, path)) is not None:
            around = _part(condition, path[:-1]) if path else None
            _test(text, part, 1, is_negated=around is not None and around.get("kind") == "not")
    text.append("\nThe condition\n", BOLD)
    for count, (part, depth, path) in enumerate(_walk(condition, 1, ())):
        if count >= _MOST_LINES:
            text.append("  ...\n", DIM)
            break
        _test(text, part, depth, is_deciding=path in deciding)
    for line in (*answer.get("unfit", ()), *answer.get("notes", ())):
        text.append(f"{escape_text(str(line), _LONGEST)}\n", DIM)
    return text


def describe_exception(answer: dict[str, Any]) -> Text:
    """Return an exception as a rules file has it, and the notes about it."""
    text = Text()
    if reason := answer.get("unavailable"):
        text.append(escape_text(str(reason), _LONGEST), BAD)
        return text
    for line in str(answer.get("text", "")).splitlines():
        text.append(f"{escape_text(line, _LONGEST)}\n")
    for line in answer.get("notes", ()):
        text.append(f"{escape_text(str(line), _LONGEST)}\n", DIM)
    return text


def _walk(part: dict[str, Any], depth: int, path: tuple[int, ...]) -> Iterator[tuple[dict[str, Any], int, tuple[int, ...]]]:
    yield part, depth, path
    for number, inner in enumerate(part.get("parts", ())):
        yield from _walk(inner, depth + 1, (*path, number))


def _part(part: dict[str, Any], path: tuple[int, ...]) -> dict[str, Any] | None:
    for number in path:
        parts = part.get("parts", ())
        if number >= len(parts):
            return None
        part = parts[number]
    return part


def _test(text: Text, part: dict[str, Any], depth: int, *, is_deciding: bool = False, is_negated: bool = False) -> None:
    holds = bool(part.get("holds")) is not is_negated
    title = "not " if is_negated else ""
    title += "".join(f"macro {name}: " for name in part.get("macros", ()))
    if exception := part.get("exception"):
        title += f"exception {exception}: "
    title += str(part.get("text") or _TITLES.get(str(part.get("kind")), ""))
    text.append("  " * depth)
    text.append("yes " if holds else "no  ", GOOD if holds else BAD)
    text.append(escape_text(title, _LONGEST), BOLD if is_deciding else PLAIN)
    values = part.get("values") or {}
    if values:
        text.append("   " + escape_text(", ".join(f"{name} = {_value(value)}" for name, value in values.items()), _LONGEST), DIM)
    text.append("\n")


def _value(value: object) -> str:
    return value if isinstance(value, str) else printable_json(value)


def _row(text: Text, name: str, value: str, style: Style, width: int = 12) -> None:
    text.append(f"{name:<{width}} ", DIM)
    text.append(f"{escape_text(value, _LONGEST)}\n", style)


def _moment(moment: int) -> str:
    try:
        seconds = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment // _SECOND))
    except (OverflowError, ValueError, OSError):
        return str(moment)
    return f"{seconds}.{moment % _SECOND:09}"
