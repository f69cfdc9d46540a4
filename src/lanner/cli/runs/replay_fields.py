"""After a replay: the fields that had no value in any event, and the rules that need them."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from lanner.cli.messages import say
from lanner.host.recording import open_recording
from lanner.rules.files.load import OWN_RULES
from lanner.rules.lint.silent import needs
from lanner.sdk.errors import SourceError
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.cli.runs.settings import Settings
    from lanner.host.pump import Pump
    from lanner.rules import CompiledRules
    from lanner.rules.condition.ast import Field
    from lanner.rules.language.catalog import FieldRequest
    from lanner.rules.output.template import Format
    from lanner.sdk.authoring.plugin import PluginInfo

_MOST_EVENTS: Final = 10_000
"""Events of a recording that is read a second time without -v."""
_FOREVER: Final = 24 * 3600.0


def tell_empty_fields(pump: Pump, compiled: CompiledRules, settings: Settings, info: PluginInfo) -> None:
    """Print the fields without a value in all events of the recording, with the rules of the user that need them. -v: of all rules.

    A recording on standard input cannot be read again, and a long one is read again only with -v.
    """
    limits, events = settings.limits, pump.counts().events
    numbers = [*_find_wanted(compiled, settings)]
    if not numbers or not events or "-" in limits.recordings or (events > _MOST_EVENTS and not limits.verbose):
        return
    try:
        empty = pump.find_empty_fields(islice(_read_payloads(settings, info), events))
    except SourceError:  # the recording is not there any more
        return
    alerts = pump.counts().alerts
    lines: list[str] = []
    for number, request in enumerate(compiled.plan.fields):
        if number in empty:
            rules = [(place, compiled.rules[place]) for place in numbers]
            silent = [rule.name for _, rule in rules if rule.name not in alerts and needs(rule.condition, partial(_is_of, request))]
            printed = [rule.name for place, rule in rules if rule.name in alerts and _prints(compiled.outputs[place], number)]
            uses = [f"{_list(silent)} cannot match"] if silent else []
            uses += [f"the output of {_list(printed)} has <NA>"] if printed else []
            lines += [f"    {_show(request)}: {', '.join(uses)}"] if uses else []
    if lines:
        them = "the event" if events == 1 else f"any of the {many(events, 'event')}"
        say(f"{many(len(lines), 'field')} of the rules had no value in {them}:", *lines)


def _find_wanted(compiled: CompiledRules, settings: Settings) -> Iterator[int]:
    """Yield the numbers of the rules to report about: with -v all, else those of the files that the user names."""
    named = {path for path in settings.rules or () if path != OWN_RULES}
    for number, rule in enumerate(compiled.rules):
        place = rule.warning("", "").place
        if settings.limits.verbose or (place is not None and place.file in named):
            yield number


def _read_payloads(settings: Settings, info: PluginInfo) -> Iterator[bytes]:
    source = open_recording(settings.limits.recordings, info)
    while True:
        batch = source.next_batch(_FOREVER)
        yield from batch.payloads
        if batch.ended:
            return


def _prints(output: Format, number: int) -> bool:
    return any(each.slot.number == number for each in output.fields)


def _is_of(request: FieldRequest, field: Field) -> bool:
    return field.name == request.name and field.argument == (None if request.argument is None else str(request.argument))


def _show(request: FieldRequest) -> str:
    return request.name if request.argument is None else f"{request.name}[{request.argument}]"


def _list(names: list[str]) -> str:
    return f"the {'rule' if len(names) == 1 else 'rules'} {', '.join(map(repr, names))}"
