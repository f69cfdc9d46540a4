"""What falco.yaml's `append_output` adds to rules: text at the end of outputs, and fields of the JSON alert.

Which rules get what is told here; how it is parsed and written is the matter of format.py and jsonfields.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from lanner.rules.output.template import Extra, parse_output

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lanner.rules.language.catalog import Catalog
    from lanner.rules.language.typed import FieldTable
    from lanner.rules.resolve.collect import RuleDefinition
    from lanner.rules.resolve.rule import Rule


class Append(Struct, frozen=True, gc=False):
    """One entry of `append_output`. It is for the rule of that name, of that source, with all of the tags; empty: for any.

    `formatted` are fields with their formats, `raw` those that go as they are. With `suggested` the fields that ask for it go
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
        """Whether it is for this rule."""
        return self.rule in {"", rule.name} and self.source in {"", rule.source} and self.tags <= set(rule.tags)


class Addition(Struct, frozen=True, gc=False):
    """What one rule gets: text behind its output, and by key the format of a field, or None for the field as it is."""

    text: str = ""
    fields: Mapping[str, str | None] = field(default_factory=dict)


NOTHING: Final = Addition()


def merge_appends(rule: Rule | RuleDefinition, appends: Iterable[Append], catalog: Catalog) -> Addition:
    """What all entries together add to a rule."""
    texts: list[str] = []
    fields: dict[str, str | None] = {}
    for each in appends:
        if each.concerns(rule):
            texts += [each.output] if each.output else []
            texts += [f"{name.replace('.', '_')}=%{name}" for name in catalog.suggested] if each.suggested else []
            fields |= each.formatted
            fields |= dict.fromkeys(each.raw)
    return Addition("".join(f" {text}" for text in texts), fields)


def parse_extra(key: str, text: str | None, catalog: Catalog, table: FieldTable) -> Extra:
    """A field that is added under `key`. Raises FormatError."""
    if text is not None:
        return Extra(key, parse_output(text, catalog, table))
    # What is no field to its very end is found under another key, which is null
    shown = parse_output(f"%{key}", catalog, table).fields
    return Extra(key, next((each for each in shown if each.key == key), None))
