"""Alerts to an HTTP server, as Falco's http_output: a POST for each alert, or for several at once.

The status of the response decides what happens to an
alert: 2xx accepts it, 408, 425, 429 and 5xx are retried, anything else rejects it permanently. Redirects are not followed.
"""

from __future__ import annotations

import gzip
import os
import select
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from lanner._version import __version__
from lanner.net.http1 import HttpError, basic_authorization, write_request
from lanner.net.tls import Tls
from lanner.outputs.base import OutputError
from lanner.outputs.connection import Connection
from lanner.outputs.exchange import CLOSED, Answer, exchange
from lanner.sdk.files import read_whole
from lanner.sdk.options.address import Address
from lanner.sdk.text.encoding import from_bytes, many, to_bytes_leniently
from lanner.sdk.text.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lanner.net.dial import Timer
    from lanner.outputs.base import Alert

_LATER: Final = frozenset({408, 425, 429})
_MOST_READ: Final = 64 * 1024
"""Maximum size of a header file in bytes."""
_PORTS: Final = {"http": 80, "https": 443}
_LONGEST_WISH: Final = 300.0
_STDOUT: Final = 1
_OPTIONS: Final = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
_BLOCK: Final = "$.http_output"


class HttpOutput:
    """A `Sink` that posts to `url`. `json`: lines are JSON. `headers`: names, each with the file that contains its value.

    `timeout` (seconds) bounds an exchange; the first `max_consecutive_timeouts` are usual errors. With a `batch_size` above 1, that
    many alerts are sent per POST, one per line (NDJSON). Raises OutputError for invalid arguments.
    """

    name = "http_output"
    wants_records = False

    def __init__(
        self,
        url: str,
        *,
        user_agent: str = "",
        json: bool = True,
        insecure: bool = False,
        ca_cert: str = "",
        ca_bundle: str = "",
        ca_path: str = "",
        mtls: bool = False,
        client_cert: str = "",
        client_key: str = "",
        echo: bool = False,
        compress_uploads: bool = False,
        keep_alive: bool = False,
        max_consecutive_timeouts: int = 5,
        timeout: float = 2.0,
        headers: Mapping[str, str] | None = None,
        batch_size: int = 1,
    ) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in {"http", "https"} or not host:
            raise OutputError(f"{_BLOCK}.url is not a server's address: write http://host:port/path or https://...")
        self._is_tls = parts.scheme == "https"
        port = port or _PORTS[parts.scheme]
        try:
            self._connection = Connection(host, port, _OPTIONS)
        except ValueError:
            raise OutputError(f"{_BLOCK}.url has the invalid host name {host!r}") from None
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not _is_plain(self._target) or " " in self._target:
            raise OutputError(f"{_BLOCK}.url has invalid characters after the host: write each of their bytes as %XX")
        if not _is_plain(user_agent):
            raise OutputError(f"{_BLOCK}.user_agent is invalid: write one line of ASCII characters")
        self._shown = Address(url)
        self._fixed = {
            "Host": _host_header(host, port, _PORTS[parts.scheme]),
            "Accept-Encoding": "identity",
            "User-Agent": user_agent or f"lanner/{__version__}",
            "Content-Type": ("application/x-ndjson" if batch_size > 1 else "application/json") if json else "text/plain",
            **({"Content-Encoding": "gzip"} if compress_uploads else {}),
            **({} if keep_alive else {"Connection": "close"}),
        }
        if parts.username is not None:
            self._fixed["Authorization"] = basic_authorization(unquote(parts.username), unquote(parts.password or ""))
        self._tls = Tls(ca_cert or ca_bundle, client_cert if mtls else "", client_key if mtls else "", not insecure, ca_path)
        self._echo, self._compress, self._keep_alive, self._timeout = echo, compress_uploads, keep_alive, timeout
        self._files = dict(headers or {})
        self.batch_size = batch_size
        self._patience, self._timeouts = max_consecutive_timeouts, 0
        self._secret: dict[str, str] = {}
        self.reopen()

    def send(self, alerts: Sequence[Alert]) -> None:
        """Post the alerts. Raises OutputError, with the number of accepted alerts, if the server rejects one."""
        for place in range(0, len(alerts), self.batch_size):
            batch = alerts[place : place + self.batch_size]
            try:
                self._send_batch([alert.line for alert in batch])
            except OutputError as error:
                error.delivered += place
                raise

    def reopen(self) -> None:
        """Read certificates and header files again, and reconnect."""
        self._connection.close()
        if self._is_tls:
            self._connection.secure(self._tls, _BLOCK)
        self._secret = {name: _read(name, path) for name, path in self._files.items()}

    def interrupt(self) -> None:
        """See `Sink`."""
        self._connection.interrupt()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _send_batch(self, lines: list[str]) -> None:
        """Send the alerts in one POST, or in halves if the server rejects that: one alert may be the reason, or their number."""
        try:
            self._post("\n".join(lines))
        except OutputError as error:
            if not error.permanent or len(lines) == 1:
                raise
            middle = len(lines) // 2
            self._send_batch(lines[:middle])
            try:
                self._send_batch(lines[middle:])
            except OutputError as error:
                error.delivered += middle
                raise

    def _post(self, text: str) -> None:
        body = to_bytes_leniently(text)
        if self._compress:
            body = gzip.compress(body, 6)
        was_open, is_free = self._connection.link is not None, False
        try:
            timer = self._connection.timer(self._timeout)
            try:
                answer = self._exchange(body, timer)
            except CLOSED:
                # the server has closed a connection that was kept open: a new one may work
                self._connection.close()
                if not was_open:
                    raise
                answer = self._exchange(body, timer)
            is_free = self._keep_alive and not answer.is_last
        except (OSError, ValueError) as error:
            raise self._unreachable(error) from None
        finally:
            if not is_free:
                self._connection.close()
        self._timeouts = 0
        if self._echo:
            _print(answer.text)
        self._judge(answer)

    def _exchange(self, body: bytes, timer: Timer) -> Answer:
        request = write_request("POST", self._target, {**self._fixed, **self._secret}, body)
        link = self._connection.link or self._connection.open(timer)
        return exchange(link, request, timer)

    def _judge(self, answer: Answer) -> None:
        status, retry_after = answer.status, answer.retry_after
        if 200 <= status < 300:
            return
        message = f"{self._shown} ({_BLOCK}.url) answers {status} {answer.reason[:80]}"
        if status in _LATER or status >= 500:
            wish = float(retry_after) if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 9 else 0.0
            raise OutputError(message, retry_after=min(wish, _LONGEST_WISH))
        advice = "; write the address that it leads to" if 300 <= status < 400 else ""
        raise OutputError(message + advice, permanent=True)

    def _unreachable(self, error: Exception) -> OutputError:
        if self._connection.interrupted:
            return OutputError("the alerts are not accepted any more: the run has ended")
        if isinstance(error, TimeoutError):
            self._timeouts += 1
            return OutputError(
                f"{self._shown} ({_BLOCK}.url) did not answer within {self._timeout:g} s, {many(self._timeouts, 'time')} now",
                is_usual=self._timeouts <= self._patience,
            )
        if isinstance(error, ssl.SSLCertVerificationError):
            return OutputError(
                f"{self._shown} ({_BLOCK}.url) is not trusted: {error.verify_message}; name its authority ({_BLOCK}.ca_cert)"
            )
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
        if isinstance(error, HttpError):
            return OutputError(f"{self._shown} ({_BLOCK}.url) does not answer as an HTTP server does: {reason}. Is it one?")
        return OutputError(f"{self._shown} ({_BLOCK}.url) cannot be reached: {reason}")


def _print(text: bytes) -> None:
    """Print the server's response if standard output takes it at once: it must neither block nor fail."""
    poll = select.poll()
    poll.register(_STDOUT, select.POLLOUT)
    with suppress(OSError):
        if poll.poll(0):
            if os.isatty(_STDOUT):
                text = printable(from_bytes(text)).encode()  # the server must not control the terminal
            os.write(_STDOUT, text[: select.PIPE_BUF - 1] + b"\n")


def _host_header(host: str, port: int, default: int) -> str:
    name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    return name if port == default else f"{name}:{port}"


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _read(name: str, path: str) -> str:
    """Return the value of a header from its file."""
    where = f"$.lanner.http.headers.{name}"
    try:
        value = read_whole(path, _MOST_READ).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"cannot read {path} ({where}): {getattr(error, 'strerror', None) or 'invalid UTF-8'}") from None
    if not _is_plain(value) or not name.isascii() or not name.replace("-", "").isalnum():
        raise OutputError(f"{path} ({where}) has an invalid header value: write one line of ASCII characters")
    return value
