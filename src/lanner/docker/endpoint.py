"""Selects the engine: the configuration's address, then the environment as Docker's own client reads it.

DOCKER_HOST, then DOCKER_CONTEXT, then `currentContext` of the client's config.json, then unix:///var/run/docker.sock. TLS is configured
where the address is: the configuration's `tls`, DOCKER_TLS_VERIFY with DOCKER_CERT_PATH, or the context's files.
"""

from __future__ import annotations

import os

import lanner
from lanner.native import decode_json
from lanner.net.tls import Tls
from lanner.sdk.typing_marks import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Final, Protocol

    class TlsOptions(Protocol):
        """The TLS part of a configuration, in any class: paths, "" for none."""

        @property
        def ca(self) -> str: ...
        @property
        def cert(self) -> str: ...
        @property
        def key(self) -> str: ...
        @property
        def verify(self) -> bool: ...


DEFAULT: Final = "unix:///var/run/docker.sock"
_CONFIGURED: Final = "`$.host` of the configuration"
_HTTP_PORT: Final = 2375
_MOST_BYTES: Final = 1 << 20
"""Maximum size of a file of Docker's command line in bytes."""
_TLS_PORT: Final = 2376
_SSH_PORT: Final = 22
_SSH_ADDRESS: Final = "ssh://user@host, ssh://user@host:22 or ssh://user@host/path/to/docker.sock"
# ssh's configuration can insert user and host into the command line of a proxy, which a shell reads
_SPECIAL: Final = frozenset("'\"`$;&<>|(){}")
_TCP_SCHEMES: Final = frozenset({"tcp", "http", "https"})
_ADDRESSES: Final = "write unix:///path/to/docker.sock, tcp://host:2375, with TLS tcp://host:2376, or ssh://user@host"


class Ssh(NamedTuple):
    """A login on another machine, and the engine's socket there; "" or 0 for the defaults of ssh and Docker."""

    host: str
    user: str = ""
    port: int = 0
    path: str = ""

    def problem(self) -> str:
        """Return why this is unsafe to pass to ssh, or an empty string."""
        for what, word in (("host", self.host), ("user", self.user)):
            if word.startswith("-"):
                return f"the {what} begins with a dash, which ssh would read as an option"
            if not word.isprintable() or any(char.isspace() or char in _SPECIAL for char in word) or word.endswith("\\"):
                return f"the {what} has characters that a shell would interpret"
        return "" if self.path.isprintable() else "the path has control characters"


class Endpoint(NamedTuple):
    """The address of an engine: a unix socket (`path`), or `host` and `port`, with TLS if `tls` is set, or `ssh`.

    `origin` is the setting that names it.
    """

    address: lanner.Address
    origin: str
    path: str = ""
    host: str = ""
    port: int = 0
    tls: Tls | None = None
    ssh: Ssh | None = None
    embedded: bool = False
    """Whether the host is Falco or another that loads libraries, so that an address cannot be given on the command line."""

    def __str__(self) -> str:
        return str(self.address)

    def advice(self, url: str) -> str:
        """Return where to write such an address as `url`."""
        if "`$.hosts`" in self.origin:
            return f"`{url}` in `hosts` of {'init_config' if self.embedded else 'the configuration'}"
        return f"`host: {url}` in init_config, or DOCKER_HOST" if self.embedded else f"--host {url}, or DOCKER_HOST"


def describe_null_byte(name: str, path: str) -> str:
    """Return the problem with the path in the option of this name, or ""."""
    return f"`{name}` has a null byte, which no path can have: remove it" if "\0" in path else ""


def find_conflict(addresses: Sequence[tuple[str, str]], *, is_single: bool) -> str:
    """Return the problem with the engines of `hosts`, addresses and names, or "". `is_single`: another option names an engine."""
    if addresses and is_single:
        return "`hosts` replaces `host` and `tls`: write each engine with its TLS into `hosts`"
    labels = [name or str(lanner.Address(url.strip())) for url, name in addresses]
    if not all(url for url, _ in addresses):
        return "an item of `hosts` has no `url`"
    twice = {label for label in labels if labels.count(label) > 1}
    return f"`hosts` names {min(twice)!r} twice: give each engine its own `name`" if twice else ""


def find_endpoint(
    configured: str = "", tls: TlsOptions | None = None, environ: Mapping[str, str] = os.environ, *, origin: str = ""
) -> Endpoint:
    """Return the engine to use. Raises `UsageError` for an invalid address, with the setting that names it: `origin` for `configured`."""
    if configured:
        return parse_endpoint(configured, origin or _CONFIGURED, tls=tls)
    if tls is not None:
        raise lanner.UsageError("the configuration has `tls` but no `host`: write the engine's address, tcp://host:2376")
    folder = environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    if environ.get("DOCKER_HOST"):
        return parse_endpoint(environ["DOCKER_HOST"], "DOCKER_HOST", environ)
    context, origin = environ.get("DOCKER_CONTEXT", ""), "DOCKER_CONTEXT"
    if not context:
        context, origin = _current_context(folder), f"currentContext in {folder}/config.json"
    if context and context != "default":
        return _context_endpoint(folder, context, origin)
    return parse_endpoint(DEFAULT, "the default")


