"""Where yaml-cpp, with which Falco reads rules files, stops reading one, and in what words.

In comes a file's text, out comes nothing, or the `YamlCppError` that Falco reports. The nodes that rules are made of come from another
parser (yamltree.py), which has other words for what is wrong, and sees a few things otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lanner.rules.yamlcursor import YamlCppError
from lanner.rules.yamlscan import Scanner

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.rules.yamlcursor import Mark
    from lanner.rules.yamlscan import Token

# The loader takes less; yaml-cpp takes 500
_MAX_DEPTH: Final = 100
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_VERSION: Final = re.compile(r"\s*[+-]?([0-9]+).\s*[+-]?[0-9]+", re.DOTALL)


class _TooDeepError(Exception):
    """Deeper than any rules file."""


def syntax_error(text: str) -> YamlCppError | None:
    """What makes a text no YAML for yaml-cpp, which counts in bytes; None if nothing does."""
    parser = _Parser(Scanner(text.encode("utf-8", "surrogateescape").decode("latin-1")))
    try:
        while parser.document():
            pass
    except YamlCppError as error:
        return error
    except _TooDeepError:
        pass
    return None


class _Parser:
    """Looks at one document after another; makes nothing of them."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self.anchors: set[str] = set()
        self.flow_seq = False  # whether the innermost collection is one
        self.depth = 0

    def document(self) -> bool:
        """Look at the next document; false if there is none, or an empty one, behind which Falco looks no further."""
        self._directives()
        token = self.scanner.peek()
        if token is None:
            return False
        self.anchors = set()
        if token.kind == "---":
            self.scanner.pop()
        is_null = self._node()
        while self._sees("..."):
            self.scanner.pop()
        return not is_null

    def _sees(self, *kinds: str) -> bool:
        token = self.scanner.peek()
        return token is not None and token.kind in kinds

    def _next(self, message: str) -> Token:
        """The next token, which has to be there."""
        token = self.scanner.peek()
        if token is None:
            raise YamlCppError(message, self.scanner.mark())
        return token

    def _directives(self) -> None:
        handles: set[str] = set()
        versions = 0
        while (token := self.scanner.peek()) is not None and token.kind == "directive":
            name, *words = token.text.split("#")[0].split() or [""]
            if name == "YAML":
                versions += 1
                _check_version(words, token.mark, repeated=versions > 1)
            elif name == "TAG":
                if len(words) != 2:
                    raise YamlCppError("TAG directives must have exactly two arguments", token.mark)
                if words[0] in handles:
                    raise YamlCppError("repeated TAG directive", token.mark)
                handles.add(words[0])
            self.scanner.pop()

    def _node(self) -> bool:
        """Look at a node; tells whether it is nothing."""
        token = self.scanner.peek()
        if token is None:
            return True
        if self.depth > _MAX_DEPTH:
            raise _TooDeepError
        if token.kind == "value":
            self._inside(self._value_alone, flow_seq=False)
            return False
        if token.kind == "alias":
            if token.text not in self.anchors:
                name = token.text.encode("latin-1").decode("utf-8", "surrogateescape")
                raise YamlCppError(f"the referenced anchor is not defined: {name}", token.mark)
            self.scanner.pop()
            return False
        tagged = self._properties()
        token = self.scanner.peek()
        if token is None:
            return True
        if token.kind in {"plain", "quoted", "block"}:
            is_null = token.kind == "plain" and not tagged and token.text in _NULLS
            self.scanner.pop()
            return is_null
        inner = {"[": self._flow_seq, "seq": self._block_seq, "{": self._flow_map, "map": self._block_map}.get(token.kind)
        if inner is None and token.kind == "key" and self.flow_seq:
            inner = self._pair
        if inner is None:
            return not tagged
        self._inside(inner, flow_seq=token.kind == "[")
        return False

    def _inside(self, read: Callable[[], None], *, flow_seq: bool) -> None:
        outer, self.flow_seq = self.flow_seq, flow_seq
        self.depth += 1
        read()
        self.depth -= 1
        self.flow_seq = outer

    def _properties(self) -> bool:
        """Step over a tag and an anchor; tells whether there was a tag."""
        tagged = anchored = False
        while (token := self.scanner.peek()) is not None and token.kind in {"tag", "anchor"}:
            if tagged if token.kind == "tag" else anchored:
                raise YamlCppError(f"cannot assign multiple {token.kind}s to the same node", token.mark)
            if token.kind == "tag":
                tagged = True
            else:
                anchored = True
                self.anchors.add(token.text)
            self.scanner.pop()
        return tagged

    # Collections, from their start token on

    def _block_seq(self) -> None:
        message = "end of sequence not found"
        self.scanner.pop()
        while True:
            token = self._next(message)
            if token.kind not in {"-", "end seq"}:
                raise YamlCppError(message, token.mark)
            self.scanner.pop()
            if token.kind == "end seq":
                return
            if not self._sees("-", "end seq"):
                self._node()

    def _flow_seq(self) -> None:
        message = "end of sequence flow not found"
        self.scanner.pop()
        while self._next(message).kind != "]":
            self._node()
            token = self._next(message)
            if token.kind == ",":
                self.scanner.pop()
            elif token.kind != "]":
                raise YamlCppError(message, token.mark)
        self.scanner.pop()

    def _block_map(self) -> None:
        message = "end of map not found"
        self.scanner.pop()
        while True:
            token = self._next(message)
            if token.kind not in {"key", "value", "end map"}:
                raise YamlCppError(message, token.mark)
            if token.kind == "end map":
                self.scanner.pop()
                return
            self._pair()

    def _flow_map(self) -> None:
        message = "end of map flow not found"
        self.scanner.pop()
        while self._next(message).kind != "}":
            self._pair()
            token = self._next(message)
            if token.kind == ",":
                self.scanner.pop()
            elif token.kind != "}":
                raise YamlCppError(message, token.mark)
        self.scanner.pop()

    def _pair(self) -> None:
        if self._sees("key"):
            self.scanner.pop()
            self._node()
        if self._sees("value"):
            self.scanner.pop()
            self._node()

    def _value_alone(self) -> None:
        self.scanner.pop()
        self._node()


def _check_version(words: list[str], mark: Mark, *, repeated: bool) -> None:
    if len(words) != 1:
        raise YamlCppError("YAML directives must have exactly one argument", mark)
    if repeated:
        raise YamlCppError("repeated YAML directive", mark)
    found = _VERSION.fullmatch(words[0])
    if found is None:
        raise YamlCppError(f"bad YAML version: {words[0]}", mark)
    if int(found[1][:9]) > 1:
        raise YamlCppError("YAML major version too large", mark)
