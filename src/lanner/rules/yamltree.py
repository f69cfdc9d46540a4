"""From the text of a rules file to its YAML nodes, each with its place.

In comes one file's text, out come its documents as trees of `Scalar`, `Sequence` and `Mapping`, or a `RulesError` that says
where the YAML is wrong. What the nodes mean is the loader's business (load.py). YAML's own types do not exist here: as in
Falco, a scalar is a text, and whoever reads it decides what it has to be.

Nodes are made from the parser's events and not by its recursion, so that neither depth nor aliases can exhaust anything. Merge
keys (`<<`) have no meaning, as in Falco.
"""

from __future__ import annotations

from typing import Any, Final

from lanner.rules import errors
from lanner.rules.errors import RulesError, finding
from lanner.rules.places import SourceFile, Spot

MAX_DEPTH: Final = 64
_TOO_DEEP: Final = f"nodes are nested more than {MAX_DEPTH} levels deep"
# What the aliases of one file may stand for, in nodes and in characters of scalars
MAX_ALIASED: Final = 10_000_000

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})


class Node:
    """Any node: where it is, and what it weighs (its nodes and its texts' length), which limits what aliases may make of it."""

    __slots__ = ("begin", "end", "file", "is_null", "weight")

    def __init__(self, file: SourceFile, begin: int, end: int) -> None:
        self.file = file
        self.begin = begin
        self.end = end
        self.is_null = False
        self.weight = 1

    def spot(self, kind: str = "", name: str = "") -> Spot:
        """Where the node is."""
        return Spot(self.file, self.begin, self.end, kind, name)


class Scalar(Node):
    """A text. `style` is YAML's: "" for a plain one, else its first character."""

    __slots__ = ("style", "value")

    def __init__(self, file: SourceFile, begin: int, end: int, value: str, style: str = "", *, tagged: bool = False) -> None:
        super().__init__(file, begin, end)
        self.value = value
        self.style = style
        self.is_null = not style and not tagged and value in _NULLS
        self.weight += len(value)


class Sequence(Node):
    """A list of nodes."""

    __slots__ = ("items",)

    def __init__(self, file: SourceFile, begin: int, end: int) -> None:
        super().__init__(file, begin, end)
        self.items: list[Node] = []


class Mapping(Node):
    """Pairs of nodes. `values` has those whose key is a text; of equal keys the first one counts, as in Falco."""

    __slots__ = ("pairs", "values")

    def __init__(self, file: SourceFile, begin: int, end: int) -> None:
        super().__init__(file, begin, end)
        self.pairs: list[tuple[Node, Node]] = []
        self.values: dict[str, Node] = {}

    def add(self, key: Node, value: Node) -> None:
        """Add a pair."""
        self.pairs.append((key, value))
        if isinstance(key, Scalar):
            self.values.setdefault(key.value, value)


def read_documents(file: SourceFile) -> list[Node]:
    """The root nodes of a file's documents, up to the first empty one, behind which Falco looks no further. Raises `RulesError`."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(file)
    try:
        for event in yaml.parse(file.text, Loader=loader):
            builder.take(event)
            if builder.documents and builder.documents[-1].is_null:
                break
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        if error.problem == "found unexpected end of stream":  # what is open began earlier, and nothing is to be seen here
            at = error.context_mark or at
        message = ", ".join(part for part in (error.context, error.problem) if part)
        if "nesting depth" in message:
            message = _TOO_DEEP  # later versions of libyaml, which reads ahead, are the first to notice brackets
        raise _wrong(file, at.index if at else 0, message) from None
    except yaml.reader.ReaderError as error:
        raise _wrong(file, _position(file, error), str(error.reason)) from None
    return builder.documents


class _Builder:
    """Puts nodes together from the parser's events."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.documents: list[Node] = []
        self.open: list[Sequence | Mapping] = []
        self.keys: list[Node | None] = []  # for each open mapping, the key that waits for its value
        self.anchors: dict[str, Node] = {}
        self.aliased = 0

    def take(self, event: Any) -> None:
        begin, end = event.start_mark.index, event.end_mark.index
        match type(event).__name__:
            case "ScalarEvent":
                tagged = event.tag is not None
                self._add(Scalar(self.file, begin, end, event.value, event.style or "", tagged=tagged), event.anchor)
            case "SequenceStartEvent":
                self._begin(Sequence(self.file, begin, end), event.anchor)
            case "MappingStartEvent":
                self._begin(Mapping(self.file, begin, end), event.anchor)
            case "SequenceEndEvent" | "MappingEndEvent":
                self.keys.pop()
                node = self.open.pop()
                node.end = end
                self._place(node)
            case "AliasEvent":
                self._place(self._alias(event.anchor, begin, end))
            case "DocumentStartEvent":
                self.anchors = {}

    def _begin(self, node: Sequence | Mapping, anchor: str | None) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise _wrong(self.file, node.begin, _TOO_DEEP)
        if anchor:
            self.anchors[anchor] = node
        self.open.append(node)
        self.keys.append(None)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = node
        self._place(node)

    def _place(self, node: Node) -> None:
        """Put a whole node where it belongs."""
        if not self.open:
            self.documents.append(node)
            return
        parent = self.open[-1]
        parent.weight += node.weight
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key = self.keys[-1]
        if key is None:
            self.keys[-1] = node
        else:
            parent.add(key, node)
            self.keys[-1] = None

    def _alias(self, name: str, begin: int, end: int) -> Node:
        node = self.anchors.get(name)
        if node is None:
            raise _wrong(self.file, begin, f"the alias '*{name}' names no anchor above it", end - begin)
        if any(node is parent for parent in self.open):
            raise _wrong(self.file, begin, f"the alias '*{name}' stands inside of what it names", end - begin)
        self.aliased += node.weight
        if self.aliased > MAX_ALIASED:
            raise _wrong(self.file, begin, f"aliases stand for more than {MAX_ALIASED} nodes and characters up to here", end - begin)
        return node


def _position(file: SourceFile, error: Any) -> int:
    # The C parser counts bytes where it decodes, the Python one characters; the character itself is known to both
    bad = chr(error.character) if isinstance(error.character, int) else str(error.character)
    return max(0, file.text.find(bad))


def _wrong(file: SourceFile, at: int, message: str, length: int = 1) -> RulesError:
    advice = ""
    if file.text[at : at + 1] == "\t":
        advice = "YAML indents with blanks; a tab cannot start anything."
    context = (Spot(file, at, at + length, "value for"),)
    return RulesError([finding("error", errors.YAML_PARSE, message, context, advice)])
