"""Rules on the native executor: batches of payloads in, (event, rule) pairs that match or may match out.

Declared values and the host's own values are read natively; values of methods and event_to_string need Python. A rule that depends
on such a value is returned as unsure, and an alert that shows one without its values. `lanner.host.pump` finishes both with the
Python executor.
"""

from __future__ import annotations

import logging
from functools import reduce
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.native._executor import Executor
from lanner.rules.language.catalog import LINK, STATIC
from lanner.rules.plan.native_program import PYTHON, Source, make_program
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.hosting.field_reader import field_arguments
from lanner.sdk.payload.misfits import TIMESTAMP, add_misfits, misfits_by_field
from lanner.sdk.text.encoding import to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from lanner.native._executor import Hit
    from lanner.rules.language.catalog import FieldRequest
    from lanner.rules.language.typed import Operand
    from lanner.rules.plan.plan import Plan
    from lanner.sdk.authoring.fields import FieldDeclaration
    from lanner.sdk.authoring.plugin import Plugin
    from lanner.sdk.payload.misfits import Misfits
    from lanner.sdk.payload.path_parts import Data

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
    LINK: ("absent",),
}


class BatchResult(NamedTuple):
    """Result of a batch. `last` is the time of its last event and `first` that of the run's first event, if known."""

    hits: list[Hit]
    not_json: int
    invalid_utf8: int
    last: int | None
    first: int | None


class NativeRules:
    """A plan bound to a plugin's events. `copy` makes another one for another thread."""

    def __init__(self, executor: Executor, tree_names: Sequence[str], executors: list[Executor] | None = None) -> None:
        self._executor = executor
        self._tree_names = tree_names
        self._executors = [] if executors is None else executors  # of this one and all its copies
        self._executors.append(executor)

    def copy(self) -> NativeRules:
        """Return another instance with the same plan."""
        return NativeRules(self._executor.copy(), self._tree_names, self._executors)

    def misfits(self) -> Misfits:
        """Return how many values had another JSON type than their field, by field and type, of this instance and its copies."""
        return reduce(add_misfits, (misfits_by_field(self._tree_names, each.misfits()) for each in self._executors))

    def count_evaluated(self) -> int:
        """Return how many rules were evaluated so far, by this instance and its copies: those that the index found."""
        return sum(each.evaluated() for each in self._executors)

    def run(
        self,
        payloads: Sequence[bytes],
        timestamps: list[int | None] | None,
        number: int,
        before: int | None,
        first: int | None,
        now: int | None,
    ) -> BatchResult:
        """Return the matches of a batch. The GIL is released meanwhile.

        `number` events came before, the last one at `before`, the first one at `first`. An event without its own time, and without one from
        the source, gets the time `now`, or, if that is None, the previous event's time.
        """
        return BatchResult(*self._executor.run(payloads, timestamps, number, before, first, now))


def native_rules(
    plan: Plan,
    plugin: Plugin,
    names: Sequence[str],
    wanted: Sequence[Sequence[Operand]] = (),
    *,
    hostname: str,
    static: Mapping[str, str],
    first: bool,
    beside: Sequence[Plugin] = (),
) -> NativeRules | None:
    """Return the plan for the plugin's events. `names` are the rules' names, `wanted` each rule's operands that its alerts show.

    The plugins `beside` have further fields. Rules that the native executor does not support are evaluated in Python. Return None if it
    supports not even the fields.
    """
    info = plugin_info(type(plugin))
    trees: list[Data] = []
    constants = {"evt.source": info.read_source, "evt.pluginname": info.name, "evt.hostname": hostname}
    constants |= {f"{STATIC}{name}": value for name, value in static.items()}
    declared = {each.info.name: each for owner in (plugin, *beside) for each in plugin_info(type(owner)).fields}
    sources = [_source(request, declared, trees, constants) for request in plan.fields]
    tree_names = [request.name for request, source in zip(plan.fields, sources, strict=True) if source[0] == "json"]
    if info.timestamp is not None:
        trees.append(info.timestamp.data())
        tree_names.append(TIMESTAMP)

    def make(in_python: Collection[int]) -> Executor:
        return Executor(make_program(plan, sources, trees, wanted, has_time=info.timestamp is not None, in_python=in_python), first)

    try:
        return NativeRules(make(()), tree_names)
    except ValueError as error:
        _log.debug("the native executor does not support all rules: %s", error)
    every = frozenset(range(len(plan.conditions)))
    try:
        make(every)
    except ValueError as error:
        _log.warning("Python evaluates all rules, because the native executor does not support their fields: %s", error)
        return None
    refused = _find_refused(sorted(every), lambda kept: make(every.difference(kept)))
    for number, reason in refused.items():
        _log.warning("Python evaluates the rule '%s', because the native executor does not support it: %s", names[number], reason)
    return NativeRules(make(refused), tree_names)


def _find_refused(rules: Sequence[int], make: Callable[[Sequence[int]], object]) -> dict[int, str]:
    """Find the rules that the native executor does not support, by bisection, with the reasons."""
    try:
        make(rules)
    except ValueError as error:
        if len(rules) == 1:
            return {rules[0]: str(error)}
        half = len(rules) // 2
        return _find_refused(rules[:half], make) | _find_refused(rules[half:], make)
    return {}


def _source(request: FieldRequest, fields: Mapping[str, FieldDeclaration], trees: list[Data], constants: Mapping[str, str]) -> Source:
    declared = fields.get(request.name)
    if declared is None:
        if request.name in constants:
            return "text", to_bytes(constants[request.name])
        return _GENERIC.get(request.name, PYTHON)
    if declared.value is None:
        return PYTHON
    given = next(iter(field_arguments(declared.info, request.argument).values()), None)
    trees.append(declared.value.data())
    return "json", len(trees) - 1, to_bytes(given) if isinstance(given, str) else given
