"""From the text of a YAML file to its nodes, each with its place.

Text in, documents as trees of `Scalar`, `Sequence` and `Mapping` out, or a `YamlError` that names the place where the YAML is wrong.
yaml-cpp parses (native/yaml/reader.cpp), and its words are the error's: Falco reads rules and configuration with the same library. As
in Falco a scalar is a text, and the caller converts it to what it needs. Merge keys (`<<`) have no meaning here.
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
# What the aliases of one file may stand for, in nodes and in bytes of scalars
MAX_ALIASED: Final = 10_000_000

_CLOSED: Final = re.compile(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
# Words of the text in messages
_QUOTED: Final = re.compile(r"((?:not defined: |character: |version: |alias |the tag ))(?:'.*?'|\S+)", re.DOTALL)


class YamlError(LannerError, ValueError):
    """A text is not YAML, or beyond Lanner's limits.

    `message` is yaml-cpp's own, `mark` the place as yaml-cpp counts, `spot` the characters in the file.
    """

    def __init__(self, message: str, spot: Spot, mark: Mark, advice: str = "") -> None:
        super().__init__(f"{spot.place()}: {message}")
        self.message = message
        self.spot = spot
        self.mark = mark
        self.advice = advice

    def without_text(self) -> str:
        """Return place, message and advice without a word of the text, which may be a password."""
        message = _QUOTED.sub(r"\1***", self.message)
        return f"{self.spot.place()}: {message}{self.advice and '. '}{self.advice}"


class _Placed:
    """A node that knows its place."""

    __slots__ = ()

    file: SourceFile
    begin: int
    end: int
    mark: tuple[int, int, int]

    def spot(self, kind: str = "", name: str = "") -> Spot:
        """The place of the node."""
        at = Mark(*self.mark) if self.begin == self.end else None
        return Spot(self.file, self.begin, self.end, kind, name, at)


class Scalar(_yaml.Scalar, _Placed):
    """A text. `style` is YAML's: "" for a plain one, else its first character. A null is one as well."""

    __slots__ = ()


class Sequence(_yaml.Sequence, _Placed):
    """A list of nodes."""

    __slots__ = ()


class Mapping(_yaml.Mapping, _Placed):
    """Pairs of nodes. `values` has those whose key is a text; of equal keys the first one counts, as in Falco."""

    __slots__ = ()


Node: TypeAlias = Scalar | Sequence | Mapping


def read_documents(file: SourceFile, *, only_first: bool = False) -> list[Node]:
    """The root nodes of a file's documents up to the first empty one, after which Falco reads no further. Raises `YamlError`.

    With `only_first` the others are not looked at, as in Falco's configuration.
    """
    try:
        documents, wrong = _yaml.read(file.text, file, (Scalar, Sequence, Mapping), MAX_DEPTH, MAX_ALIASED, only_first)
    except UnicodeEncodeError as error:
        raise YamlError("this is half a character", Spot(file, error.start, error.end), Mark(error.start, 0, error.start)) from None
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
    """Return the place of a quote that is never closed, which yaml-cpp takes for closed at the end of the file if that is in a new line."""
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
