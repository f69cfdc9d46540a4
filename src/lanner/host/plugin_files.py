"""The source files of plugins, to load them again while they are developed."""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lanner.host.plugin_loader import load_plugin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from lanner.sdk.authoring.plugin import Plugin

_OWN: Final = str(Path(__file__).parents[1])
_INSTALLED: Final = ("site-packages", "dist-packages")


class PluginFiles:
    """The modules of plugins, given by names for `load_plugin`: the file of each class, and modules of its directory that it imports."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._targets = targets
        self._modules: dict[str, ModuleType] = {}
        self._modules = self._find(list(map(load_plugin, targets)))

    def paths(self) -> list[str]:
        """Return the paths of the files."""
        return [str(module.__file__) for module in self._modules.values()]

    @contextmanager
    def reload_all(self) -> Iterator[list[type[Plugin]]]:
        """Load all modules again, and give the classes. If this or the context fails, the modules in use stay. Raises `LannerError`."""
        before = self._modules
        for name in before:
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        try:
            classes = list(map(load_plugin, self._targets))
            yield classes
        except BaseException:
            for name in self._find(()):
                sys.modules.pop(name, None)
            sys.modules.update(before)
            raise
        self._modules = self._find(classes)

    def _find(self, classes: Sequence[type[Plugin]]) -> dict[str, ModuleType]:
        """Return the loaded modules in the directories of these classes, and in those of the files until now."""
        roots = {_root(sys.modules[cls.__module__]) for cls in classes} or {str(Path(path).parent) for path in self.paths()}
        return {name: module for name, module in list(sys.modules.items()) if _is_in(module, roots)}


def list_plugin_files(cls: type[Plugin], config: str | dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the file of a plugin and that of its configuration (@FILE), each with its use, for `check_apart`."""
    module = sys.modules.get(cls.__module__)
    if file := getattr(module, "__file__", None):
        yield "reads the plugin", file
    if isinstance(config, str) and config.startswith("@"):
        yield "reads the plugin's configuration", config[1:]


def _root(module: ModuleType) -> str:
    """Return the directory of a module's file, for a package that of its top."""
    folder = Path(str(module.__file__)).resolve().parent
    for _ in range(module.__name__.count(".")):
        folder = folder.parent
    return str(folder)


def _is_in(module: ModuleType, roots: set[str]) -> bool:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py") or module.__name__ == "__main__":
        return False
    path = str(Path(file).resolve())
    inner = [path[len(root) :] for root in roots if path.startswith(root + "/")]
    return bool(inner) and not path.startswith(_OWN + "/") and not any(part in each for part in _INSTALLED for each in inner)


def without_bytecode() -> None:
    """Write no compiled modules: Python would take them for those of a file that changed within the same second."""
    sys.dont_write_bytecode = True
