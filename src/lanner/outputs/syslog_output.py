"""Alerts to syslog: to this machine's, as Falco's syslog_output, or to a server by RFC 5424 over TCP or TLS.

An alert is always one line. TCP has no acknowledgement: alerts that a server had received and not written when it
failed is lost silently; a closed connection is noticed before the next alert.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lanner.net.tls import Tls
from lanner.outputs.base import OutputError
from lanner.outputs.connection import Connection
from lanner.sdk.options.address import Address
from lanner.sdk.text.encoding import to_bytes_leniently
from lanner.sdk.text.printable import escape_controls

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
_OPTIONS: Final = ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000))
_PORTS: Final = {"tcp": 601, "tls": 6514}
# Size of a datagram of a unix socket with the kernel's defaults; a longer message is cut to it
_CUT: Final = 8 * 1024
_SECOND: Final = 1_000_000_000
_LEAVE: Final = 1.0
"""Maximum seconds for a server to read the sent alerts before the connection is closed."""
# the number that RFC 5612 reserves for examples: Lanner has no number
_ENTERPRISE: Final = 32473
_OVER: Final = "the alerts are not accepted any more: the run has ended"


class SyslogOutput:
    """A `Sink` to `address`: "" for /dev/log, unix:///path, tcp://host:port or tls://host:port.

    Certificates are files, for TLS. `timeout` (seconds) bounds connecting, and sending one alert; it connects with the first alert.
    Raises OutputError for an invalid address, facility or file.
    """

    name = "syslog_output"
    batch_size = 1
    wants_records = False

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
        self._shown = Address(address or _LOCAL)
        path, host, port, self._is_tls = _parse_address(Address(address))
        self._tls = Tls(ca_cert, client_cert, client_key)
        self._daemon = _Daemon(path, timeout) if path else None
        try:
            self._connection = Connection(host, port, _OPTIONS)
        except ValueError:
            raise OutputError(f"{_BLOCK}.address is {str(self._shown)!r}, with the invalid host name {host!r}") from None
        self._interrupted = False
        self.reopen()

    def send(self, alerts: Sequence[Alert]) -> None:
        """Send the alerts. Raises OutputError if the daemon or server is unavailable."""
        for place, alert in enumerate(alerts):
            if self._interrupted:
                raise OutputError(_OVER, delivered=place)
            try:
                if self._daemon is not None:
                    self._daemon.send(self._local_message(alert))
                else:
                    self._send_remote(alert)
            except (OSError, ValueError) as error:
                self._hang_up()
                raise OutputError(_OVER if self._interrupted else self._failure(error), delivered=place) from None

    def reopen(self) -> None:
        """Read certificates again, and reconnect."""
        self._hang_up(_LEAVE)
        if self._is_tls:
            self._connection.secure(self._tls, _BLOCK)

    def interrupt(self) -> None:
        """See `Sink`."""
        self._interrupted = True
        self._connection.interrupt()
        if self._daemon is not None:
            self._daemon.interrupt()

    def close(self) -> None:
        """Close the connection after all data has been sent."""
        self._hang_up(_LEAVE)

    def _hang_up(self, patience: float = 0.0) -> None:
        self._connection.close(min(patience, self._timeout))
        if self._daemon is not None:
            self._daemon.close()

    def _local_message(self, alert: Alert) -> bytes:
        seconds = time.localtime(alert.timestamp // _SECOND)
        moment = f"{_MONTHS[seconds.tm_mon - 1]} {seconds.tm_mday:2} {time.strftime('%H:%M:%S', seconds)}"
        head = f"<{self._priority(alert)}>{moment} {self._ident}[{os.getpid()}]: "
        return head.encode() + _text(alert)

    def _send_remote(self, alert: Alert) -> None:
        link = self._connection.link
        if link is None or link.has_closed():
            self._hang_up(_LEAVE)
            link = self._connection.open(self._connection.timer(self._timeout))
        second, rest = divmod(alert.timestamp, _SECOND)
        moment = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(second))}.{rest // 1000:06}Z"
        about = " ".join(f'{name}="{_parameter(value)}"' for name, value in (("rule", alert.rule), ("source", alert.source)))
        head = (
            f"<{self._priority(alert)}>1 {moment} {_word(self._hostname, 255)} {_word(self._ident, 48)} {os.getpid()} - "
            f"[lanner@{_ENTERPRISE} {about}] "
        )
        message = to_bytes_leniently(head) + _text(alert)
        link.send(b"%d %b" % (len(message), message), self._connection.timer(self._timeout))

    def _priority(self, alert: Alert) -> int:
        return self._facility | _SEVERITIES.get(alert.priority, _SEVERITIES["Notice"])

    def _failure(self, error: OSError | ValueError) -> str:
        if isinstance(error, TimeoutError):
            return f"{self._shown} ($.syslog_output) did not take an alert within {self._timeout:g} s"
        if isinstance(error, ssl.SSLCertVerificationError):
            advice = f"name its authority ({_BLOCK}.ca_cert)"
            return f"{self._shown} ({_BLOCK}.address) is not trusted: {error.verify_message}; {advice}"
        reason = (getattr(error, "strerror", "") if not isinstance(error, ssl.SSLError) else error.reason) or str(error)
        advice = ""
        if self._daemon is not None and getattr(error, "errno", 0) in {errno.ENOENT, errno.ECONNREFUSED}:
            advice = ". Is a syslog daemon running (rsyslog, systemd-journald)?"
        return f"{self._shown} ($.syslog_output) cannot be reached: {reason}{advice}"


class _Daemon:
    """The one of this machine, at a unix socket of datagrams or of a stream; a message has `timeout` seconds."""

    def __init__(self, path: str, timeout: float) -> None:
        self._path, self._timeout = path, timeout
        self._socket: socket.socket | None = None
        self._is_datagram = False
        self._interrupted = False

    def send(self, message: bytes) -> None:
        try:
            self._put(message)
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                self._put(_cut(message))
                return
            if self._interrupted or isinstance(error, TimeoutError):
                raise
            # a daemon that was restarted has a new socket at the same path
            self.close()
            self._put(message)

    def close(self) -> None:
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    def interrupt(self) -> None:
        self._interrupted = True
        connection = self._socket
        if connection is not None:
            with suppress(OSError):  # it is closed
                connection.shutdown(socket.SHUT_RDWR)

    def _put(self, message: bytes) -> None:
        if self._socket is None:
            self._socket = self._connect()
        self._socket.settimeout(self._timeout)
        if self._is_datagram:
            self._socket.send(message)
        else:
            self._socket.sendall(message + b"\0")

    def _connect(self) -> socket.socket:
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


def _parse_address(address: Address) -> tuple[str, str, int, bool]:
    """Return path, host, port and whether it is TLS."""
    scheme, place = address.scheme, address.place
    if not scheme and not place:
        return _LOCAL, "", 0, False
    if scheme == "unix" and place.startswith("/"):
        return place, "", 0, False
    if scheme in _PORTS:
        if address.user is not None:
            raise OutputError(f"{_BLOCK}.address is {str(address)!r}: syslog has no login, so write it without user and password")
        host, colon, port = place.rpartition(":")
        if not colon or place.endswith("]"):
            host, port = place, str(_PORTS[scheme])
        if host and port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536:
            return "", host.removeprefix("[").removesuffix("]"), int(port), scheme == "tls"
    raise OutputError(f"{_BLOCK}.address is {str(address)!r}: write tcp://host:port, tls://host:port or unix:///path")


def _text(alert: Alert) -> bytes:
    """Return the alert as one line, without control characters."""
    return to_bytes_leniently(escape_controls(alert.line))


def _cut(message: bytes) -> bytes:
    return message[:_CUT].decode("utf-8", "ignore").encode() + b"..."


def _word(text: str, most: int) -> str:
    """Return printable ASCII without spaces, as RFC 5424 requires in a header."""
    return "".join(char for char in text if "!" <= char <= "~")[:most] or "-"


def _parameter(text: str) -> str:
    """Return the value of a parameter of structured data."""
    escaped = escape_controls(text)
    for char in '\\"]':
        escaped = escaped.replace(char, "\\" + char)
    return escaped
