"""The Docker plugin: its metadata, its configuration, and how its event source is opened."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import field

import lanner
from lanner import Meta
from lanner.docker.endpoint import find_endpoint, parse_endpoint
from lanner.docker.event_fields import FIELDS, TIMESTAMP
from lanner.docker.gaps import Host
from lanner.docker.query import make_query
from lanner.docker.target import Target

if TYPE_CHECKING:
    from lanner.docker.stream import EventStream


def _refuse_null_bytes(**paths: str) -> None:
    for name, path in paths.items():
        if "\0" in path:
            raise ValueError(f"`{name}` has a null byte, which no path can have: remove it")


class TlsConfig(lanner.Config):
    """Files of TLS, and whether to verify the engine's certificate."""

    ca: Annotated[str, Meta(description="File with the authority of the engine's certificate; empty: the system's authorities")] = ""
    cert: Annotated[str, Meta(description="File with the client certificate")] = ""
    key: Annotated[str, Meta(description="File with its key; empty: the key is in `cert`")] = ""
    verify: Annotated[bool, Meta(description="false accepts any certificate")] = True

    def __post_init__(self) -> None:
        """Raise `ValueError` for paths that no file can have."""
        _refuse_null_bytes(ca=self.ca, cert=self.cert, key=self.key)


class HostConfig(lanner.Config):
    """One of several engines."""

    url: Annotated[str, Meta(description="The engine's address")] = ""
    name: Annotated[str, Meta(description="Name of the engine in docker.host; empty: its address")] = ""
    filters: Annotated[dict[str, list[str]], Meta(description="Filters of this engine; they replace the general ones")] = field(
        default_factory=dict
    )
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
    ] = field(default_factory=list)
    since: Annotated[
        str, Meta(description="Begin with events since this time, as far as the engine remembers them: 10m, 2026-01-31T12:00:00Z")
    ] = ""
    until: Annotated[str, Meta(description="End with events at this time")] = ""
    filters: Annotated[
        dict[str, list[str]],
        Meta(description="Filters that the engine applies, as the Engine API names them: type, event, container, image ..."),
    ] = field(default_factory=dict)
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

    def __post_init__(self) -> None:
        """Raise `ValueError` for conflicting options, and for a path that no file can have."""
        _refuse_null_bytes(**{"$.cursor": self.cursor})
        if self.hosts and (self.host or self.tls):
            raise ValueError("`hosts` replaces `host` and `tls`: write each engine with its TLS into `hosts`")
        addresses = [(host, "") if isinstance(host, str) else (host.url, host.name) for host in self.hosts]
        labels = [name or str(lanner.Address(url.strip())) for url, name in addresses]
        if not all(url for url, _ in addresses):
            raise ValueError("an item of `hosts` has no `url`")
        twice = {label for label in labels if labels.count(label) > 1}
        if twice:
            raise ValueError(f"`hosts` names {min(twice)!r} twice: give each engine its own `name`")


class Docker(lanner.Plugin):
    """Docker Events"""  # noqa: D400, D415 - the original's description

    id, name, version, event_source = 5, "docker", "0.5.0", "docker"
    contact = "the Lanner authors"
    config: DockerConfig
    fields = FIELDS
    timestamp = TIMESTAMP
    rules = "docker_rules.yaml"
    example = "example.jsonl"
    hint = "docker volume create lanner-trial && docker volume rm lanner-trial"

    def open(self, params: str) -> "EventStream":  # type: ignore[override]  # its chunks are framed already, which only Lanner may return
        """Connect to the engines; `params` are empty, or since, until and filters (see lanner.docker.query)."""
        from lanner.docker.stream import EventStream, Options  # connections: a start needs none

        config = self.config
        options = Options(
            config.queue_events,
            config.queue_bytes,
            config.queue_policy,
            config.ping_interval,
            config.inspect,
            config.inspect_timeout / 1000,
            config.cursor,
            config.cursor_interval / 1000,
            self.embedded if config.wait_for_engine is None else config.wait_for_engine,
        )
        return EventStream(self.targets(params), options)

    def check_open_params(self, params: str) -> None:
        """Raise `UsageError` for invalid addresses, times and filters."""
        self.targets(params)

    def targets(self, params: str = "") -> list[Target]:
        """Return the engines to watch. Raises `UsageError` for invalid addresses, times and filters."""
        config = self.config
        if not config.hosts:
            endpoint = find_endpoint(config.host, config.tls, origin=self.set_by.get("host", ""))._replace(embedded=self.embedded)
            query = make_query(params, config.since, config.until, config.filters)
            return [Target(Host(str(endpoint), named=False), endpoint, query)]
        targets = []
        for host in config.hosts:
            each = HostConfig(url=host) if isinstance(host, str) else host
            endpoint = parse_endpoint(each.url, "`$.hosts` of the configuration", tls=each.tls)._replace(embedded=self.embedded)
            query = make_query(params, config.since, config.until, each.filters or config.filters)
            targets.append(Target(Host(each.name or str(endpoint), named=True), endpoint, query))
        return targets

    def fields_without_values(self) -> dict[str, str]:
        """Return the fields that `inspect: false` disables."""
        return {} if self.config.inspect else {"docker.container.": "leave out `inspect: false` in the plugin's configuration"}

    def checks(self) -> Iterator["lanner.Check"]:
        """Check the engines and the cursor for `lanner doctor`."""
        from lanner.docker.engine_checks import make_checks  # only `lanner doctor` needs it

        try:
            endpoints = [target.endpoint for target in self.targets()]
        except lanner.LannerError:
            return iter(())  # `check_open_params` reports it
        return make_checks(endpoints, self.config.cursor)

    def list_open_params(self) -> list[tuple[str, str]]:
        """Return suggestions for the parameters of open."""
        return [
            ("since=10m", "the last ten minutes, as far as the engine still has them, and from now on"),
            ('filters={"type":["container"]}', "only events about containers"),
        ]
