"""The rules on the native executor: batches of payloads in, the (event, rule) pairs that matched or may match out.

What a field's value is made of decides where it is read: a declared value is read natively, and so is what the host knows of an
event; for methods and the plugin's words there is Python. A rule for which such a value matters comes out as not sure, and an alert
that shows one without its values. Nothing is decided about those here: `lanner.host.pump` finishes them with the Python executor.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.native._executor import Executor
from lanner.rules.language.catalog import STATIC
from lanner.rules.plan.program import PYTHON, Source, make_program
from lanner.sdk.hosting import field_arguments
from lanner.sdk.plugin import plugin_info
from lanner.sdk.text import to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from lanner.native._executor import Hit
    from lanner.rules.language.catalog import FieldRequest
    from lanner.rules.language.typed import Operand
    from lanner.rules.plan.plan import Plan
    from lanner.sdk.plugin import Plugin, PluginInfo
    from lanner.sdk.values import Data

_log = logging.getLogger("lanner.rules")

_GENERIC: Final[dict[str, Source]] = {
    "evt.num": ("place",),
    "evt.rawtime": ("time", ""),
    "evt.rawtime.s": ("time", "s"),
    "evt.rawtime.ns": ("time", "ns"),
    "evt.time": ("clock", "time"),
    "evt.time.s": ("clock", "time.s"),
    "evt.time.iso8601": ("clock", "time.iso8601"),
    "evt.datetime": ("clock", "datetime"),
    "evt.datetime.s": ("clock", "datetime.s"),
    "evt.reltime": ("elapsed", ""),
    "evt.reltime.s": ("elapsed", "s"),
    "evt.reltime.ns": ("elapsed", "ns"),
    "evt.is_async": ("number", 0),
    "evt.asynctype": ("absent",),
}


class Found(NamedTuple):
    """What a batch came to. `last` is the time of its last event, `first` that of the run's first one, where they are known."""

    hits: list[Hit]
    not_json: int
    last: int | None
    first: int | None


class NativeRules:
    """A plan over a plugin's events. `copy` makes another for another thread."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def copy(self) -> NativeRules:
        """Another one of the same plan."""
        return NativeRules(self._executor.copy())

    def run(
        self,
        payloads: Sequence[bytes],
        timestamps: list[int | None] | None,
        number: int,
        before: int | None,
        first: int | None,
        now: int | None,
    ) -> Found:
        """The matches of a batch; the GIL is free meanwhile.

        `number` events were there before, the last at `before`, the first at `first`. An event that tells no time, and has none from
        the source, happens at `now`; where that is None, when the one before it did.
        """
        return Found(*self._executor.run(payloads, timestamps, number, before, first, now))


def native_rules(
    plan: Plan,
    plugin: Plugin,
    names: Sequence[str],
    wanted: Sequence[Sequence[Operand]] = (),
    *,
    hostname: str,
    static: Mapping[str, str],
    first: bool,
) -> NativeRules | None:
    """The plan over events of the plugin; `names` are those of the rules, `wanted` by rule the operands whose values its alerts show.

    Python evaluates the rules that the native executor cannot hold. None: it can hold none, not even the fields.
    """
    info = plugin_info(type(plugin))
    trees: list[Data] = []
    constants = {"evt.source": info.event_source or "", "evt.pluginname": info.name, "evt.hostname": hostname}
    constants |= {f"{STATIC}{name}": value for name, value in static.items()}
    sources = [_source(request, info, trees, constants) for request in plan.fields]
    if info.timestamp is not None:
        trees.append(info.timestamp.data())

    def make(in_python: Collection[int]) -> Executor:
        return Executor(make_program(plan, sources, trees, wanted, has_time=info.timestamp is not None, in_python=in_python), first)

    try:
        return NativeRules(make(()))
    except ValueError as error:
        _log.debug("the native executor cannot hold all rules: %s", error)
    every = frozenset(range(len(plan.conditions)))
    try:
        make(every)
    except ValueError as error:
        _log.warning("Python evaluates all rules, because the native executor cannot hold their fields: %s", error)
        return None
    refused = _refused(sorted(every), lambda kept: make(every.difference(kept)))
    for number, reason in refused.items():
        _log.warning("Python evaluates the rule '%s', because the native executor cannot hold it: %s", names[number], reason)
    return NativeRules(make(refused))


def _refused(rules: Sequence[int], make: Callable[[Sequence[int]], object]) -> dict[int, str]:
    """The rules that the native executor cannot hold, found by halving, and why."""
    try:
        make(rules)
    except ValueError as error:
        if len(rules) == 1:
            return {rules[0]: str(error)}
        half = len(rules) // 2
        return _refused(rules[:half], make) | _refused(rules[half:], make)
    return {}


def _source(request: FieldRequest, info: PluginInfo, trees: list[Data], constants: Mapping[str, str]) -> Source:
    declared = next((each for each in info.fields if each.info.name == request.name), None)
    if declared is None:
        if request.name in constants:
            return "text", to_bytes(constants[request.name])
        return _GENERIC.get(request.name, PYTHON)
    if declared.value is None:
        return PYTHON
    given = next(iter(field_arguments(declared.info, request.argument).values()), None)
    trees.append(declared.value.data())
    return "json", len(trees) - 1, to_bytes(given) if isinstance(given, str) else given
