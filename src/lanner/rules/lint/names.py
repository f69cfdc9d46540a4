"""Lints of names: a value that is nearly a list's name, a mistyped field, a definition that replaces another in the same file."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from lanner.rules.condition.ast import Constant, ConstantList
from lanner.rules.files.exceptions import quote
from lanner.rules.files.items import ListItem, MacroItem, RuleItem
from lanner.rules.findings import make_finding
from lanner.rules.lint.hints import COMMA_IN_ITEM, MISTYPED_NAME, REDEFINED, Hint
from lanner.sdk.text.misspelt import find_near
from lanner.yamlfile.source import Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from lanner.rules.condition.ast import Span
    from lanner.rules.files.items import RulesFile, Step
    from lanner.rules.findings import Finding
    from lanner.rules.language.catalog import Catalog
    from lanner.rules.lint.hints import Subject

_ALIKE: Final = 0.85
_SHOWN: Final = re.compile(r"%[0-9]*([A-Za-z][\w.-]*)(?!\()")
"""The name of a field in an output."""
_KINDS: Final = {ListItem: "list", MacroItem: "macro", RuleItem: "rule"}


def find_mistyped_names(subject: Subject, lists: Collection[str], macros: Collection[str], items: Collection[str]) -> Iterator[Hint]:
    """Yield bare words with an underscore in `in (...)` that are nearly a list's name. `items` are the items of lists, which are values."""
    names = {_simplify(name): name for name in lists}
    plain_macros = {_simplify(name): name for name in macros if "_" in name}
    for check in subject.checks():
        right = check.right
        origin = right.span[0] if isinstance(right, ConstantList) else 0
        for constant in right.items if isinstance(right, ConstantList) else (right,) if isinstance(right, Constant) else ():
            word = constant.text
            if constant.quoted or "_" not in word.strip("_") or word in items or constant.span == (0, 0):
                continue
            span = (origin + constant.span[0], origin + constant.span[1])
            if word in macros:
                advice = f"A macro is not a value: join it with `and` or `or`. If you mean the string, put it in quotes: '{word}'."
                yield Hint(MISTYPED_NAME, f"`{word}` is a string here, but also the name of a macro.", advice, span)
            elif isinstance(right, ConstantList) and (near := get_close_matches(_simplify(word), names, 1, _ALIKE)):
                name = names[near[0]]
                advice = f"If you mean the list, write `{name}`. If you mean the string, put it in quotes: '{word}'."
                yield Hint(MISTYPED_NAME, f"`{word}` is a string here, but its name is similar to the list `{name}`.", advice, span)
            elif near := [name for plain, name in plain_macros.items() if one_letter_off(_simplify(word), plain)]:
                advice = f"A macro is not a value: join `{near[0]}` with `and` or `or`. If you mean the string, put it in quotes: '{word}'."
                yield Hint(MISTYPED_NAME, f"`{word}` is a string here, but its name is similar to the macro `{near[0]}`.", advice, span)


def find_mistyped_fields(text: str, catalog: Catalog) -> Iterator[tuple[Span, str, str]]:
    """Yield place, message and advice of each field in an output that is a known field with more letters, which are shown as text."""
    for found in _SHOWN.finditer(text):
        name = found[1].rstrip(".-")
        shown = catalog.prefix(name)
        if shown is None or catalog.lookup(name) is not None or (shown.argument is not None and shown.argument.required):
            continue
        rest = name.removeprefix(shown.name)
        near = find_near(name, (each.name for each in catalog))
        other = f"Write `%{near}`" if near and near != shown.name else f"Write `%{shown.name}`, or put a blank or a bracket after it"
        message = f"`%{name}` is the field {shown.name} with the text `{rest}` after it: the field {name} does not exist."
        yield (found.start(), found.start(1) + len(name)), message, f"{other} if that is meant."


def one_letter_off(word: str, name: str) -> bool:
    """Return whether one letter inserted, removed, changed or exchanged with the next turns `word` into `name`."""
    if abs(len(word) - len(name)) > 1 or word == name:
        return False
    begin = next((n for n, (one, other) in enumerate(zip(word, name, strict=False)) if one != other), min(len(word), len(name)))
    one, other = word[begin:], name[begin:]
    exchanged = one[:2] == other[1::-1] and one[2:] == other[2:]
    return exchanged or one[1:] == other[1:] or one[1:] == other or one == other[1:]


def _simplify(name: str) -> str:
    return name.casefold().replace("-", "_")


def find_redefined(file: RulesFile) -> Iterator[Finding]:
    """Yield lists, macros and rules that a file defines twice: Falco uses the last. In another file this replaces the first."""
    seen: dict[tuple[str, str], Place] = {}
    for item in (step for steps in file.items for step in steps):
        if not isinstance(item, ListItem | MacroItem | RuleItem) or getattr(item, "append", False):
            continue
        kind = _KINDS[type(item)]
        place = item.context[0].place() if item.context else Place("", 0, 0)
        if earlier := seen.get((kind, item.name)):
            message = f"The {kind} '{item.name}' is already defined at line {earlier.line}; this definition replaces it."
            key = "items" if kind == "list" else "condition"
            advice = f"Remove one of them. To add to it, write `override: {{{key}: append}}` here."
            yield make_finding("warning", REDEFINED, message, item.context, advice, own=True)
        seen[kind, item.name] = place


def split_items(steps: Iterable[Step]) -> Iterator[Finding]:
    """Yield items of lists with a comma outside quotes: in a condition each becomes several items."""
    for step in steps:
        for item in step.items if isinstance(step, ListItem) else ():
            text = quote(item.value)
            if "," in text and text[0] not in "\"'":
                count = sum(1 for part in text.split(",") if part.strip())
                message = f"The item contains a comma, which separates items: `{text}` becomes {count} items in a condition."
                advice = f"Write the items one by one; if the comma is part of the text, quote it twice: `'\"{text}\"'`."
                yield make_finding("warning", COMMA_IN_ITEM, message, (*step.context, item.spot("list item")), advice, own=True)
