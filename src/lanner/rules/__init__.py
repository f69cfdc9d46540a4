"""Falco rules without Falco: load, compile and run them.

    ruleset = load_rules(["rules.yaml"], catalog)       # RulesError has the findings with their places
    compiled = compile_rules(ruleset, catalog)
    executor = Executor(compiled.plan, get)             # get(slot) returns a value of the current event
    for number in executor.match(): ...                 # compiled.rules[number], compiled.outputs[number]

The names here are public. Python imports each of them at its first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanner._lazy import lazy_names

if TYPE_CHECKING:
    from lanner.rules.files.items import Priority
    from lanner.rules.findings import Finding, RulesError
    from lanner.rules.language.catalog import GENERIC_FIELDS, Catalog, FieldRequest
    from lanner.rules.output.alert import AlertRule, AlertWriter
    from lanner.rules.plan.compile import CompiledRules, RuleSet, compile_rules, load_rules, load_rules_text
    from lanner.rules.plan.executor import Executor
    from lanner.rules.resolve.rule import Rule
    from lanner.yamlfile.source import Place

_HOMES = {
    "AlertRule": ".output.alert",
    "AlertWriter": ".output.alert",
    "Catalog": ".language.catalog",
    "CompiledRules": ".plan.compile",
    "Executor": ".plan.executor",
    "FieldRequest": ".language.catalog",
    "Finding": ".findings",
    "GENERIC_FIELDS": ".language.catalog",
    "Place": "lanner.yamlfile.source",
    "Priority": ".files.items",
    "Rule": ".resolve.rule",
    "RuleSet": ".plan.compile",
    "RulesError": ".findings",
    "compile_rules": ".plan.compile",
    "load_rules": ".plan.compile",
    "load_rules_text": ".plan.compile",
}

__all__ = [
    "GENERIC_FIELDS",
    "AlertRule",
    "AlertWriter",
    "Catalog",
    "CompiledRules",
    "Executor",
    "FieldRequest",
    "Finding",
    "Place",
    "Priority",
    "Rule",
    "RuleSet",
    "RulesError",
    "compile_rules",
    "load_rules",
    "load_rules_text",
]

if not TYPE_CHECKING:  # a type checker would accept any name as a member of the package
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
