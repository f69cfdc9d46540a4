"""Open parameters as Falco's list_open_params has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def params_json(params: Iterable[tuple[str, str]]) -> str:
    """`(value, description)` pairs as a JSON array of objects. Raises `TypeError` or `ValueError` for what is no such pair."""
    return json.dumps([{"value": str(value), "desc": str(description)} for value, description in params])
