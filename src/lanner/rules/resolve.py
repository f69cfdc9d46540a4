"""From loaded files to rules that can be checked and compiled.

In come files as loaded (load.py); out comes a `RuleSet`: rules in order, their conditions as trees with lists written in,
exceptions added and macros put in. Whether fields exist and types fit is the checker's matter (check.py), which can ask a rule for
the place of what it finds (`Rule.finding`).

Falco looks at everything again after each file, so that nothing can refer to a later file; so does this. Of one file all
errors are reported, where one does not follow from another.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from lanner.rules import errors
from lanner.rules.collect import Collected, Collector, MacroDefinition, RuleDefinition
from lanner.rules.condition import parse
from lanner.rules.errors import ConditionError, Finding, RulesError
from lanner.rules.exceptions import with_exceptions
from lanner.rules.lists import Lists, TooLargeError
from lanner.rules.macros import BrokenMacroError, MacroError, Macros, ParsedMacro
from lanner.rules.origin import Text
from lanner.rules.scalars import Refused
from lanner.rules.yamltree import finding

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from lanner.rules.errors import Place, Severity
    from lanner.rules.items import Priority, RulesFile
    from lanner.rules.nodes import Condition
    from lanner.rules.yamltree import Context, Spot

# Offsets in trees number the text as well: those of the rule's own text are as they are, those of the n-th macro's begin here
_TEXT: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class _Expression:
    """A condition's text with its places, whose it is, and how it reads with the lists written in."""

    text: Text
    context: Context
    kind: str
    lists: Lists
    written: str = ""

    def finding(
        self, severity: Severity, code: str, message: str, offset: int, length: int, advice: str = "", outer: Context = ()
    ) -> Finding:
        """A finding about characters of the text with the lists written in."""
        # Falco does not name the condition's place where a macro is the matter
        condition = self.text.scalar_spot(self.kind) if code != errors.VALIDATE else None
        inner = self._spot(offset, length)
        context = (*outer, *self.context, *(spot for spot in (condition, inner) if spot))
        if not advice and self.written and self.written != self.text.pieces[0].scalar.value:
            advice = f"Written out, the condition reads there: {_excerpt(self.written, offset)}"
        return finding(severity, code, message, context, advice)

    def _spot(self, offset: int, length: int) -> Spot | None:
        """Places are carried through the writing of lists only here, where something is wrong: most conditions never need them."""
        text, where = self.text, 0
        with suppress(TooLargeError):
            if self.written:
                text, where = self.lists.write_into(self.text), offset
        return text.spot(where, length, "condition expression")


