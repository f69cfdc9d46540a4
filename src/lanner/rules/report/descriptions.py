"""Descriptions of rules, as `falco -L` and `falco -l` print them.

The input is a `Validator` that has loaded files without an error, the output is JSON in Falco's layout, or its table. Parts that Falco
prints in no fixed order are sorted here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lanner.rules.check import syscall
from lanner.rules.condition import falco_unparse
from lanner.rules.condition.ast import Check, ConstantList, Field, Macro, find, find_operands
from lanner.rules.condition.parser import parse
from lanner.rules.findings import ConditionError
from lanner.rules.output.template import drop_container_info
from lanner.sdk.text.tables import put_beside, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.rules.condition.ast import Condition
    from lanner.rules.files.items import ExceptionEntry, PluginVersion
    from lanner.rules.report.validator import Validator
    from lanner.rules.resolve.collect import Definitions, RuleDefinition
    from lanner.rules.session import CompiledRule, Session
    from lanner.sdk.authoring.plugin import PluginInfo

_PLUGIN_EVENTS: Final = ["asyncevent", "pluginevent"]
_COLUMN: Final = 51
_LINE: Final = 110


@dataclass(slots=True)
class _Names:
    """The names in a condition."""

    macros: set[str]
    items: set[str]  # of the lists of constants
    operators: set[str]
    fields: set[str]


def describe(validator: Validator, plugins: Sequence[PluginInfo], name: str | None = None) -> dict[str, Any]:
    """Describe all loaded items, or the one rule with that name.

    Raises `KeyError` if that rule is not loaded, and `ConditionError` for a condition that ends `falco -L`: one that cannot be parsed
    before its lists are expanded, one whose left side is not a field, and one whose event types Falco cannot search.
    """
    session = validator.session
    rules = [each for each in validator.rules if name in {None, each.rule.name}]
    if name is not None and not rules:
        raise KeyError(name)
    described: dict[str, Any] = {"rules": [_rule(rule, session, plugins) for rule in rules]}
    if name is None:
        collected = session.collected
        described["required_engine_version"] = ".".join(map(str, collected.engine_version))
        described["required_plugin_versions"] = [_requirement(each) for each in collected.requirements]
        described["macros"] = [_macro(macro, session) for macro in collected.macros]
        described["lists"] = [_list(each, session) for each in collected.lists]
    return described


def table(described: dict[str, Any], escape: Callable[[str], str] = str) -> str:
    """Return the rules' names and descriptions in two columns, without a final newline. `escape` escapes strings of files."""
    rows = [("Rule", ["Description"]), ("----", ["-----------"])]
    for rule in described["rules"]:
        lines = wrap(map(escape, rule["info"]["description"].split()), _LINE - _COLUMN)
        rows.append((escape(rule["info"]["name"]), [*lines[:-1], lines[-1] + "\n"]))
    return "\n".join(line for left, lines in rows for line in put_beside(f"{left} ", lines, _COLUMN))


def _requirement(required: PluginVersion) -> dict[str, Any]:
    (name, version), *others = required.alternatives
    return {"name": name, "version": version, "alternatives": [{"name": other, "version": at} for other, at in others]}


def _rule(compiled: CompiledRule, session: Session, plugins: Sequence[PluginInfo]) -> dict[str, Any]:
    rule, more = compiled.rule, compiled.addition
    definition = session.collected.rules[rule.name]
    output, _ = drop_container_info(rule.output + more.text)
    shown = [each.key for each in compiled.output.fields]
    used = {name.partition("[")[0] for name in (*_names(rule.condition).fields, *shown)}
    formatted = {key: form for key, form in more.fields.items() if form is not None}
    return {
        "info": {
            "name": rule.name,
            "condition": definition.condition.text,
            "priority": str(rule.priority),
            "output": rule.output,
            "description": rule.desc,
            "enabled": rule.enabled,
            "source": rule.source,
            "capture": definition.capture,
            "capture_duration": definition.capture_duration,
            "tags": list(rule.tags),
        },
        "details": {
            **_details(definition.condition.text, rule.condition, session.collected),
            **_exceptions(definition),
            "output_fields": sorted(f"%{key}" if form is None else form for key, form in more.fields.items()) + shown,
            **({"extra_output_formatted_fields": formatted} if formatted else {}),
            "output_compiled": output,
            "events": syscall.event_names(rule.condition) if rule.source == syscall.SOURCE else _PLUGIN_EVENTS,
            "plugins": sorted(plugin.name for plugin in plugins if _uses(plugin, rule.source, used)),
        },
    }


def _uses(plugin: PluginInfo, source: str, fields: set[str]) -> bool:
    """Return whether the plugin has the events of a source, or a field for it."""
    if plugin.has_source and plugin.event_source == source:
        return True
    own = {declaration.info.name for declaration in plugin.fields}
    return plugin.reads(source) and not own.isdisjoint(fields)


def _exceptions(definition: RuleDefinition) -> dict[str, Any]:
    given = [each for each in definition.exceptions if each.values]
    fields = {name for each in given for name in _texts(each.fields)}
    operators = {name for each in definition.exceptions for name in _texts(each.comps)}
    return {
        "exception_fields": sorted(fields),
        "exception_names": sorted({each.name for each in definition.exceptions}),
        "exception_operators": sorted(operators),
    }


def _texts(entry: ExceptionEntry) -> list[str]:
    return [text for each in entry.entries for text in _texts(each)] if entry.is_list else [entry.text]


def _macro(name: str, session: Session) -> dict[str, Any]:
    text = session.collected.macros[name].condition.text
    macros = session.compilation.macros
    expanded = macros.macros[name].expanded
    assert expanded is not None
    details = _details(text, expanded.tree, session.collected)
    if reason := syscall.unsearchable(expanded.tree):
        raise ConditionError(reason, 0)
    used = {"used": name in macros.used, "events": syscall.event_names(expanded.tree), "plugins": []}
    return {"info": {"name": name, "condition": text}, "details": {**details, **used}}


def _list(name: str, session: Session) -> dict[str, Any]:
    lists = session.compilation.lists
    compiled = lists.items(name)
    items = [item.value for item in session.collected.lists[name].items]
    return {
        "info": {"name": name, "items": [item for item in items if item in compiled]},
        "details": {
            "used": name in lists.used,
            "lists": sorted({item for item in items if item not in compiled}),
            "items_compiled": compiled,
            "plugins": [],
        },
    }


def _details(text: str, condition: Condition, collected: Definitions) -> dict[str, Any]:
    named = _names(parse(text))
    compiled = _names(condition)
    return {
        "macros": sorted(named.macros & collected.macros.keys()),
        "lists": sorted(named.items & collected.lists.keys()),
        "condition_operators": sorted(compiled.operators),
        "condition_fields": sorted(compiled.fields),
        "condition_compiled": falco_unparse.show(condition),
    }


def _names(condition: Condition) -> _Names:
    checks = list(find(Check, condition))
    for check in checks:
        if next(find_operands(Field, check.left), None) is None:
            kind = "unary" if check.right is None else "binary"
            raise ConditionError(f"can't find field info in {kind} check expression", check.span[0])
    operands = [operand for check in checks for operand in (check.left, check.right)]
    return _Names(
        macros={macro.name for macro in find(Macro, condition)},
        items={item.text for each in find_operands(ConstantList, *operands) for item in each.items},
        operators={f"{check.operator} {check.modifier}" if check.modifier else check.operator for check in checks},
        fields={f"{each.name}[{each.argument}]" if each.argument else each.name for each in find_operands(Field, *operands)},
    )