def parse_endpoint(url: str, origin: str, environ: Mapping[str, str] | None = None, tls: TlsOptions | None = None) -> Endpoint:
    """Parse unix:///path, tcp://host:port, http://, https:// or ssh://; TLS is set by `tls`, else by `environ`. Raises `UsageError`."""
    address = lanner.Address(url.strip())
    scheme, rest = address.scheme, address.place
    what = f"{address} (from {origin})"
    if "\0" in url:
        raise lanner.UsageError(f"invalid engine address {str(address)!r} (from {origin}): it has a null byte; {_ADDRESSES}")
    if scheme == "unix" and rest.startswith("/"):
        if tls is not None:
            raise lanner.UsageError(f"{what} has `tls`, which a unix socket does not speak: leave it out")
        return Endpoint(address, origin, path=rest)
    if scheme == "ssh" and rest:
        if tls is not None:
            raise lanner.UsageError(f"{what} has `tls`, but ssh encrypts the connection: leave it out")
        return Endpoint(address, origin, ssh=_read_ssh(address, origin))
    if scheme in _TCP_SCHEMES and rest:
        spoken = _read_tls(tls, what) if tls is not None else _environment_tls(environ or {})
        if scheme == "http" and spoken is not None:
            raise lanner.UsageError(f"{what} is without TLS, but the configuration requests TLS: write https:// or tcp://")
        if scheme == "https":
            spoken = spoken or Tls()
        host, port = _host_and_port(rest.rstrip("/"), _TLS_PORT if spoken else _HTTP_PORT)
        if host and port:
            return Endpoint(address, origin, host=host, port=port, tls=spoken)
    advice = f"{scheme}:// is not supported; {_ADDRESSES}" if scheme in {"npipe", "fd"} else _ADDRESSES
    raise lanner.UsageError(f"invalid engine address {str(address)!r} (from {origin}): {advice}")


def _read_ssh(address: lanner.Address, origin: str) -> Ssh:
    """Parse an ssh address as Docker's client does: user, host, port, path of the engine's socket; no password."""
    from urllib.parse import unquote  # rare

    place, slash, path = address.place.partition("/")
    host, port = _host_and_port(place, _SSH_PORT)
    if address.password is not None:
        raise lanner.UsageError(
            f"{address} (from {origin}) has a password, which ssh does not take: write ssh://user@host, and give ssh a key"
        )
    if not host or "?" in address.place or "#" in address.place:
        raise lanner.UsageError(f"invalid engine address {str(address)!r} (from {origin}): write {_SSH_ADDRESS}")
    # without a port in the address ssh's own configuration sets it
    ssh = Ssh(host, address.user or "", port if place.endswith(f":{port}") else 0, unquote(slash + path) if path.strip("/") else "")
    if problem := ssh.problem():
        raise lanner.UsageError(f"invalid engine address {str(address)!r} (from {origin}): {problem}")
    return ssh


def _host_and_port(text: str, default: int) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or (host.count(":") > 0 and not host.endswith("]")):
        host, port = text, str(default)
    if host.startswith("[") != host.endswith("]"):
        return "", 0
    if not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        return "", 0
    return host.removeprefix("[").removesuffix("]"), int(port)


def _read_tls(options: TlsOptions, what: str) -> Tls:
    ca, cert, key = (os.path.expanduser(path) for path in (options.ca, options.cert, options.key))
    tls = Tls(ca, cert, key, options.verify)
    if tls.key and not tls.cert:
        raise lanner.UsageError(f"{what}: `tls` has a `key` but no `cert`, the certificate that it is of")
    return tls


def _environment_tls(environ: Mapping[str, str]) -> Tls | None:
    """Return TLS as Docker's client does: DOCKER_TLS_VERIFY with any value enables it; only DOCKER_TLS enables it without verification."""
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not verify and not environ.get("DOCKER_TLS"):
        return None
    folder = environ.get("DOCKER_CERT_PATH") or environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    cert, key = f"{folder}/cert.pem", f"{folder}/key.pem"
    # an engine may not require a client certificate; if only one of the two files exists, the other is reported later
    own = os.path.exists(cert) or os.path.exists(key)
    return Tls(f"{folder}/ca.pem" if verify else "", cert if own else "", key if own else "", verify)


def _current_context(folder: str) -> str:
    found = _read_json(f"{folder}/config.json")  # an invalid configuration of the client is not reported
    name = found.get("currentContext", "") if isinstance(found, dict) else ""
    return name if isinstance(name, str) else ""


def _context_endpoint(folder: str, name: str, origin: str) -> Endpoint:
    from hashlib import sha256  # rare, and OpenSSL is not small

    place = sha256(name.encode()).hexdigest()
    meta = f"{folder}/contexts/meta/{place}/meta.json"
    try:
        docker = _read_json(meta)["Endpoints"]["docker"]
        host = str(docker["Host"])
    except (KeyError, TypeError):
        raise lanner.UsageError(f'the docker context "{name}" (from {origin}) has no readable address in {meta}') from None
    tls = None
    if not host.startswith(("unix://", "ssh://")):
        tls = _context_tls(f"{folder}/contexts/tls/{place}/docker", skip_verify=docker.get("SkipTLSVerify") is True)
    return parse_endpoint(host, f'the docker context "{name}"', tls=tls)


def _context_tls(folder: str, *, skip_verify: bool) -> Tls | None:
    """Return TLS if the context has files for it, or disables verification of the engine."""
    paths = (f"{folder}/{name}.pem" for name in ("ca", "cert", "key"))
    ca, cert, key = (path if os.path.exists(path) else "" for path in paths)
    return Tls(ca, cert, key, not skip_verify) if ca or cert or key or skip_verify else None


def _read_json(path: str) -> Any:
    """Return the file's JSON; None if it cannot be read."""
    try:
        return decode_json(lanner.read_whole(path, _MOST_BYTES))
    except (OSError, ValueError):
        return None
