"""Checks of the Docker plugin's configuration that are about more than the type of an option. Each returns the problem, or ""."""

from __future__ import annotations

import lanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lanner.docker.docker_config import DockerConfig


def describe_null_byte(name: str, path: str) -> str:
    """Return the problem with the path in the option of this name, or ""."""
    return f"`{name}` has a null byte, which no path can have: remove it" if "\0" in path else ""


def find_conflict(config: DockerConfig) -> str:
    """Return the problem with `hosts`, or ""."""
    if not config.hosts:
        return ""
    if config.host or config.tls:
        return "`hosts` replaces `host` and `tls`: write each engine with its TLS into `hosts`"
    addresses = [(host, "") if isinstance(host, str) else (host.url, host.name) for host in config.hosts]
    labels = [name or str(lanner.Address(url.strip())) for url, name in addresses]
    if not all(url for url, _ in addresses):
        return "an item of `hosts` has no `url`"
    twice = {label for label in labels if labels.count(label) > 1}
    return f"`hosts` names {min(twice)!r} twice: give each engine its own `name`" if twice else ""
