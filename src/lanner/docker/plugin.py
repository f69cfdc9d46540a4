"""The Docker plugin: its metadata, its configuration, and how its event source is opened."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import field

import lanner
from lanner import Meta
from lanner.docker.endpoint import find_endpoint, parse_endpoint
from lanner.docker.fields import FIELDS, TIMESTAMP
from lanner.docker.query import make_query
from lanner.docker.stream import EventStream, Options, Target

_Filters = Annotated[
    dict[str, list[str]],
    Meta(description="Filters that the engine applies, as the Engine API names them: type, event, container, image ..."),
]


class TlsConfig(lanner.Config):
    """Certificates of an engine that is reached over TLS."""

    ca: Annotated[str, Meta(description="File with the certificate of who vouches for the engine; empty: the system's")] = ""
    cert: Annotated[str, Meta(description="File with the client's certificate")] = ""
    key: Annotated[str, Meta(description="File with the client's key")] = ""
    verify: Annotated[bool, Meta(description="False: whoever answers is believed to be the engine")] = True


class HostConfig(lanner.Config):
    """One of several engines."""

    url: Annotated[str, Meta(description="The engine's address: unix:///path or tcp://host:port")]
    name: Annotated[str, Meta(description="Its name in docker.host; empty: the address")] = ""
    filters: _Filters = field(default_factory=dict)
    tls: Annotated[TlsConfig | None, Meta(description="Certificates, where it is reached over TLS")] = None


class DockerConfig(lanner.Config):
    """What `init_config` may hold."""

    flush_interval: Annotated[
        int, Meta(ge=1, le=60_000, description="Milliseconds that an unfinished batch of events may wait at most")
    ] = 30
    host: Annotated[
        str, Meta(description="The engine's address: unix:///path or tcp://host:port; empty: DOCKER_HOST, the docker context, the default")
    ] = ""
    tls: Annotated[TlsConfig | None, Meta(description="Certificates, where `host` is reached over TLS")] = None
    hosts: Annotated[
        list[str | HostConfig],
        Meta(description="Several engines instead of `host`: addresses, or url, name, filters and tls of each; docker.host tells which"),
    ] = field(default_factory=list)
    since: Annotated[
        str, Meta(description="Begin with events since this time, as far as the engine still has them: 10m, 2026-01-31T12:00:00Z")
    ] = ""
    until: Annotated[str, Meta(description="End with events at this time")] = ""
    filters: _Filters = field(default_factory=dict)
    cursor: Annotated[
        str, Meta(description="File that remembers how far events were dealt with, so that a restart goes on there; empty: none")
    ] = ""
    cursor_interval: Annotated[int, Meta(ge=10, le=3_600_000, description="Milliseconds between two writings of it")] = 1000
    queue_events: Annotated[int, Meta(ge=1, le=100_000_000, description="Events that may wait for the host")] = 65_536
    queue_bytes: Annotated[int, Meta(ge=1, description="Bytes of events that may wait for the host")] = 67_108_864
    queue_policy: Annotated[
        Literal["drop_newest", "drop_oldest", "block"],
        Meta(description="What gives way when the queue is full; block lets the engine wait, and drop what it cannot hold"),
    ] = "drop_newest"
    ping_interval: Annotated[int, Meta(ge=1, le=86_400, description="Seconds of silence, then the engine is asked whether it lives")] = 30
    inspect: Annotated[bool, Meta(description="Ask the engine what a container that is created or started may do on the host")] = False
    inspect_timeout: Annotated[int, Meta(ge=1, le=60_000, description="Milliseconds that such an answer may take")] = 500


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
        """Connect to the engines; `params` are empty, or since, until and filters (see lanner.docker.query)."""
        config = self.config
        options = Options(
            config.queue_events,
            config.queue_bytes,
            config.queue_policy,
            config.cursor,
            config.cursor_interval / 1000,
            config.ping_interval,
            config.inspect_timeout / 1000 if config.inspect else None,
        )
        return EventStream(self._targets(params), options)

    def list_open_params(self) -> list[tuple[str, str]]:
        """Suggestions for open's parameters."""
        return [
            ("since=10m", "the last ten minutes, as far as the engine still has them, and from now on"),
            ('filters={"type":["container"]}', "events about containers alone"),
        ]

    def _targets(self, params: str) -> list[Target]:
        config = self.config
        if not config.hosts:
            endpoint = find_endpoint(config.host, config.tls)
            return [Target(endpoint.url, endpoint, make_query(params, config.since, config.until, config.filters), is_named=False)]
        if config.host or config.tls:
            raise lanner.SourceError("`host` or `tls` stand beside `hosts`: write the engine among `hosts`, with its `tls`")
        targets: dict[str, Target] = {}
        for place, given in enumerate(config.hosts):
            host = HostConfig(url=given) if isinstance(given, str) else given
            endpoint = parse_endpoint(host.url, f"the configuration's `hosts[{place}]`", tls=host.tls)
            name = host.name or host.url
            if name in targets:
                raise lanner.SourceError(f"two of `hosts` have the name {name!r}: give each a `name` of its own")
            query = make_query(params, config.since, config.until, host.filters or config.filters)
            targets[name] = Target(name, endpoint, query, is_named=True)
        return list(targets.values())
