"""Falco rules without Falco: load, compile and run them.

    ruleset = load_rules(["rules.yaml"], catalog)       # RulesError has the findings with their places
    compiled = compile_rules(ruleset, catalog)
    executor = Executor(compiled.plan, get)             # get(slot) returns a value of the current event
    for number in executor.match(): ...                 # compiled.rules[number], compiled.outputs[number]

The names here are public. Python imports each of them at its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lanner.rules.files.items import Priority as Priority
    from lanner.rules.findings import Finding as Finding
    from lanner.rules.findings import RulesError as RulesError
    from lanner.rules.language.catalog import GENERIC_FIELDS as GENERIC_FIELDS
    from lanner.rules.language.catalog import Catalog as Catalog
    from lanner.rules.language.catalog import FieldRequest as FieldRequest
    from lanner.rules.output.alert import AlertRule as AlertRule
    from lanner.rules.output.alert import AlertWriter as AlertWriter
    from lanner.rules.plan.compile import Compiled as Compiled
    from lanner.rules.plan.compile import compile_rules as compile_rules
    from lanner.rules.plan.compile import load_rules as load_rules
    from lanner.rules.plan.compile import load_rules_text as load_rules_text
    from lanner.rules.plan.executor import Executor as Executor
    from lanner.rules.resolve.rule import Rule as Rule
    from lanner.rules.resolve.rules import RuleSet as RuleSet
    from lanner.yamlfile.source import Place as Place

_HOMES: Final = {
    "AlertRule": "output.alert",
    "AlertWriter": "output.alert",
    "Catalog": "language.catalog",
    "Compiled": "plan.compile",
    "Executor": "plan.executor",
    "FieldRequest": "language.catalog",
    "Finding": "findings",
    "GENERIC_FIELDS": "language.catalog",
    "Place": "lanner.yamlfile.source",
    "Priority": "files.items",
    "Rule": "resolve.rule",
    "RuleSet": "resolve.rules",
    "RulesError": "findings",
    "compile_rules": "plan.compile",
    "load_rules": "plan.compile",
    "load_rules_text": "plan.compile",
}
__all__ = sorted(_HOMES)  # noqa: PLE0605 - one list of the names is enough


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    module = import_module(home if home.startswith("lanner.") else f"{__name__}.{home}")
    value = globals()[name] = getattr(module, name)
    return value
