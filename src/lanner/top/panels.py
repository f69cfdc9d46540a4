"""The lines around the list of alerts: head, rules, subjects, engines and outputs, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.segment import Segment

from lanner.sdk.text.encoding import many
from lanner.top.pieces import BAD, BOLD, DIM, GOOD, PLAIN, PRIORITIES, escape_text, segment, short_priority, sparkline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lanner.top.pieces import Line
    from lanner.top.store_feed import Figures, Update

SIDE: Final = 40
"""Columns of the side panel, without its border."""
_COUNT: Final = 8
_SECOND: Final = 1_000_000_000
_KEYS: Final = (
    ("/", "filter"),
    ("Enter", "why, exception"),
    ("q", "quit"),
    ("r", "rule"),
    ("s", "subject"),
    ("Esc", "all"),
    ("p", "pause"),
    ("End", "follow"),
)


def key_line() -> Line:
    """Return the keys and their effects."""
    line: list[Segment] = []
    for key, what in _KEYS:
        line += [Segment(f" {key}", BOLD), Segment(f" {what} ", DIM)]
    return line


def head_lines(path: Path, update: Update | None, text: str, pause: str, *, now: int) -> list[Line]:
    """Return the two lines above the list. `pause` is the position of a list that does not follow."""
    first: list[Segment] = [Segment(" lanner top ", BOLD)]
    if update is None:
        return [[*first, Segment(f" {escape_text(str(path))}", DIM)], []]
    figures = update.figures
    if text:
        first += [Segment(f"{figures.matching:,.1f}/s", BOLD), Segment(f" of {figures.rate:,.1f}/s ", PLAIN)]
    else:
        first.append(Segment(f"{figures.rate:,.1f}/s ", BOLD))
    first.append(Segment(f"{sparkline(figures.seconds, 30)} ", DIM))
    for number in sorted(figures.priorities):
        name, style = short_priority(number)
        first += [Segment(name, style), Segment(f" {figures.priorities[number]:,}  ", PLAIN)]
    if figures.priorities or figures.newest == 0:
        first.append(Segment(f"in {_age(figures.span)}", DIM))
    else:
        first.append(Segment(_describe_quiet(figures, now), DIM))
    if pause:
        first.append(Segment(f"  {pause}", PRIORITIES[4][1]))
    second: list[Segment] = []
    if update.problem:
        second.append(Segment(f" {escape_text(update.problem)}", BAD))
        return [first, second]
    if text:
        second += [Segment(" filter ", DIM), Segment(f"{escape_text(text, 120)}  ", BOLD)]
    return [first, [*second, *_run_line(path, update, now)]]


def _describe_quiet(figures: Figures, now: int) -> str:
    """Return since when no alert has arrived."""
    if figures.newest is None:
        return "no alert so far"
    age = max(0, now - figures.newest) // _SECOND
    return f"no alert in the last {_age(figures.span)}; the newest is {_age(age)} old"


def _run_line(path: Path, update: Update, now: int) -> Line:
    """Return the state that the run reports."""
    state = update.state or {}
    if not update.is_running:
        return [Segment(" no run writes this store ", BAD), Segment(escape_text(str(path)), DIM)]
    line = [Segment(f" {escape_text(str(state.get('plugin', 'running')), 40)}", GOOD)]
    events = state.get("events")
    if isinstance(events, int):
        line.append(Segment(f"  {many(events, 'event')}", PLAIN))
    last = state.get("last_event")
    if isinstance(last, int) and 0 < last <= now:
        line.append(Segment(f"  last {_age((now - last) // _SECOND)} ago", DIM))
    for name in ("unhealthy", "not_ready"):
        line += [Segment(f"  {escape_text(reason, 120)}", BAD) for reason in _texts(state.get(name))]
    if error := state.get("reload_error"):
        line.append(Segment(f"  reload failed: {escape_text(str(error), 120)}", BAD))
    if kill := state.get("kill"):
        line.append(Segment(f"  {escape_text(str(kill), 120)}", BAD))
    line.append(Segment(f"  {escape_text(str(path))}", DIM))
    return line


def side_lines(figures: Figures, state: Mapping[str, Any] | None, height: int) -> list[Line]:
    """Return the lines of the side panel: engines and outputs as they are, and rules and subjects as the height allows."""
    status = [*_engines(state or {}), *_outputs(state or {})]
    room = max(2, height - len(status) - 4)
    rules = figures.rules[: room - min(len(figures.subjects), room // 2)]
    subjects = figures.subjects[: room - len(rules)]
    lines: list[Line] = [_title(f"Rules, {_age(figures.span)}")]
    for (rule, priority), count in rules:
        style = short_priority(priority)[1]
        lines.append([segment(f"{count:>{_COUNT},} ", _COUNT + 1), segment(escape_text(rule, SIDE * 4), SIDE - _COUNT - 1, style)])
    lines += [[], _title(f"Subjects, {_age(figures.span)}")]
    lines += [
        [segment(f"{count:>{_COUNT},} ", _COUNT + 1), segment(escape_text(name, SIDE * 4), SIDE - _COUNT - 1)] for name, count in subjects
    ]
    return [*lines, [], *status]


def _title(text: str) -> Line:
    return [Segment(text, BOLD)]


def _engines(state: Mapping[str, Any]) -> list[Line]:
    connected = state.get("connected")
    if not isinstance(connected, dict) or not connected:
        return []
    # disconnected engines first
    engines = sorted(connected.items(), key=lambda item: bool(item[1]))[:8]
    lines: list[Line] = [_title(f"Engines {sum(map(bool, connected.values()))}/{len(connected)}")]
    for name, is_open in engines:
        mark = Segment("ok   ", GOOD) if is_open else Segment("away ", BAD)
        lines.append([mark, segment(escape_text(str(name), SIDE * 4), SIDE - 5)])
    return lines


def _outputs(state: Mapping[str, Any]) -> list[Line]:
    outputs = state.get("outputs")
    if not isinstance(outputs, dict) or not outputs:
        return []
    lines: list[Line] = [_title("Outputs")]
    for name, counts in list(outputs.items())[:8]:
        if not isinstance(counts, dict):
            continue
        waiting = sum(value for value in (counts.get("pending"), counts.get("spooled")) if isinstance(value, int))
        dropped = counts.get("dropped")
        line = [segment(escape_text(str(name), SIDE), 15), Segment(f"{_number(counts.get('delivered'))}", PLAIN)]
        if waiting:
            line.append(Segment(f"  {waiting:,} waiting", PRIORITIES[4][1]))
        if dropped:
            line.append(Segment(f"  {_number(dropped)} lost", BAD))
        lines.append(line)
    return lines


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "?"


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple) else []


def _age(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
