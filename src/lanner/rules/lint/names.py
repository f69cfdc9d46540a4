"""Names that are probably not what their author thinks: a value that is nearly a list's name, an item that takes another's place."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from lanner.rules.errors import finding
from lanner.rules.items import ListItem, MacroItem, RuleItem
from lanner.rules.lint.hints import MISTYPED_NAME, REDEFINED, Hint
from lanner.rules.nodes import ConstantList
from lanner.yamlfile.source import Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lanner.rules.errors import Finding
    from lanner.rules.items import RulesFile
    from lanner.rules.lint.hints import Subject

_ALIKE: Final = 0.85
_KINDS: Final = {ListItem: "list", MacroItem: "macro", RuleItem: "rule"}


def mistyped_names(subject: Subject, lists: Collection[str], macros: Collection[str], items: Collection[str]) -> Iterator[Hint]:
    """Bare words with an underscore in `in (...)` that are no list's name, but nearly; `items` are what lists hold, which are values."""
    names = {_plain(name): name for name in lists}
    for check in subject.checks():
        for constant in check.right.items if isinstance(check.right, ConstantList) else ():
            word = constant.text
            if constant.quoted or "_" not in word.strip("_") or word in items or constant.span == (0, 0):
                continue
            if word in macros:
                advice = f"A macro is no value: join it by `and` or `or`. Put the text into quotes if it is meant: '{word}'."
                yield Hint(MISTYPED_NAME, f"`{word}` is a text here, and the name of a macro.", advice, constant.span)
            elif near := get_close_matches(_plain(word), names, 1, _ALIKE):
                name = names[near[0]]
                advice = f"Write `{name}` if the list is meant; put the text into quotes if that is: '{word}'."
                yield Hint(MISTYPED_NAME, f"`{word}` is a text here; there is a list `{name}`.", advice, constant.span)


def _plain(name: str) -> str:
    return name.casefold().replace("-", "_")


def redefined(file: RulesFile) -> Iterator[Finding]:
    """Lists, macros and rules that a file defines twice: Falco takes the last. In another file it is how one is replaced."""
    seen: dict[tuple[str, str], Place] = {}
    for item in (step for steps in file.items for step in steps):
        if not isinstance(item, ListItem | MacroItem | RuleItem) or getattr(item, "append", False):
            continue
        kind = _KINDS[type(item)]
        place = item.context[0].place() if item.context else Place("", 0, 0)
        if earlier := seen.get((kind, item.name)):
            message = f"The {kind} '{item.name}' is defined at line {earlier.line} already; this takes its place."
            key = "items" if kind == "list" else "condition"
            advice = f"Remove one of them. To add to it, write `override: {{{key}: append}}` here."
            yield finding("warning", REDEFINED, message, item.context, advice, own=True)
        seen[kind, item.name] = place
