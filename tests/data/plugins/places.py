"""A plugin that tells where its values stand, and whose log records go to the host's log."""

import logging

from every import Every


class Places(Every):
    """Tells places."""

    id, name, version, event_source = 4245, "places", "0.1.0", "places"
    contact = "github.com/you/places"
    value_offsets = True
    host_logging = True

    def list_open_params(self) -> list[tuple[str, str]]:
        logging.getLogger("places").info("asked for %s", "parameters")
        return super().list_open_params()
