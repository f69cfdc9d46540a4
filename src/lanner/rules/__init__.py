"""Falco rules without Falco: load, compile, run.

    ruleset = load_rules(["rules.yaml"], catalog)       # RulesError carries what is wrong, with places
    compiled = compile_rules(ruleset, catalog)
    executor = Executor(compiled.plan, get)             # get(slot): a value of the current event
    for number in executor.match(): ...                 # compiled.rules[number], compiled.outputs[number]

The names here are the way in; each is imported from its module when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lanner.rules.alert import AlertRule as AlertRule
    from lanner.rules.alert import AlertWriter as AlertWriter
    from lanner.rules.catalog import GENERIC_FIELDS as GENERIC_FIELDS
    from lanner.rules.catalog import Catalog as Catalog
    from lanner.rules.catalog import FieldRequest as FieldRequest
    from lanner.rules.compile import Compiled as Compiled
    from lanner.rules.compile import compile_rules as compile_rules
    from lanner.rules.compile import load_rules as load_rules
    from lanner.rules.compile import load_rules_text as load_rules_text
    from lanner.rules.errors import Finding as Finding
    from lanner.rules.errors import RulesError as RulesError
    from lanner.rules.items import Priority as Priority
    from lanner.rules.resolve import RuleSet as RuleSet
    from lanner.rules.rule import Rule as Rule
    from lanner.rules.run import Executor as Executor
    from lanner.yamlfile.source import Place as Place

_HOMES: Final = {
    "AlertRule": "alert",
    "AlertWriter": "alert",
    "Catalog": "catalog",
    "Compiled": "compile",
    "Executor": "run",
    "FieldRequest": "catalog",
    "Finding": "errors",
    "GENERIC_FIELDS": "catalog",
    "Place": "lanner.yamlfile.source",
    "Priority": "items",
    "Rule": "rule",
    "RuleSet": "resolve",
    "RulesError": "errors",
    "compile_rules": "compile",
    "load_rules": "compile",
    "load_rules_text": "compile",
}
__all__ = sorted(_HOMES)  # noqa: PLE0605 - one list of the names is enough


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name] if "." in _HOMES[name] else f"{__name__}.{_HOMES[name]}"), name)
    return value
