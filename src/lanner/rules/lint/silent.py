"""Rules that cannot match, because fields that they need have no value in the plugin's configuration."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lanner.rules.condition.ast import And, Check, Field, Or, find_operands
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lanner.rules.condition.ast import Condition
    from lanner.rules.resolve.rule import Rule


def find_silent_rules(rules: Iterable[Rule], without_values: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the names of enabled rules that cannot match, by the advice that changes this.

    `without_values` contains the advice for fields by the prefix of their names.
    """
    found: dict[str, list[str]] = {}
    for rule in rules:
        for beginning, advice in without_values.items():
            if rule.enabled and needs(rule.condition, partial(_has_beginning, beginning)):
                found.setdefault(advice, []).append(rule.name)
    return found


def tell_silent(names: list[str]) -> str:
    """Return the warning about rules that cannot match."""
    testing = "it tests" if len(names) == 1 else "they test"
    return f"{many(len(names), 'rule')} cannot match, because the fields that {testing} have no value: {', '.join(names)}"


def _has_beginning(beginning: str, field: Field) -> bool:
    return field.name.startswith(beginning)


def needs(condition: Condition, is_empty: Callable[[Field], bool]) -> bool:
    """Return whether the condition is always false if these fields have no value."""
    match condition:
        case Check(left=left):
            return any(map(is_empty, find_operands(Field, left)))
        case And(children=children):
            return any(needs(child, is_empty) for child in children)
        case Or(children=children):
            return all(needs(child, is_empty) for child in children)
    return False
