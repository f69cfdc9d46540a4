"""Import a bundle's modules under private names.

Several plugins, or versions of one, share the interpreter of a process. Each has its modules in a package whose name contains the
bundle's hash. Their `import helper` finds the bundle's helper first: they run with an `__import__` that searches
there. Other modules come from the environment as usual.
"""

from __future__ import annotations

import builtins
import sys
from importlib.machinery import ModuleSpec

from lanner.sdk.errors import LannerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any, Final

    from lanner.sdk.authoring.plugin import Plugin

_PREFIX: Final = "lanner_bundle_"
_finders: dict[str, BundleFinder] = {}


def plugin_class(plugin: str, bundle: str, path: str, archive: bytes) -> type[Plugin]:
    """Return the class `module:Class`, from the bundle if it contains the module. Raises `LannerError` naming what failed and where."""
    from importlib import import_module

    module, _, name = plugin.partition(":")
    files = read_stored(archive)
    if files and bundle not in _finders:
        _finders[bundle] = BundleFinder(_PREFIX + bundle, path, files)
        sys.meta_path.insert(0, _finders[bundle])
    finder = _finders.get(bundle)
    brings = finder is not None and finder.brings(module)
    try:
        found: type[Plugin] = getattr(import_module(f"{_PREFIX}{bundle}.{module}" if brings else module), name)
    except LannerError:
        raise
    except (Exception, SystemExit) as error:
        from lanner.sdk.hosting.failures import plugin_failure

        raise plugin_failure(module, "import", error) from error
    return found


def package_of(plugin: str, bundle: str) -> str:
    """Return the name, or name prefix, of the modules of `module:Class` once its class has been loaded."""
    module = plugin.partition(":")[0]
    finder = _finders.get(bundle)
    return _PREFIX + bundle if finder is not None and finder.brings(module) else module


def read_stored(archive: bytes) -> dict[str, bytes]:
    """Return the files of an uncompressed zip file (as `lanner build` appends it) by name. Importing zipfile would take 15 ms."""
    files: dict[str, bytes] = {}
    at = 0
    while archive[at : at + 4] == b"PK\x03\x04":
        size, name_size, extra_size = (
            int.from_bytes(archive[at + 18 : at + 22], "little"),
            int.from_bytes(archive[at + 26 : at + 28], "little"),
            int.from_bytes(archive[at + 28 : at + 30], "little"),
        )
        name_end = at + 30 + name_size
        data = name_end + extra_size
        files[archive[at + 30 : name_end].decode()] = archive[data : data + size]
        at = data + size
    return files


class BundleFinder:
    """Finder and loader for one bundle's modules: `PACKAGE.name` is the bundle's name.py or name/__init__.py."""

    def __init__(self, package: str, path: str, files: dict[str, bytes]) -> None:
        self._package = package
        self._path = path
        self._files = files
        self._own = {name.partition("/")[0].removesuffix(".py") for name in files}
        self._builtins = {**vars(builtins), "__import__": self._import}

    def brings(self, module: str) -> bool:
        """Return whether the bundle contains this module."""
        return module.partition(".")[0] in self._own

    def find_spec(self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None) -> ModuleSpec | None:
        """See importlib.abc.MetaPathFinder."""
        if name == self._package:
            return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]
        if not name.startswith(self._package + "."):
            return None
        inner = name[len(self._package) + 1 :].replace(".", "/")
        for file, is_package in ((f"{inner}/__init__.py", True), (f"{inner}.py", False)):
            if file in self._files:
                return self._spec(name, file, is_package=is_package)
        if any(file.startswith(inner + "/") for file in self._files):
            return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]
        return None

    def _spec(self, name: str, file: str, *, is_package: bool) -> ModuleSpec:
        spec = ModuleSpec(name, self, origin=f"{self._path}/{file}", is_package=is_package)  # type: ignore[arg-type]
        spec.has_location = True
        spec.loader_state = file
        return spec

    def create_module(self, _spec: ModuleSpec) -> None:
        """See importlib.abc.Loader: the default."""

    def exec_module(self, module: ModuleType) -> None:
        """See importlib.abc.Loader."""
        spec: Any = module.__spec__
        if spec.loader_state is not None:
            code = compile(self._files[spec.loader_state], spec.origin, "exec", dont_inherit=True)
            vars(module)["__builtins__"] = self._builtins
            exec(code, vars(module))  # noqa: S102 - this is what an import does

    def get_source(self, name: str) -> str | None:
        """Return a module's source, for tracebacks."""
        spec = self.find_spec(name)
        return self._files[spec.loader_state].decode("utf-8", "replace") if spec and spec.loader_state else None

    def get_data(self, path: str) -> bytes:
        """Return a file of the bundle by its path below the .so, for pkgutil.get_data."""
        name = path.removeprefix(self._path + "/")
        if name not in self._files:
            raise FileNotFoundError(path)
        return self._files[name]

    def _import(
        self,
        name: str,
        globals: dict[str, Any] | None = None,  # noqa: A002 - the names of __import__
        locals: dict[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> ModuleType:
        if level or not self.brings(name):
            return builtins.__import__(name, globals, locals, fromlist, level)
        module = builtins.__import__(f"{self._package}.{name}", globals, locals, fromlist, 0)
        if fromlist:
            return module
        top: ModuleType = getattr(module, name.partition(".")[0])
        return top
