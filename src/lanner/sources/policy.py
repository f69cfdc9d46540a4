"""The policy of a full queue, as a type. A plugin's `.so` need not import it."""

from __future__ import annotations

from typing import Literal, TypeAlias

Policy: TypeAlias = Literal["drop_newest", "drop_oldest", "block"]
"""Policy of a full queue."""
