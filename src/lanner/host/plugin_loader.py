"""Load a plugin class by the name that the user gave.

A name is that of a built-in or installed plugin, `module:Class`, or the path of a Python file with an optional `:Class`. An installed
plugin is an entry point of the group `lanner.plugins`. Loading neither instantiates the class nor reads its configuration.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import redirect_stdout, suppress
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lanner.sdk.authoring.plugin import SkippedChecks, plugin_info
from lanner.sdk.errors import LannerError, UsageError
from lanner.sdk.own_modules import search_sources_in
from lanner.sdk.text.misspelt import find_near, suggest_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint
    from types import ModuleType

    from lanner.sdk.authoring.plugin import Plugin

BUILT_IN: Final = {"docker": "lanner.docker:Docker"}
GROUP: Final = "lanner.plugins"
"""The group of entry points by which an installed package names its plugins."""


_BARE: Final = re.compile(r"[a-z][a-z0-9_-]*")
_TARGET: Final = re.compile(r"\w+(\.\w+)*:\w+")


class PluginNotFoundError(UsageError, LookupError):
    """The name does not identify a plugin class."""


class PluginImportError(LannerError, ImportError):
    """The plugin's module cannot be imported, or does not identify one plugin class."""


def load_plugin(name: str) -> type[Plugin]:
    """Return the plugin class. Raise `PluginNotFoundError`, or `PluginImportError` if importing it fails."""
    if name in BUILT_IN:
        _warn_of_namesakes(name)
        target, _, class_name = BUILT_IN[name].partition(":")
        with SkippedChecks():  # the tests of Lanner import it with them
            return _plugin_class(_import_module(target), class_name, target)
    elif installed := installed_target(name):
        return _installed_class(name, installed)
    else:
        target, _, class_name = name.partition(":")
    if not target:
        raise PluginNotFoundError(f"invalid plugin name {name!r}: {_forms()}")
    if target.endswith((".py", ".so")) or "/" in target:
        return _plugin_class(_import_file(Path(target), name), class_name, target)
    if class_name:
        return _plugin_class(_import_module(target), class_name, target)
    raise PluginNotFoundError(f"no plugin named {name!r}: {_advice(name)}")


def check_target(name: str) -> None:
    """Raise the `PluginNotFoundError` of `load_plugin` for a plugin, a file or a module that does not exist. Runs no code of it."""
    if name in BUILT_IN or installed_target(name):
        return
    target, colon, _ = name.partition(":")
    if not target:
        raise PluginNotFoundError(f"invalid plugin name {name!r}: {_forms()}")
    if target.endswith((".py", ".so")) or "/" in target:
        _check_file(Path(target))
    elif not colon:
        raise PluginNotFoundError(f"no plugin named {name!r}: {_advice(name)}")
    else:
        package = target.partition(".")[0]
        if package not in sys.modules and PathFinder.find_spec(package, [*sys.path, str(Path.cwd())]) is None:
            raise PluginNotFoundError(f"cannot import the plugin {target}: there is no module {package!r}; {_forms()}")


def installed_plugins() -> dict[str, list[EntryPoint]]:
    """Return the entry points of installed plugins by name: of each, one for each package that declares it."""
    from importlib.metadata import entry_points  # slow, and needed only for such names

    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        same = found.setdefault(point.name, [])
        if all(_package(each) != _package(point) or each.value != point.value for each in same):  # a package may be on the path twice
            same.append(point)
    return found


def installed_target(name: str) -> str:
    """Return the `module:Class` of the installed plugin with that name, or "" if no package declares it.

    Raise `PluginImportError` if several packages declare it, or its declaration is invalid.
    """
    if not _BARE.fullmatch(name):
        return ""
    points = installed_plugins().get(name, [])
    if len(points) > 1:
        packages = " and ".join(sorted(f"{_package(point)} ({point.value})" for point in points))
        raise PluginImportError(
            f"{len(points)} installed packages have a plugin named {name!r}: {packages}. Uninstall one of them, or write its module:Class"
        )
    if points and not _TARGET.fullmatch(points[0].value):
        raise PluginImportError(
            f"the package {_package(points[0])} declares the plugin {name!r} as {points[0].value!r}: its entry point must be module:Class"
        )
    return points[0].value if points else ""


@cache
def _warn_of_namesakes(name: str) -> None:
    """Log the packages that declare a plugin with the name of a built-in one."""
    points = installed_plugins().get(name, []) if _has_entry_points() else []
    for point in points:
        import logging  # rare

        logging.getLogger("lanner.plugins").warning(
            "the package %s declares a plugin named %r, which is ignored, because that is the name of Lanner's own: rename it, or write %s",
            _package(point),
            name,
            point.value,
        )


def _has_entry_points() -> bool:
    """Return whether a package declares a plugin, without `importlib.metadata`, whose import is slow."""
    for folder in sys.path:
        for file in Path(folder or ".").glob("*-info/entry_points.txt"):
            with suppress(OSError):
                if f"[{GROUP}]".encode() in file.read_bytes():
                    return True
    return False


