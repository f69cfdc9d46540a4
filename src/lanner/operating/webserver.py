"""Web server of a run: /healthz, /readyz, /versions and optionally /metrics. It reads snapshots and changes nothing.

Paths and responses are Falco's where Falco has them.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Final

from lanner.net.tls import TlsError, make_server_context
from lanner.operating.hosts import Hosts
from lanner.operating.http_server import BACKLOG, HttpServer
from lanner.operating.webpages import Pages
from lanner.sdk.errors import LannerError
from lanner.sdk.text.printable import join_port

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    from lanner.operating.snapshot import Snapshot

_DEADLINE: Final = 3.0


class WebServer:
    """Web server, listening from its creation on `port`. `metrics` returns the text of /metrics for a snapshot; None disables it.

    `hosts` are names of this machine that clients may use, besides its own. `certificate` is a file with certificate and key, or "" for
    plain HTTP. `deadline` is the time limit of a connection in seconds. Raises `LannerError` if it cannot listen.
    """

    def __init__(
        self,
        address: str,
        port: int,
        snapshot: Callable[[], Snapshot],
        *,
        healthz: str = "/healthz",
        metrics: Callable[[Snapshot], bytes] | None = None,
        hosts: Iterable[str] = (),
        certificate: str = "",
        deadline: float = _DEADLINE,
    ) -> None:
        tls = _tls(certificate) if certificate else None
        pages = Pages(snapshot, healthz, metrics, Hosts(hosts, "add it to $.lanner.webserver_hosts", required=False))
        listener = _listen(address, port)
        self.port: int = listener.getsockname()[1]
        self._server = HttpServer(listener, pages, tls=tls, deadline=deadline, workers=() if metrics is None else (1,))

    def close(self) -> None:
        """Stop listening and close all connections. A second call does nothing."""
        self._server.close()


def check_webserver(address: str, port: int, certificate: str = "") -> str:
    """Raise the `LannerError` of a server that could never start. Return a string if the port is in use now, else "". Nothing listens."""
    if certificate:
        _tls(certificate)
    try:
        _bind(address, port).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return _refusal(address, port, error)
        raise LannerError(_refusal(address, port, error)) from None
    return ""


def _listen(address: str, port: int) -> socket.socket:
    try:
        listener = _bind(address, port)
        try:
            listener.listen(BACKLOG)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise LannerError(_refusal(address, port, error)) from None
    return listener


def _bind(address: str, port: int) -> socket.socket:
    family, kind, protocol, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
    except BaseException:
        listener.close()
        raise
    return listener


def _refusal(address: str, port: int, error: OSError) -> str:
    shown = join_port(address, port)
    return f"the web server cannot listen on {shown}: {_why(error)}"


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            "the port is in use, perhaps by Falco or another Lanner: set another $.webserver.listen_port, "
            "or disable this server ($.webserver.enabled: false)"
        )
    if error.errno == errno.EACCES:
        return "ports below 1024 need root: set another $.webserver.listen_port"
    advice = "set $.webserver.listen_address to an address of this machine, such as 127.0.0.1"
    return f"{(error.strerror or str(error)).lower()}; {advice}"


def _tls(certificate: str) -> ssl.SSLContext:
    try:
        return make_server_context(certificate)
    except TlsError as error:
        raise LannerError(f"the web server cannot use TLS ($.webserver.ssl_certificate): {error}") from None
