"""A running console: its socket, its token and its server."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.console.access import Access
from lanner.console.api import LANES
from lanner.console.handler import ConsoleHandler
from lanner.console.listening import listen
from lanner.console.token import make_token
from lanner.net.tls import TlsError, make_server_context
from lanner.operating.http_server import HttpServer
from lanner.sdk.errors import LannerError, UsageError
from lanner.sdk.text.printable import join_port

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from lanner.console.api import Api
    from lanner.console.listening import Address

_DEADLINE: Final = 30.0


class Console:
    """Console at an address, serving from its creation on. `token` is that of the login; by default a random one.

    `hosts` are further names that clients may use. `tls` is required for addresses that other machines reach. Raises `LannerError`.
    """

    def __init__(
        self,
        api: Api,
        address: Address,
        *,
        token: str = "",
        hosts: Iterable[str] = (),
        tls: ssl.SSLContext | None = None,
        deadline: float = _DEADLINE,
    ) -> None:
        if not address.is_loopback and tls is None:
            raise UsageError(
                f"--listen {join_port(address.host, address.port)} is reachable from other machines, which needs TLS: add --certificate "
                "FILE (and --key FILE), or listen on 127.0.0.1 and forward the port with ssh -L"
            )
        self._path = address.path
        self.token: Final = token or make_token()
        listener = listen(address)
        self.port: Final[int] = 0 if address.path else listener.getsockname()[1]
        # cookies are for all ports of a host: each console has its own name
        cookie = f"lanner-{self.port}" if self.port else "lanner"
        access = Access(self.token, tuple(hosts), is_tls=tls is not None, cookie=cookie)
        scheme = "http" if tls is None else "https"
        self.address: Final = f"unix:{address.path}" if address.path else f"{scheme}://{join_port(address.host, self.port)}/"
        self._server = HttpServer(listener, ConsoleHandler(access, api), tls=tls, deadline=deadline, workers=LANES)

    @property
    def link(self) -> str:
        """The address with the token in its fragment, which a browser does not send."""
        return f"{self.address}#token={self.token}"

    def close(self) -> None:
        """Stop serving. A second call does nothing."""
        self._server.close()
        if self._path:
            with suppress(OSError):
                Path(self._path).unlink()


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """Return the TLS configuration of a server; `key` is "" if the certificate's file contains it. Raises `LannerError`."""
    try:
        return make_server_context(certificate, key)
    except TlsError as error:
        raise LannerError(f"the console cannot use TLS (--certificate): {error}") from None
