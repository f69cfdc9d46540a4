"""Reads a configuration file, options and flags into the configuration of a run: the entry point of this package."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.config.consistency import check
from lanner.config.entries import new_decoder
from lanner.config.includes import files_of, read_files
from lanner.config.keys import assign, name_of, put
from lanner.config.option_places import Origins
from lanner.config.sink_blocks import configured_sinks
from lanner.rules.files.load import OWN_RULES
from lanner.sdk.errors import ConfigError
from lanner.sdk.text.misspelt import suggest_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lanner.config.falco import Falco
    from lanner.config.option_places import ConfigPlace, Segment
    from lanner.config.tree import Tree

_SUFFIXES: Final = (".yaml", ".yml")
_ENABLING: Final = {"spool": "path", "throttle": "rate"}
"""Blocks under `lanner:` with the key without which the others have no effect."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration, its warnings, and the keys that request unsupported functions.

    `places` are those of the entries of `plugins`, None for an entry from an option. `origins` places the warnings.
    """

    falco: Falco
    warnings: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    places: tuple[ConfigPlace | None, ...] = ()
    origins: Origins = field(default_factory=Origins)

    def place_warnings(self) -> list[str]:
        """Return the warnings, each with the file and line of its value if they are known."""
        return list(map(self.origins.place, self.warnings))


def read_configuration(path: str | None, flags: Mapping[str, str], options: Sequence[str]) -> Configuration:
    """Return the configuration from the file (None: alerts to standard output), then the flags by key, then the `key=value` options.

    Raises `ConfigError`.
    """
    warnings: list[str] = []
    root: dict[str, Tree] = {"stdout_output": {"enabled": "true"}}
    places: dict[int, ConfigPlace] = {}
    files: dict[str, list[Segment]] = {}
    if path is not None:
        root, places, files = read_files(path, options, warnings)
    for key, value in flags.items():
        put(root, key, value)
    origins = Origins(files, [(assign(root, option), name_of(option)) for option in options])
    decoder = new_decoder()
    with origins.place_errors():
        falco = decoder.falco(root)
        check(falco)
    decoder.warnings.extend(_tell_idle(root, falco))
    found = root.get("plugins")
    entries = found if isinstance(found, list) else []
    _refuse_second_entries(entries, places)
    entry_places = tuple(places.get(id(entry)) for entry in entries)
    return Configuration(falco, [*warnings, *decoder.warnings], decoder.unused, entry_places, origins)


def _tell_idle(root: Mapping[str, Tree], falco: Falco) -> Iterator[str]:
    """Yield a warning for each block under `lanner:` that has no effect because the key that enables it is not given.

    Falco says nothing about blocks that only it has.
    """
    own = root.get("lanner")
    if not isinstance(own, dict):
        return
    for sink in configured_sinks(falco):
        declaration = sink.declaration
        block = (own if declaration.is_own else root).get(declaration.name)
        if not sink.is_enabled and not (isinstance(block, dict) and "enabled" in block):
            name = declaration.name if declaration.is_own else declaration.additions_key
            if own.get(name):
                yield f"$.lanner.{name} has no effect until $.{declaration.path}.enabled is true"
    for name, key in _ENABLING.items():
        block = own.get(name)
        if isinstance(block, dict) and block and key not in block:
            yield f"$.lanner.{name} has no effect until $.lanner.{name}.{key} is set"


def _refuse_second_entries(entries: list[Tree], places: Mapping[int, ConfigPlace]) -> None:
    """Raise `ConfigError` for two entries of `plugins` with the same name: Falco loads the first, or aborts; users mean the second."""
    first: dict[str, str] = {}
    for number, entry in enumerate(entries):
        name = entry["name"] if isinstance(entry, dict) else None
        place = str(places.get(id(entry), f"$.plugins[{number}] of the options"))
        if isinstance(name, str) and name in first:
            raise ConfigError(f"the plugin {name} has two entries, {first[name]} and {place}: remove one of them, or override it")
        if isinstance(name, str):
            first[name] = place


def list_files(given: Sequence[str]) -> tuple[str, ...]:
    """Return the given files, and those in given directories. Raises `ConfigError` for a directory without rules files."""
    return tuple(file for path in given for file in (_yaml_in(path) if path != OWN_RULES and Path(path).is_dir() else [path]))


def rules_paths(given: Sequence[str], read: Configuration) -> tuple[str, ...] | None:
    """Return the rules files, including those in directories: the given ones, else the configured ones; None if neither is set.

    As in Falco a configured file may be missing. Warns of ignored files. Raises `ConfigError` if no file remains.
    """
    if given:
        return list_files(given)
    falco = read.falco
    configured = falco.rules_files
    if falco.rules_file is not None:
        if configured is not None:
            raise ConfigError("$.rules_files and $.rules_file are both set: remove rules_file, the old name")
        configured = falco.rules_file
        read.warnings.append("$.rules_file is the old name of rules_files")
    if configured is None:
        return None
    there = [path for path in configured if path == OWN_RULES or Path(path).exists()]
    missing = {path: suggest_file(path, [OWN_RULES]) for path in configured if path not in there}
    if not there:
        near = next(filter(None, missing.values()), "; name a rules file with -r FILE")
        raise ConfigError(f"$.rules_files: none of {', '.join(configured) or '[]'} exists{near}")
    read.warnings.extend(f"$.rules_files: {path} does not exist; it is ignored{near}" for path, near in missing.items())
    read.warnings.extend(
        f"$.rules_files: {path} ends neither in .yaml nor in .yml; it is ignored"
        for path in there
        if path != OWN_RULES and not Path(path).is_dir() and not path.endswith(_SUFFIXES)
    )
    return tuple(file for path in there for file in ([path] if path == OWN_RULES else _yaml_of(path)))


def _yaml_in(directory: str) -> list[str]:
    files = _yaml_of(directory)
    if not files:
        raise ConfigError(f"the directory {directory} has no rules file: none ends in .yaml or .yml")
    return files


def _yaml_of(path: str) -> list[str]:
    return [file for file in files_of(path) if file.endswith(_SUFFIXES)]
