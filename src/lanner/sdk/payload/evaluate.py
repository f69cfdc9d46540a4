"""The reference evaluator of payload values: a few readable lines for each word of `lanner.sdk.payload.words`.

The input are trees as plain data (`Value.data()`) and a payload, the output are field values. The native reader
(`lanner.native.Reader`) has the same interface and returns the same values, but faster. Tests compare the two.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import partial
from ipaddress import ip_address, ip_network
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lanner.sdk.errors import PayloadError
from lanner.sdk.payload.conversions import find_parameter, pack_address
from lanner.sdk.payload.dates import to_nanoseconds
from lanner.sdk.payload.jsondoc import decode, decode_any
from lanner.sdk.payload.line_forms import Line
from lanner.sdk.payload.places import kind_at, members_at, split_container
from lanner.sdk.payload.pointer import Document
from lanner.sdk.payload.sharing import EXCESS, MAX_REPEATED
from lanner.sdk.payload.words import ROWS
from lanner.sdk.text.encoding import cut_at_nul, from_bytes, is_byte, to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lanner.sdk.payload.path_parts import Data
    from lanner.sdk.types import FieldValue, Scalar

UINT64_MAX: Final = 2**64 - 1
_TEXT_OR_BLANKS: Final = re.compile(rb'("(?:[^"\\]++|\\.)*+")|[ \t\n\r]+', re.DOTALL)
_ACCEPTED: Final = {  # by what a word reads: the kinds of JSON besides strings, and the forms of numbers
    "text": ((), None),
    "scalar": (("boolean", "number"), re.compile(".*")),
    "number": (("number",), re.compile("[0-9]+")),
    "decimal": (("number",), re.compile(r"[0-9]+(\.[0-9]+)?")),
    "boolean": (("boolean",), None),
}


class Items(NamedTuple):
    """The items of a list. `complete`: none was left out."""

    values: list[Scalar]
    complete: bool = True


class _ExcessError(Exception):
    """An evaluation repeats more of shared parts than `MAX_REPEATED`."""


class Subject(NamedTuple):
    """A payload as trees read it: the text of its JSON, its JSON pointers, each or None, and its line."""

    json: bytes | None
    pointers: Document | None
    line: Line


class Reader:
    """Reads values from one payload at a time. `table` contains the trees; a slot is an index in it."""

    def __init__(self, table: Sequence[Data]) -> None:
        self._table = tuple(table)
        self._forms = set[str]().union(*map(_forms, self._table))
        self._patterns = [form for form in self._forms if form not in {"path", "pointer", "logfmt", "cef"}]
        self._subject: Subject | None = None
        self._misfits: list[dict[str, int]] = [{} for _ in table]
        self.has_invalid_utf8 = False
        """Whether strings of the loaded payload have no UTF-8. Their bytes are escapes (`lanner.sdk.text.encoding`)."""

    def load(self, payload: bytes) -> bool:
        """Load the next payload, and return whether it has a form that the trees read: JSON, if there is no other."""
        line = Line(payload)
        json: bytes | None = None
        pointers: Document | None = None
        is_utf8 = True
        if "path" in self._forms or not self._forms:
            with suppress(PayloadError):
                is_utf8 = decode_any(payload)[1]
                json = payload.strip(b" \t\n\r")
        if "pointer" in self._forms:
            with suppress(ValueError):
                pointers = Document(payload)
        is_line = (
            any(map(line.match, self._patterns))
            or ("logfmt" in self._forms and bool(line.logfmt()))
            or ("cef" in self._forms and bool(line.cef()))
        )
        is_readable = json is not None or pointers is not None or is_line
        if json is None and is_readable:
            is_utf8 = not any(map(is_byte, from_bytes(payload)))
        self._subject, self.has_invalid_utf8 = Subject(json, pointers, line), not is_utf8
        return is_readable

    def get(self, slot: int, argument: str | int | None = None) -> FieldValue:
        """Return the value of the tree at `slot`; `argument` fills KEY (str) or INDEX (int)."""
        if self._subject is None:
            return None
        if isinstance(argument, int) and not 0 <= argument <= UINT64_MAX:
            argument = None  # not an index
        if isinstance(argument, str):
            try:
                argument = _rejoin(argument)
            except UnicodeEncodeError:
                argument = None  # half of a surrogate pair: no member has such a name
        reading = _Reading(self._subject, argument, self._misfits[slot])
        tree: Any = self._table[slot]
        try:
            if not _is_list(tree):
                value: FieldValue = reading.attempt(lambda: reading.one(tree))
                return value
            items: tuple[Scalar, ...] | None = reading.attempt(lambda: (found := reading.many(tree)) and (tuple(found.values) or None))
        except _ExcessError:
            self._misfits[slot][EXCESS] = self._misfits[slot].get(EXCESS, 0) + 1
            return None
        return items

    def misfits(self) -> list[dict[str, int]]:
        """Return for each slot how often a value had another type than the field, by its JSON type."""
        return [dict(each) for each in self._misfits]


def _forms(tree: Any) -> set[str]:
    """Return the form that a tree reads: `path` for JSON, `pointer`, `logfmt`, `cef`, or the pattern of a group."""
    match tree:
        case ["path" | "pointer" | "logfmt" | "cef" as form, _]:
            return {form}
        case ["group", expression, _]:
            return {expression}
        case ["first" | "concat", values]:
            return set[str]().union(*map(_forms, values))
        case ["when" | "unless" | "each", one, other, *_]:
            return _forms(one) | _forms(other)
        case ["item" | "given" | "constant", *_]:
            return set()
    return _forms(tree[1])


def _is_list(tree: Any) -> bool:
    match tree:
        case ["path" | "item", steps]:
            return any(isinstance(step, dict) and "each" in step for step in steps)
        case ["first", [option, *_]] | ["when" | "unless", option, _, _] | ["shared", option]:
            return _is_list(option)
        case ["each", *_]:
            return True
        case [word, value, *_] if word in ROWS:
            return ROWS[word].shape == "list" or (ROWS[word].shape == "item" and _is_list(value))
    return False


def _room(value: Scalar) -> int:
    """Return how much a value counts towards `MAX_REPEATED`."""
    return 1 + (len(to_bytes(value)) if isinstance(value, str) else len(value) if isinstance(value, bytes) else 0)


def _rejoin(text: str) -> str:
    # escapes of bytes that came together may be a character
    return from_bytes(to_bytes(text))


class _Reading:
    """One evaluation of a tree. `reads` is one of `lanner.sdk.payload.words.Reads`: the JSON values that count at a place."""

    def __init__(self, subject: Subject, argument: str | int | None, misfits: dict[str, int]) -> None:
        self._subject = subject
        self._argument = argument
        self._item = subject.json
        self._misfits = misfits
        self._misfit: str | None = None
        self._shared: dict[int, tuple[Any, str | None]] = {}
        self._repeated = 0

    def attempt(self, evaluate: Callable[[], Any]) -> Any:
        """Return a result. If there is none because a value has another type, count that."""
        before = self._exchange_misfit(None)
        found = evaluate()
        misfit = self._exchange_misfit(before)
        if found is None and misfit is not None:
            self._misfits[misfit] = self._misfits.get(misfit, 0) + 1
        return found

    def _exchange_misfit(self, misfit: str | None) -> str | None:
        before, self._misfit = self._misfit, misfit
        return before

    def one(self, tree: Any, reads: str = "text") -> Any:
        """Return the value of a tree that is not a list: str, int, bool, bytes (addresses) or None."""
        match tree:
            case ["path" | "item", _]:
                places = self._places(tree)
                return self._read(places[0], reads) if places and places[0] is not None else None
            case ["first", options]:
                return next((value for option in options if (value := self.one(option, reads)) is not None), None)
            case ["when" | "unless", value, _, _]:
                return self.one(value, reads) if self._holds(tree) else None
            case ["shared", value]:
                return self._share(tree, lambda: self.one(value, reads))
            case ["given"]:
                return self._argument is not None
            case ["constant", text]:
                return text
            case ["concat", values]:
                texts = [*takewhile(lambda each: each is not None, map(self.one, values))]
                return _rejoin("".join(texts)) if len(texts) == len(values) else None
            case ["pointer" | "logfmt" | "cef" as form, name]:
                return self._part(form, self._argument if isinstance(name, dict) else name)
            case ["group", expression, name]:
                return self._subject.line.group(expression, name)
            case ["nth", value, index]:
                number = self._argument if isinstance(index, dict) else index
                found = self.many(value, reads)
                return found.values[number] if found and isinstance(number, int) and number < len(found.values) else None
            case ["join", value, separator]:
                found = self.many(value)
                return _rejoin(separator.join(map(str, found.values))) if found else None
            case ["any", value, *texts]:
                found = self.many(value)
                return any(each in texts if texts else each for each in found.values) if found else None
            case ["exists" | "present" as word, value]:
                if _is_list(value):
                    found = self.many(value, ROWS[word].reads)
                    return bool(found and found.values)
                return self.one(value, ROWS[word].reads) is not None
            case [word, value, *operands]:
                return self._make(word, self.one(value, ROWS[word].reads), operands)
        raise ValueError(f"invalid value tree: {tree!r}")

    def many(self, tree: Any, reads: str = "text") -> Items | None:
        """Return the items of a tree that is a list, or None if the event has no such list."""
        match tree:
            case ["path" | "item", _]:
                return self._map(self._places(tree), lambda place: self._read(place, reads))
            case ["first", options]:
                return next((found for option in options if (found := self.many(option, reads)) and found.values), None)
            case ["when" | "unless", value, _, _]:
                return self.many(value, reads) if self._holds(tree) else None
            case ["shared", value]:
                shared: Items | None = self._share(tree, lambda: self.many(value, reads))
                return shared
            case ["each", value, body]:
                return self._each(self._places(value), body, reads)
            case ["keys", value]:
                return self._keys(self._places(value))
            case ["split", value, separator]:
                text = self.one(value)
                return None if text is None else Items(text.split(separator))
            case ["listed", value]:
                one = self.one(value, reads)
                return None if one is None else Items([one])
            case ["without", value, *texts]:
                found = self.many(value)
                return Items([each for each in found.values if each not in texts], found.complete) if found else None
            case ["every", value]:
                found = self.many(value, reads)
                return found if found and found.complete else None
            case [word, value, *operands]:
                found = self.many(value, ROWS[word].reads)
                made = self._map(found.values, lambda each: self._make(word, each, operands)) if found else None
                return Items(made.values, made.complete and found.complete) if made and found else None
        raise ValueError(f"invalid value tree: {tree!r}")

    def _map(self, given: Iterable[Any] | None, make: Callable[[Any], Any]) -> Items | None:
        if given is None:
            return None
        made = [None if each is None else self.attempt(partial(make, each)) for each in given]
        return Items([each for each in made if each is not None], None not in made)

    def _each(self, places: list[bytes | None] | None, body: Any, reads: str) -> Items | None:
        if places is None:
            return None
        outer, complete = self._item, True
        values: list[Scalar] = []
        for place in places:
            found = None
            if place is not None:
                self._item = place
                if _is_list(body):
                    found = self.attempt(lambda: self.many(body, reads))
                else:
                    value = self.attempt(lambda: self.one(body, reads))
                    found = None if value is None else Items([value])
            values += found.values if found else []
            complete = complete and found is not None and found.complete
        self._item = outer
        return Items(values, complete)

    def _share(self, tree: Any, evaluate: Callable[[], Any]) -> Any:
        """Return the value of the first call for a tree, and its misfit."""
        if id(tree) not in self._shared:
            before = self._exchange_misfit(None)
            found = evaluate()
            self._shared[id(tree)] = found, self._exchange_misfit(before)
        found, misfit = self._shared[id(tree)]
        values = found.values if isinstance(found, Items) else [] if found is None else [found]
        self._repeated += sum(map(_room, values))
        if self._repeated > MAX_REPEATED:
            raise _ExcessError
        self._misfit = misfit or self._misfit
        return found

    def _keys(self, places: list[bytes | None] | None) -> Items | None:
        if places is None:
            return None
        names: list[Scalar] = []
        complete = True
        for place in places:
            if place is not None and kind_at(place) == "object":
                names += dict.fromkeys(map(cut_at_nul, members_at(place)))
            else:
                complete = False
                if place is not None:
                    self.attempt(partial(self._note_misfit, place))
        return Items(names, complete)

    def _holds(self, tree: Any) -> bool:
        word, _, condition, texts = tree
        before, self._misfits = self._misfits, {}  # conditions count nothing
        misfit = self._misfit
        if _is_list(condition):
            found = self.many(condition)
            holds = bool(found and found.values)
        else:
            value = self.one(condition)
            holds = value in texts if texts else value is not None and value is not False
        self._misfits, self._misfit = before, misfit
        return holds is (word == "when")

    def _places(self, tree: Any) -> list[bytes | None] | None:
        """Return the places of a path: None for an item without the place, and no list at all if the path's beginning leads nowhere."""
        root, steps = tree
        place = self._subject.json if root == "path" else self._item
        return None if place is None else self._walk(place, steps)

    def _walk(self, place: bytes, steps: Sequence[Any]) -> list[bytes | None] | None:
        for number, step in enumerate(steps):
            match step:
                case {"each": mode}:
                    if kind_at(place) != "array":
                        self._note_misfit(place)
                        return None
                    items = split_container(place)
                    if mode == "index" and self._argument is not None:
                        items = items[self._argument :][:1] if isinstance(self._argument, int) else []
                        if not items:
                            return None
                    below = [self.attempt(partial(self._walk, item, steps[number + 1 :])) for item in items]
                    return [each for places in below for each in ([None] if places is None else places)]
                case ["where", name, *texts]:
                    member = members_at(place).get(name) if kind_at(place) == "object" else None
                    if member is None or (texts and self._read(member, "scalar") not in texts):
                        return []
                case _:
                    next_place = self._step(place, self._argument if isinstance(step, dict) else step)
                    if next_place is None:
                        return None
                    place = next_place
        return [place]

    def _part(self, form: str, name: str | int | None) -> str | None:
        if not isinstance(name, str):
            return None
        if form == "pointer":
            return self._subject.pointers.get(name) if self._subject.pointers else None
        return (self._subject.line.cef() if form == "cef" else self._subject.line.logfmt()).get(name)

    @staticmethod
    def _step(place: bytes, step: str | int | None) -> bytes | None:
        if kind_at(place) == "object" and isinstance(step, str):
            return members_at(place).get(step)
        if kind_at(place) == "array" and isinstance(step, int):
            items = split_container(place)
            return items[step] if 0 <= step < len(items) else None
        return None

    def _read(self, place: bytes, reads: str) -> str | bool | None:
        kind = kind_at(place)
        if reads in {"any", "present"}:
            return True if reads == "any" or kind != "null" else None
        if reads == "raw":
            return from_bytes(_TEXT_OR_BLANKS.sub(lambda found: found[1] or b"", place))
        if kind == "text":
            return cut_at_nul(decode(place))
        kinds, form = _ACCEPTED[reads]
        text = from_bytes(place)
        if kind in kinds and (kind == "boolean" or (form and form.fullmatch(text))):
            return text
        self._note_misfit(place)
        return None

    def _note_misfit(self, place: bytes) -> None:
        kind = kind_at(place)
        if kind != "null":
            self._misfit = kind

    def _make(self, word: str, value: Any, operands: list[Any]) -> Any:
        """Return the result of a word for one value."""
        if value is None:
            return None
        match word:
            case "raw":
                return value
            case "text":
                return str(value).lower() if isinstance(value, bool) else str(value)
            case "before":
                return value.partition(operands[0])[0]
            case "after":
                return value.partition(operands[0])[2] if operands[0] in value else None
            case "after_last":
                return value.rpartition(operands[0])[2]
            case "basename":
                return value.rpartition("/")[2]
            case "lower" | "upper":
                return re.sub("[A-Za-z]+", lambda found: getattr(found[0], word)(), value)
            case "query":
                return find_parameter(value, self._argument if isinstance(operands[0], dict) else operands[0])
        made = _convert(word, value, operands)
        if made is None:
            self._misfit = "number" if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) else "text"
        return made


def _convert(word: str, text: str, operands: list[Any]) -> int | bool | bytes | None:
    match word:
        case "boolean":
            return {"true": True, "false": False}.get(text)
        case "integer":
            # 20 digits suffice for every unsigned 64-bit integer; longer strings with leading zeros do not occur
            number = int(text) if re.fullmatch("[0-9]{1,20}", text) else None
        case "time" | "duration":
            number = to_nanoseconds(text, operands[0])
        case "address":
            return pack_address(text, ip_address)
        case "network":
            return pack_address(text, lambda each: ip_network(each, strict=False))
        case _:
            raise ValueError(f"invalid word: {word!r}")
    return number if number is not None and 0 <= number <= UINT64_MAX else None
