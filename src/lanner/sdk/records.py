"""Immutable records with annotated members, as frozen dataclasses, but without the cost of importing `dataclasses`.

A plugin's .so delays the start of its host: the dataclasses of this package would use a third of the time budget.
"""

from __future__ import annotations

from lanner.sdk.typing_marks import dataclass_transform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, TypeVar


@dataclass_transform(frozen_default=True)
class Record:
    """Base of records: annotations declare the members, in order; a class attribute with the name is the default.

    Records are equal if class and members are. The constructor calls `__post_init__` if the class has it.
    """

    __members__: ClassVar[tuple[str, ...]] = ()
    __needed__: ClassVar[frozenset[str]] = frozenset()
    """The members without a default."""

    def __init_subclass__(cls) -> None:
        """Read the members from the annotations."""
        own = (name for name, kind in cls.__annotations__.items() if not str(kind).startswith("ClassVar"))
        cls.__members__ = (*cls.__members__, *own)
        cls.__needed__ = frozenset(name for name in cls.__members__ if not hasattr(cls, name))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        values = dict(zip(self.__members__, args, strict=False), **kwargs)
        if not self.__needed__ <= values.keys() or len(args) > len(self.__members__) or not all(map(self.__members__.__contains__, kwargs)):
            missing = [name for name in self.__members__ if name in self.__needed__ and name not in values]
            wrong = f"missing {', '.join(missing)}" if missing else f"the members are {', '.join(self.__members__)}"
            raise TypeError(f"{type(self).__name__}: {wrong}")
        self.__dict__.update(values)
        check = getattr(self, "__post_init__", None)
        if check is not None:
            check()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and type(self) is type(other) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def __repr__(self) -> str:
        members = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__members__)
        return f"{type(self).__name__}({members})"

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__members__)


if TYPE_CHECKING:
    _R = TypeVar("_R", bound=Record)


def replace_members(record: _R, **changes: Any) -> _R:
    """Return the record with other values for some members."""
    values = {name: getattr(record, name) for name in record.__members__}
    return type(record)(**{**values, **changes})
