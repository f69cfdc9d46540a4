"""The filter language of all views of alerts: `rule:"Shell in a container" priority>=warning container:web text`.

`parse_filter` returns a `Filter`, whose `matches` is the reference for every search. Terms are joined by "and". Any text is a valid filter:
a `FilterError` reports only a known key with an impossible value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from lanner.alerts.filter_terms import (
    COMPARE,
    AnyPattern,
    Choice,
    Comparison,
    Field,
    Pattern,
    Tag,
    Term,
    Text,
    Value,
    lower_ascii,
    read_number,
)
from lanner.alerts.search_words import words_of
from lanner.alerts.stored import read_content
from lanner.rules.files.items import Priority
from lanner.sdk.errors import UsageError
from lanner.sdk.text.misspelt import find_near, suggest_name
from lanner.sdk.text.moments import parse_moment
from lanner.sdk.text.printable import message_line

if TYPE_CHECKING:
    from lanner.alerts.stored import StoredAlert

KEYS: Final = {
    "rule": "rule",
    "priority": "priority",
    "source": "source",
    "subject": "subject",
    "container": "subject",
    "tag": "tag",
    "tags": "tag",
    "since": "since",
    "until": "until",
}
"""The keys of the language, and what they compare. All other keys with a dot are names of fields."""

_SYNONYMS: Final = {
    "severity": "priority",
    "level": "priority",
    "after": "since",
    "before": "until",
    "pod": "subject",
    "event_source": "source",
}
"""Words that are not keys, and the key that a user probably means."""

ALL_PRIORITIES: Final = frozenset(Priority)

_NAME: Final = r"(?P<key>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+|\[[^\]\s\"]*\])*)"
_KEY: Final = re.compile(rf"{_NAME}(?P<space>\s*)(?P<operator>>=|<=|!=|==|[:=<>])(?P<after>\s*)")
_IN: Final = re.compile(rf"{_NAME}\s+in\s*\(")
_ITEM: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*+)"|([^\s"(),]+))\s*([,)])', re.DOTALL)
_FALCO: Final = re.compile(
    rf"{_NAME}\s+(?P<operator>i?contains|startswith|endswith|glob|exists|i?regex|pmatch|intersects|in(?=\s*\()|bcontains|bstartswith)(?![\w.])"
)
_ADVICE: Final = {
    "contains": '{}:"*text*"',
    "icontains": '{}:"*text*"',
    "startswith": '{}:"text*"',
    "endswith": '{}:"*text"',
    "glob": '{}:"te*t"',
    "exists": "{}:*",
    "in": "{} in (one, two)",
    "intersects": "{} in (one, two)",
    "pmatch": "{} in (/one/*, /two/*)",
}
"""Filters instead of Falco's operators. A filter has no regular expressions."""
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*+)\\?"?', re.DOTALL)
_BARE: Final = re.compile(r"\S+")
_PLAIN: Final = re.compile(r"\s+([A-Za-z][\w-]*)(?=\s|$)(?!\s*(?:[<>:=]|!=)|\s+in\s*\()")
_SPACE: Final = re.compile(r"\s*")
_ESCAPE: Final = re.compile(r'\\([\\"*])')
_INNER_STAR: Final = re.compile(r"\*\w|\w\*.", re.DOTALL)
_PIECE: Final = re.compile(r'\\[\\"*]|\*|\\|[^\\*]+')
_EQUAL: Final = frozenset({":", "=", "==", "!="})
_MOST_NOTES: Final = 5


class FilterError(UsageError):
    """A filter has a known key with an impossible value; `place` is the offset of the value in the filter's text."""

    def __init__(self, message: str, place: int) -> None:
        super().__init__(message)
        self.place = place


class Filter(Struct, frozen=True):
    """A parsed filter: an alert must match all terms, have one of the priorities, and have arrived from `since` on, before `until`.

    `notes` are hints for the user, such as a key that is probably misspelt.
    """

    text: str = ""
    terms: tuple[Term, ...] = ()
    priorities: frozenset[int] = ALL_PRIORITIES
    since: int | None = None
    until: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether every alert matches."""
        return not self.terms and self.priorities == ALL_PRIORITIES and self.since is None and self.until is None

    @property
    def reads_content(self) -> bool:
        """Whether a term reads the alert's text, fields or tags."""
        return any(not isinstance(term, Value) for term in self.terms)

    def matches(self, alert: StoredAlert) -> bool:
        """Return whether an alert matches."""
        if alert.priority not in self.priorities:
            return False
        if (self.since is not None and alert.arrived < self.since) or (self.until is not None and alert.arrived >= self.until):
            return False
        if not self.terms:
            return True
        content = read_content(alert.line) if self.reads_content else None
        return all(term.holds(alert, content) != term.negated for term in self.terms)


def quote_value(text: str) -> str:
    """Return a value in quotes, for a filter that compares it literally."""
    return '"' + re.sub(r'([\\"*])', r"\\\1", text) + '"'


