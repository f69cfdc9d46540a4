"""A plugin that says whether Python's garbage collector is on."""

import gc

import lanner


class Collects(lanner.Plugin):
    """Whether the collector is on."""

    id, name, version, event_source = 999, "collects", "0.1.0", "collects"
    contact = "the Lanner authors"

    def open(self, params: str):
        """Yield it once."""
        yield repr(gc.isenabled()).encode()
