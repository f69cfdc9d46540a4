"""A plugin's name as the user wrote it in, the plugin's class out.

A name is one of the built-in plugins, `module:Class`, or the path of a Python file with an optional `:Class`. The class is not
made into an instance here, and its configuration is not looked at.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lanner.sdk.errors import LannerError, UsageError
from lanner.sdk.misspelt import find_near, suggest_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from lanner.sdk.plugin import Plugin

BUILT_IN: Final = {"docker": "lanner.docker:Docker"}


class PluginNotFoundError(UsageError, LookupError):
    """The given name means no plugin class."""


class PluginImportError(LannerError, ImportError):
    """The module of a plugin cannot be imported, or does not tell which class is the plugin."""


def load_plugin(name: str) -> type[Plugin]:
    """The plugin class that `name` means. Raise `PluginNotFoundError`, or `PluginImportError` where its code fails."""
    target, _, class_name = BUILT_IN.get(name, name).partition(":")
    if not target:
        raise PluginNotFoundError(f"{name!r} names no plugin: {_forms()}")
    if target.endswith((".py", ".so")) or "/" in target:
        return _plugin_class(_import_file(Path(target), name), class_name, target)
    if class_name:
        return _plugin_class(_import_module(target), class_name, target)
    raise PluginNotFoundError(f"there is no plugin named {name!r}: {_advice(name)}")


def _advice(name: str) -> str:
    if Path(name + ".py").is_file():
        return f"for the file of that name write {name}.py"
    near = find_near(name, BUILT_IN)
    return (f"did you mean {near!r}? " if near else "") + _forms()


def _forms() -> str:
    return f"built in are: {', '.join(sorted(BUILT_IN))}; your own are named module:Class or path/to/file.py[:Class]"


def _import_module(name: str) -> ModuleType:
    # As for `python -m`, the working directory counts; last, so that a file in it cannot stand in for a module of Python's
    _search_in(Path.cwd())
    return _imported(lambda: import_module(name), name)


def _import_file(path: Path, name: str) -> ModuleType:
    if path.suffix == ".so":
        raise PluginNotFoundError(f"{path} is a compiled plugin: Lanner's own host runs Python classes, name the class it was made of")
    if not path.is_file():
        what = "is a directory" if path.is_dir() else "does not exist"
        near = "" if path.is_dir() else suggest_file(str(path))
        raise PluginNotFoundError(f"the plugin file {path} {what}{near or f': {_forms()}'}")
    spec = spec_from_file_location(f"lanner_plugin_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise PluginNotFoundError(f"{path} is no Python file: {name!r} has to name one that ends in .py, or module:Class")
    module, loader = module_from_spec(spec), spec.loader
    _search_in(path.resolve().parent)
    # dataclasses, msgspec and pickle find a class's module by its name
    sys.modules[spec.name] = module

    def execute() -> ModuleType:
        loader.exec_module(module)
        return module

    return _imported(execute, str(path))


def _search_in(directory: Path) -> None:
    if str(directory) not in sys.path:
        sys.path.append(str(directory))


def _imported(load: Callable[[], ModuleType], shown: str) -> ModuleType:
    try:
        with redirect_stdout(sys.stderr):  # which is for what was asked for
            return load()
    except (Exception, SystemExit) as error:
        where = _last_line(error, shown)
        kind = PluginNotFoundError if _is_missing(error, shown) else PluginImportError
        raise kind(f"cannot import the plugin {shown}: {where}{type(error).__name__}: {error}") from error


def _is_missing(error: BaseException, name: str) -> bool:
    """Whether the module `name` itself, or a package that it is in, is what was not found."""
    return isinstance(error, ModuleNotFoundError) and error.name is not None and f"{name}.".startswith(f"{error.name}.")


def _last_line(error: BaseException, shown: str) -> str:
    """`line 12: ` where the innermost frame of the user's file stands; a syntax error tells its own."""
    if isinstance(error, SyntaxError):
        return ""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith(shown):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"line {line}: " if line else ""


def _plugin_class(module: ModuleType, class_name: str, shown: str) -> type[Plugin]:
    from lanner.sdk.plugin import Plugin

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
        what = f"has no {class_name}" if found is None else f"has a {class_name} that is no class derived from lanner.Plugin"
        raise PluginNotFoundError(f"{shown} {what}: {there}")
    if len(own) != 1:
        advice = f"; say which: {shown}:{next(iter(own))}" if own else ""
        raise PluginImportError(f"{shown} does not tell which class is the plugin: {there}{advice}")
    return next(iter(own.values()))
