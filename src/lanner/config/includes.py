"""Merges a configuration file and its included files into one tree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lanner.config.entries import new_decoder
from lanner.config.falco import Strategy
from lanner.config.keys import assign, name_of
from lanner.config.option_places import ConfigPlace, Origins, Segment
from lanner.config.tree import MAX_SIZE, read_tree
from lanner.sdk.errors import ConfigError
from lanner.sdk.files import read_whole
from lanner.sdk.text.encoding import from_bytes
from lanner.sdk.text.misspelt import suggest_file
from lanner.yamlfile.advice import advise_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.config.tree import Tree

_INCLUDES = "config_files"


def read_files(
    path: str, options: Sequence[str], warnings: list[str]
) -> tuple[dict[str, Tree], dict[int, ConfigPlace], dict[str, list[Segment]]]:
    """Return the tree of a file with its includes, and the places of its values. Raises `ConfigError`.

    The places are those of the entries of `plugins` by identity, and the files of each top-level key.

    Of the options (`key=value`), those about includes apply here already.
    """
    root = _read(path, warnings)
    places = _places(root, path)
    files = {key: [Segment(path)] for key in root}
    given = [(assign(root, option), name_of(option)) for option in options if option.startswith(_INCLUDES)]
    with Origins(files, given).place_errors():
        includes = new_decoder().includes(root.get(_INCLUDES))
        for number, include in enumerate(includes):
            if Path(include.path) == Path(path):
                raise ConfigError(f"$.{_INCLUDES}[{number}] includes the file itself: remove it")
    for include in includes:
        if not include.path or not Path(include.path).exists():
            warnings.append(f"$.{_INCLUDES}: {include.path} does not exist; it is ignored{suggest_file(include.path)}")
            continue
        for file in files_of(include.path):
            tree = _read(file, warnings)
            if _INCLUDES in tree:
                where = ConfigPlace(file, (_INCLUDES,)).locate()
                raise ConfigError(f"{where}: an included file cannot include others: remove {_INCLUDES}")
            places |= _places(tree, file)
            _merge(root, tree, include.strategy, file, files)
    return root, places, files


def files_of(path: str) -> list[str]:
    """Return the file, or the files in the directory, sorted."""
    if not Path(path).is_dir():
        return [path]
    try:
        return sorted(str(each) for each in Path(path).iterdir() if each.is_file())
    except OSError as error:
        raise ConfigError(f"cannot read the directory {path}: {error.strerror}") from None


def _places(tree: dict[str, Tree], file: str) -> dict[int, ConfigPlace]:
    entries = tree.get("plugins")
    return {id(entry): ConfigPlace(file, ("plugins", number)) for number, entry in enumerate(entries if isinstance(entries, list) else [])}


def _merge(root: dict[str, Tree], tree: dict[str, Tree], strategy: Strategy, file: str, files: dict[str, list[Segment]]) -> None:
    for key, value in tree.items():
        there = root.get(key)
        if strategy is Strategy.ADD_ONLY and key in root:
            continue
        if strategy is Strategy.APPEND and isinstance(value, list) and there is not None:
            if not isinstance(there, list):
                where = ConfigPlace(file, (key,)).locate()
                raise ConfigError(f"{where}: $.{key} is a list to append, but it is not a list in the files before")
            root[key] = [*there, *value]
            files[key].append(Segment(file, len(there)))
        else:
            root[key] = value
            files[key] = [Segment(file)]


def _read(path: str, warnings: list[str]) -> dict[str, Tree]:
    try:
        data = read_whole(path, MAX_SIZE)
    except OSError as error:
        near = suggest_file(path) if isinstance(error, FileNotFoundError) else ""
        raise ConfigError(f"cannot read the configuration file {path}: {error.strerror}{near}") from None
    tree = read_tree(from_bytes(data), path, warnings)
    if tree is None:
        warnings.append(f"{path} has no keys, which Falco's schema requires; it is ignored")
        return {}
    if not isinstance(tree, dict):
        advice = advise_line(tree.partition("\n")[0]) if isinstance(tree, str) else ""
        message = f"{path}: a configuration file must be keys with their values, such as `json_output: true`"
        raise ConfigError(f"{message}; {advice}" if advice else message)
    return tree
