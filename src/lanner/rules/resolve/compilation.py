"""Compile collected definitions to rules for the checker.

The input are the definitions of all files so far, the output are rules. The condition of a rule is a tree that contains its lists,
exceptions and macros. The checker checks fields and types. `Rule.finding` adds the place in a file to its reports.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from lanner.rules import findings
from lanner.rules.condition.parser import parse
from lanner.rules.files.exceptions import add_exceptions
from lanner.rules.files.placed_text import Text
from lanner.rules.files.scalars import ItemError
from lanner.rules.findings import ConditionError, make_finding
from lanner.rules.resolve.lists import MAX_TEXT, Lists, TooLargeError
from lanner.rules.resolve.macros import BrokenMacroError, MacroError, Macros, ParsedMacro
from lanner.rules.resolve.rule import TEXT, Expression, Output, Rule

if TYPE_CHECKING:
    from collections.abc import Collection

    from lanner.rules.condition.ast import Condition, Constant
    from lanner.rules.findings import Finding, Stage
    from lanner.rules.resolve.collect import Definitions, MacroDefinition, RuleDefinition

_SMALLER: Final = f"With its lists expanded, a condition may have {MAX_TEXT} characters: make the lists smaller, or split the rule."


class Compilation:
    """One pass over all definitions: lists and macros first, then each rule."""

    def __init__(self, collected: Definitions, shipped: Collection[str] = ()) -> None:
        """Create a compilation. `shipped` are macros of the plugin's own rules, which advice may suggest."""
        self.collected = collected
        self._shipped = shipped
        self.lists = Lists({})
        self.expressions: list[Expression] = []  # of the macros, in order
        self._shared: dict[str, tuple[Constant, ...]] = {}  # the items of lists, by their strings
        self.macros = Macros({})
        self._texts: dict[str, Text | None] = {}
        self._rules: dict[str, Rule | None] = {}
        self._macro_expressions: tuple[Expression, ...] = ()

    def expand(self) -> Stage[None]:
        """Expand lists in lists and macros in macros."""
        try:
            self.lists = Lists(self.collected.lists)
        except TooLargeError as error:
            context = next(iter(self.collected.lists.values())).context
            yield make_finding("error", findings.VALIDATE, str(error), context)
        parsed: dict[str, ParsedMacro] = {}
        for number, macro in enumerate(self.collected.macros.values(), start=1):
            expression, tree = yield from self._parse(macro, macro.condition, "macro condition", number * TEXT)
            self.expressions.append(expression)
            parsed[macro.name] = ParsedMacro(macro.name, macro.index, macro.visibility, tree)
        self.macros = Macros(parsed)
        self._macro_expressions = tuple(self.expressions)
        for each, expression in zip(parsed.values(), self.expressions, strict=True):
            if each.tree is not None:
                yield from self._expand(each, each.tree, expression)

    def _expand(self, macro: ParsedMacro, tree: Condition, expression: Expression) -> Stage[None]:
        try:
            macro.expanded = self.macros.expand(tree, macro.visibility)
        except BrokenMacroError:
            macro.tree = None
        except MacroError as error:
            macro.tree = None
            yield self._finding(error, expression)

    def text(self, definition: RuleDefinition) -> Stage[Text | None]:
        """Return a rule's condition with its exceptions, or None if they do not fit."""
        if definition.name not in self._texts:
            text = None
            try:
                text = add_exceptions(definition.condition, definition.exceptions)
            except ItemError as refused:
                yield refused.finding
            self._texts[definition.name] = text
        return self._texts[definition.name]

    def rule(self, definition: RuleDefinition, without_exceptions: Text | None = None) -> Stage[Rule | None]:
        """Return the rule with its condition as a tree, or None for an invalid one. `without_exceptions` replaces invalid exceptions."""
        text = (yield from self.text(definition)) or without_exceptions
        if definition.name not in self._rules:
            self._rules[definition.name] = (yield from self._rule(definition, text)) if text else None
        return self._rules[definition.name]

    def _rule(self, definition: RuleDefinition, text: Text) -> Stage[Rule | None]:
        expression, tree = yield from self._parse(definition, text, "rule condition", 0)
        if tree is None:
            return None
        try:
            expanded = self.macros.expand(tree)
        except BrokenMacroError:
            return None
        except MacroError as error:
            yield self._finding(error, expression)
            return None
        return Rule(
            definition.name,
            expanded.tree,
            text.text,
            output_of(definition),
            definition.desc,
            definition.priority,
            definition.source,
            tuple(sorted(definition.tags)),
            definition.enabled,
            definition.skip_if_unknown_filter,
            definition.warn_evttypes,
            definition.context,
            expression,
            self._macro_expressions,
        )

    def _parse(
        self, definition: MacroDefinition | RuleDefinition, text: Text, kind: str, base: int
    ) -> Stage[tuple[Expression, Condition | None]]:
        """Return the condition with expanded lists, and its tree, or None for an invalid one."""
        try:
            written = self.lists.write_into(Text(text.text)).text
        except TooLargeError as error:
            expression = Expression(text, definition.context, definition.condition_context, kind, self.lists)
            yield expression.finding("error", findings.COMPILE_CONDITION, str(error), 0, 1, _SMALLER)
            return expression, None
        expression = Expression(text, definition.context, definition.condition_context, kind, self.lists, written)
        try:
            return expression, parse(written, base, self._shared)
        except ConditionError as error:
            offset = error.offset - base
            sight = expression.sight(expression.falco_context, written, error.falco_offset - base)
            yield expression.finding("error", error.code, error.message, offset, error.length, error.advice, (), sight)
        return expression, None

    def _finding(self, error: MacroError, expression: Expression) -> Finding:
        number, offset = divmod(error.span[0], TEXT)
        where = self.expressions[number - 1] if number else expression
        outer = () if where is expression else expression.context
        if number:
            # Other uses of this macro would repeat the same error
            self.macros.macros[where.context[-1].name].tree = None
        advice = self._advice(error.name) if error.unknown else ""
        length = error.span[1] - error.span[0]
        sight = where.sight(expression.context, expression.text.text, offset)
        return where.finding("error", findings.VALIDATE, error.message, offset, length, advice, outer, sight)

    def _advice(self, name: str) -> str:
        if name in self.collected.lists:
            return f"'{name}' is a list: compare a field with it, as in `field in ({name})`."
        if name in self.collected.macros:
            place = self.collected.macros[name].context[-1].place()
            return f"The macro is defined at {place}, after this one: define it earlier, or this one later."
        if name in self._shipped:
            return "The plugin's own rules define the macro: name them before this file, as `plugin`."
        near = get_close_matches(name, [*self.collected.macros, *self._shipped], 1)
        return f"Did you mean '{near[0]}'?" if near else "Names of fields contain a dot; any other name is a macro's."

    def find_unused(self) -> list[Finding]:
        """Yield warnings of unused macros and lists."""
        macros = [macro for name, macro in self.collected.macros.items() if name not in self.macros.used]
        lists = [each for name, each in self.collected.lists.items() if name not in self.lists.used]
        return [
            *(
                make_finding("warning", "LOAD_UNUSED_MACRO", "Macro not referred to by any other rule/macro", macro.context)
                for macro in macros
            ),
            *(make_finding("warning", "LOAD_UNUSED_LIST", "List not referred to by any other rule/macro", each.context) for each in lists),
        ]


def output_of(definition: RuleDefinition) -> Output:
    """Return a rule's output, before its condition is checked."""
    return Output(definition.output, definition.context, definition.output_context)
