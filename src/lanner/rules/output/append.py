"""Falco's `append_output`: text at the end of outputs, and fields of the JSON alert.

This module decides which rules get which additions. template.py parses them, message.py and json_fields.py write them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from lanner.rules.output.template import ExtraField, parse_output

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lanner.rules.language.catalog import Catalog
    from lanner.rules.language.typed import FieldTable
    from lanner.rules.resolve.collect import RuleDefinition
    from lanner.rules.resolve.rule import Rule


class Append(Struct, frozen=True, gc=False):
    """One entry of `append_output`, for rules with that name, that source, and all of the tags. Empty: any.

    `formatted` are fields with their formats, `raw` are unformatted fields. With `suggested` the fields with `add_output` go
    into the output, too.
    """

    rule: str = ""
    source: str = ""
    tags: frozenset[str] = frozenset()
    output: str = ""
    formatted: Mapping[str, str] = field(default_factory=dict)
    raw: tuple[str, ...] = ()
    suggested: bool = False

    def concerns(self, rule: Rule | RuleDefinition) -> bool:
        """Return whether the entry applies to this rule."""
        return self.rule in {"", rule.name} and self.source in {"", rule.source} and self.tags <= set(rule.tags)


class Addition(Struct, frozen=True, gc=False):
    """The additions to one rule: text after its output, and by key the format of a field, or None for the unformatted field."""

    text: str = ""
    fields: Mapping[str, str | None] = field(default_factory=dict)


NOTHING: Final = Addition()


def merge_appends(rule: Rule | RuleDefinition, appends: Iterable[Append], catalog: Catalog) -> Addition:
    """Return what all entries together add to a rule."""
    texts: list[str] = []
    fields: dict[str, str | None] = {}
    for each in appends:
        if each.concerns(rule):
            texts += [each.output] if each.output else []
            texts += [f"{name.replace('.', '_')}=%{name}" for name in catalog.suggested] if each.suggested else []
            fields |= each.formatted
            fields |= dict.fromkeys(each.raw)
    return Addition("".join(f" {text}" for text in texts), fields)


def parse_extra(key: str, text: str | None, catalog: Catalog, table: FieldTable) -> ExtraField:
    """Return a field that is added with this key. Raises FormatError."""
    if text is not None:
        return ExtraField(key, parse_output(text, catalog, table))
    # A name that is only partly a field is stored with another key, whose value is null
    shown = parse_output(f"%{key}", catalog, table).fields
    return ExtraField(key, next((each for each in shown if each.key == key), None))
