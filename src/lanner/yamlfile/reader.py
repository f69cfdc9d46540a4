"""Parse a YAML file into nodes with positions.

The result are documents as trees of `Scalar`, `Sequence` and `Mapping`, or a `YamlError` with the position of the mistake.
yaml-cpp parses (native/yaml/parser.cpp) and words the errors, because Falco reads rules and configuration with it. As in Falco,
scalars are strings, which the caller converts. Merge keys (`<<`) have no meaning here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from lanner.native import _yaml
from lanner.sdk.errors import LannerError
from lanner.yamlfile.advice import advise
from lanner.yamlfile.source import Mark, Spot

if TYPE_CHECKING:
    from lanner.yamlfile.source import SourceFile

MAX_DEPTH: Final = 64
# bounds on the expansion of the aliases of one file, in nodes and in bytes of scalars
MAX_ALIASED: Final = 10_000_000

_CLOSED: Final = re.compile(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_PLACED: Final = re.compile(r"yaml-cpp: error at line \d+, column \d+: ")
# quoted text in yaml-cpp's messages
_QUOTED: Final = re.compile(r"((?:not defined: |character: |version: |alias |the tag ))(?:'.*?'|\S+)", re.DOTALL)


class YamlError(LannerError, ValueError):
    """Invalid YAML, or YAML beyond Lanner's limits.

    `message` is yaml-cpp's, with its own position, for Falco's reports. `reason` is the same without that position, which may be another
    one than that of the mistake. `mark` is the position as yaml-cpp counts, `spot` the characters in the file.
    """

    def __init__(self, message: str, spot: Spot, mark: Mark, advice: str = "") -> None:
        self.reason = _PLACED.sub("", message)
        super().__init__(f"{spot.place()}: {self.reason}")
        self.message = message
        self.spot = spot
        self.mark = mark
        self.advice = advice

    def without_text(self) -> str:
        """Return position, reason and advice without text from the file, which may be a password."""
        return f"{self.spot.place()}: {self.masked_reason()}"

    def masked_reason(self) -> str:
        """Return reason and advice without text from the file."""
        reason = _QUOTED.sub(r"\1***", self.reason)
        return f"{reason}{self.advice and '. '}{self.advice}"


class _Position:
    """A node with its position."""

    __slots__ = ()

    file: SourceFile
    begin: int
    end: int
    mark: tuple[int, int, int]

    def spot(self, kind: str = "", name: str = "") -> Spot:
        """Return the node's position."""
        at = Mark(*self.mark) if self.begin == self.end else None
        return Spot(self.file, self.begin, self.end, kind, name, at)


class Scalar(_yaml.Scalar, _Position):
    """A string or null. `style` is YAML's: "" for plain scalars, otherwise the first character."""

    __slots__ = ()


class Sequence(_yaml.Sequence, _Position):
    """A list of nodes."""

    __slots__ = ()


class Mapping(_yaml.Mapping, _Position):
    """Pairs of nodes. `values` has the pairs with scalar keys; the first of equal keys counts, as in Falco."""

    __slots__ = ()


Node: TypeAlias = Scalar | Sequence | Mapping


def read_documents(file: SourceFile, *, only_first: bool = False) -> list[Node]:
    """Return the root nodes of a file's documents. As Falco does, stop at the first empty document. Raises `YamlError`.

    With `only_first` the other documents are not parsed, as in Falco's configuration.
    """
    try:
        documents, wrong = _yaml.read(file.text, file, (Scalar, Sequence, Mapping), MAX_DEPTH, MAX_ALIASED, only_first)
    except UnicodeEncodeError as error:
        raise YamlError("this is half of a character", Spot(file, error.start, error.end), Mark(error.start, 0, error.start)) from None
    if wrong is None:
        return documents
    message, begin, end, place, is_limit = wrong
    mark = Mark(*place)
    spot = Spot(file, begin, max(begin + 1, end), "value for", at=mark)
    if is_limit:
        raise YamlError(message, spot, mark)
    raise YamlError(
        f"yaml-cpp: error at line {mark.line + 1}, column {mark.column + 1}: {message}", spot, mark, advise(message, file.text, begin)
    )


def open_quote(documents: list[Node]) -> Spot | None:
    """Return the position of an unclosed quote that yaml-cpp accepts because the file ends on a new line."""
    node = documents[-1] if documents else None
    while node is not None and not isinstance(node, Scalar):
        node = (node.items[-1] if node.items else None) if isinstance(node, Sequence) else node.pairs[-1][1] if node.pairs else None
    if node is None or node.style not in {"'", '"'}:
        return None
    text = node.file.text
    begin = text.find(node.style, node.begin)
    if node.end < len(text) or _CLOSED.fullmatch(text, begin, node.end):
        return None
    return Spot(node.file, begin, node.end)
