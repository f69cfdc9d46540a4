"""Selects the plugins that a configuration loads, and resolves their entries."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lanner.config.option_places import place_option
from lanner.host.plugin_loader import BUILT_IN, installed_target, load_plugin
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import ConfigError, UsageError
from lanner.sdk.hosting.open_source import check_open_params
from lanner.sdk.options.option_errors import path_in_message
from lanner.sdk.text.misspelt import suggest_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.config.falco import Falco, PluginEntry
    from lanner.config.option_places import ConfigPlace
    from lanner.sdk.authoring.plugin import Plugin, PluginInfo

_LIBRARY: Final = re.compile(r"lib(.+)\.so")
_PYTHON: Final = re.compile(r"(?:.*\.py(?::\w+)?|[\w.]+:\w+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PluginSetup:
    """A plugin to load: its name for `load_plugin` (`target`), its configuration and its open parameters, which may contain secrets.

    `config_place` and `params_place` are those of the entries that set init_config and open_params, None if no file sets them.
    """

    target: str
    name: str
    library_path: str = ""
    init_config: str | dict[str, Any] = field(default="", repr=False)
    open_params: str = field(default="", repr=False)
    config_place: ConfigPlace | None = field(default=None, compare=False)
    params_place: ConfigPlace | None = field(default=None, compare=False)

    def with_values(self, init_config: str | None, open_params: str | None) -> PluginSetup:
        """Return a copy with the given values instead of the configured ones; None keeps the configured one."""
        result = self if init_config is None else replace(self, init_config=init_config, config_place=None)
        return result if open_params is None else replace(result, open_params=open_params, params_place=None)


def split_plugins(plugins: Sequence[PluginSetup]) -> tuple[PluginSetup, tuple[PluginSetup, ...]]:
    """Return the plugin whose events are watched, and those that extract fields from its events. Raises `ConfigError` if ambiguous."""
    if not plugins:
        raise ConfigError("no plugin is loaded: name one, as in `lanner run docker`, or list it in $.plugins of the file of -c")
    if len(plugins) == 1:
        return plugins[0], ()
    watched = [each for each in plugins if _has_source(each.target)]
    if not watched:
        names = ", ".join(each.name for each in plugins)
        raise ConfigError(f"no plugin of {names} has an event source, so no events would be watched: also load the plugin of their events")
    if len(watched) > 1:
        raise ConfigError(
            f"{len(watched)} plugins with event sources would be loaded ({', '.join(each.name for each in watched)}), and Lanner runs one "
            f"event source at a time: name one of them, as in `lanner run {watched[0].name} -c ...`, or in $.load_plugins"
        )
    return watched[0], tuple(each for each in plugins if each is not watched[0])


def advise_source(info: PluginInfo) -> str:
    """Return advice for a plugin without an event source that a command shall run."""
    events = " or ".join(f"`source: {source}`" for source in info.read_sources) or "an event source"
    files = "list both in `plugins` and `load_plugins` of a falco.yaml, and use `lanner run -c falco.yaml`"
    return f"Load it with the plugin of {events}: {files}"


@cache
def _has_source(target: str) -> bool:
    return plugin_info(load_plugin(target)).has_source


def check_params(plugin: Plugin, entry: PluginSetup) -> None:
    """Make the plugin check the open parameters of its entry. Raises `UsageError` with their place, and as `check_open_params` does."""
    try:
        check_open_params(plugin, entry.open_params)
    except UsageError as error:
        path, set_by = path_in_message(str(error)), plugin.set_by
        if any(f"(from {option})" in str(error) for option in set_by.values()):
            raise
        if path and path[0] in set_by:
            raise UsageError(f"{set_by[str(path[0])]}: {error}") from None
        place, steps = (entry.config_place, ["init_config", *path]) if path else (entry.params_place, ["open_params"])
        if place is None:
            raise
        raise UsageError(place_option(str(error), plugin_info(type(plugin)).name, place, steps)) from None


def select_plugins(falco: Falco, name: str | None, places: Sequence[ConfigPlace | None] = ()) -> tuple[PluginSetup, ...]:
    """Return the loaded plugins in order, or only the one called `name`, which may be unconfigured. Raises `ConfigError`.

    `places` are those of the entries of `plugins`.
    """
    entries = dict(enumerate(places))

    def load(number: int) -> PluginSetup:
        return _load(falco.plugins[number], number, entries.get(number))

    if name is not None:
        found = [number for number, entry in enumerate(falco.plugins) if entry.name == name]
        return (load(found[0]),) if found else (PluginSetup(name, name),)
    if falco.load_plugins is None:
        return tuple(map(load, range(len(falco.plugins))))
    numbers: dict[str, int] = {}
    for number, entry in enumerate(falco.plugins):
        numbers.setdefault(entry.name, number)
    for place, wanted in enumerate(falco.load_plugins):
        if wanted not in numbers:
            there = suggest_name(wanted, numbers) or (f": its names are {', '.join(numbers)}" if numbers else ", which is empty")
            raise ConfigError(f"$.load_plugins[{place}] is {wanted!r}, but no plugin of that name is in $.plugins{there}")
        if wanted in falco.load_plugins[:place]:
            raise ConfigError(f"$.load_plugins[{place}] is {wanted!r} for the second time: remove it")
    return tuple(load(numbers[wanted]) for wanted in falco.load_plugins)


def _load(entry: PluginEntry, number: int, place: ConfigPlace | None) -> PluginSetup:
    library = entry.library_path
    found = _LIBRARY.fullmatch(Path(library).name)
    names = (library, found[1]) if found else (library,)
    if known := next((each for each in names if each in BUILT_IN or installed_target(each)), None):
        target = known
    elif _PYTHON.fullmatch(library):
        target = library
    else:
        what, advice = "does not recognise it", ""
        if library.endswith(".so"):
            from lanner.host.compiled import advise_library  # rare

            what, advice = "loads no compiled plugins", advise_library(library)
        built_in = ", ".join(f"lib{each}.so" for each in sorted(BUILT_IN))
        forms = "path/to/file.py[:Class] or module:Class, or the name of an installed one"
        advice = advice or f"built in are {built_in}; for a plugin in Python write {forms}"
        raise ConfigError(f"$.plugins[{number}].library_path is {library!r}, and Lanner {what}: {advice}")
    return PluginSetup(target, entry.name, library, entry.init_config, entry.open_params, place, place)