def _excerpt(text: str, offset: int) -> str:
    begin, end = max(0, offset - 40), offset + 40
    return ("..." if begin else "") + text[begin:end].replace("\n", " ") + ("..." if end < len(text) else "")


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule, ready to be checked. `condition` has no macros left; its spans are understood by `finding` alone."""

    name: str
    condition: Condition
    condition_text: str
    output: str
    desc: str
    priority: Priority
    source: str
    tags: tuple[str, ...]
    enabled: bool
    skip_if_unknown_filter: bool
    place: Place
    _context: Context
    _output: Text
    _expression: _Expression
    _macros: tuple[_Expression, ...]

    def finding(self, error: ConditionError, severity: Severity = "error", code: str = "") -> Finding:
        """What the checker found out, at its place: in the rule's condition, or in that of the macro that brought it."""
        number, offset = divmod(error.offset, _TEXT)
        expression, outer = (self._macros[number - 1], self._context) if number else (self._expression, ())
        return expression.finding(severity, code or error.code, error.message, offset, error.length, error.advice, outer)

    def output_finding(self, error: ConditionError, severity: Severity = "error", code: str = "") -> Finding:
        """What is wrong with the rule's output, at its place; offsets count in `output`."""
        spots = self._output.scalar_spot("rule output"), self._output.spot(error.offset, error.length)
        context = (*self._context, *(spot for spot in spots if spot))
        return finding(severity, code or error.code, error.message, context, error.advice)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules in order, disabled ones among them, and the warnings on the way to them."""

    rules: tuple[Rule, ...] = ()
    findings: tuple[Finding, ...] = ()


def resolve(
    files: Iterable[RulesFile],
    sources: Collection[str],
    *,
    is_field: Callable[[str], bool] | None = None,
    plugins: Mapping[str, str] | None = None,
) -> RuleSet:
    """The rules of these files. Raises `RulesError` with everything that is wrong in the first file that has errors.

    Rules of other sources than `sources` are left out, with a warning. `is_field` tells what exceptions may name (None: anything),
    `plugins` the versions of the plugins by name, for required_plugin_versions (None: not looked at).
    """
    collector = Collector(sources, is_field, plugins)
    ruleset = RuleSet()
    for file in files:
        for steps in file.items:
            collector.take(steps)
        _raise_errors(collector.collected.findings)
        compilation = _Compilation(collector.collected)
        rules = compilation.rules()
        findings = [*collector.collected.findings, *compilation.findings]
        _raise_errors(findings)
        ruleset = RuleSet(tuple(rules), (*findings, *compilation.unused()))
    return ruleset


def _raise_errors(findings: list[Finding]) -> None:
    if any(each.severity == "error" for each in findings):
        raise RulesError(findings)


class _Compilation:
    """One look at everything collected: lists, then macros, then rules."""

    def __init__(self, collected: Collected) -> None:
        self.collected = collected
        self.findings: list[Finding] = []
        self.lists = self._lists()
        self.expressions: list[_Expression] = []  # of the macros, in order
        self.macros = Macros({})
        self._read_macros()

    def _lists(self) -> Lists:
        try:
            return Lists(self.collected.lists)
        except TooLargeError as error:
            context = next(iter(self.collected.lists.values())).context
            self.findings.append(finding("error", errors.VALIDATE, str(error), context))
            return Lists({})

    def _read_macros(self) -> None:
        definitions = self.collected.macros.values()
        parsed: dict[str, ParsedMacro] = {}
        for number, macro in enumerate(definitions, start=1):
            expression, tree = self._parse(macro, macro.condition, "macro condition", number * _TEXT)
            self.expressions.append(expression)
            parsed[macro.name] = ParsedMacro(macro.name, macro.index, macro.visibility, tree)
        self.macros = Macros(parsed)
        for each, expression in zip(parsed.values(), self.expressions, strict=True):
            if each.tree is not None:
                self._expand(each, each.tree, expression)

    def _expand(self, macro: ParsedMacro, tree: Condition, expression: _Expression) -> None:
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
                rule = self._rule(definition)
                if rule is not None:
                    rules.append(rule)
        return rules

    def _rule(self, definition: RuleDefinition) -> Rule | None:
        try:
            text = with_exceptions(definition.condition, definition.exceptions)
        except Refused as refused:
            self.findings.append(refused.finding)
            return None
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
            definition.output.text,
            definition.desc,
            definition.priority,
            definition.source,
            tuple(sorted(definition.tags)),
            definition.enabled,
            definition.skip_if_unknown_filter,
            definition.context[-1].place(),
            definition.context,
            definition.output,
            expression,
            tuple(self.expressions),
        )

    def _parse(
        self, definition: MacroDefinition | RuleDefinition, text: Text, kind: str, base: int
    ) -> tuple[_Expression, Condition | None]:
        """The condition with lists written in, and its tree; None if it is wrong, which is reported."""
        expression = _Expression(text, definition.context, kind, self.lists)
        try:
            written = self.lists.write_into(Text(text.text)).text
            expression = replace(expression, written=written)
            return expression, parse(written, base)
        except TooLargeError as error:
            self.findings.append(expression.finding("error", errors.COMPILE_CONDITION, str(error), 0, 1))
        except ConditionError as error:
            offset = error.offset - base
            self.findings.append(expression.finding("error", error.code, error.message, offset, error.length, error.advice))
        return expression, None

    def _report(self, error: MacroError, expression: _Expression) -> None:
        number, offset = divmod(error.span[0], _TEXT)
        where = self.expressions[number - 1] if number else expression
        outer = () if where is expression else expression.context
        if number:
            # Whoever else names this macro would only say the same again
            self.macros.macros[where.context[-1].name].tree = None
        advice = self._advice(error.name) if error.unknown else ""
        length = error.span[1] - error.span[0]
        self.findings.append(where.finding("error", errors.VALIDATE, error.message, offset, length, advice, outer))

    def _advice(self, name: str) -> str:
        if name in self.collected.lists:
            return f"'{name}' is a list: compare a field with it, as in `field in ({name})`."
        if name in self.collected.macros:
            place = self.collected.macros[name].context[-1].place()
            return f"The macro is defined at {place}, after this one; define it before, or this one after it."
        near = get_close_matches(name, self.collected.macros, 1)
        return f"Did you mean '{near[0]}'?" if near else "A field's name has a dot in it; anything else is the name of a macro."

    def unused(self) -> list[Finding]:
        """Warnings of macros and lists that nothing refers to."""
        macros = [macro for name, macro in self.collected.macros.items() if name not in self.macros.used]
        lists = [each for name, each in self.collected.lists.items() if name not in self.lists.used]
        return [
            *(finding("warning", "LOAD_UNUSED_MACRO", "Macro not referred to by any other rule/macro", macro.context) for macro in macros),
            *(finding("warning", "LOAD_UNUSED_LIST", "List not referred to by any other rule/macro", each.context) for each in lists),
        ]
