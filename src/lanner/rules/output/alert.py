"""Format alerts: the input are a rule's message and fields, the output is Falco's exact text or JSON.

`AlertWriter.compile` creates, once for each rule, the function that formats the rule's alerts. It does not know where an event's
values come from or where the lines go. The layouts are those of falco_formats::format_event in Falco 0.44.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from msgspec import Struct, defstruct

from lanner.rules.output.json_fields import TIME, compile_extra, compile_fields, to_signed
from lanner.rules.output.json_text import encode, replace_invalid, replace_loosely
from lanner.rules.output.message import OperandTable, compile_message, getter
from lanner.rules.output.times import Clock, local_time, utc_datetime
from lanner.sdk.text.encoding import to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lanner.rules.language.typed import Operand
    from lanner.rules.output.message import Values
    from lanner.rules.output.template import Format

    Line: TypeAlias = Callable[[int, Values], str]
    """Function from an event's timestamp (ns since 1970) and values to the line of the alert, without a newline."""

Kind: TypeAlias = Literal["text", "json"]

_PRIORITY_SEPARATOR: Final = ": "


class AlertRule(Struct, frozen=True, gc=False):
    """The parts of a rule that its alerts contain. `priority` is written as in Falco ("Critical", "Informational")."""

    name: str
    priority: str
    source: str
    tags: tuple[str, ...] = ()


class AlertFormat(NamedTuple):
    """The format of a rule's alerts: `line` takes an event's timestamp and its values of `operands`, in their order.

    `whole` is the same as JSON with all members, if requested. It is `line` itself if that has all members.
    """

    operands: tuple[Operand, ...]
    line: Line
    whole: Line | None = None


@dataclass(frozen=True, slots=True)
class AlertWriter:
    """Writer of alerts as text or JSON. The options are Falco's, without `json_` and `_property`, with the same defaults.

    `iso8601` is Falco's time_format_iso_8601: date and time in UTC instead of the local time. `hostname` is used only in JSON.
    """

    kind: Kind = "text"
    iso8601: bool = False
    hostname: str = ""
    include_output: bool = True
    include_tags: bool = True
    include_message: bool = False
    include_output_fields: bool = True
    _local: Clock = field(default_factory=lambda: Clock(local_time), init=False, repr=False, compare=False)
    _utc: Clock = field(default_factory=lambda: Clock(utc_datetime), init=False, repr=False, compare=False)

    def compile(self, rule: AlertRule, output: Format, *, with_whole: bool = False) -> AlertFormat:
        """Return the format of the alerts of a rule with this output; `with_whole`: also as JSON with all members.

        A string may contain newlines and bytes that are not UTF-8 (as surrogate escapes). JSON contains neither.
        """
        wanted = OperandTable()
        # first: it needs all values that the line needs
        whole = self.whole._json(rule, output, wanted) if with_whole else None  # noqa: SLF001 - of the same class
        if whole is not None and self == self.whole:
            return AlertFormat(wanted.operands, whole, whole)
        line = self._json(rule, output, wanted) if self.kind == "json" else self._text(rule, output, wanted)
        return AlertFormat(wanted.operands, line, whole)

    @property
    def whole(self) -> AlertWriter:
        """The writer of the same alerts as JSON with all members."""
        return AlertWriter("json", self.iso8601, self.hostname, include_message=True)

    def _text(self, rule: AlertRule, output: Format, wanted: OperandTable) -> Line:
        message, time = compile_message(output, wanted), self._prefix()
        title = f"{_PRIORITY_SEPARATOR}{rule.priority} "
        return lambda timestamp, values: f"{time(timestamp)}{title}{message(values)}"

    def _json(self, rule: AlertRule, output: Format, wanted: OperandTable) -> Line:
        message_of, time, utc = compile_message(output, wanted), self._prefix(), self._utc
        has_message, has_output = self.include_message, self.include_output
        fields_of = self._fields(output, wanted) if self.include_output_fields else None
        title = f"{_PRIORITY_SEPARATOR}{rule.priority} "
        begin, end = [replace_invalid(self.hostname)], [replace_invalid(text) for text in (rule.priority, rule.name, rule.source)]
        tags = [[replace_invalid(tag) for tag in _in_byte_order(set(rule.tags))]] if self.include_tags else []
        make = _object_of(self._members())

        def line(timestamp: int, values: Values, *, clean: bool = False) -> str:
            parts: list[Any] = begin.copy()
            message = message_of(values)
            if clean:
                message = replace_invalid(message)
            if has_message:
                parts.append(message)
            if has_output:
                parts.append(f"{time(timestamp)}{title}{message}")
            if fields_of is not None:
                parts.append(fields_of(timestamp, values, clean))
            try:
                return encode(make(*parts, *end, *tags, utc(timestamp) + "Z")).decode()
            except UnicodeEncodeError:  # bytes that are not UTF-8 are rare
                return line(timestamp, values, clean=True)

        return line

    def _prefix(self) -> Callable[[int], str]:
        utc = self._utc
        return (lambda timestamp: utc(timestamp) + "+0000") if self.iso8601 else self._local

    def _members(self) -> tuple[str, ...]:
        """Return the names of an alert's members in their order."""
        optional = {
            "message": self.include_message,
            "output": self.include_output,
            "output_fields": self.include_output_fields,
            "tags": self.include_tags,
        }
        names = ("hostname", "message", "output", "output_fields", "priority", "rule", "source", "tags", "time")
        return tuple(name for name in names if optional.get(name, True))

    def _fields(self, output: Format, wanted: OperandTable) -> Callable[[int, Values, bool], Any]:
        """Return a function that creates output_fields for an encoder, on demand with strings that are always UTF-8."""
        members = compile_fields(output, wanted)
        # The time before the message is also a field of the alert
        members["evt.time.iso8601" if self.iso8601 else "evt.time"] = TIME
        members |= compile_extra(output, wanted)
        keys = _in_byte_order(members)
        make = _object_of(tuple(map(replace_loosely, keys)))
        # a row of all inputs: the values, the results of functions, the time at the end
        functions = [member for member in members.values() if callable(member)]
        count = len(wanted.operands)
        pick = getter([count + functions.index(each) if callable(each) else each for each in (members[key] for key in keys)])

        def fields(timestamp: int, values: Values, clean: bool) -> Any:
            row = (
                [*values, *[function(values) for function in functions], to_signed(timestamp)]
                if functions
                else [*values, to_signed(timestamp)]
            )
            return make(*pick(list(map(_clean, row)) if clean else row))

        return fields


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return replace_loosely(value)
    return tuple(map(_clean, value)) if isinstance(value, tuple) else value


@lru_cache(1024)
def _object_of(keys: tuple[str, ...]) -> Callable[..., Any]:
    """Return a function from the members' values to an object that is encoded as JSON with these keys, in their order."""
    if len(set(keys)) < len(keys) or any(not key.isprintable() or '"' in key or "\\" in key for key in keys):
        # a struct has each key once, and writes it without escapes
        return lambda *values: dict(zip(keys, values, strict=True))
    names = {f"_{number}": key for number, key in enumerate(keys)}
    return defstruct("Object", [(name, Any) for name in names], rename=names, gc=False)


def _in_byte_order(texts: Iterable[str]) -> list[str]:
    return sorted(texts, key=to_bytes)
