"""A plugin of twelve lines: events as JSON objects, and fields that read their members."""

from collections.abc import Iterator

import lanner


class Doors(lanner.Plugin):
    """Doors that open and shut."""

    id, name, version, event_source, contact = 999, "doors", "0.1.0", "doors", "github.com/you/doors"
    timestamp = lanner.payload["at"].time("s")
    fields = (
        lanner.field("door.name", lanner.payload["name"], "Name of the door"),
        lanner.field("door.state", lanner.payload["state"], "State of the door: open or shut"),
    )

    def open(self, _params: str) -> Iterator[str]:
        yield '{"at": 1767323045, "name": "front", "state": "open"}'
