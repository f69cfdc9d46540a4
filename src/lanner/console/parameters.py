"""Parameters of a request to the API, from its query string."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from lanner.sdk.errors import UsageError

_MOST: Final = 16
_LARGEST: Final = 2**53
"""Numbers above this are not exact in the page."""


class Query:
    """The parameters of a query string. Raises `UsageError` for invalid ones, and for those that the endpoint did not ask for."""

    def __init__(self, text: str) -> None:
        try:
            pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=_MOST, errors="replace")
        except ValueError:
            raise UsageError("invalid query string") from None
        self._given = dict(pairs)
        if len(self._given) < len(pairs):
            raise UsageError("a parameter is given twice")

    def text(self, name: str) -> str:
        """Return the parameter, or ""."""
        return self._given.pop(name, "")

    def number(self, name: str, default: int | None = None, *, most: int = _LARGEST) -> int:
        """Return the parameter as a number from 0; above `most` it is `most`."""
        given = self._given.pop(name, None)
        if given is None:
            if default is None:
                raise UsageError(f"the parameter {name} is missing")
            return default
        if not (given.isascii() and given.isdigit() and len(given) < 20):
            raise UsageError(f"the parameter {name} takes a number from 0")
        return min(int(given), most)

    def has(self, name: str) -> bool:
        """Return whether the parameter is given."""
        return name in self._given

    def end(self) -> None:
        """Raise `UsageError` if parameters are left."""
        if self._given:
            raise UsageError(f"unknown parameter {next(iter(self._given))[:40]!r}")
