"""Save and watch imports in a .so, whose host waits for the start of its plugins."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Final


def after_import(name: str, action: Callable[[], None]) -> None:
    """Call `action` as soon as the module has been imported: now, or directly after its import."""
    watch = next((each for each in sys.meta_path if isinstance(each, _Watch) and each.is_for(name, action)), None)
    if watch is None:
        watch = _Watch(name, action)
        sys.meta_path.insert(0, watch)
    if name in sys.modules:  # also if another thread imports it now
        watch.stop()
        action()


def without_backports() -> None:
    """Let msgspec import without `typing_extensions`.

    msgspec uses its `get_type_hints`, `Required` and `NotRequired`, which are those of `typing` since Python 3.11. With `inspect`, which
    it imports, it takes more time than msgspec itself. Other modules import it as usual.
    """
    if not any(isinstance(finder, _WithoutBackports) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WithoutBackports())


class _Watch:
    """Finder that finds the module in the other finders, and acts after its import."""

    def __init__(self, name: str, action: Callable[[], None]) -> None:
        self._name = name
        self._action = action

    def is_for(self, name: str, action: Callable[[], None]) -> bool:
        """Return whether it watches for this module and acts in this way."""
        return (self._name, self._action) == (name, action)

    def stop(self) -> None:
        """Watch no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None) -> ModuleSpec | None:
        """See importlib.abc.MetaPathFinder."""
        if name != self._name:
            return None
        from importlib.util import find_spec  # with the import of that module only

        self.stop()
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _ActingLoader(spec.loader, self._action)  # type: ignore[assignment]
        return spec


class _ActingLoader:
    """Loader that acts after the module's own loader, which stays the loader of the module."""

    def __init__(self, loader: Loader, action: Callable[[], None]) -> None:
        self._loader = loader
        self._action = action

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """See importlib.abc.Loader."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """See importlib.abc.Loader."""
        if module.__spec__ is not None:
            module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._action()


_IMPORT_SYSTEM: Final = "<frozen importlib"


class _WithoutBackports:
    """Finder that finds no `typing_extensions` for msgspec."""

    def find_spec(self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None) -> None:
        """See importlib.abc.MetaPathFinder."""
        if name != "typing_extensions":
            return
        frame = sys._getframe(1)  # noqa: SLF001
        while frame.f_back and frame.f_code.co_filename.startswith(_IMPORT_SYSTEM):
            frame = frame.f_back
        if frame.f_globals.get("__name__") == "msgspec._utils":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
