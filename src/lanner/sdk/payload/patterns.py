"""Payloads that are not JSON: lines of a regular expression (`pattern`), logfmt and CEF. Their parts are values, as those of `payload`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, Never, final

from lanner.sdk.errors import DefinitionError
from lanner.sdk.payload.values import PayloadPart, Value
from lanner.sdk.records import Record
from lanner.sdk.text.encoding import from_bytes, to_bytes
from lanner.sdk.text.misspelt import find_misspelt

if TYPE_CHECKING:
    from lanner.sdk.payload.path_parts import Data
    from lanner.sdk.payload.words import FieldArgument

_HINTS: Final = (
    ("(?<", " Write (?P<name>...) for a named group"),
    ("(?=", " RE2 has no lookahead"),
    ("(?!", " RE2 has no lookahead"),
)
_PAIRED: Final = re.compile(r"\\Q(?:.*?\\E|.*)|\\.|\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]|[()]", re.DOTALL)
"""Parentheses, and what contains others that are ordinary characters: quoted strings, escapes and classes."""


@final
class Group(Value):
    """The text of a named group of a pattern."""

    expression: str
    name: str

    def data(self) -> Data:
        return ["group", self.expression, self.name]


class _Line(Record):
    """A payload that is a line, whose parts are read by brackets."""

    @property
    def _variable(self) -> str:
        """The variable that messages write before the brackets."""
        raise NotImplementedError

    if not TYPE_CHECKING:  # a checker refuses unknown attributes itself

        def __getattr__(self, name: str) -> Never:
            """Raise AttributeError with advice: brackets read a part of the line."""
            if name.startswith("__"):
                raise AttributeError(name)
            from lanner.sdk.payload.value_advice import describe_member  # rare

            raise AttributeError(describe_member(name, f'{self._variable}["{name}"]'))


@final
class LineForm(_Line):
    """A fixed form of lines. `form["name"]` is the text at that name, `form[KEY]` that at the field's argument."""

    form: Literal["logfmt", "cef"]

    def __getitem__(self, name: str | FieldArgument) -> PayloadPart:
        """Return the text at a name. Raises `DefinitionError` for anything else."""
        return PayloadPart(self.form, name)

    @property
    def _variable(self) -> str:
        return self.form

    def __iter__(self) -> Never:
        """Refuse iteration, which `__getitem__` would otherwise allow."""
        raise TypeError(f"{self.form} cannot be iterated")


logfmt: LineForm = LineForm("logfmt")
cef: LineForm = LineForm("cef")


@final
class Pattern(_Line):
    """A regular expression for whole payloads. `line["name"]` is the text of its group `name`."""

    expression: str
    names: tuple[str, ...]

    def __getitem__(self, name: str) -> Group:
        """Return the text of a named group. Raises `DefinitionError` for an unknown name."""
        if name not in self.names:
            near = find_misspelt(name, self.names) if isinstance(name, str) else None
            advice = f"did you mean {near!r}?" if near else f"it has {', '.join(map(repr, self.names))}"
            raise DefinitionError(f"the pattern has no group {name!r}: {advice}")
        return Group(self.expression, name)

    @property
    def _variable(self) -> str:
        return "line"

    def __iter__(self) -> Never:
        """Refuse iteration, which `__getitem__` would otherwise allow."""
        raise TypeError("a pattern cannot be iterated: its groups are in `names`")


def pattern(expression: str) -> Pattern:
    """Return a pattern for payloads that are lines: an RE2 expression with named groups, which must match the whole line.

    Raises `DefinitionError` for an invalid one.
    """
    if not isinstance(expression, str):
        raise DefinitionError(f"a pattern must be a string, such as r'(?P<client>\\S+) .*', not {expression!r}")
    from lanner.native._pattern import group_names  # RE2: only for plugins with a pattern

    try:
        names = group_names(to_bytes(expression))
    except UnicodeEncodeError:
        raise DefinitionError(f"invalid pattern {expression!r}: it contains half of a surrogate pair") from None
    except ValueError as error:
        raise DefinitionError(_describe(expression, *map(from_bytes, error.args))) from None
    if not names:
        raise DefinitionError(f"the pattern {expression!r} has no named group: write (?P<name>...) around each part that a field reads")
    for name in names:
        if names.count(name) > 1:
            raise DefinitionError(f"the pattern {expression!r} has two groups with the name {name!r}: choose another name for one of them")
    return Pattern(expression, tuple(names))


def _describe(expression: str, reason: str, part: str) -> str:
    place = _find_unpaired(expression) if part == expression else expression.find(part) if part else -1
    where = f" at character {place + 1}" if place >= 0 else ""
    hint = next((f".{hint}" for begin, hint in _HINTS if part.startswith(begin)), "")
    return f"invalid pattern {expression!r}{where}: {reason}{hint}"


def _find_unpaired(expression: str) -> int:
    """Return the place of the first `)` without its `(`, or else of the last `(` without its `)`, or -1.

    RE2 names the whole expression in its error about either.
    """
    opened: list[int] = []
    for found in _PAIRED.finditer(expression):
        if found[0] == "(":
            opened.append(found.start())
        elif found[0] == ")":
            if not opened:
                return found.start()
            opened.pop()
    return opened[-1] if opened else -1
