"""Collect items in the order of the files: definitions, redefinitions, appends, replacements, switches of lists, macros and rules.

The input are the steps of items (load.py), one after another. The output are `Definitions`, each with the order of its first
definition (`index`) and of its last change (`visibility`). Conditions are still strings. Messages are Falco's.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from lanner.rules import findings
from lanner.rules.files.exceptions import check_exception
from lanner.rules.files.items import (
    EngineVersion,
    ListItem,
    MacroItem,
    PluginVersion,
    Priority,
    RuleException,
    RuleItem,
    RuleToggle,
    RuleUpdate,
)
from lanner.rules.files.placed_text import Text, join
from lanner.rules.files.required_versions import ENGINE_VERSION, check_requirement, find_unmet
from lanner.rules.files.rule_items import DEFAULT_SOURCE
from lanner.rules.files.scalars import ItemError
from lanner.rules.findings import UNKNOWN_SOURCE, Finding, make_finding

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from lanner.rules.files.items import Step
    from lanner.yamlfile.reader import Scalar
    from lanner.yamlfile.source import Context

_DIFFERENT_SOURCE: Final = "Rule has been re-defined with a different source"
_NO_LIST: Final = "List uses 'append' or 'override.items: append' but no list by that name already exists"
_NO_MACRO: Final = "Macro uses 'append' or 'override.condition: append' but no macro by that name already exists"
_NO_RULE_TO_APPEND: Final = "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists"
_NO_RULE_TO_REPLACE: Final = "An 'override.<key>: replace' to a rule was requested but no rule by that name already exists"
_NO_RULE_TO_SWITCH: Final = "Rule has 'enabled' key but no rule by that name already exists"
NO_EARLIER_ITEM: Final = frozenset({_NO_LIST, _NO_MACRO, _NO_RULE_TO_APPEND, _NO_RULE_TO_REPLACE, _NO_RULE_TO_SWITCH})
"""The messages about an item that changes one which no earlier file has."""
_NOTHING_TO_APPEND: Final = "Appended rule must have exceptions or condition property"
_NOTHING_TO_REPLACE: Final = "The rule must have at least one field that can be replaced"


class Definition(Struct):
    """The common parts of lists, macros and rules."""

    context: Context
    name: str
    index: int
    visibility: int


class ListDefinition(Definition):
    """A list's items as written, including names of other lists."""

    items: tuple[Scalar, ...]


class MacroDefinition(Definition):
    """A macro's condition as written."""

    condition: Text
    condition_context: Context


class RuleDefinition(Definition):
    """A rule with all its changes."""

    condition: Text
    output: Text
    desc: str
    priority: Priority
    source: str
    enabled: bool
    tags: frozenset[str]
    exceptions: list[RuleException]
    skip_if_unknown_filter: bool
    known_source: bool
    # The places that Falco reports, regardless of later replacements
    condition_context: Context
    output_context: Context
    warn_evttypes: bool = True
    capture: bool = False
    capture_duration: int = 0
    _places: dict[str, int] = field(default_factory=dict)
    _placed: list[RuleException] = field(default_factory=list)
    _count: int = 0

    def exception_place(self, name: str) -> int | None:
        """Return the index of the first exception with that name. Each is indexed once, even if many are appended."""
        if self._placed is not self.exceptions:
            self._places, self._placed, self._count = {}, self.exceptions, 0
        for place in range(self._count, len(self.exceptions)):
            self._places.setdefault(self.exceptions[place].name, place)
        self._count = len(self.exceptions)
        return self._places.get(name)


class Definitions(Struct):
    """All definitions so far, by name, in the order of first definition."""

    lists: dict[str, ListDefinition] = field(default_factory=dict)
    macros: dict[str, MacroDefinition] = field(default_factory=dict)
    rules: dict[str, RuleDefinition] = field(default_factory=dict)
    requirements: list[PluginVersion] = field(default_factory=list)
    engine_version: tuple[int, int, int] = (0, 0, 0)


