"""Secrets that sources take: strings, or objects that are printed masked."""

from __future__ import annotations

from typing import Protocol, TypeAlias, runtime_checkable


@runtime_checkable
class MaskedSecret(Protocol):
    """A secret that is printed masked, such as `lanner.Secret`."""

    def reveal(self) -> str:
        """Return the secret."""
        ...


Credential: TypeAlias = str | MaskedSecret


def reveal(credential: Credential) -> str:
    """Return the text of a credential."""
    return credential if isinstance(credential, str) else credential.reveal()
