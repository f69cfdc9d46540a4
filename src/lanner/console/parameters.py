"""Parameters of a request to the API, from its query string."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from lanner.sdk.errors import UsageError
from lanner.sdk.text.misspelt import suggest_name

_MOST: Final = 16
_SHOWN: Final = 40
_LARGEST: Final = 2**53
"""Numbers above this are not exact in the page."""


class Query:
    """The parameters of a query string. Raises `UsageError` for invalid ones, and for those that the endpoint did not ask for.

    The parameters that it has asked for are those that it takes.
    """

    def __init__(self, text: str) -> None:
        try:
            pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=_MOST, errors="replace")
        except ValueError:
            raise UsageError(f"invalid query string: write at most {_MOST} parameters NAME=VALUE, joined by &") from None
        self._given = dict(pairs)
        self._taken: dict[str, None] = {}
        if len(self._given) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise UsageError(f"the parameter {_show(twice)} is given twice")

    def text(self, name: str) -> str:
        """Return the parameter, or ""."""
        self._taken[name] = None
        return self._given.pop(name, "")

    def number(self, name: str, default: int | None = None, *, most: int = _LARGEST) -> int:
        """Return the parameter as a number from 0; above `most` it is `most`."""
        self._taken[name] = None
        given = self._given.pop(name, None)
        if given is None:
            if default is None:
                raise UsageError(f"the parameter {name} is missing")
            return default
        if not (given.isascii() and given.isdigit() and len(given) < 20):
            raise UsageError(f"the parameter {name} takes a number from 0, not {_show(given)}")
        return min(int(given), most)

    def has(self, name: str) -> bool:
        """Return whether the parameter is given."""
        self._taken[name] = None
        return name in self._given

    def end(self) -> None:
        """Raise `UsageError` if parameters are left."""
        if self._given:
            unknown = next(iter(self._given))
            near = suggest_name(unknown, self._taken)
            lead = f"{near} This" if near else ": this"
            raise UsageError(f"unknown parameter {_show(unknown)}{lead} path takes {', '.join(self._taken) or 'none'}")


def _show(text: str) -> str:
    return repr(text[:_SHOWN])
