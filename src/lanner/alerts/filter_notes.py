"""Hints about a filter that only a store can give: names of fields and values that none of its alerts has, but similar ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import structs

from lanner.alerts.filter_terms import Comparison, Field, Pattern, Tag, Value
from lanner.alerts.filters import Filter, quote_value
from lanner.alerts.stored import read_content
from lanner.sdk.text.misspelt import find_near
from lanner.sdk.text.printable import message_line

if TYPE_CHECKING:
    from lanner.alerts.alert_store import AlertStore
    from lanner.alerts.filter_terms import Term

_SAMPLE: Final = 500
"""The newest alerts, whose names and values are compared."""
_MOST: Final = 5
"""Terms that are looked up."""
_ANY: Final = Pattern(("", ""))


def find_notes(store: AlertStore, wanted: Filter) -> tuple[str, ...]:
    """Return the filter's notes, and one for each name or value that the store probably does not have, but a similar one.

    The work is bounded: the newest alerts, and a short search for each of a few terms.
    """
    terms = [term for term in wanted.terms if isinstance(term, Field | Comparison | Tag) or _is_literal(term)][:_MOST]
    if not terms:
        return wanted.notes
    known: dict[str, set[str]] = {"rule": set(), "source": set(), "subject": set(), "tag": set(), "field": set()}
    for alert in store.read_newest(Filter(), _SAMPLE).alerts:
        content = read_content(alert.line)
        known["field"].update(content.output_fields)
        known["tag"].update(content.tags)
        for key in ("rule", "source", "subject"):
            known[key].add(getattr(alert, key))
    notes = dict.fromkeys(wanted.notes)
    for term in terms:
        if note := _note(store, term, known):
            notes[note] = None
    return tuple(notes)


def _is_literal(term: Term) -> bool:
    return isinstance(term, Value) and term.pattern.literal is not None


def _note(store: AlertStore, term: Term, known: dict[str, set[str]]) -> str:
    if isinstance(term, Field | Comparison):
        near = "" if term.name in known["field"] else _near_field(term.name, known["field"])
        if not near or store.read_newest(Filter(terms=(Field(negated=False, name=term.name, pattern=_ANY, words=()),)), 1).alerts:
            return ""
        return f"no alert was found with a field {message_line(term.name)!r}: did you mean {message_line(near)!r}?"
    if not isinstance(term, Value | Tag) or (value := term.pattern.literal) is None:
        return ""
    key = term.key if isinstance(term, Value) else "tag"
    if any(term.pattern.fits(each) for each in known[key]):
        return ""
    near = find_near(value, known[key])
    if not near or store.read_newest(Filter(terms=(structs.replace(term, negated=False),)), 1).alerts:
        return ""
    return f"no alert was found with {key} {message_line(value)!r}: did you mean {key}:{message_line(quote_value(near))}?"


def _near_field(name: str, known: set[str]) -> str:
    """Return the known name that is the most similar one in as many parts as `name` has, or ""."""
    parts = name.count(".") + 1
    beginnings = {".".join(each.split(".")[:parts]): each for each in sorted(known, key=len, reverse=True)}
    near = find_near(name, beginnings)
    return beginnings[near] if near else ""
