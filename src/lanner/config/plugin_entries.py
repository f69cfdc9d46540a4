"""Which plugins a configuration loads, and what each of them is here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lanner.host.plugin_loader import BUILT_IN
from lanner.sdk.errors import ConfigError

if TYPE_CHECKING:
    from lanner.config.falco import Falco, PluginEntry

_LIBRARY: Final = re.compile(r"lib(.+)\.so")
_PYTHON: Final = re.compile(r"(?:.*\.py(?::\w+)?|[\w.]+:\w+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PluginSetup:
    """A plugin to load: `target` is its name for `load_plugin`, the others what it is made and opened with: secrets may be among it."""

    target: str
    name: str
    library_path: str = ""
    init_config: str | dict[str, Any] = field(default="", repr=False)
    open_params: str = field(default="", repr=False)

    def given(self, init_config: str | None, open_params: str | None) -> PluginSetup:
        """With what is given in place of what is configured; None changes nothing."""
        config = self.init_config if init_config is None else init_config
        return replace(self, init_config=config, open_params=self.open_params if open_params is None else open_params)


def select_plugins(falco: Falco, name: str | None) -> tuple[PluginSetup, ...]:
    """The plugins that are loaded, in order; with `name` that one alone, which need not be configured. Raises `ConfigError`."""
    if name is not None:
        found = [number for number, entry in enumerate(falco.plugins) if entry.name == name]
        return (_load(falco.plugins[found[0]], found[0]),) if found else (PluginSetup(name, name),)
    if falco.load_plugins is None:
        return tuple(_load(entry, number) for number, entry in enumerate(falco.plugins))
    numbers: dict[str, int] = {}
    for number, entry in enumerate(falco.plugins):
        numbers.setdefault(entry.name, number)
    for place, wanted in enumerate(falco.load_plugins):
        if wanted not in numbers:
            there = f"there are {', '.join(numbers)}" if numbers else "there is none"
            raise ConfigError(f"$.load_plugins[{place}] is {wanted!r}, but no plugin of that name is in $.plugins: {there}")
        if wanted in falco.load_plugins[:place]:
            raise ConfigError(f"$.load_plugins[{place}] is {wanted!r} for the second time: take it out")
    return tuple(_load(falco.plugins[numbers[wanted]], numbers[wanted]) for wanted in falco.load_plugins)


def _load(entry: PluginEntry, number: int) -> PluginSetup:
    library = entry.library_path
    found = _LIBRARY.fullmatch(Path(library).name)
    if library in BUILT_IN:
        target = library
    elif found and found[1] in BUILT_IN:
        target = found[1]
    elif _PYTHON.fullmatch(library):
        target = library
    else:
        what = "loads no compiled plugins" if library.endswith(".so") else "cannot tell what that is"
        built_in = ", ".join(f"lib{each}.so" for each in sorted(BUILT_IN))
        raise ConfigError(
            f"$.plugins[{number}].library_path is {library!r}, and Lanner {what}: built in are {built_in}; "
            "for a plugin in Python write path/to/file.py[:Class] or module:Class"
        )
    return PluginSetup(target, entry.name, library, entry.init_config, entry.open_params)
