"""A webhook, for tests that end and kill runs."""

import lanner
from lanner import sources


class HooksConfig(lanner.Config):
    """The address, and the files of TLS."""

    address: str = "127.0.0.1:0"
    secret: str = "secret"
    certificate: str = ""


class Hooks(lanner.Plugin):
    """Webhooks."""

    id, name, version, event_source, contact = 4242, "hooks", "0.1.0", "hooks", "github.com/you/hooks"
    config: HooksConfig
    fields = (
        lanner.field("hooks.id", lanner.payload["id"].integer(), "Number of the event"),
        lanner.field("hooks.kind", lanner.payload["kind"], "Value of the header X-Kind"),
    )

    def open(self, _params: str) -> sources.Webhook:
        config = self.config
        return sources.webhook(config.address, secret=config.secret, certificate=config.certificate, members={"kind": "X-Kind"})
