"""The tokens of a rules file as yaml-cpp sees them, which is the parser that Falco reads rules with.

In comes a text of bytes (each as one character), out come `Token`s with their places, or a `YamlCppError` where yaml-cpp stops. How
the tokens may follow each other is looked at in yamlcpp.py; the nodes that rules are made of come from another parser (yamltree.py).

A key is known as such only by the colon behind it: tokens that it would need wait in the queue, unverified, until that is decided.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from lanner.rules.yamlcursor import BREAK, DOCUMENT, Cursor, Mark

_BLANK_OR_END: Final = r"(?=[ \t\r\n]|\Z)"
_ENTRY: Final = re.compile(rf"-{_BLANK_OR_END}")
_KEY: Final = re.compile(r"\?(?=[ \t\r\n])")
_VALUE: Final = re.compile(rf":{_BLANK_OR_END}")
_VALUE_IN_FLOW: Final = re.compile(r":(?=[ \t\r\n,\]}]|\Z)")
_PLAIN: Final = re.compile(rf"(?![ \t\r\n,\[\]{{}}#&*!|>'\"%@`]|[-?:]{_BLANK_OR_END}).", re.DOTALL)
_PLAIN_IN_FLOW: Final = re.compile(r"(?![ \t\r\n?,\[\]{}#&*!|>'\"%@`]|[-:](?:[ \t]|\Z)).", re.DOTALL)
_NAME: Final = re.compile(r"[^\[\]{},\s]*")
_NAME_END: Final = re.compile(r"[?:,\]}%@`\s]|\Z")
_TAG: Final = re.compile(r"!<([^>\s]*)(>?)|!([\w-]*)(?:!([^\s,\[\]{}!]*)|[^\s,\[\]{}!]*)", re.ASCII)
_KEY_LENGTH: Final = 1024


@dataclass(slots=True, eq=False)
class Token:
    """`kind` is a word for what yaml-cpp calls it: "[", "map", "end map", "key" ...; `valid` is None while it is not decided."""

    kind: str
    mark: Mark
    text: str = ""
    valid: bool | None = True


@dataclass(slots=True, eq=False)
class _Indent:
    column: int
    kind: str
    token: Token | None = None
    valid: bool | None = True


@dataclass(slots=True, eq=False)
class _SimpleKey:
    mark: Mark
    level: int
    token: Token
    indent: _Indent | None = None

    def decide(self, *, valid: bool) -> None:
        self.token.valid = valid
        if self.indent:
            self.indent.valid = valid
            if self.indent.token:
                self.indent.token.valid = valid


@dataclass(slots=True)
class Scanner(Cursor):
    """A queue of tokens, filled as far as it is asked for."""

    _tokens: deque[Token] = field(default_factory=deque)
    _indents: list[_Indent] = field(default_factory=lambda: [_Indent(-1, "")])
    _keys: list[_SimpleKey] = field(default_factory=list)
    _flows: list[str] = field(default_factory=list)
    _key_allowed: bool = True
    _scalar_allowed: bool = True
    _after_json: bool = False

    def peek(self) -> Token | None:
        """The next token; None at the end."""
        while True:
            while self._tokens and self._tokens[0].valid is False:
                self._tokens.popleft()
            if self._tokens and (self._tokens[0].valid or self.ended):
                return self._tokens[0]
            if self.ended:
                return None
            self._scan()

    def pop(self) -> None:
        """Step over the next token."""
        if self.peek() is not None:
            self._tokens.popleft()

    def _push(self, kind: str, mark: Mark | None = None, text: str = "") -> Token:
        token = Token(kind, mark or self.mark(), text)
        self._tokens.append(token)
        return token

    # Between tokens

    def _scan(self) -> None:
        self._skip()
        self._pop_indents()
        char, first = self.char(), self.column == 0
        if not char:
            self._end()
        elif first and char == "%":
            self._directive()
        elif first and (found := DOCUMENT.match(self.text, self.at)):
            self._all_indents()
            self._keys.clear()
            self._one("---" if found[1] == "---" else "...", 3, key=False)
        elif char in "[{":
            self._insert_key()
            self._one(char, key=True)
            self._flows.append(char)
        elif char in "]}":
            self._flow_end(char)
        elif char == ",":
            self._flow_entry()
        elif _ENTRY.match(self.text, self.at):
            if self._flows or not self._key_allowed:
                raise self.error("illegal block entry")
            self._indent_to("seq")
            self._one("-", key=True)
        elif _KEY.match(self.text, self.at):
            if not self._flows:
                if not self._key_allowed:
                    raise self.error("illegal map key")
                self._indent_to("map")
            self._one("key", key=not self._flows)
        elif (char == ":" and (_VALUE_IN_FLOW if self._flows else _VALUE).match(self.text, self.at)) or (
            char == ":" and self._flows and self._after_json
        ):
            self._value()
        elif char in "*&":
            self._anchor(char)
        elif char == "!":
            self._tag()
        elif char in "|>" and not self._flows:
            self._block_scalar()
        elif not self._scalar_allowed:
            raise self.error("unexpected scalar")
        elif char in "'\"":
            self._quoted(char)
        elif (_PLAIN_IN_FLOW if self._flows else _PLAIN).match(self.text, self.at):
            self._plain()
        else:
            raise self.error("unknown token")

    def _skip(self) -> None:
        while True:
            while self.char() in {" ", "\t"}:
                if self.char() == "\t" and not self._flows:
                    self._key_allowed = False
                self.eat()
            if self.char() == "#":
                self.eat(len(self.rest()))
            found = BREAK.match(self.text, self.at)
            if found is None:
                return
            self.eat(len(found[0]))
            self._decide_key(valid=False)
            self._scalar_allowed = True
            if not self._flows:
                self._key_allowed = True

    def _end(self) -> None:
        self.ended = True
        self._all_indents()
        self._keys.clear()

    def _one(self, kind: str, count: int = 1, *, key: bool) -> None:
        """An indicator; `key` tells whether a key may follow."""
        mark = self.mark()
        self.eat(count)
        self._push(kind, mark)
        self._key_allowed, self._after_json = key, False

    # Indentation

    def _indent_to(self, kind: str) -> _Indent | None:
        last, column = self._indents[-1], self.column
        if self._flows or column < last.column or (column == last.column and (kind, last.kind) != ("seq", "map")):
            return None
        self._indents.append(_Indent(column, kind, self._push(kind)))
        return self._indents[-1]

    def _pop_indents(self) -> None:
        if self._flows:
            return
        while self._indents:
            indent, column = self._indents[-1], self.column
            stays = indent.column == column and not (indent.kind == "seq" and not _ENTRY.match(self.text, self.at))
            if indent.column < column or stays:
                break
            self._pop_indent()
        while self._indents and self._indents[-1].valid is False:
            self._pop_indent()

    def _all_indents(self) -> None:
        while not self._flows and self._indents and self._indents[-1].kind:
            self._pop_indent()

    def _pop_indent(self) -> None:
        indent = self._indents.pop()
        if indent.valid is not True:
            self._decide_key(valid=False)
        elif indent.kind:
            self._push(f"end {indent.kind}")

    # Keys

    def _insert_key(self) -> None:
        if not self._key_allowed or (self._keys and self._keys[-1].level == len(self._flows)):
            return
        indent = self._indent_to("map")
        key = _SimpleKey(self.mark(), len(self._flows), self._push("key"), indent)
        for each in (key.token, indent, indent and indent.token):
            if each:
                each.valid = None
        self._keys.append(key)

    def _decide_key(self, *, valid: bool) -> bool:
        """Decide about the key at this level of flows, if one waits: it is on one line, and short."""
        if not self._keys or self._keys[-1].level != len(self._flows):
            return False
        key = self._keys.pop()
        valid = valid and self.line == key.mark.line and self.at - key.mark.offset <= _KEY_LENGTH
        key.decide(valid=valid)
        return valid

    def _value(self) -> None:
        simple = self._decide_key(valid=True)
        if not simple and not self._flows:
            if not self._key_allowed:
                raise self.error("illegal map value")
            self._indent_to("map")
        self._scalar_allowed = True
        self._one("value", key=not simple and not self._flows)

    # Flows

    def _solo(self) -> None:
        """A key without a value in `{a, b}`."""
        if self._flows and self._flows[-1] == "{":
            if self._decide_key(valid=True):
                self._push("value")
        elif self._flows:
            self._decide_key(valid=False)

    def _flow_end(self, char: str) -> None:
        if not self._flows:
            raise self.error("illegal flow end")
        self._solo()
        if (self._flows[-1] == "[") != (char == "]"):
            raise self.error("illegal flow end")
        self._one(char, key=False)
        self._flows.pop()
        self._after_json = True

    def _flow_entry(self) -> None:
        if self.column == 0:
            raise self.error("plain value cannot start with flow indicator character")
        if not self._scalar_allowed:
            raise self.error("unexpected scalar")
        self._solo()
        self._one(",", key=True)

    # Everything that has a text

    def _directive(self) -> None:
        self._all_indents()
        self._keys.clear()
        self._key_allowed = self._after_json = False
        mark, line = self.mark(), self.rest()
        self.eat(len(line))
        self._push("directive", mark, line[1:])

    def _anchor(self, char: str) -> None:
        self._insert_key()
        self._key_allowed = self._after_json = False
        what, mark = ("alias", self.mark()) if char == "*" else ("anchor", self.mark())
        self.eat()
        found = _NAME.match(self.text, self.at)
        name = found[0] if found else ""
        self.eat(len(name))
        if not name:
            raise self.error(f"{what} not found after {char}")
        if not _NAME_END.match(self.text, self.at):
            raise self.error(f"illegal character found while scanning {what}")
        self._push(what, mark, name)

    def _tag(self) -> None:
        self._insert_key()
        self._key_allowed = self._after_json = False
        mark, found = self.mark(), _TAG.match(self.text, self.at)
        assert found is not None
        self.eat(len(found[0]))
        if found[1] is not None and not found[2]:
            raise self.error("end of verbatim tag not found")
        if found[4] == "":
            raise self.error("tag handle with no suffix")
        self._push("tag", mark, found[0])

    def _plain(self) -> None:
        self._insert_key()
        mark = self.mark()
        indent = 0 if self._flows else (self._indents[-1].column if self._indents else 0) + 1
        self._key_allowed = self.read_plain(indent, in_flow=bool(self._flows))
        self._after_json = False
        self._push("plain", mark, self.text[mark.offset : self.at].rstrip(" \t\r\n"))

    def _quoted(self, quote: str) -> None:
        self._insert_key()
        mark = self.mark()
        self.read_quoted(quote)
        self._key_allowed, self._scalar_allowed, self._after_json = False, bool(self._flows), True
        self._push("quoted", mark)

    def _block_scalar(self) -> None:
        mark = self.mark()
        self.read_block(max(0, self._indents[-1].column if self._indents else 0))
        self._key_allowed, self._after_json = True, False
        self._push("block", mark)
