"""Places of options in configuration files, for messages: the file is read a second time to find the line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from lanner.sdk.files import read_whole
from lanner.sdk.text import from_bytes
from lanner.yamlfile.placed_values import line_of
from lanner.yamlfile.reader import YamlError, read_documents
from lanner.yamlfile.source import source_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_BYTES: Final = 16 << 20
_PATH: Final = re.compile(r"\$(?:\.[\w-]+|\[\d+\])+")
_STEP: Final = re.compile(r"\.([\w-]+)|\[(\d+)\]")


class ConfigPlace(NamedTuple):
    """A value in a configuration file: the keys and indices that lead to it; empty means the whole file."""

    file: str
    steps: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}: $" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps)

    def locate(self, *steps: str | int) -> str:
        """Return `file:line` of the value at `steps` or of its nearest parent; only the file if it cannot be read."""
        path = [*self.steps, *steps]
        key = path.pop() if path and isinstance(path[-1], str) else ""
        try:
            text = from_bytes(read_whole(self.file, _MOST_BYTES))
            documents = read_documents(source_file(self.file, text), only_first=True)
        except (OSError, ValueError, YamlError):
            return self.file
        return f"{self.file}:{line_of(documents[0] if documents else None, path, str(key))}"


class Origins(NamedTuple):
    """Origins of a configuration's values. `files`: the file of each top-level key. `given`: the steps of keys set by options."""

    files: Mapping[str, str] = {}
    given: Sequence[Sequence[str | int]] = ()

    def place(self, text: str) -> str:
        """Return a sentence that begins with the path of a value, prefixed with `file:line` of the value if it is in a file."""
        found = _PATH.match(text)
        steps = [name or int(index) for name, index in _STEP.findall(found[0])] if found else [""]
        file = self.files.get(str(steps[0]))
        if file is None or any(steps[: len(each)] == list(each) for each in self.given):
            return text
        return f"{ConfigPlace(file, tuple(steps)).locate()}: {text}"


def place_option(text: str, plugin: str, place: ConfigPlace | None, steps: Sequence[str | int]) -> str:
    """Return a sentence about a plugin's option, prefixed with the plugin's name and the place of `steps`, if it has one."""
    where = "" if place is None else f"{place.locate(*steps)}: "
    return f"{where}plugin {plugin}: {text}"
