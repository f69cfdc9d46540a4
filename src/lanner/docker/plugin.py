"""The Docker plugin: its metadata, its configuration, and how its event source is opened."""

from __future__ import annotations

from typing import Annotated

from msgspec import field

import lanner
from lanner import Meta
from lanner.docker.endpoint import find_endpoint
from lanner.docker.fields import FIELDS, TIMESTAMP
from lanner.docker.query import make_query
from lanner.docker.stream import EventStream


class DockerConfig(lanner.Config):
    """What `init_config` may hold."""

    flush_interval: Annotated[
        int, Meta(ge=1, le=60_000, description="Milliseconds that an unfinished batch of events may wait at most")
    ] = 30
    host: Annotated[
        str, Meta(description="The engine's address: unix:///path or tcp://host:port; empty: DOCKER_HOST, the docker context, the default")
    ] = ""
    since: Annotated[
        str, Meta(description="Begin with events since this time, as far as the engine still has them: 10m, 2026-01-31T12:00:00Z")
    ] = ""
    until: Annotated[str, Meta(description="End with events at this time")] = ""
    filters: Annotated[
        dict[str, list[str]],
        Meta(description="Filters that the engine applies, as the Engine API names them: type, event, container, image ..."),
    ] = field(default_factory=dict)


class Docker(lanner.Plugin):
    """Docker Events"""  # noqa: D400, D415 - the original's description

    id, name, version, event_source = 5, "docker", "0.1.0", "docker"
    contact = "the Lanner authors"
    config: DockerConfig
    fields = FIELDS
    timestamp = TIMESTAMP
    rules = "docker_rules.yaml"
    example = "example.jsonl"
    hint = "docker volume create lanner-trial && docker volume rm lanner-trial"

    def open(self, params: str) -> EventStream:
        """Connect to the engine; `params` are empty, or since, until and filters (see lanner.docker.query)."""
        query = make_query(params, self.config.since, self.config.until, self.config.filters)
        return EventStream(find_endpoint(self.config.host), query)

    def list_open_params(self) -> list[tuple[str, str]]:
        """Suggestions for open's parameters."""
        return [
            ("since=10m", "the last ten minutes, as far as the engine still has them, and from now on"),
            ('filters={"type":["container"]}', "events about containers alone"),
        ]
