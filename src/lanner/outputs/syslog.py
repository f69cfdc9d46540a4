"""Alerts to syslog: this machine's, as Falco's syslog_output, or one elsewhere by RFC 5424 over TCP or TLS.

What an alert says is one line there, whatever it holds. On TCP there is no acknowledgement: what a server had taken and not written when it
went away is lost without a word; that it has closed is seen before the next alert.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import time
from typing import TYPE_CHECKING, Final

from lanner.outputs.base import OutputError
from lanner.outputs.stdout import escape_controls
from lanner.outputs.tls import client_context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.outputs.base import Alert

_LOCAL: Final = "/dev/log"
_BLOCK: Final = "$.lanner.syslog"
_SEVERITIES: Final = {
    name: number for number, name in enumerate(("Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"))
}
_FACILITIES: Final = {
    **dict(
        zip(("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"), range(12), strict=True)
    ),
    **{f"local{number}": 16 + number for number in range(8)},
}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PORTS: Final = {"tcp": 601, "tls": 6514}
# What a datagram of a unix socket holds with the kernel's defaults, and what a message is cut to where it does not fit
_CUT: Final = 8 * 1024
_SECOND: Final = 1_000_000_000
# The number that RFC 5612 keeps for examples: Lanner has none of its own
_ENTERPRISE: Final = 32473


class SyslogOutput:
    """A `Sink` to `address`: "" for /dev/log, unix:///path, tcp://host:port or tls://host:port.

    Certificates are files, for TLS. `timeout` (seconds) bounds connecting, and sending one alert; nothing is connected before the first.
    Raises OutputError for an address, facility or file that cannot be used.
    """

    name = "syslog_output"

    def __init__(
        self,
        address: str = "",
        *,
        facility: str = "user",
        ident: str = "lanner",
        hostname: str = "",
        ca_cert: str = "",
        client_cert: str = "",
        client_key: str = "",
        timeout: float = 2.0,
    ) -> None:
        if facility not in _FACILITIES:
            raise OutputError(f"{_BLOCK}.facility is {facility!r}: write one of {', '.join(_FACILITIES)}")
        self._facility = _FACILITIES[facility] << 3
        self._ident, self._timeout = ident, timeout
        self._hostname = hostname or socket.gethostname() or "-"
        self._path, self._host, self._port, self._is_tls = _parsed(address)
        self._shown = address or _LOCAL
        self._certificates = ca_cert, client_cert, client_key
        self._context: ssl.SSLContext | None = None
        self._socket: socket.socket | None = None
        self._is_datagram = False
        self._interrupted = False
        self.reopen()

    def send(self, alerts: Sequence[Alert]) -> None:
        """Send them. OutputError where the daemon or the server is not there."""
        send = self._send_local if self._path else self._send_remote
        for place, alert in enumerate(alerts):
            if self._interrupted:
                raise OutputError("nobody takes the alerts, and the run has ended", delivered=place)
            try:
                send(alert)
            except OSError as error:
                self._hang_up()
                raise OutputError(self._failure(error), delivered=place) from None

    def reopen(self) -> None:
        """Read certificates again, and connect anew."""
        self._hang_up()
        if self._is_tls:
            ca_cert, client_cert, client_key = self._certificates
            self._context = client_context(ca_file=ca_cert, client_cert=client_cert, client_key=client_key, where=_BLOCK)

    def interrupt(self) -> None:
        """See `Sink`."""
        self._interrupted = True
        connection = self._socket
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is closed

    def close(self) -> None:
        """Hang up."""
        self._hang_up()

    # this machine's

    def _send_local(self, alert: Alert) -> None:
        seconds = time.localtime(alert.timestamp // _SECOND)
        moment = f"{_MONTHS[seconds.tm_mon - 1]} {seconds.tm_mday:2} {time.strftime('%H:%M:%S', seconds)}"
        head = f"<{self._priority(alert)}>{moment} {self._ident}[{os.getpid()}]: "
        message = head.encode() + _text(alert)
        try:
            self._put_local(message)
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                self._put_local(_cut(message))
                return
            # a daemon that was restarted has a new socket at the same path
            self._hang_up()
            self._put_local(message)

    def _put_local(self, message: bytes) -> None:
        if self._socket is None:
            self._socket = self._connect_local()
        self._socket.settimeout(self._timeout)
        if self._is_datagram:
            self._socket.send(message)
        else:
            self._socket.sendall(message + b"\0")

    def _connect_local(self) -> socket.socket:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            connection = socket.socket(socket.AF_UNIX, kind)
            connection.settimeout(self._timeout)
            try:
                connection.connect(self._path)
            except OSError as error:
                connection.close()
                if error.errno != errno.EPROTOTYPE:
                    raise
            else:
                self._is_datagram = kind == socket.SOCK_DGRAM
                return connection
        raise OSError(errno.EPROTOTYPE, os.strerror(errno.EPROTOTYPE))

    # elsewhere

    def _send_remote(self, alert: Alert) -> None:
        if self._socket is not None and self._has_closed(self._socket):
            self._hang_up()
        if self._socket is None:
            self._socket = self._connect_remote()
        second, rest = divmod(alert.timestamp, _SECOND)
        moment = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(second))}.{rest // 1000:06}Z"
        about = " ".join(f'{name}="{_parameter(value)}"' for name, value in (("rule", alert.rule), ("source", alert.source)))
        head = (
            f"<{self._priority(alert)}>1 {moment} {_word(self._hostname, 255)} {_word(self._ident, 48)} {os.getpid()} - "
            f"[lanner@{_ENTERPRISE} {about}] "
        )
        message = head.encode("utf-8", "replace") + _text(alert)
        self._socket.settimeout(self._timeout)
        self._socket.sendall(b"%d %b" % (len(message), message))

    @staticmethod
    def _has_closed(connection: socket.socket) -> bool:
        """Whether the server has; it has nothing to say, so whatever can be read is the end."""
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0))

    def _connect_remote(self) -> socket.socket:
        connection = socket.create_connection((self._host, self._port), self._timeout)
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000)
            if self._context is not None:
                return self._context.wrap_socket(connection, server_hostname=self._host)
        except BaseException:
            connection.close()
            raise
        return connection

    def _hang_up(self) -> None:
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    def _priority(self, alert: Alert) -> int:
        return self._facility | _SEVERITIES.get(alert.priority, _SEVERITIES["Notice"])

    def _failure(self, error: OSError) -> str:
        if isinstance(error, TimeoutError):
            return f"{self._shown} ($.syslog_output) did not take an alert within {self._timeout:g} s"
        if isinstance(error, ssl.SSLCertVerificationError):
            advice = f"name its authority ({_BLOCK}.ca_cert)"
            return f"{self._shown} ({_BLOCK}.address) is not trusted: {error.verify_message}; {advice}"
        reason = (error.strerror if not isinstance(error, ssl.SSLError) else error.reason) or str(error)
        advice = ""
        if self._path and error.errno in {errno.ENOENT, errno.ECONNREFUSED}:
            advice = ". Is a syslog daemon running (rsyslog, systemd-journald)?"
        return f"{self._shown} ($.syslog_output) cannot be reached: {reason}{advice}"


def _parsed(address: str) -> tuple[str, str, int, bool]:
    """Path, host, port and whether it is TLS."""
    scheme, separator, rest = address.partition("://")
    if not address:
        return _LOCAL, "", 0, False
    if scheme == "unix" and rest.startswith("/"):
        return rest, "", 0, False
    if separator and scheme in _PORTS:
        host, colon, port = rest.rpartition(":")
        if not colon or rest.endswith("]"):
            host, port = rest, str(_PORTS[scheme])
        if host and port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536:
            return "", host.removeprefix("[").removesuffix("]"), int(port), scheme == "tls"
    raise OutputError(f"{_BLOCK}.address is {address!r}: write tcp://host:port, tls://host:port or unix:///path")


def _text(alert: Alert) -> bytes:
    """One line, without control characters."""
    return escape_controls(alert.line).encode("utf-8", "replace")


def _cut(message: bytes) -> bytes:
    return message[:_CUT].decode("utf-8", "ignore").encode() + b"..."


def _word(text: str, most: int) -> str:
    """Printable ASCII without blanks, as RFC 5424 wants it of a header's parts."""
    return "".join(char for char in text if "!" <= char <= "~")[:most] or "-"


def _parameter(text: str) -> str:
    """A value of structured data."""
    escaped = escape_controls(text)
    for char in '\\"]':
        escaped = escaped.replace(char, "\\" + char)
    return escaped
