"""Findings: errors and warnings about rules, with places in files, and the exceptions that carry them.

The loader, the parser and the checker create findings. A finding is plain data (`Finding`) and prints as a compiler's
message does. Its code and message are Falco's if Falco has the case, so that a search for the message
finds it. The advice is Lanner's. This module reads no files.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar

from lanner.sdk.errors import LannerError
from lanner.sdk.text.printable import message_line, one_column_each

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lanner.yamlfile.source import Context, Place

Severity: TypeAlias = Literal["error", "warning"]

COMPILE_CONDITION: Final = "LOAD_ERR_COMPILE_CONDITION"
COMPILE_OUTPUT: Final = "LOAD_ERR_COMPILE_OUTPUT"
FILE_READ: Final = "LOAD_ERR_FILE_READ"
UNKNOWN_SOURCE: Final = "LOAD_UNKNOWN_SOURCE"
VALIDATE: Final = "LOAD_ERR_VALIDATE"
YAML_PARSE: Final = "LOAD_ERR_YAML_PARSE"
YAML_VALIDATE: Final = "LOAD_ERR_YAML_VALIDATE"

_ITEMS: Final = frozenset({"list", "macro", "rule", "exception"})
# A line of a rules file may be a megabyte long; a snippet shows at most this many characters of it.
_SNIPPET_WIDTH: Final = 120


@dataclass(frozen=True, slots=True)
class Sight:
    """The place that Falco reports: spots of the file from the item inwards, none for the file as a whole.

    With `text`, Falco quotes that condition and the innermost place is in it: `index` counts bytes, `line` and `column` count from 1
    as the parser does. They may count in another text than the quoted one.
    """

    context: Context = ()
    text: str | None = None
    index: int = 0
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """An error or a warning. `places` are in order from the outermost (the item) to the innermost (the characters).

    `context` contains the same places as spots of the file. `sight` is the place that Falco reports (None: the places with a kind).
    `subject` is the deprecated field that a warning is about. `own` marks a finding that Falco does not report. `change` is further
    advice if the item was meant to change an earlier rule of its name.
    """

    severity: Severity
    code: str
    message: str
    places: tuple[Place, ...] = ()
    snippet: str = ""
    advice: str = ""
    context: Context = field(default=(), compare=False, repr=False)
    sight: Sight | None = field(default=None, compare=False, repr=False)
    subject: str = ""
    own: bool = False
    change: str = field(default="", compare=False, repr=False)

    @property
    def place(self) -> Place | None:
        """The innermost place, or None for a finding without a file."""
        return self.places[-1] if self.places else None

    def for_change(self) -> Finding:
        """Return the finding with the advice to change an earlier rule."""
        return replace(self, advice=f"{self.advice} {self.change}", change="")

    def render(self) -> str:
        """Return `file:line:column: error: message [CODE]`, the marked source line and the advice, if available."""
        items = [place for place in self.places if place.name and place.kind in _ITEMS]
        inside = f" (in {items[-1].kind} '{items[-1].name}')" if items else ""
        where = f"{self.place}: " if self.place else ""
        lines = [message_line(f"{where}{self.severity}: {self.message}{inside} [{self.code}]")]
        if self.snippet:
            lines += ["  " + line for line in self.snippet.splitlines()]
        if self.advice:
            lines.append("  " + message_line(self.advice))
        return "\n".join(lines)


def make_finding(
    severity: Severity,
    code: str,
    message: str,
    context: Context,
    advice: str = "",
    *,
    sight: Sight | None = None,
    subject: str = "",
    own: bool = False,
) -> Finding:
    """Return a finding at the innermost spot of a context, with the marked line."""
    places = tuple(spot.place() for spot in context)
    snippet = mark(context[-1].file.line(places[-1].line), places[-1].column, places[-1].length) if places else ""
    return Finding(severity, code, message, places, snippet, advice, context, sight, subject, own)


_T = TypeVar("_T")
Stage: TypeAlias = Generator[Finding, None, _T]
"""Stage of a session: a generator that yields its findings and returns its result."""


def finish(stage: Stage[_T], findings: list[Finding]) -> _T:
    """Run a stage to its end, append its findings to `findings`, and return its result."""
    while True:
        try:
            findings.append(next(stage))
        except StopIteration as end:
            result: _T = end.value
            return result


class RulesError(LannerError, ValueError):
    """Rules with errors. `findings` contains at least one error, and the warnings before it."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: tuple[Finding, ...] = tuple(findings)
        super().__init__("\n".join(finding.render() for finding in self.findings))

    def lines(self) -> list[str]:
        """Return the printable lines of each finding."""
        return str(self).split("\n")


class ConditionError(LannerError, ValueError):
    """An error in one condition. `offset` and `length` count characters in the text of that condition.

    A caller that knows the file of the text turns it into a `Finding`. `falco_offset` is where Falco reports the error: for a
    syntax error, the position of its parser when it stops; for an error in a check, the start of that check. It differs from
    `offset` if Lanner reports a more precise place.
    """

    def __init__(
        self,
        message: str,
        offset: int,
        length: int = 1,
        *,
        falco_offset: int | None = None,
        code: str = COMPILE_CONDITION,
        advice: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = length
        self.falco_offset: int = offset if falco_offset is None else falco_offset
        self.code = code
        self.advice = advice


def mark(line: str, column: int, length: int) -> str:
    """Return the line and, below it, carets under `length` characters from `column` (counted from 1). Long lines are cut."""
    begin = max(0, column - 1)
    start = max(0, min(begin - _SNIPPET_WIDTH // 2, len(line) - _SNIPPET_WIDTH))
    shown = one_column_each(line[start : start + _SNIPPET_WIDTH])
    before, after = "..." if start else "", "..." if start + _SNIPPET_WIDTH < len(line) else ""
    carets = max(1, min(length, len(shown) - (begin - start)))
    return f"{before}{shown}{after}\n{' ' * (len(before) + begin - start)}{'^' * carets}"
