"""The configuration of the Docker plugin. A `.so` imports it only to decode options that are not plain (`lanner.sdk.options.plain`)."""

from typing import Annotated, Literal

import lanner
from lanner import Meta
from lanner.docker.endpoint import describe_null_byte

# ruff: noqa: RUF012 - each configuration gets its own copy


class TlsConfig(lanner.Config):
    """Files of TLS, and whether to verify the engine's certificate."""

    ca: Annotated[str, Meta(description="File with the authority of the engine's certificate; empty: the system's authorities")] = ""
    cert: Annotated[str, Meta(description="File with the client certificate")] = ""
    key: Annotated[str, Meta(description="File with its key; empty: the key is in `cert`")] = ""
    verify: Annotated[bool, Meta(description="false accepts any certificate")] = True

    def __post_init__(self) -> None:
        """Raise `ValueError` for paths that no file can have."""
        for name, path in (("ca", self.ca), ("cert", self.cert), ("key", self.key)):
            if problem := describe_null_byte(name, path):
                raise ValueError(problem)


class HostConfig(lanner.Config):
    """One of several engines."""

    url: Annotated[str, Meta(description="The engine's address")] = ""
    name: Annotated[str, Meta(description="Name of the engine in docker.host; empty: its address")] = ""
    filters: Annotated[dict[str, list[str]], Meta(description="Filters of this engine; they replace the general ones")] = {}
    tls: Annotated[TlsConfig | None, Meta(description="TLS to this engine")] = None


class DockerConfig(lanner.Config, forbid_unknown_fields=False):  # as the original's schema has it
    """The configuration, `init_config`."""

    flush_interval: Annotated[
        int, Meta(ge=0, description="Milliseconds, as in the original; without effect, because events never wait for a full batch")
    ] = 30
    host: Annotated[
        str,
        Meta(
            description="The engine's address: unix:///path, tcp://host:port, ssh://user@host; "
            "empty: DOCKER_HOST, the docker context, the default"
        ),
    ] = ""
    tls: Annotated[TlsConfig | None, Meta(description="TLS to `host`: ca, cert, key, verify")] = None
    hosts: Annotated[
        list[str | HostConfig], Meta(description="Several engines instead: addresses, or objects of url, name, filters, tls")
    ] = []
    since: Annotated[
        str, Meta(description="Begin with events since this time, as far as the engine remembers them: 10m, 2026-01-31T12:00:00Z")
    ] = ""
    until: Annotated[str, Meta(description="End with events at this time")] = ""
    filters: Annotated[
        dict[str, list[str]],
        Meta(description="Filters that the engine applies, as the Engine API names them: type, event, container, image ..."),
    ] = {}
    inspect: Annotated[bool, Meta(description="Ask the engine about each container that is created or started: docker.container.*")] = True
    inspect_timeout: Annotated[int, Meta(ge=1, le=60_000, description="Timeout of such a request, in milliseconds")] = 500
    cursor: Annotated[str, Meta(description="File with the last processed events, so that a restart resumes there; empty: none")] = ""
    cursor_interval: Annotated[int, Meta(ge=10, le=3_600_000, description="Milliseconds between writes of that file")] = 1000
    queue_events: Annotated[int, Meta(ge=1, le=10_000_000, description="Events that may wait for the host")] = 65_536
    queue_bytes: Annotated[int, Meta(ge=1024, le=2**40, description="Bytes that these events may take")] = 64 * 1024 * 1024
    queue_policy: Annotated[
        Literal["drop_newest", "drop_oldest", "block"],
        Meta(description="Policy when the queue is full: drop_newest, drop_oldest, or block, which makes the engine drop events"),
    ] = "drop_newest"
    wait_for_engine: Annotated[
        bool | None,
        Meta(description="Whether a start waits for an unreachable engine instead of failing; null: true in Falco, false under `lanner`"),
    ] = None
    ping_interval: Annotated[int, Meta(ge=1, le=86_400, description="Seconds of silence after which Lanner pings the engine")] = 30
