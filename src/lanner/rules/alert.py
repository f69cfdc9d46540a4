"""The line of an alert: a rule's message and fields in, Falco's exact text or JSON out.

`AlertWriter.compile` makes, once for each rule, the function that writes the rule's alerts; where the lines go is not decided
here. The layouts are those of falco_formats::format_event in Falco 0.44.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from lanner.rules.format import compile_message
from lanner.rules.jsonfields import compile_extra, compile_fields, signed
from lanner.rules.jsontext import quote, quote_field
from lanner.rules.times import Clock, local_time, utc_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lanner.rules.format import Format, Value

Kind: TypeAlias = Literal["text", "json"]

_PRIORITY_SEPARATOR: Final = ": "


@dataclass(frozen=True, slots=True)
class AlertRule:
    """What an alert tells of its rule. `priority` as Falco prints it ("Critical", "Informational")."""

    name: str
    priority: str
    source: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertWriter:
    """How alerts look. The names of the toggles are Falco's, without its `json_` and `_property`; so are their defaults.

    `iso8601` is Falco's time_format_iso_8601: UTC with the date in place of the local time of day. `hostname` stands in JSON alone.
    """

    kind: Kind = "text"
    iso8601: bool = False
    hostname: str = ""
    include_output: bool = True
    include_tags: bool = True
    include_message: bool = False
    include_output_fields: bool = True

    def compile(self, rule: AlertRule, output: Format, value: Value) -> Callable[[int], str]:
        """A function from an event's timestamp (ns since 1970) to the line of the alert, without a newline.

        `value` gives the current event's values by their numbers. A text may hold newlines and bytes that
        are not UTF-8 (as surrogate escapes); JSON holds neither.
        """
        return self._json(rule, output, value) if self.kind == "json" else self._text(rule, output, value)

    def _text(self, rule: AlertRule, output: Format, value: Value) -> Callable[[int], str]:
        message, time = compile_message(output, value), self._prefix()
        title = f"{_PRIORITY_SEPARATOR}{rule.priority} "
        return lambda timestamp: f"{time(timestamp)}{title}{message()}"

    def _json(self, rule: AlertRule, output: Format, value: Value) -> Callable[[int], str]:
        render, fields, time, utc = compile_message(output, value), self._fields(output, value), self._prefix(), Clock(utc_datetime)
        has_message, has_output, has_fields = self.include_message, self.include_output, self.include_output_fields
        head = f'{{"hostname":{quote(self.hostname)},'
        title = f"{_PRIORITY_SEPARATOR}{rule.priority} "
        tags = f'"tags":[{",".join(map(quote, _in_byte_order(set(rule.tags))))}],' if self.include_tags else ""
        tail = f'"priority":{quote(rule.priority)},"rule":{quote(rule.name)},"source":{quote(rule.source)},{tags}"time":"'

        def line(timestamp: int) -> str:
            message = quote(render())
            text = f'{head}"message":{message},' if has_message else head
            if has_output:
                text = f'{text}"output":"{time(timestamp)}{title}{message[1:]},'
            if has_fields:
                shown = ",".join([key + field(timestamp) for key, field in fields])
                text = f'{text}"output_fields":{{{shown}}},'
            return f'{text}{tail}{utc(timestamp)}Z"}}'

        return line

    def _prefix(self) -> Callable[[int], str]:
        if not self.iso8601:
            return Clock(local_time)
        utc = Clock(utc_datetime)
        return lambda timestamp: utc(timestamp) + "+0000"

    def _fields(self, output: Format, value: Value) -> list[tuple[str, Callable[[int], str]]]:
        """The members of output_fields in their order, each as its name with a colon and the function for its value."""
        members = compile_fields(output, value)
        # The time in front of the message is a field of the alert, too
        members["evt.time.iso8601" if self.iso8601 else "evt.time"] = signed
        members |= compile_extra(output, value)
        return [(quote_field(key) + ":", members[key]) for key in _in_byte_order(members)]


def _in_byte_order(texts: Iterable[str]) -> list[str]:
    return sorted(texts, key=lambda text: text.encode("utf-8", "surrogateescape"))
