"""A complete rule, ready to be checked, with the places of all its strings.

The resolver (compilation.py) creates it. Here the checker's findings become findings in a
file, with Lanner's place and Falco's.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from lanner.rules import findings
from lanner.rules.findings import Finding, Sight, make_finding
from lanner.rules.resolve.lists import Lists, TooLargeError
from lanner.sdk.text.encoding import to_bytes

if TYPE_CHECKING:
    from lanner.rules.condition.ast import Condition
    from lanner.rules.files.items import Priority
    from lanner.rules.files.placed_text import Text
    from lanner.rules.findings import ConditionError, Severity
    from lanner.yamlfile.source import Context, Place, Spot

# Offsets in trees also identify the text: those of the rule's own text are unchanged, those of the n-th macro's begin here
TEXT: Final = 1 << 32
_LINE_END: Final = re.compile(b"[\r\n]")


class Expression(Struct, frozen=True, gc=False):
    """A condition's text with its places, its owner, and its text with expanded lists."""

    text: Text
    context: Context
    falco_context: Context
    kind: str
    lists: Lists
    written: str = ""
    _placed: list[Text] = msgspec.field(default_factory=list)

    def finding(
        self,
        severity: Severity,
        code: str,
        message: str,
        offset: int,
        length: int,
        advice: str = "",
        outer: Context = (),
        sight: Sight | None = None,
        subject: str = "",
    ) -> Finding:
        """Return a finding about characters of the text with expanded lists."""
        # Falco does not report the condition's place if a macro is invalid
        condition = self.text.scalar_spot(self.kind) if code != findings.VALIDATE else None
        inner = self._spot(offset, length)
        context = (*outer, *self.context, *(spot for spot in (condition, inner) if spot))
        if not advice and self.written and self.written != self.text.pieces[0].scalar.value:
            advice = f"With its lists expanded, the condition reads there: {_excerpt(self.written, offset)}"
        return make_finding(severity, code, message, context, advice, sight=sight, subject=subject)

    def sight(self, context: Context, quoted: str, offset: int) -> Sight:
        """Return the place that Falco reports for the character at `offset`, while it quotes another text."""
        before = to_bytes(self.written[:offset])
        lines = _LINE_END.split(before)
        return Sight(context, quoted, len(before), len(lines), len(lines[-1]) + 1)

    def _spot(self, offset: int, length: int) -> Spot | None:
        """Return the place of characters. Places in expanded lists are computed once, at the first finding: most conditions have none."""
        if not self._placed:
            text = self.text
            with suppress(TooLargeError):
                text = self.lists.write_into(text) if self.written else text
            self._placed.append(text)
        placed = self._placed[0]
        return placed.spot(offset if placed.text == self.written else 0, length, "condition expression")


def _excerpt(text: str, offset: int) -> str:
    begin, end = max(0, offset - 40), offset + 40
    return ("..." if begin else "") + text[begin:end].replace("\n", " ") + ("..." if end < len(text) else "")


class Output(Struct, frozen=True, gc=False):
    """A rule's output, its places, and those that Falco reports."""

    text: Text
    context: Context
    falco_context: Context

    def finding(self, error: ConditionError, severity: Severity = "error", code: str = "", subject: str = "") -> Finding:
        """Return a finding in the output, with its place. Offsets count in its text."""
        spots = self.text.scalar_spot("rule output"), self.text.spot(error.offset, error.length)
        context = (*self.context, *(spot for spot in spots if spot))
        sight = Sight(self.falco_context)
        return make_finding(severity, code or error.code, error.message, context, error.advice, sight=sight, subject=subject)

    def remark(self, message: str) -> Finding:
        """Return the warning about a deprecated part of the output, which Falco reports at the rule."""
        where = self.text.scalar_spot("rule output")
        context = (*self.context, where) if where else self.context
        return make_finding("warning", "LOAD_DEPRECATED_ITEM", message, context, sight=Sight(self.context))


class Rule(Struct, frozen=True, eq=False, gc=False):
    """A rule before its check. `condition` is the tree after macro expansion. Only `make_finding` understands its spans."""

    name: str
    condition: Condition
    condition_text: str
    printed: Output
    desc: str
    priority: Priority
    source: str
    tags: tuple[str, ...]
    enabled: bool
    skip_if_unknown_filter: bool
    warn_evttypes: bool
    _context: Context
    _expression: Expression
    _macros: tuple[Expression, ...]

    def finding(self, error: ConditionError, severity: Severity = "error", code: str = "") -> Finding:
        """Return a finding of the checker with its place: in the rule's condition, or in that of the macro that contains it."""
        number, offset = divmod(error.offset, TEXT)
        own = self._expression
        expression, outer = (self._macros[number - 1], self._context) if number else (own, ())
        sight = expression.sight(own.falco_context, own.text.text, error.falco_offset % TEXT)
        return expression.finding(severity, code or error.code, error.message, offset, error.length, error.advice, outer, sight)

    @property
    def place(self) -> Place:
        """Return the place of the rule's item."""
        return self._context[-1].place()

    @property
    def expressions(self) -> tuple[Expression, dict[str, Expression]]:
        """Return the original condition, with names of macros, and those of all macros by name."""
        return self._expression, {each.context[-1].name: each for each in self._macros}

    @property
    def output(self) -> str:
        """The output's text."""
        return self.printed.text.text

    def output_finding(self, error: ConditionError, severity: Severity = "error", code: str = "") -> Finding:
        """Return a finding in the output, with its place. Offsets count in `output`."""
        return self.printed.finding(error, severity, code)

    def remark(self, code: str, message: str, subject: str = "") -> Finding:
        """Return a warning about the condition as a whole."""
        own = self._expression
        sight = Sight(own.falco_context, own.text.text)
        return own.finding("warning", code, message, 0, len(own.written), sight=sight, subject=subject)

    def warning(self, code: str, message: str) -> Finding:
        """Return a warning about the rule as a whole."""
        return make_finding("warning", code, message, self._context)
