"""Names that are probably not what their author thinks: a value that is nearly a list's name, an item that takes another's place."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from lanner.rules.condition.ast import Constant, ConstantList
from lanner.rules.files.exceptions import quote
from lanner.rules.files.items import ListItem, MacroItem, RuleItem
from lanner.rules.findings import finding
from lanner.rules.lint.hints import COMMA_IN_ITEM, MISTYPED_NAME, REDEFINED, Hint
from lanner.sdk.misspelt import find_near
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
"""A field in an output, as far as its name goes."""
_KINDS: Final = {ListItem: "list", MacroItem: "macro", RuleItem: "rule"}


def mistyped_names(subject: Subject, lists: Collection[str], macros: Collection[str], items: Collection[str]) -> Iterator[Hint]:
    """Bare words with an underscore in `in (...)` that are no list's name, but nearly; `items` are what lists hold, which are values."""
    names = {_plain(name): name for name in lists}
    plain_macros = {_plain(name): name for name in macros if "_" in name}
    for check in subject.checks():
        right = check.right
        origin = right.span[0] if isinstance(right, ConstantList) else 0
        for constant in right.items if isinstance(right, ConstantList) else (right,) if isinstance(right, Constant) else ():
            word = constant.text
            if constant.quoted or "_" not in word.strip("_") or word in items or constant.span == (0, 0):
                continue
            span = (origin + constant.span[0], origin + constant.span[1])
            if word in macros:
                advice = f"A macro is no value: join it by `and` or `or`. Put the text into quotes if it is meant: '{word}'."
                yield Hint(MISTYPED_NAME, f"`{word}` is a text here, and the name of a macro.", advice, span)
            elif isinstance(right, ConstantList) and (near := get_close_matches(_plain(word), names, 1, _ALIKE)):
                name = names[near[0]]
                advice = f"Write `{name}` if the list is meant; put the text into quotes if that is: '{word}'."
                yield Hint(MISTYPED_NAME, f"`{word}` is a text here; there is a list `{name}`.", advice, span)
            elif near := [name for plain, name in plain_macros.items() if one_letter_off(_plain(word), plain)]:
                advice = f"A macro is no value: join `{near[0]}` by `and` or `or`. Put the text into quotes if it is meant: '{word}'."
                yield Hint(MISTYPED_NAME, f"`{word}` is a text here; there is a macro `{near[0]}`.", advice, span)


def mistyped_fields(text: str, catalog: Catalog) -> Iterator[tuple[Span, str, str]]:
    """Return place, message and advice of each field in an output that is a known field with more letters: those are shown as text."""
    for found in _SHOWN.finditer(text):
        name = found[1].rstrip(".-")
        shown = catalog.prefix(name)
        if shown is None or catalog.lookup(name) is not None or (shown.argument is not None and shown.argument.required):
            continue
        rest = name.removeprefix(shown.name)
        near = find_near(name, (each.name for each in catalog))
        other = f"Write `%{near}`" if near and near != shown.name else f"Write `%{shown.name}`, or put a blank or a bracket after it"
        message = f"`%{name}` is the field {shown.name} with the text `{rest}` after it: there is no field {name}."
        yield (found.start(), found.start(1) + len(name)), message, f"{other} if that is meant."


def one_letter_off(word: str, name: str) -> bool:
    """Whether one letter more, less, changed or exchanged with the next makes `name` of `word`."""
    if abs(len(word) - len(name)) > 1 or word == name:
        return False
    begin = next((n for n, (one, other) in enumerate(zip(word, name, strict=False)) if one != other), min(len(word), len(name)))
    one, other = word[begin:], name[begin:]
    exchanged = one[:2] == other[1::-1] and one[2:] == other[2:]
    return exchanged or one[1:] == other[1:] or one[1:] == other or one == other[1:]


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


def split_items(steps: Iterable[Step]) -> Iterator[Finding]:
    """Find items of lists with a comma outside quotes: written into a condition each becomes several items."""
    for step in steps:
        for item in step.items if isinstance(step, ListItem) else ():
            text = quote(item.value)
            if "," in text and text[0] not in "\"'":
                count = sum(1 for part in text.split(",") if part.strip())
                message = f"The item has a comma in it, which separates items: `{text}` becomes {count} items in a condition."
                advice = f"Write the items one by one; if the comma is part of the text, quote it twice: `'\"{text}\"'`."
                yield finding("warning", COMMA_IN_ITEM, message, (*step.context, item.spot("list item")), advice, own=True)
