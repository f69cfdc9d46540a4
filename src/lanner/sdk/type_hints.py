"""Annotations of classes and functions, as they stand there and as types, for all versions of Python."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Mapping


def raw_annotations(owner: Any) -> Mapping[str, Any]:
    """The annotations of a class or function as they stand there: names that only a type checker imports do no harm."""
    if sys.version_info >= (3, 14):
        import annotationlib  # new in 3.14, which is also the first to need it

        return annotationlib.get_annotations(owner, format=annotationlib.Format.FORWARDREF)
    # of a class its own alone, not those of a base
    found: Mapping[str, Any] = vars(owner).get("__annotations__", {}) if isinstance(owner, type) else getattr(owner, "__annotations__", {})
    return found


def resolve(annotation: Any, names: dict[str, Any], local_names: Mapping[str, Any] | None = None) -> Any:
    """The type that `annotation` means, which may be text. Raises `NameError`, `TypeError` or `AttributeError`."""
    holder = SimpleNamespace(__annotations__={"it": annotation})
    return get_type_hints(holder, names, local_names, include_extras=True)["it"]
