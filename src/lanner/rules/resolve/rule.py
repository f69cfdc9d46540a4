"""A rule, put together and ready to be checked, with all its texts' places.

Made by the resolver (resolve.py), which knows how the texts came about; the checker's findings are turned here into findings in a
file, at the place that Lanner points to and at the one that Falco names.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from lanner.rules import findings
from lanner.rules.findings import Finding, Sight, finding
from lanner.rules.resolve.lists import Lists, TooLargeError
from lanner.sdk.text import to_bytes

if TYPE_CHECKING:
    from lanner.rules.condition.ast import Condition
    from lanner.rules.files.items import Priority
    from lanner.rules.files.text import Text
    from lanner.rules.findings import ConditionError, Severity
    from lanner.yamlfile.source import Context, Place, Spot

# Offsets in trees number the text as well: those of the rule's own text are as they are, those of the n-th macro's begin here
TEXT: Final = 1 << 32
_LINE_END: Final = re.compile(b"[\r\n]")


class Expression(Struct, frozen=True, gc=False):
    """A condition's text with its places, whose it is, and how it reads with the lists written in."""

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
        """A finding about characters of the text with the lists written in."""
        # Falco does not name the condition's place where a macro is the matter
        condition = self.text.scalar_spot(self.kind) if code != findings.VALIDATE else None
        inner = self._spot(offset, length)
        context = (*outer, *self.context, *(spot for spot in (condition, inner) if spot))
        if not advice and self.written and self.written != self.text.pieces[0].scalar.value:
            advice = f"Written out, the condition reads there: {_excerpt(self.written, offset)}"
        return finding(severity, code, message, context, advice, sight=sight, subject=subject)

    def sight(self, context: Context, quoted: str, offset: int) -> Sight:
        """Where Falco sees the character at `offset`, while it quotes another text."""
        before = to_bytes(self.written[:offset])
        lines = _LINE_END.split(before)
        return Sight(context, quoted, len(before), len(lines), len(lines[-1]) + 1)

    def _spot(self, offset: int, length: int) -> Spot | None:
        """Return the place of characters. Lists are written in with their places once, at the first finding: most conditions have none."""
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
    """A rule's output, its places, and where Falco has them."""

    text: Text
    context: Context
    falco_context: Context

    def finding(self, error: ConditionError, severity: Severity = "error", code: str = "", subject: str = "") -> Finding:
        """What is wrong with the output, at its place; offsets count in its text."""
        spots = self.text.scalar_spot("rule output"), self.text.spot(error.offset, error.length)
        context = (*self.context, *(spot for spot in spots if spot))
        sight = Sight(self.falco_context)
        return finding(severity, code or error.code, error.message, context, error.advice, sight=sight, subject=subject)

    def remark(self, message: str) -> Finding:
        """The warning that something in the output is no more to be used, which Falco has at the rule."""
        where = self.text.scalar_spot("rule output")
        context = (*self.context, where) if where else self.context
        return finding("warning", "LOAD_DEPRECATED_ITEM", message, context, sight=Sight(self.context))


class Rule(Struct, frozen=True, eq=False, gc=False):
    """A rule before its check. `condition` is the tree after macro expansion. Only `finding` understands its spans."""

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
    place: Place
    warn_evttypes: bool
    _context: Context
    _expression: Expression
    _macros: tuple[Expression, ...]

    def finding(self, error: ConditionError, severity: Severity = "error", code: str = "") -> Finding:
        """What the checker found out, at its place: in the rule's condition, or in that of the macro that brought it."""
        number, offset = divmod(error.offset, TEXT)
        own = self._expression
        expression, outer = (self._macros[number - 1], self._context) if number else (own, ())
        sight = expression.sight(own.falco_context, own.text.text, error.falco_offset % TEXT)
        return expression.finding(severity, code or error.code, error.message, offset, error.length, error.advice, outer, sight)

    @property
    def expressions(self) -> tuple[Expression, dict[str, Expression]]:
        """The condition as it was written, with names of macros in it, and those of all macros by name."""
        return self._expression, {each.context[-1].name: each for each in self._macros}

    @property
    def output(self) -> str:
        """The output's text."""
        return self.printed.text.text

    def output_finding(self, error: ConditionError, severity: Severity = "error", code: str = "") -> Finding:
        """What is wrong with the output, at its place; offsets count in `output`."""
        return self.printed.finding(error, severity, code)

    def remark(self, code: str, message: str, subject: str = "") -> Finding:
        """A warning about the condition as a whole."""
        own = self._expression
        sight = Sight(own.falco_context, own.text.text)
        return own.finding("warning", code, message, 0, len(own.written), sight=sight, subject=subject)

    def warning(self, code: str, message: str) -> Finding:
        """A warning about the rule as a whole."""
        return finding("warning", code, message, self._context)
