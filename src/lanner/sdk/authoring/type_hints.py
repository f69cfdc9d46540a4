"""Annotations of classes and functions, unevaluated and as types, for all versions of Python."""

from __future__ import annotations

import sys
from types import SimpleNamespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def raw_annotations(owner: Any) -> Mapping[str, Any]:
    """Return the annotations of a class or function unevaluated, so that names that only a type checker imports are allowed."""
    if sys.version_info >= (3, 14):
        import annotationlib  # new in 3.14, the first version to need it

        return annotationlib.get_annotations(owner, format=annotationlib.Format.FORWARDREF)
    # only a class's own, not those of a base
    found: Mapping[str, Any] = vars(owner).get("__annotations__", {}) if isinstance(owner, type) else getattr(owner, "__annotations__", {})
    return found


def resolve(annotation: Any, names: dict[str, Any], local_names: Mapping[str, Any] | None = None) -> Any:
    """Return the type of `annotation`, which may be text. Raises `NameError`, `TypeError` or `AttributeError`."""
    from typing import get_type_hints  # a .so starts without it

    holder = SimpleNamespace(__annotations__={"it": annotation})
    return get_type_hints(holder, names, local_names, include_extras=True)["it"]
