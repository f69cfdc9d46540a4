"""The Docker plugin: its metadata, its configuration, and how its event source is opened."""

from __future__ import annotations

import lanner
from lanner.docker.endpoint import describe_null_byte, find_conflict, find_endpoint, parse_endpoint
from lanner.docker.event_fields import FIELDS, TIMESTAMP
from lanner.docker.gaps import Host
from lanner.docker.query import Target, make_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from lanner.docker.docker_config import DockerConfig
    from lanner.docker.stream import EventStream


def __getattr__(name: str) -> Any:
    if name != "DockerConfig":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lanner.docker.docker_config import DockerConfig  # msgspec decodes it, which most starts of a .so do not need

    return DockerConfig


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

    def __init__(self) -> None:
        """Raise `ConfigError` for conflicting options, and for a path that no file can have."""
        addresses = [(host, "") if isinstance(host, str) else (host.url, host.name) for host in self.config.hosts]
        conflict = find_conflict(addresses, is_single=bool(self.config.host or self.config.tls))
        if problem := describe_null_byte("$.cursor", self.config.cursor) or conflict:
            raise lanner.ConfigError(f"{problem} - at `$`")

    def open(self, params: str) -> EventStream:  # type: ignore[override]  # its chunks are framed already, which only Lanner may return
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
            url, name, filters, tls = (host, "", {}, None) if isinstance(host, str) else (host.url, host.name, host.filters, host.tls)
            endpoint = parse_endpoint(url, "`$.hosts` of the configuration", tls=tls)._replace(embedded=self.embedded)
            query = make_query(params, config.since, config.until, filters or config.filters)
            targets.append(Target(Host(name or str(endpoint), named=True), endpoint, query))
        return targets

    def fields_without_values(self) -> dict[str, str]:
        """Return the fields that `inspect: false` disables."""
        return {} if self.config.inspect else {"docker.container.": "leave out `inspect: false` in the plugin's configuration"}

    def checks(self) -> Iterator[lanner.Check]:
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
