"""Explanations of why a rule matched an event or did not: plain data, text for people, and JSON.

explainer.py evaluates the event and creates them. Nothing is evaluated here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from lanner.sdk.text.encoding import many
from lanner.sdk.text.printable import message_line, without_middle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Kind: TypeAlias = Literal["test", "not", "all", "one"]
Value: TypeAlias = "str | int | bool | list[str | int | bool] | None"

NO_VALUE: Final = "no value"

_TITLES: Final = {"all": "all of", "one": "one of"}
_MARK: Final = "<-- the first part that is false"
_LONGEST: Final = 120
_SHOWN_ITEMS: Final = 12
_SHORT: Final = 16
"""Number of lines up to which a condition is shown whole."""
_MOST_FALSE: Final = 4
"""Maximum number of false parts that the short text shows side by side; more are only counted."""


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

    def find_deciding(self, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Part]]:
        """Yield the tests that decided the result, each with its path: the indexes in `parts` that lead to it."""
        if self.kind == "test":
            yield path, self
            return
        inner = [(*path, number) for number in range(len(self.parts))]
        if self.kind == "one" and self.holds:
            inner = [at for at in inner if self.parts[at[-1]].holds][:1]
        elif self.kind == "all" and not self.holds:
            inner = [at for at in inner if not self.parts[at[-1]].holds][:1]
        for at in inner:
            yield from self.parts[at[-1]].find_deciding(at)


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

    def text(self, *, full: bool = False) -> str:
        """Return the text for people: the result, the event, the parts that decided, their lists.

        A short condition is shown whole, and with `full` every condition.
        """
        verdict = "matches" if self.holds else "does not match"
        lines = [f'"{self.rule}" ({self.place}) {verdict} event {self.number}:', f"    {without_middle(self.event, _LONGEST)}"]
        if self.taken_by:
            lines.append(f'    but "{self.taken_by}" raises the alert, because it comes first: only the first match raises an alert')
        return "\n".join(map(message_line, [*lines, "", *self._reasons(full=full)]))

    def reasons(self) -> str:
        """Return the part of `text` below the event: the parts that decided, and their lists."""
        return "\n".join(map(message_line, self._reasons(full=False)))

    def _reasons(self, *, full: bool) -> list[str]:
        tree = list(_lines(self.part, 0, full=True))
        if len(tree) > _SHORT and not full:
            tree = list(_lines(self.part, 0, full=False))
        lists = [f"{name}: {_items(items)}" for name, items in self.lists.items() if full or any(name in line for line in tree)]
        return [*tree, *([""] if lists else []), *lists, *([""] if self.unfit else []), *self.unfit]


def _lines(part: Part, depth: int, *, full: bool) -> Iterator[str]:
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
    children, note = (inner.parts, "") if full else _find_deciding(inner)
    for number, child in enumerate(children):
        # the first false part of several decides; the others only have their own line
        is_brief = number > 0 and not full and inner.kind == "all" and not inner.holds
        yield from islice(_lines(child, depth + 1, full=full), 1 if is_brief else None)
    if note:
        yield f"     {'  ' * (depth + 1)}... {note}"


def _find_deciding(part: Part) -> tuple[Sequence[Part], str]:
    """Return the children that decided the part's result, and a note on the others."""
    holding = [child for child in part.parts if child.holds]
    false = [child for child in part.parts if not child.holds]
    if part.kind == "one" and part.holds:
        others = len(part.parts) - 1
        return holding[:1], f"and {many(others, 'other alternative')}" if others else ""
    if part.holds:
        return part.parts, ""
    notes = []
    if (more := len(false) - _MOST_FALSE) > 0:
        notes.append(f"{more} more that {'is' if more == 1 else 'are'} false")
    if holding:
        notes.append(f"{len(holding)} that {'is' if len(holding) == 1 else 'are'} true")
    return false[:_MOST_FALSE], f"and {', '.join(notes)}" if notes else ""


def _values(part: Part) -> Iterator[str]:
    for number, (name, value) in enumerate(part.values):
        subject = f"; {name}" if number else "   ->"
        yield f"{subject} {NO_VALUE if value is None else without_middle(json.dumps(value, ensure_ascii=False), _LONGEST)}"


def _items(items: list[str]) -> str:
    more = len(items) - _SHOWN_ITEMS
    shown = ", ".join(json.dumps(item, ensure_ascii=False) if " " in item else item for item in items[:_SHOWN_ITEMS])
    return f"({shown}{f', and {more} more' if more > 0 else ''})"
