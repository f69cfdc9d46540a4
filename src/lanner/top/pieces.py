"""Text of `lanner top` as segments of a terminal's line. `escape_text` escapes every string from outside, and none is ever markup."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from msgspec import DecodeError
from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from lanner.alerts.stored import read_content
from lanner.sdk.text.printable import printable_line, without_middle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from lanner.alerts.stored import StoredAlert

    Line: TypeAlias = Sequence[Segment]

PLAIN: Final = Style()
DIM: Final = Style(dim=True)
BOLD: Final = Style(bold=True)
GOOD: Final = Style(color="green")
BAD: Final = Style(color="red", bold=True)
SELECTED: Final = Style(reverse=True)
PRIORITIES: Final = (
    ("EMERG", Style(color="bright_white", bgcolor="red", bold=True)),
    ("ALERT", Style(color="bright_white", bgcolor="red", bold=True)),
    ("CRIT", Style(color="bright_red", bold=True)),
    ("ERROR", Style(color="red")),
    ("WARN", Style(color="yellow")),
    ("NOTICE", Style(color="cyan")),
    ("INFO", Style(color="green")),
    ("DEBUG", DIM),
)
"""Short name and style of each priority."""
_SHORTEST: Final = 50
"""Columns below which rule and subject have no room."""
_LONGEST: Final = 400
_BARS: Final = " ▁▂▃▄▅▆▇█"


def escape_text(text: str, limit: int = _LONGEST) -> str:
    """Return a string from outside as one printable line of at most about `limit` characters."""
    return without_middle(printable_line(text[: 4 * limit]), limit)


def segment(text: str, width: int, style: Style = PLAIN) -> Segment:
    """Return a string cut or filled to a number of columns."""
    return Segment(set_cell_size(text, max(0, width)), style)


def clock(moment: int) -> str:
    """Return a time (ns since 1970) as local time of day."""
    try:
        return time.strftime("%H:%M:%S", time.localtime(moment // 1_000_000_000))
    except (OverflowError, ValueError, OSError):  # a damaged store
        return "--:--:--"


def short_priority(number: int) -> tuple[str, Style]:
    """Return the short name of a priority, and its style."""
    return PRIORITIES[number] if 0 <= number < len(PRIORITIES) else (str(number), PLAIN)


def message_of(alert: StoredAlert) -> str:
    """Return the message of an alert as one line of limited length."""
    try:
        content = read_content(alert.line)
    except DecodeError:  # a damaged store
        return escape_text(alert.line[: 4 * _LONGEST].decode("utf-8", "replace"))
    return escape_text(content.message or content.output)


def alert_strip(alert: StoredAlert, message: str, width: int, *, selected: bool) -> Strip:
    """Return an alert with its message as one line."""
    name, style = short_priority(alert.priority)
    parts = [Segment(f"{clock(alert.arrived)} ", PLAIN), segment(name, 7, style)]
    if width >= _SHORTEST:
        rule, subject = min(34, max(12, width // 4)), min(20, max(8, width // 7))
        parts += [
            segment(escape_text(alert.rule, rule * 4), rule),
            Segment(" ", PLAIN),
            segment(escape_text(alert.subject, subject * 4), subject),
            Segment(" ", PLAIN),
        ]
    parts.append(Segment(message, PLAIN))
    strip = Strip(parts).adjust_cell_length(width)
    return strip.apply_style(SELECTED) if selected else strip


def sparkline(counts: Sequence[int], width: int) -> str:
    """Return the newest counts as bars."""
    shown = counts[-width:] if width > 0 else ()
    most = max(shown, default=0) or 1
    return "".join(_BARS[min(len(_BARS) - 1, -(-count * (len(_BARS) - 1) // most))] for count in shown)
