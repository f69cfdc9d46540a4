# The base classes of the nodes in lanner.yamlfile.nodes.
from typing import Any, TypeAlias, TypeVar

_Mark: TypeAlias = tuple[int, int, int]

class Node:
    file: Any
    begin: int
    end: int
    is_null: bool
    tag: str
    mark: _Mark

class Scalar(Node):
    value: str
    style: str

class Sequence(Node):
    items: list[Any]

class Mapping(Node):
    pairs: list[tuple[Any, Any]]
    values: dict[str, Any]

_S = TypeVar("_S", bound=Scalar)
_Q = TypeVar("_Q", bound=Sequence)
_M = TypeVar("_M", bound=Mapping)

def read(
    text: str, file: object, types: tuple[type[_S], type[_Q], type[_M]], depth: int, aliased: int, only_first: bool, /
) -> tuple[list[_S | _Q | _M], tuple[str, int, int, _Mark, bool] | None]: ...
