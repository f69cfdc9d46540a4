"""An engine to watch."""

from __future__ import annotations

from lanner.sdk.typing_marks import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lanner.docker.endpoint import Endpoint
    from lanner.docker.gaps import Host
    from lanner.docker.query import Query


class Target(NamedTuple):
    """An engine to watch: its name in events, its address, and the query."""

    host: Host
    endpoint: Endpoint
    query: Query
