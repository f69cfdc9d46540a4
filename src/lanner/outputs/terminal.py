"""Alerts on a terminal: the terminal's abilities, and the colours of priorities."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from lanner.sdk.text.printable import escape_unprintable

if TYPE_CHECKING:
    from collections.abc import Mapping

RESET: Final = "\x1b[0m"
_DIM: Final = "\x1b[2m"
COLOURS: Final = {
    "Emergency": "\x1b[1;97;41m",
    "Alert": "\x1b[1;97;41m",
    "Critical": "\x1b[1;91m",
    "Error": "\x1b[31m",
    "Warning": "\x1b[33m",
    "Notice": "\x1b[36m",
    "Informational": "\x1b[32m",
    "Debug": _DIM,
}
"""The escape sequence of each priority, from the 16 colours that every colour scheme of a terminal defines."""


def can_draw(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether a terminal understands escape sequences, by TERM."""
    return environ.get("TERM", "") not in {"dumb", "unknown", ""}


def has_colours(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether text on a terminal may be coloured: not with NO_COLOR (https://no-color.org) or CLICOLOR=0."""
    return can_draw(environ) and not environ.get("NO_COLOR") and environ.get("CLICOLOR") != "0"


def terminal_line(line: str, priority: str, *, coloured: bool) -> str:
    """Return the line of an alert for a terminal, which it cannot control: printable, on request with its priority in colour."""
    shown = escape_unprintable(line)
    return paint(shown, priority) if coloured else shown


def paint(line: str, priority: str) -> str:
    """Return the printable line of an alert with its priority in colour, and the time before it dimmed.

    In a line of JSON only the value of the member `priority` is coloured, so that a copied line is still JSON.
    """
    colour = COLOURS.get(priority)
    if colour is None:
        return line
    if line.startswith("{"):
        # the last one: quotes in values are escaped, and the members after this one cannot contain it
        before, found, after = line.rpartition(f'"priority":"{priority}"')
        head, shown = f"{before}" + '"priority":', f'"{priority}"'
    else:
        before, found, after = line.partition(f": {priority} ")
        head, shown, after = f"{_DIM}{before}:{RESET} ", priority, f" {after}"
    return f"{head}{colour}{shown}{RESET}{after}" if found else line
