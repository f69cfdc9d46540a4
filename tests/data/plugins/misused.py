"""A plugin that calls sources with wrong arguments."""

import lanner
from lanner import sources


class Misused(lanner.Plugin):
    """Wrong arguments of sources."""

    id, name, version, event_source, contact = 4301, "misused", "0.1.0", "misused", "the tests"

    def open(self, params: str) -> sources.Tail:
        """Fail at the line that follows."""
        return sources.tail("/var/log/syslog", max_line=int(params))
