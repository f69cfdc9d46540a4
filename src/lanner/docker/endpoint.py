"""Which engine to talk to: the configuration's `host`, then the environment as Docker's own client reads it.

DOCKER_HOST, then DOCKER_CONTEXT, then `currentContext` of the client's config.json, then unix:///var/run/docker.sock.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

import lanner

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT: Final = "unix:///var/run/docker.sock"
_HTTP_PORT: Final = 2375


class Endpoint(NamedTuple):
    """Where an engine listens: a unix socket (`path`), or `host` and `port`. `origin` says who named it."""

    url: str
    origin: str
    path: str = ""
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        return self.url


def find_endpoint(configured: str = "", environ: Mapping[str, str] = os.environ) -> Endpoint:
    """The engine to talk to. Raises `SourceError` for an address that cannot be used, with who named it."""
    if configured:
        return parse_endpoint(configured, "the configuration's `host`")
    if environ.get("DOCKER_HOST"):
        return parse_endpoint(environ["DOCKER_HOST"], "DOCKER_HOST", environ)
    folder = environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    context, origin = environ.get("DOCKER_CONTEXT", ""), "DOCKER_CONTEXT"
    if not context:
        context, origin = _current_context(folder), f"currentContext in {folder}/config.json"
    if context and context != "default":
        return parse_endpoint(_context_host(folder, context, origin), f'the docker context "{context}"')
    return parse_endpoint(DEFAULT, "the default")


def parse_endpoint(url: str, origin: str, environ: Mapping[str, str] | None = None) -> Endpoint:
    """Read unix:///path, tcp://host:port or http://host:port. Raises `SourceError`."""
    scheme, separator, rest = url.strip().partition("://")
    if scheme == "unix" and rest.startswith("/"):
        return Endpoint(url, origin, path=rest)
    if scheme in {"tcp", "http"} and rest:
        if environ and environ.get("DOCKER_TLS_VERIFY"):
            raise lanner.SourceError(
                f"{url} (from {origin}) with DOCKER_TLS_VERIFY: TLS is not supported yet. Forward the engine's socket instead: "
                "ssh -L /tmp/docker.sock:/var/run/docker.sock HOST, then --host unix:///tmp/docker.sock"
            )
        host, port = _host_and_port(rest.rstrip("/"))
        if host and port:
            return Endpoint(url, origin, host=host, port=port)
    advice = "write unix:///path/to/docker.sock or tcp://host:2375"
    if scheme in {"ssh", "https", "npipe", "fd"} and separator:
        advice = f"{scheme}:// is not supported yet; {advice}"
    raise lanner.SourceError(f"{url!r} (from {origin}) is no engine's address: {advice}")


def _host_and_port(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or (host.count(":") > 0 and not host.endswith("]")):
        host, port = text, str(_HTTP_PORT)
    if not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        return "", 0
    return host.removeprefix("[").removesuffix("]"), int(port)


def _current_context(folder: str) -> str:
    found = _read_json(f"{folder}/config.json")  # the client's configuration is not ours to complain about
    name = found.get("currentContext", "") if isinstance(found, dict) else ""
    return name if isinstance(name, str) else ""


def _context_host(folder: str, name: str, origin: str) -> str:
    from hashlib import sha256  # rare, and OpenSSL is not small

    meta = f"{folder}/contexts/meta/{sha256(name.encode()).hexdigest()}/meta.json"
    try:
        return str(_read_json(meta)["Endpoints"]["docker"]["Host"])
    except (KeyError, TypeError):
        raise lanner.SourceError(f'the docker context "{name}" (from {origin}) has no readable address in {meta}') from None


def _read_json(path: str) -> Any:
    """What the file holds; None where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return msgspec.json.decode(file.read())
    except (OSError, ValueError):
        return None
