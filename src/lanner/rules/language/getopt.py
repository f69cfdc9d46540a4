"""Short options of a command line, as the transformer `getopt` finds them: getopt(3) without its GNU extensions.

In come the arguments (bytes, without the program's name), out come the options in order. Options go by bytes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COLON: Final = ord(":")
_DASH: Final = b"-"


class Option(NamedTuple):
    """An option that was found, and what stands for it in getopt's list: `a`; `c`, `value`; `?` if unknown; `` if its value is missing."""

    letter: bytes | None
    texts: tuple[bytes, ...]


class Options:
    """The letters of an optstring; a colon behind a letter says that it takes a value."""

    def __init__(self, optstring: bytes) -> None:
        letters = optstring.removeprefix(b":")
        self._known = {letter for letter in letters if letter != _COLON}
        self._valued = {letter for letter, after in pairwise(letters) if letter != _COLON and after == _COLON}

    def scan(self, arguments: Sequence[bytes]) -> Iterator[Option]:
        """The options up to the first argument that is none, or to `--`; long options are passed over."""
        position = 0
        while position < len(arguments):
            argument = arguments[position]
            position += 1
            if argument.startswith(b"--") and len(argument) > 2:
                continue
            if argument == b"--" or not argument.startswith(_DASH) or argument == _DASH:
                return
            for index, letter in enumerate(argument[1:], start=1):
                name = argument[index : index + 1]
                if letter not in self._known:
                    yield Option(None, (b"?",))
                elif letter not in self._valued:
                    yield Option(name, (name,))
                else:
                    if index + 1 < len(argument):
                        yield Option(name, (name, argument[index + 1 :]))
                    elif position < len(arguments):
                        yield Option(name, (name, arguments[position]))
                        position += 1
                    else:
                        yield Option(name, (b"",))
                    break
