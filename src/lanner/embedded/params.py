"""Open parameters in the format of Falco's list_open_params."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def params_json(params: Iterable[tuple[str, str]]) -> str:
    """Return `(value, description)` pairs as a JSON array of objects. Raises `TypeError` or `ValueError` for anything else."""
    return json.dumps([{"value": str(value), "desc": str(description)} for value, description in params])
