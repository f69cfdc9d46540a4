"""Short options of a command line, as the transformer `getopt` finds them: getopt(3) without its GNU extensions.

The input are the arguments (bytes, without the program's name), the output are the options in order. Options are single bytes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COLON: Final = ord(":")
_DASH: Final = b"-"


class Option(NamedTuple):
    """A parsed option, and its entry in getopt's list: `a`, or `c`, `value`, or `?` if unknown, or `` if its value is missing."""

    letter: bytes | None
    texts: tuple[bytes, ...]


class Options:
    """The letters of an optstring. A colon after a letter means that it takes a value."""

    def __init__(self, optstring: bytes) -> None:
        letters = optstring.removeprefix(b":")
        self._known = {letter for letter in letters if letter != _COLON}
        self._valued = {letter for letter, after in pairwise(letters) if letter != _COLON and after == _COLON}

    def scan(self, arguments: Sequence[bytes]) -> Iterator[Option]:
        """Return the options up to the first other argument, or to `--`. Long options are skipped."""
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
