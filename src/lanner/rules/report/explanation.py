"""Explanations of why a rule matched an event or did not: plain data, text for people, and JSON.

explain.py evaluates the event and creates them. Nothing is evaluated here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from lanner.sdk.printable import message_line, without_middle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Kind: TypeAlias = Literal["test", "not", "all", "one"]
Value: TypeAlias = "str | int | bool | list[str | int | bool] | None"

NO_VALUE: Final = "no value"

_TITLES: Final = {"all": "all of", "one": "one of"}
_MARK: Final = "<-- the first part that is false"
_LONGEST: Final = 120
_SHOWN_ITEMS: Final = 12
# Number of false alternatives that are shown next to a true one; more are only counted
_FOLDED: Final = 4


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a condition and whether it holds.

    `text` is a test's own, `macros` are the names of the macros that contain the part (the outermost first), `exception` is its name if it
    is an exception. `values` are the operands of a test, its left side first; None means no value. `marked`: the first false part.
    """

    kind: Kind
    holds: bool
    text: str = ""
    macros: tuple[str, ...] = ()
    exception: str = ""
    values: tuple[tuple[str, Value], ...] = ()
    parts: tuple[Part, ...] = ()
    marked: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the part for JSON, without empty values."""
        shown: dict[str, Any] = {"kind": self.kind, "holds": self.holds, "text": self.text, "macros": list(self.macros)}
        shown |= {"exception": self.exception, "values": dict(self.values), "parts": [part.as_dict() for part in self.parts]}
        shown["says_no_first"] = self.marked
        return {key: value for key, value in shown.items() if value or key == "holds"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The result of a rule for one event.

    `taken_by` is the rule that raised the event's alert although this one matches too. `lists` are those that the condition names. `unfit`
    are lines about fields without a value because the payload has another type there.
    """

    rule: str
    place: str
    part: Part
    lists: Mapping[str, list[str]] = field(default_factory=dict)
    number: int = 0
    event: str = ""
    taken_by: str = ""
    unfit: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the condition holds."""
        return self.part.holds

    def as_dict(self) -> dict[str, Any]:
        """Return the explanation for JSON."""
        return {
            "rule": self.rule,
            "place": self.place,
            "event": self.number,
            "event_text": self.event,
            "matches": self.holds,
            "taken_by": self.taken_by or None,
            "condition": self.part.as_dict(),
            "lists": dict(self.lists),
            "unfit": list(self.unfit),
        }

    def text(self) -> str:
        """Return the text for people: the result, the event, the tree, the lists."""
        verdict = "matches" if self.holds else "does not match"
        lines = [f'"{self.rule}" ({self.place}) {verdict} event {self.number}:', f"    {without_middle(self.event, _LONGEST)}"]
        if self.taken_by:
            lines.append(f'    but the alert is that of "{self.taken_by}", which is tried first: only the first match raises an alert')
        lines += ["", *_lines(self.part, 0)]
        if self.lists:
            lines += ["", *(f"{name}: {_items(items)}" for name, items in self.lists.items())]
        if self.unfit:
            lines += ["", *self.unfit]
        return "\n".join(map(message_line, lines))


def _lines(part: Part, depth: int) -> Iterator[str]:
    inner, title = part, "".join(f"macro {name}: " for name in part.macros)
    if part.exception:
        title += f"exception {part.exception}: "
    while inner.kind == "not":
        # A negation and its operand share a line; the result is that of both together
        title, inner = f"{title}not ", inner.parts[0]
        title += "".join(f"macro {name}: " for name in inner.macros)
    title += inner.text or _TITLES[inner.kind]
    shown = "".join(_values(inner))
    mark = f"   {_MARK}" if part.marked else ""
    yield f"{'yes' if part.holds else 'no ':4} {'  ' * depth}{title}{shown}{mark}"
    silent = [child for child in inner.parts if not child.holds]
    folded = inner.kind == "one" and inner.holds and len(silent) > _FOLDED
    for child in inner.parts:
        if child.holds or not folded:
            yield from _lines(child, depth + 1)
    if folded:
        yield f"no   {'  ' * (depth + 1)}... and {len(silent)} others"


def _values(part: Part) -> Iterator[str]:
    for number, (name, value) in enumerate(part.values):
        subject = f"; {name}" if number else "   ->"
        yield f"{subject} {NO_VALUE if value is None else without_middle(json.dumps(value, ensure_ascii=False), _LONGEST)}"


def _items(items: list[str]) -> str:
    more = len(items) - _SHOWN_ITEMS
    shown = ", ".join(json.dumps(item, ensure_ascii=False) if " " in item else item for item in items[:_SHOWN_ITEMS])
    return f"({shown}{f', and {more} more' if more > 0 else ''})"