def parse_filter(text: str, now: int) -> Filter:
    """Return the filter that a user wrote; spans such as `since:1h` end at `now` (ns since 1970). Raises FilterError."""
    return _Parser(text, now).parse()


class _Parser:
    def __init__(self, text: str, now: int) -> None:
        self._text = text
        self._now = now
        self._at = 0
        self._terms: list[Term] = []
        self._notes: list[str] = []
        self._priorities = ALL_PRIORITIES
        self._since: int | None = None
        self._until: int | None = None

    def parse(self) -> Filter:
        while self._skip_space():
            self._term()
        terms = tuple(dict.fromkeys(self._terms))
        return Filter(self._text, terms, self._priorities, self._since, self._until, tuple(self._notes[:_MOST_NOTES]))

    def _skip_space(self) -> bool:
        self._at = self._take(_SPACE).end()
        return self._at < len(self._text)

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        assert found is not None
        return found

    def _term(self) -> None:
        negated = self._text.startswith("-", self._at)
        if negated:
            self._at += 1
            if self._at == len(self._text) or self._text[self._at].isspace():
                return
        if not (self._choice(negated=negated) or self._read_keyed(negated=negated)):
            self._advise()
            value, is_quoted = self._value()
            if not is_quoted and self._is_connective(value):
                return
            self._add_text(_unescape(value) if is_quoted else value, negated=negated)

    def _is_connective(self, word: str) -> bool:
        """Return whether a bare word only joins terms. Add a note for words that a user may expect to be operators."""
        if word.lower() == "and":
            return True
        if word in {"or", "OR", "||"}:
            self._note(f"the terms of a filter are joined by `and`: {word!r} is searched as a word")
        if word in {"not", "NOT"}:
            self._note(f"a `-` before a term excludes: {word!r} is searched as a word")
        return False

    def _add_text(self, text: str, *, negated: bool) -> None:
        if words := words_of(text):
            is_open = text.endswith("*") and bool(words_of(text[-2]))
            self._terms.append(Text(negated, tuple(words), is_open))
            if _INNER_STAR.search(text):
                self._note(f"a `*` in text has a meaning only at the end of a word: {message_line(text)!r} is searched without it")

    def _read_keyed(self, *, negated: bool) -> bool:
        """Read a term with a key, if this is one."""
        found = _KEY.match(self._text, self._at)
        if not found:
            return False
        written, operator = found["key"], found["operator"]
        key = KEYS.get(written.lower(), "")
        if not key and "." not in written and "[" not in written:
            if not found["space"] or operator != ":":
                self._suggest_key(written)
            return False
        if operator == ":" and (found["space"] or (found["after"] and not key)):
            return False
        if not key and operator in COMPARE:
            return self._compare_number(found, negated=negated)
        if key != "priority" and operator not in _EQUAL:
            if key:
                self._note(f"{key!r} is compared with `:`, and is searched as text here")
            return False
        self._at = found.end()
        if self._at == len(self._text):
            self._note(f"{message_line(written)!r} has no value and is ignored")
            return True
        begin = self._at
        raw, is_quoted = self._value()
        value = _unescape(raw) if is_quoted else raw
        if raw.startswith("'") and not is_quoted:
            self._note(f"`'` does not quote a value in a filter: use `\"` for {message_line(written)!r}")
        negated ^= operator == "!="
        if key == "priority":
            self._limit_priority(operator, value, begin, negated=negated)
        elif key in {"since", "until"}:
            self._limit_time(key, value, begin, negated=negated)
        else:
            # `example.com:443` may be meant as text
            words = tuple(words_of(f"{written}:{value}")) if words_of(value) else ()
            self._compare(key, written, _pattern(raw, is_quoted=is_quoted), words, negated=negated)
            if key == "rule" and not is_quoted and "*" not in raw and (rest := _PLAIN.match(self._text, self._at)):
                self._advise_quotes(raw, rest[1])
        return True

    def _advise_quotes(self, value: str, word: str) -> None:
        """Add a note about the word after the name of a rule, which may be a part of the name."""
        if word.lower() not in {"and", "or", "not"}:
            name = message_line(f"{value} {word}")
            self._note(f"{message_line(word)!r} is searched as a word: write rule:{quote_value(name)} if it belongs to the rule's name")

    def _suggest_key(self, written: str) -> None:
        """Add a note if a word is probably meant as a key."""
        if near := _SYNONYMS.get(written.lower()) or find_near(written, KEYS):
            self._note(f"{message_line(written)!r} is not a key of filters and is searched as text: did you mean {near!r}?")

    def _compare_number(self, found: re.Match[str], *, negated: bool) -> bool:
        """Read the number after a field and an operator of size, if it is one."""
        begin, self._at = self._at, found.end()
        value = self._value()[0] if self._at < len(self._text) else ""
        number = read_number(value)
        if number is None:
            self._at = begin
            self._note(f"{message_line(found['key'])!r} is compared by size only with a number, and is searched as text here")
            return False
        self._terms.append(Comparison(negated, found["key"], found["operator"], number))
        return True

    def _choice(self, *, negated: bool) -> bool:
        """Read `key in (a, b)`, if this is such a term."""
        found = _IN.match(self._text, self._at)
        key = KEYS.get(found["key"].lower(), "") if found else ""
        if not found or key in {"since", "until"}:
            return False
        if not (key or "." in found["key"] or "[" in found["key"]):
            self._suggest_key(found["key"])
            return False
        items, at, end = [], found.end(), ","
        while end == ",":
            item = _ITEM.match(self._text, at)
            if item is None:
                return False
            raw, is_quoted = (item[1], True) if item[2] is None else (item[2], False)
            items.append((raw, is_quoted, item.start(2) if item[1] is None else item.start(1) - 1))
            at, end = item.end(), item[3]
        if key == "priority":
            levels = [self._priority(_unescape(raw) if is_quoted else raw, place) for raw, is_quoted, place in items]
            self._priorities = self._priorities - set(levels) if negated else self._priorities & set(levels)
        else:
            patterns = tuple(_pattern(raw, is_quoted=is_quoted) for raw, is_quoted, _ in items)
            self._compare(key, found["key"], patterns[0] if len(patterns) == 1 else Choice(patterns), (), negated=negated)
        self._at = at
        return True

    def _advise(self) -> None:
        """Add a note if a condition of Falco begins here that a filter does not have."""
        found = _FALCO.match(self._text, self._at)
        if found and (found["key"].lower() in KEYS or "." in found["key"] or "[" in found["key"]):
            name, operator = message_line(found["key"]), found["operator"]
            advice = _ADVICE.get(operator)
            write = f": write {advice.format(name)}" if advice else ", which have no regular expressions"
            self._note(f"`{operator}` is not an operator of filters{write}. It is searched as a word here")
        elif self._text.startswith("(", self._at) and _KEY.match(self._text, self._at + 1):
            self._note("a filter has no parentheses, except after `in`: the terms in them are searched as text")

    def _value(self) -> tuple[str, bool]:
        """Read a value; return it with its escapes, and whether it was in quotes. A quote that is not closed ends with the filter."""
        if self._text.startswith('"', self._at):
            found = self._take(_QUOTED)
            self._at = found.end()
            if not found[0].endswith('"', found.end(1) - found.start()):
                self._note("a quote is not closed: all that follows it is one value")
            return found[1], True
        found = self._take(_BARE)
        self._at = found.end()
        return found[0], False

    def _limit_priority(self, operator: str, value: str, place: int, *, negated: bool) -> None:
        limit = self._priority(value, place)
        # a higher priority has a lower number
        wanted = {
            ">=": range(limit + 1),
            ">": range(limit),
            "<=": range(limit, len(Priority)),
            "<": range(limit + 1, len(Priority)),
        }.get(operator, range(limit, limit + 1))
        self._priorities = self._priorities - set(wanted) if negated else self._priorities & set(wanted)

    def _priority(self, value: str, place: int) -> Priority:
        limit = Priority.parse(value)
        if limit is None:
            names = [str(priority).lower() for priority in Priority]
            raise FilterError(
                f"invalid priority {message_line(value)!r} at character {place + 1} of the filter{suggest_name(value, names)}"
                f": use {', '.join(names[:-1])} or {names[-1]}",
                place,
            )
        return limit

    def _limit_time(self, key: str, value: str, place: int, *, negated: bool) -> None:
        try:
            moment = parse_moment(value, self._now)
        except ValueError as error:
            raise FilterError(f"`{key}:{message_line(value)}` at character {place + 1} of the filter is {error}", place) from None
        if (key == "since") != negated:
            self._since = moment if self._since is None else max(moment, self._since)
        else:
            self._until = moment if self._until is None else min(moment, self._until)

    def _compare(self, key: str, written: str, pattern: AnyPattern, words: tuple[str, ...], *, negated: bool) -> None:
        if key == "tag":
            self._terms.append(Tag(negated, pattern))
        elif key:
            self._terms.append(Value(negated, key, pattern))
        else:
            self._terms.append(Field(negated, written, pattern, words))

    def _note(self, text: str) -> None:
        if len(self._notes) < _MOST_NOTES and text not in self._notes:
            self._notes.append(text)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def _pattern(raw: str, *, is_quoted: bool) -> Pattern:
    return Pattern(tuple(map(lower_ascii, _parts(raw) if is_quoted else raw.split("*"))))


def _parts(text: str) -> list[str]:
    """Return the parts of a value in quotes between its wildcards, without escapes."""
    parts = [""]
    for piece in _PIECE.findall(text):
        if piece == "*":
            parts.append("")
        else:
            parts[-1] += _unescape(piece)
    return parts
