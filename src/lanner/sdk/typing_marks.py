"""Stand-ins for names of `typing` that classes need when they are defined. Its import takes a fifth of a small plugin's memory and start.

Type checkers see the names of `typing`. Names in annotations need no stand-in, because only type checkers import them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple, dataclass_transform, final, overload
else:
    from collections import namedtuple

    # without annotations: their types are those of `typing`
    # ruff: noqa: ANN001, ANN003, ANN201, ANN204
    def final(kind):
        """Return the class."""
        return kind

    def overload(_):
        """Return nothing: the last function of the name remains."""

    def dataclass_transform(**_):
        """Return a decorator that changes nothing."""
        return final

    class _NamedTupleType(type):
        """Makes a named tuple of a class whose annotations are the members, as typing.NamedTuple does."""

        def __new__(cls, name, bases, namespace):
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            members = tuple(namespace.pop("__annotations__"))
            defaults = [namespace.pop(member) for member in members if member in namespace]
            made = namedtuple(name, members, defaults=defaults, module=namespace["__module__"])  # noqa: PYI024
            for key, value in namespace.items():
                if key not in {"__module__", "__qualname__"}:
                    setattr(made, key, value)
            made.__qualname__ = namespace["__qualname__"]
            return made

    class NamedTuple(metaclass=_NamedTupleType):
        """Base of named tuples."""


__all__ = ["NamedTuple", "dataclass_transform", "final", "overload"]
