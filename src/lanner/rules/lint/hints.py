"""Findings of the lints by code, and their view of a condition.

Plain data: a lint takes a `Subject` and yields `Hint`s. `lanner.rules.lint` converts them to findings in a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lanner.rules.condition.ast import Check, find, walk
from lanner.rules.resolve.rule import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.rules.check.checker import Checker
    from lanner.rules.condition.ast import Condition, Span
    from lanner.rules.language.typed import Tree
    from lanner.rules.resolve.rule import Expression, Rule

NEVER_TRUE: Final = "LINT_NEVER_TRUE"
ALWAYS_TRUE: Final = "LINT_ALWAYS_TRUE"
IMPOSSIBLE_VALUE: Final = "LINT_IMPOSSIBLE_VALUE"
TEXT_ORDER: Final = "LINT_TEXT_ORDER"
SHADOWED_RULE: Final = "LINT_SHADOWED_RULE"
ABSENT_FIELD: Final = "LINT_ABSENT_FIELD"
SIMPLE_REGEX: Final = "LINT_SIMPLE_REGEX"
MISTYPED_NAME: Final = "LINT_MISTYPED_NAME"
MISTYPED_FIELD: Final = "LINT_MISTYPED_FIELD"
REDEFINED: Final = "LINT_REDEFINED"
APPENDED_PRECEDENCE: Final = "LINT_APPENDED_PRECEDENCE"
COMMA_IN_ITEM: Final = "LINT_COMMA_IN_ITEM"
NO_TAGS: Final = "LINT_NO_TAGS"
NO_DESCRIPTION: Final = "LINT_NO_DESCRIPTION"
OUTPUT_WITHOUT_FIELDS: Final = "LINT_OUTPUT_WITHOUT_FIELDS"
FIELD_OF_LANNER: Final = "LINT_FIELD_OF_LANNER"
EMPTY_FILE: Final = "LINT_EMPTY_FILE"
NO_RULE_CHECKED: Final = "LINT_NO_RULE_CHECKED"

CODES: Final = (
    NEVER_TRUE,
    ALWAYS_TRUE,
    IMPOSSIBLE_VALUE,
    TEXT_ORDER,
    SHADOWED_RULE,
    ABSENT_FIELD,
    SIMPLE_REGEX,
    MISTYPED_NAME,
    MISTYPED_FIELD,
    REDEFINED,
    APPENDED_PRECEDENCE,
    COMMA_IN_ITEM,
    NO_TAGS,
    NO_DESCRIPTION,
    OUTPUT_WITHOUT_FIELDS,
    FIELD_OF_LANNER,
)


@dataclass(frozen=True, slots=True)
class Hint:
    """A finding in a rule's condition. `span` counts as in the condition's nodes."""

    code: str
    message: str
    advice: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A rule with a valid condition, and its checker."""

    rule: Rule
    checker: Checker

    def check(self, node: Condition) -> Tree:
        """Return a part of the condition in its checked form."""
        return self.checker.check(node).tree

    def expression(self, span: Span) -> Expression:
        """Return the text that contains characters of the condition: the rule's own or a macro's."""
        own, macros = self.rule.expressions
        number = span[0] // TEXT
        return list(macros.values())[number - 1] if number else own

    def macro(self, span: Span) -> str:
        """Return the name of the macro whose text contains characters of the condition, or ""."""
        return self.expression(span).context[-1].name if span[0] >= TEXT else ""

    def text_of(self, span: Span) -> str:
        """Return characters of the condition as they read with expanded lists."""
        return self.expression(span).written[span[0] % TEXT : span[1] % TEXT]

    def in_exception(self, span: Span) -> bool:
        """Return whether characters of the condition are an exception's."""
        expression = self.expression(span)
        exceptions = {id(piece.scalar) for piece in expression.text.pieces if piece.whole}
        offset = span[0] % TEXT
        pieces = expression.lists.write_into(expression.text).pieces
        return any(piece.begin <= offset < piece.begin + piece.size and id(piece.scalar) in exceptions for piece in pieces if piece.whole)

    def parts(self) -> Iterator[Condition]:
        """Yield every node of the condition, each once regardless of how often it occurs."""
        return walk(self.rule.condition)

    def checks(self) -> Iterator[Check]:
        """Yield every comparison of the condition, each once."""
        return find(Check, self.rule.condition)