class Collector:
    """Applies items to the previous definitions."""

    def __init__(
        self, sources: Collection[str], is_field: Callable[[str, str], bool] | None = None, plugins: Mapping[str, str] | None = None
    ) -> None:
        self.sources = sources
        self.is_field = is_field
        self.plugins = plugins
        self.collected = Definitions()
        self._count = 0
        self.findings: list[Finding] = []

    def take(self, steps: Iterable[Step]) -> list[Finding]:
        """Apply one item's steps, up to its first error, and return the findings."""
        found = self.findings = []
        for step in steps:
            if isinstance(step, Finding):
                is_change = step.change and step.places[0].name in self.collected.rules
                found.append(step.for_change() if is_change else step)
                continue
            try:
                self._apply(step)
            except ItemError as refused:
                found.append(refused.finding)
                break
        return found

    def _apply(self, step: Step) -> None:
        match step:
            case EngineVersion():
                self._check_engine(step)
            case PluginVersion():
                self._require(step)
            case ListItem():
                self._list(step)
            case MacroItem():
                self._macro(step)
            case RuleItem():
                self._rule(step)
            case RuleUpdate():
                self._update(step)
            case RuleToggle():
                if step.name not in self.collected.rules:
                    raise _refuse(_NO_RULE_TO_SWITCH, step.context)
                self.collected.rules[step.name].enabled = step.enabled

    def refuse(self, refused: ItemError) -> None:
        """Reject an item for an invalid part, as Falco does. A subclass may record the error and continue without that part."""
        raise refused

    def _require(self, step: PluginVersion) -> None:
        check_requirement(step)
        self.collected.requirements.append(step)
        reason = find_unmet(step, self.plugins) if self.plugins is not None else ""
        if reason:
            raise _refuse(reason, step.context)

    def _take_number(self) -> int:
        self._count += 1
        return self._count

    def _check_engine(self, step: EngineVersion) -> None:
        if step.version[0] != ENGINE_VERSION[0] or step.version > ENGINE_VERSION:
            engine = ".".join(map(str, ENGINE_VERSION))
            raise _refuse(f"Rules require engine version {step.text}, but engine version is {engine}", step.context)
        self.collected.engine_version = max(self.collected.engine_version, step.version)

    def _list(self, item: ListItem) -> None:
        lists = self.collected.lists
        if item.append:
            if item.name not in lists:
                raise _refuse(_NO_LIST, item.context)
            lists[item.name].items += item.items
            lists[item.name].visibility = self._take_number()
            return
        number = self._take_number()
        index = lists[item.name].index if item.name in lists else number
        lists[item.name] = ListDefinition(item.context, item.name, index, number, item.items)

    def _macro(self, item: MacroItem) -> None:
        macros = self.collected.macros
        condition = Text.of(item.condition)
        if item.append:
            if item.name not in macros:
                raise _refuse(_NO_MACRO, item.context)
            macros[item.name].condition = join(macros[item.name].condition, condition)
            macros[item.name].visibility = self._take_number()
            return
        number = self._take_number()
        index = macros[item.name].index if item.name in macros else number
        where = (*item.context, item.condition.spot("macro condition"))
        macros[item.name] = MacroDefinition(item.context, item.name, index, number, condition, where)

    def _earlier_rule(self, name: str, source: str, context: Context) -> RuleDefinition | None:
        rule = self.collected.rules.get(name)
        if rule is not None and rule.source and source and rule.source != source:
            advice = f"The rule's source is '{rule.source}'; a whole rule without a source has 'syscall'."
            raise _refuse(_DIFFERENT_SOURCE, context, advice)
        return rule

    def _rule(self, item: RuleItem) -> None:
        earlier = self._earlier_rule(item.name, item.source, item.context)
        known = item.source in self.sources
        if not known:
            here = " or ".join(sorted(self.sources))
            near = get_close_matches(item.source, self.sources, 1)
            advice = f"Rules of the source {item.source} need the plugin with this event source."
            if item.source in {"", DEFAULT_SOURCE}:
                advice = f"The rules for this plugin have `source: {here}`; the default of a rule is {DEFAULT_SOURCE}."
            if near and item.source:
                advice = f"Did you mean `source: {near[0]}`?"
            message = f"Unknown source {item.source}, skipping"
            self.findings.append(make_finding("warning", UNKNOWN_SOURCE, message, item.context, advice))
        exceptions = []
        for exception in item.exceptions:
            try:
                if not exception.fields.is_given:
                    raise _refuse("Rule exception item must have fields property with a list of fields", exception.context)
                exceptions.append(self._check_exception(exception, item.source))
            except ItemError as refused:
                self.refuse(refused)
        number = self._take_number()
        self.collected.rules[item.name] = RuleDefinition(
            item.context,
            item.name,
            earlier.index if earlier else number,
            number,
            Text.of(item.condition),
            Text.of(item.output).strip(),
            item.desc.value,
            item.priority,
            item.source,
            item.enabled,
            frozenset(item.tags),
            exceptions,
            item.skip_if_unknown_filter,
            known,
            (*item.context, item.condition.spot("rule condition")),
            (*item.context, item.output.spot("rule output")),
            item.warn_evttypes,
            item.capture,
            item.capture_duration,
        )

    def _check_exception(self, exception: RuleException, source: str) -> RuleException:
        is_known = partial(self.is_field, source) if self.is_field and source in self.sources else None
        return check_exception(exception, is_known)

    def _update(self, item: RuleUpdate) -> None:
        rule = self._earlier_rule(item.name, item.source, item.context)
        if rule is None:
            raise _refuse(_NO_RULE_TO_APPEND if item.append else _NO_RULE_TO_REPLACE, item.context)
        if not item.changes_something:
            raise _refuse(_NOTHING_TO_APPEND if item.append else _NOTHING_TO_REPLACE, item.context)
        if item.append:
            self._append(rule, item)
        else:
            self._replace(rule, item)
        rule.visibility = self._take_number()

    def _append(self, rule: RuleDefinition, item: RuleUpdate) -> None:
        if item.condition is not None:
            rule.condition = join(rule.condition, Text.of(item.condition))
        if item.output is not None:
            rule.output = join(rule.output, Text.of(item.output))
        if item.desc is not None:
            rule.desc += " " + item.desc.value
        rule.tags |= frozenset(item.tags or ())
        for exception in item.exceptions or ():
            self._append_exception(rule, exception)

    def _append_exception(self, rule: RuleDefinition, exception: RuleException) -> None:
        place = rule.exception_place(exception.name)
        context = exception.context
        if place is None:
            if not exception.fields.is_given:
                raise _refuse("Rule exception must have fields property with a list of fields", context)
            if not exception.values:
                raise _refuse("Rule exception must have values property with a list of values", context)
            rule.exceptions.append(self._check_exception(exception, rule.source))
            return
        if exception.fields.is_given:
            raise _refuse("Can not append exception fields to existing exception, only values", context)
        if exception.comps.is_given:
            raise _refuse("Can not append exception comps to existing exception, only values", context)
        earlier = rule.exceptions[place]
        rule.exceptions[place] = replace(earlier, values=earlier.values + exception.values)

    def _replace(self, rule: RuleDefinition, item: RuleUpdate) -> None:
        """Replace values of a rule. As in Falco, replaced exceptions are not checked before they are written into the condition."""
        given = {
            "condition": item.condition and Text.of(item.condition),
            "output": item.output and Text.of(item.output),
            "desc": item.desc and item.desc.value,
            "tags": item.tags if item.tags is None else frozenset(item.tags),
            "exceptions": item.exceptions and self._replace_exceptions(rule.exceptions, item.exceptions),
        }
        plain = ("priority", "enabled", "skip_if_unknown_filter", "warn_evttypes", "capture", "capture_duration")
        for key, value in (given | {key: getattr(item, key) for key in plain}).items():
            if value is not None:
                setattr(rule, key, value)

    def _replace_exceptions(self, earlier: Sequence[RuleException], exceptions: Iterable[RuleException]) -> list[RuleException]:
        """Give exceptions without operators those that Falco reads for them: of the exception previously at the same index.

        Falco overwrites the old exceptions with the new. If there are no old operators to read, it crashes.
        """
        replaced = []
        for place, exception in enumerate(exceptions):
            count = len(exception.fields.entries)
            is_read = exception.fields.is_list and exception.values and len(exception.values[0].entries) == count
            if is_read and len(exception.comps.entries) < count:
                before = earlier[place].comps if place < len(earlier) else exception.comps
                advice = f"Write one operator for each field ({count}), as in `comps: [{', '.join(['='] * count)}]`."
                if exception.comps.entries or len(before.entries) < count:
                    raise _refuse("Fields and comps lists must have equal length", exception.context, advice)
                taken = ", ".join(each.text for each in before.entries[:count])
                message = f"The exception has no comps. Falco uses those of the exception that it replaces: {taken}"
                self.findings.append(make_finding("warning", "LOAD_UNKNOWN_KEY", message, exception.context, advice, own=True))
                exception = replace(exception, comps=before)  # noqa: PLW2901 - the exception as Falco reads it
            replaced.append(exception)
        return replaced


def _refuse(message: str, context: Context, advice: str = "") -> ItemError:
    return ItemError(message, context, advice, findings.VALIDATE)
