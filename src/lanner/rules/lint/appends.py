"""Lints of appended conditions: Falco joins strings, so that `and` binds more tightly than an earlier `or`.

The input are the steps of a file's item and the definitions collected before it, the output are warnings. The compiler reports
invalid conditions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.rules.condition.ast import And, Not, Or
from lanner.rules.condition.parser import parse
from lanner.rules.files.items import MacroItem, RuleUpdate
from lanner.rules.findings import ConditionError, make_finding
from lanner.rules.lint.hints import APPENDED_PRECEDENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lanner.rules.condition.ast import Condition
    from lanner.rules.files.items import Step
    from lanner.rules.findings import Finding
    from lanner.rules.resolve.collect import Definitions

# Every append parses the existing text: limit of characters parsed for one item
_MAX_TEXT: Final = 20_000


def find_risky_appends(steps: Iterable[Step], collected: Definitions) -> Iterator[Finding]:
    """Yield conditions that are appended to one with another top operator and no parentheses."""
    for step in steps:
        if not isinstance(step, MacroItem | RuleUpdate) or not step.append or step.condition is None:
            continue
        earlier = collected.macros.get(step.name) if isinstance(step, MacroItem) else collected.rules.get(step.name)
        if earlier is None or len(earlier.condition.text) > _MAX_TEXT:
            continue
        if reason := _reason(earlier.condition.text, step.condition.value):
            message, advice = reason
            spot = step.condition.spot("condition expression")
            yield make_finding("warning", APPENDED_PRECEDENCE, message, (*step.context, spot), advice, own=True)


def _reason(before: str, appended: str) -> tuple[str, str] | None:
    """Return message and advice if the joined condition groups differently from `(before) appended`."""
    first, whole = _tree(before), _tree(f"{before} {appended}")
    if first is None or whole is None:
        return None
    open_top = not isinstance(_tree(f"not {before}"), Not)  # a string in parentheses is negated as a whole
    word = appended.split(None, 1)[0].partition("(")[0].lower() if appended.strip() else ""
    if word == "and" and isinstance(whole, Or):
        if isinstance(first, Or) and open_top:
            message = "`and` is appended to a condition of alternatives: it applies only to the last of them."
            return message, "Put the earlier condition in parentheses where it is defined: `(a or b)`."
        return (
            "The `or` in the appended text adds an alternative to the whole earlier condition.",
            "Put parentheses around the alternatives: `and (a or b)`.",
        )
    if word == "or" and isinstance(first, And) and open_top:
        message = "`or` is appended to a condition of several parts: it adds an alternative to all of them, not to the last."
        return (
            message,
            "If you mean this, put the earlier condition in parentheses where it is defined: `(a and b)`. If not, rewrite the rule.",
        )
    return None


def _tree(text: str) -> Condition | None:
    try:
        return parse(text)
    except ConditionError:
        return None
