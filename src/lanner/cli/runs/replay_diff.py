"""`lanner report diff`: two replays side by side, from their reports or stores."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from lanner.alerts.stored import priority_name
from lanner.cli.messages import OK, fail
from lanner.cli.show import print_text
from lanner.console.compared import open_side
from lanner.console.report_diff import Comparison
from lanner.sdk.text.encoding import many
from lanner.sdk.text.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.console.compared import ComparedAlert, Side
    from lanner.console.report_diff import RuleDifference

_SHOWN: Final = 10
"""Alerts of a rule that the text shows on each side; JSON has all."""
_SIDES: Final = ("first", "second")
_AT_ONCE: Final = 1000
"""Pieces of JSON that are printed at once."""


def diff_replays(first: str, second: str, *, as_json: bool) -> int:
    """Print the difference of two reports or stores, and return the exit code. Raises `LannerError`."""
    with ExitStack() as stack:
        sides = []
        for path in (first, second):
            sides.append(open_side(path))
            stack.callback(sides[-1].close)
        found = stack.enter_context(Comparison(*sides))
        if as_json:
            _print_json(found, sides)
        else:
            _print_text(found, sides, (first, second))
        code = OK
        for path, side in zip((first, second), sides, strict=True):
            for note in side.notes:
                code = fail(f"{path}: the comparison lacks alerts: {note}")
        return code


def _print_json(found: Comparison, sides: list[Side]) -> None:
    """Print one object in parts: it may not fit into memory."""
    pieces: list[str] = []
    for piece in _json_pieces(found, sides):
        pieces.append(piece)
        if len(pieces) == _AT_ONCE:
            print_text("".join(pieces))
            pieces.clear()
    print_text("".join(pieces))


def _json_pieces(found: Comparison, sides: list[Side]) -> Iterator[str]:
    titles = {name: side.title for name, side in zip(_SIDES, sides, strict=True)}
    yield _json(titles)[:-1] + ', "rules": ['
    for place, rule in enumerate(found.rules()):
        yield f'{"," if place else ""}{{"rule": {_json(rule.rule)}, "first": {rule.first}, "second": {rule.second}'
        for side, name in enumerate(_SIDES):
            yield f', "only_{name}": ['
            for number, alert in enumerate(found.list_unmatched(rule, side)):
                yield ("," if number else "") + _json(alert._asdict())
            yield "]"
        yield "}"
    yield "]}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _print_text(found: Comparison, sides: list[Side], paths: tuple[str, str]) -> None:
    rules = found.rules()
    for line in _lines(found, rules, sides, paths):
        print_text(printable_line(line))


def _lines(found: Comparison, rules: list[RuleDifference], sides: list[Side], paths: tuple[str, str]) -> Iterator[str]:
    yield f"first:  {paths[0]}: {sides[0].title}"
    yield f"second: {paths[1]}: {sides[1].title}"
    yield ""
    if changed := [each for each in rules if each.first != each.second]:
        yield f"{'first':>9} {'second':>9} {'change':>9}  rule"
        for each in changed:
            yield f"{each.first:>9,} {each.second:>9,} {each.second - each.first:>+9,}  {each.rule}"
    if same := len(rules) - len(changed):
        yield f"{many(same, 'rule')} with the same count"
    for each in rules:
        for side, number in enumerate((each.only_first, each.only_second)):
            if number:
                yield ""
                yield f"only in the {_SIDES[side]}: {each.rule}, {many(number, 'alert')}"
                yield from map(_line, found.list_unmatched(each, side, _SHOWN))
                if number > _SHOWN:
                    yield f"    ... and {number - _SHOWN:,} more; --format json has all"
    if not any(each.only_first or each.only_second for each in rules):
        yield ""
        yield "both have the same alerts"


def _line(alert: ComparedAlert) -> str:
    at = datetime.fromtimestamp(alert.time // 1000, UTC)
    return f"    {at:%Y-%m-%d %H:%M:%S}.{alert.time % 1000:03} {priority_name(alert.priority)} {alert.message}"
