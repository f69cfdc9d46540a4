"""Secrets that sources take: texts, or objects that are printed masked."""

from __future__ import annotations

from typing import Protocol, TypeAlias


class Revealing(Protocol):
    """A secret that is printed masked, such as `lanner.Address`."""

    def reveal(self) -> str:
        """Return the secret."""
        ...


Secret: TypeAlias = str | Revealing


def reveal(secret: Secret) -> str:
    """Return the text of a secret."""
    return secret if isinstance(secret, str) else secret.reveal()
