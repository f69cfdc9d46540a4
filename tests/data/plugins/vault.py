"""A plugin with a required secret, whose source says how long it is, and fails with it."""

from collections.abc import Iterator
from typing import Annotated

import lanner
from lanner import Meta


class Login(lanner.Config):
    """A nested class with another required secret."""

    pin: Annotated[lanner.Secret, Meta(description="Personal number")]
    user: str = "me"


class VaultConfig(lanner.Config):
    """Options of the plugin."""

    api_pat: Annotated[lanner.Secret, Meta(description="Access token of the API")]
    max_items: int = 3
    login: Login | None = None


class Vault(lanner.Plugin):
    """Says what it was told."""

    id, name, version, event_source, contact = 999, "vault", "0.1.0", "vault", "github.com/you/vault"
    config: VaultConfig
    fields = (lanner.field("vault.text", lanner.payload["text"], "What it says"),)

    def open(self, params: str) -> Iterator[str]:
        if self.config.max_items:
            yield f'{{"text": "{len(self.config.api_pat.reveal())} {self.config}"}}'
        raise ValueError(f"Invalid header value {self.config.api_pat.reveal().encode()!r}")