def _installed_class(name: str, target: str) -> type[Plugin]:
    module, _, class_name = target.partition(":")
    cls = _plugin_class(_import(lambda: import_module(module), module), class_name, module)
    own = plugin_info(cls).name
    if own != name:
        raise PluginImportError(
            f"the entry point {name!r} of the group {GROUP} is {target}, whose name is {own!r}: give both the same name, or write {target}"
        )
    return cls


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "unknown"


def _advice(name: str) -> str:
    if os.path.isfile(name + ".py"):  # noqa: PTH113 - unlike Path.is_file also False for a name that is too long
        return f"to name the file, write {name}.py"
    if _exists(Path(name)):
        what = "a directory" if Path(name).is_dir() else "a file whose name does not end in .py"
        return f"it is {what}. {_forms()[:1].upper()}{_forms()[1:]}"
    near = find_near(name, (*BUILT_IN, *installed_plugins()))
    return (f"did you mean {near!r}? " if near else "") + _forms()


def _forms() -> str:
    names = sorted(set(installed_plugins()).difference(BUILT_IN))
    installed = f"; installed: {', '.join(names)}" if names else ""
    return f"built-in plugins: {', '.join(sorted(BUILT_IN))}{installed}; name your own as module:Class or path/to/file.py[:Class]"


def _import_module(name: str) -> ModuleType:
    # as in `python -m`, the working directory is searched; last, so that its files cannot shadow Python's modules
    _search_in(Path.cwd())
    return _import(lambda: import_module(name), name)


def _check_file(path: Path) -> None:
    if path.suffix == ".so":
        from lanner.host.compiled import advise_library  # rare

        advice = advise_library(str(path)) or "name the class it was built from"
        raise PluginNotFoundError(f"{path} is a compiled plugin, but Lanner's host runs Python classes: {advice}")
    if not _exists(path):
        raise PluginNotFoundError(f"the plugin file {path} does not exist{suggest_file(str(path)) or f': {_forms()}'}")
    if not path.is_file():
        raise PluginNotFoundError(f"the plugin file {path} is {'a directory' if path.is_dir() else 'not a regular file'}: {_forms()}")


def _exists(path: Path) -> bool:
    """Return whether there is a file, also one that cannot be read. False for a name that no file has. Raise `OSError` if it is unknown."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError as error:
        if error.errno in {errno.ENAMETOOLONG, errno.ELOOP}:
            return False
        raise
    return True


def _import_file(path: Path, name: str) -> ModuleType:
    _check_file(path)
    spec = spec_from_file_location(f"lanner_plugin_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise PluginNotFoundError(f"{path} is not a Python file: {name!r} must name a file that ends in .py, or module:Class")
    module, loader = module_from_spec(spec), spec.loader
    _search_in(path.resolve().parent)
    # dataclasses, msgspec and pickle find a class's module by its name
    sys.modules[spec.name] = module

    def execute() -> ModuleType:
        loader.exec_module(module)
        return module

    return _import(execute, str(path))


def _search_in(directory: Path) -> None:
    search_sources_in(directory)
    if str(directory) not in sys.path:
        sys.path.append(str(directory))


def _import(load: Callable[[], ModuleType], shown: str) -> ModuleType:
    try:
        with redirect_stdout(sys.stderr):  # standard output is for results
            return load()
    except (Exception, SystemExit) as error:
        where = _last_line(error, shown)
        kind = PluginNotFoundError if _is_missing(error, shown) else PluginImportError
        raise kind(f"cannot import the plugin {shown}: {where}{type(error).__name__}: {error}") from error


def _is_missing(error: BaseException, name: str) -> bool:
    """Return whether the missing module is `name` itself or one of its parent packages."""
    return isinstance(error, ModuleNotFoundError) and error.name is not None and f"{name}.".startswith(f"{error.name}.")


def _last_line(error: BaseException, shown: str) -> str:
    """Return `line 12: ` for the innermost frame in the user's file, or a syntax error's own line."""
    if isinstance(error, SyntaxError):
        return ""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith(shown):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"line {line}: " if line else ""


def _plugin_class(module: ModuleType, class_name: str, shown: str) -> type[Plugin]:
    from lanner.sdk.authoring.plugin import Plugin

    own = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Plugin) and value.__module__ == module.__name__ and not name.startswith("_")
    }
    there = f"it has {', '.join(own)}" if own else "it has no class that derives from lanner.Plugin"
    if class_name:
        found: Any = getattr(module, class_name, None)
        if isinstance(found, type) and issubclass(found, Plugin) and found is not Plugin:
            return found
        what = f"has no {class_name}" if found is None else f"has a {class_name}, but not as a class derived from lanner.Plugin"
        raise PluginNotFoundError(f"{shown} {what}: {there}")
    if len(own) != 1:
        advice = f"; say which: {shown}:{next(iter(own))}" if own else ""
        raise PluginImportError(f"cannot determine which class of {shown} is the plugin: {there}{advice}")
    return next(iter(own.values()))
