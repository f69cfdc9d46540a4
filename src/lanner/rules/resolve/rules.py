"""From loaded files to rules that can be checked and compiled.

In come files as loaded (load.py); out comes a `RuleSet`: rules in order, their conditions as trees with lists written in,
exceptions added and macros put in. Whether fields exist and types fit is the checker's matter (check.py), which can ask a rule for
the place of what it finds (`Rule.finding`).

Falco looks at everything again after each file, so that nothing can refer to a later file; so does this. Of one file all
errors are reported, where one does not follow from another.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from lanner.rules import findings
from lanner.rules.condition.parser import parse
from lanner.rules.files.exceptions import with_exceptions
from lanner.rules.files.scalars import Refused
from lanner.rules.files.text import Text
from lanner.rules.findings import ConditionError, Finding, RulesError, finding
from lanner.rules.resolve.collect import Collected, Collector, MacroDefinition, RuleDefinition
from lanner.rules.resolve.lists import MAX_TEXT, Lists, TooLargeError
from lanner.rules.resolve.macros import BrokenMacroError, MacroError, Macros, ParsedMacro
from lanner.rules.resolve.rule import TEXT, Expression, Output, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from lanner.rules.condition.ast import Condition, Constant
    from lanner.rules.files.items import RulesFile

_SMALLER: Final = f"With its lists written in, a condition may have {MAX_TEXT} characters: make the lists smaller, or split the rule."


class RuleSet(Struct, frozen=True, gc=False):
    """The rules in order, including disabled ones, and the warnings about them."""

    rules: tuple[Rule, ...] = ()
    findings: tuple[Finding, ...] = ()


def resolve(
    files: Iterable[RulesFile],
    sources: Collection[str],
    *,
    is_field: Callable[[str, str], bool] | None = None,
    plugins: Mapping[str, str] | None = None,
) -> RuleSet:
    """The rules of these files. Raises `RulesError` with everything that is wrong in the first file that has errors.

    Rules of other sources than `sources` are left out, with a warning. `is_field` tells what exceptions of a source's rules may name
    (None: anything),
    `plugins` the versions of the plugins by name, for required_plugin_versions (None: not looked at).
    """
    collector = Collector(sources, is_field, plugins)
    ruleset = RuleSet()
    for file in files:
        for steps in file.items:
            collector.take(steps)
        _raise_errors(collector.collected.findings)
        compilation = Compilation(collector.collected)
        rules = compilation.rules()
        findings = [*collector.collected.findings, *compilation.findings]
        _raise_errors(findings)
        ruleset = RuleSet(tuple(rules), (*findings, *compilation.unused()))
    return ruleset


def _raise_errors(findings: list[Finding]) -> None:
    if any(each.severity == "error" for each in findings):
        raise RulesError(findings)


class Compilation:
    """One look at everything collected: lists, then macros, then rules. What is wrong goes to `findings`."""

    def __init__(self, collected: Collected, shipped: Collection[str] = ()) -> None:
        """`shipped` are macros of the plugin's own rules, which advice may name."""
        self.collected = collected
        self._shipped = shipped
        self.findings: list[Finding] = []
        self.lists = self._lists()
        self.expressions: list[Expression] = []  # of the macros, in order
        self._shared: dict[str, tuple[Constant, ...]] = {}  # the items of lists, by their texts
        self.macros = Macros({})
        self._read_macros()

    def _lists(self) -> Lists:
        try:
            return Lists(self.collected.lists)
        except TooLargeError as error:
            context = next(iter(self.collected.lists.values())).context
            self.findings.append(finding("error", findings.VALIDATE, str(error), context))
            return Lists({})

    def _read_macros(self) -> None:
        definitions = self.collected.macros.values()
        parsed: dict[str, ParsedMacro] = {}
        for number, macro in enumerate(definitions, start=1):
            expression, tree = self._parse(macro, macro.condition, "macro condition", number * TEXT)
            self.expressions.append(expression)
            parsed[macro.name] = ParsedMacro(macro.name, macro.index, macro.visibility, tree)
        self.macros = Macros(parsed)
        for each, expression in zip(parsed.values(), self.expressions, strict=True):
            if each.tree is not None:
                self._expand(each, each.tree, expression)

    def _expand(self, macro: ParsedMacro, tree: Condition, expression: Expression) -> None:
        try:
            macro.expanded = self.macros.expand(tree, macro.visibility)
        except BrokenMacroError:
            macro.tree = None
        except MacroError as error:
            macro.tree = None
            self._report(error, expression)

    def rules(self) -> list[Rule]:
        """The rules of known sources; those that are wrong are left out and reported."""
        rules = []
        for definition in self.collected.rules.values():
            if definition.known_source:
                text = self.text(definition)
                rule = self.rule(definition, text) if text else None
                if rule is not None:
                    rules.append(rule)
        return rules

    def text(self, definition: RuleDefinition) -> Text | None:
        """A rule's condition with its exceptions; None if they do not fit."""
        try:
            return with_exceptions(definition.condition, definition.exceptions)
        except Refused as refused:
            self.findings.append(refused.finding)
            return None

    def rule(self, definition: RuleDefinition, text: Text) -> Rule | None:
        """The rule whose condition is that text; None if that is wrong."""
        expression, tree = self._parse(definition, text, "rule condition", 0)
        if tree is None:
            return None
        try:
            expanded = self.macros.expand(tree)
        except BrokenMacroError:
            return None
        except MacroError as error:
            self._report(error, expression)
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
            definition.context[-1].place(),
            definition.warn_evttypes,
            definition.context,
            expression,
            tuple(self.expressions),
        )

    def _parse(self, definition: MacroDefinition | RuleDefinition, text: Text, kind: str, base: int) -> tuple[Expression, Condition | None]:
        """The condition with lists written in, and its tree; None if it is wrong, which is reported."""
        expression = Expression(text, definition.context, definition.condition_context, kind, self.lists)
        try:
            written = self.lists.write_into(Text(text.text)).text
            expression = replace(expression, written=written)
            return expression, parse(written, base, self._shared)
        except TooLargeError as error:
            self.findings.append(expression.finding("error", findings.COMPILE_CONDITION, str(error), 0, 1, _SMALLER))
        except ConditionError as error:
            offset = error.offset - base
            sight = expression.sight(expression.falco_context, written, error.falco_offset - base)
            self.findings.append(expression.finding("error", error.code, error.message, offset, error.length, error.advice, (), sight))
        return expression, None

    def _report(self, error: MacroError, expression: Expression) -> None:
        number, offset = divmod(error.span[0], TEXT)
        where = self.expressions[number - 1] if number else expression
        outer = () if where is expression else expression.context
        if number:
            # Whoever else names this macro would only say the same again
            self.macros.macros[where.context[-1].name].tree = None
        advice = self._advice(error.name) if error.unknown else ""
        length = error.span[1] - error.span[0]
        sight = where.sight(expression.context, expression.text.text, offset)
        self.findings.append(where.finding("error", findings.VALIDATE, error.message, offset, length, advice, outer, sight))

    def _advice(self, name: str) -> str:
        if name in self.collected.lists:
            return f"'{name}' is a list: compare a field with it, as in `field in ({name})`."
        if name in self.collected.macros:
            place = self.collected.macros[name].context[-1].place()
            return f"The macro is defined at {place}, after this one; define it before, or this one after it."
        if name in self._shipped:
            return "The plugin's own rules define the macro: name them before this file, as `plugin`."
        near = get_close_matches(name, [*self.collected.macros, *self._shipped], 1)
        return f"Did you mean '{near[0]}'?" if near else "A field's name has a dot in it; anything else is the name of a macro."

    def unused(self) -> list[Finding]:
        """Warnings of macros and lists that nothing refers to."""
        macros = [macro for name, macro in self.collected.macros.items() if name not in self.macros.used]
        lists = [each for name, each in self.collected.lists.items() if name not in self.lists.used]
        return [
            *(finding("warning", "LOAD_UNUSED_MACRO", "Macro not referred to by any other rule/macro", macro.context) for macro in macros),
            *(finding("warning", "LOAD_UNUSED_LIST", "List not referred to by any other rule/macro", each.context) for each in lists),
        ]


def output_of(definition: RuleDefinition) -> Output:
    """A rule's output, before anything is known of its condition."""
    return Output(definition.output, definition.context, definition.output_context)
