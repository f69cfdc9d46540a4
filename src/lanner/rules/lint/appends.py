"""What an appended condition makes of the one before it: Falco joins texts, so that `and` binds more tightly than an earlier `or`.

In come the steps of a file's item and what was collected before it, out come warnings. Conditions that are wrong are left to the
compiler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.rules.condition.ast import And, Not, Or
from lanner.rules.condition.parser import parse
from lanner.rules.files.items import MacroItem, RuleUpdate
from lanner.rules.findings import ConditionError, finding
from lanner.rules.lint.hints import APPENDED_PRECEDENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lanner.rules.condition.ast import Condition
    from lanner.rules.files.items import Step
    from lanner.rules.findings import Finding
    from lanner.rules.resolve.collect import Definitions

# Every append parses what is there already: this many characters may be parsed for one item
_MAX_TEXT: Final = 20_000


def risky_appends(steps: Iterable[Step], collected: Definitions) -> Iterator[Finding]:
    """Find conditions that are appended to one with another operator at its top and no parentheses."""
    for step in steps:
        if not isinstance(step, MacroItem | RuleUpdate) or not step.append or step.condition is None:
            continue
        earlier = collected.macros.get(step.name) if isinstance(step, MacroItem) else collected.rules.get(step.name)
        if earlier is None or len(earlier.condition.text) > _MAX_TEXT:
            continue
        if reason := _reason(earlier.condition.text, step.condition.value):
            message, advice = reason
            spot = step.condition.spot("condition expression")
            yield finding("warning", APPENDED_PRECEDENCE, message, (*step.context, spot), advice, own=True)


def _reason(before: str, appended: str) -> tuple[str, str] | None:
    """Return message and advice where the joined condition groups otherwise than `(before) appended`."""
    first, whole = _tree(before), _tree(f"{before} {appended}")
    if first is None or whole is None:
        return None
    open_top = not isinstance(_tree(f"not {before}"), Not)  # what is in parentheses is negated as one
    word = appended.split(None, 1)[0].partition("(")[0].lower() if appended.strip() else ""
    if word == "and" and isinstance(whole, Or):
        if isinstance(first, Or) and open_top:
            message = "`and` is appended to a condition of alternatives: it narrows the last of them, and the others stay as they are."
            return message, "Put the earlier condition in parentheses where it is defined: `(a or b)`."
        return (
            "The `or` in what is appended makes an alternative to the whole earlier condition.",
            "Put parentheses around the alternatives: `and (a or b)`.",
        )
    if word == "or" and isinstance(first, And) and open_top:
        message = "`or` is appended to a condition of several parts: it makes an alternative to all of them, not to the last."
        return (
            message,
            "Put the earlier condition in parentheses where it is defined, if that is meant: `(a and b)`. Else write the rule again.",
        )
    return None


def _tree(text: str) -> Condition | None:
    try:
        return parse(text)
    except ConditionError:
        return None
