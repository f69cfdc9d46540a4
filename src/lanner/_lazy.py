"""Names of a public package that are imported when they are first used, so that `import lanner` costs little."""

import sys
from importlib import import_module

TYPE_CHECKING = False  # type checkers know the name; importing it from typing costs more than this module
if TYPE_CHECKING:
    from collections.abc import Callable


def lazy_names(package: str, homes: dict[str, str]) -> "tuple[Callable[[str], object], Callable[[], list[str]]]":
    """Return the functions `__getattr__` and `__dir__` of a package.

    `homes` has the module of each name, relative to the package (`.values`) or as a whole; "" means that the name is a submodule.
    """

    def __getattr__(name: str) -> object:  # noqa: N807 - the name that modules have for it
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if not home:
            return import_module(f".{name}", package)
        value = getattr(import_module(home, package), name)
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:  # noqa: N807
        return sorted(sys.modules[package].__all__)

    return __getattr__, __dir__
