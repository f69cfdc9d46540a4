"""The console's address: a port of loopback, a unix socket, or with TLS any address."""

from __future__ import annotations

import errno
import os
import socket
import stat
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

from lanner.operating.http_server import BACKLOG
from lanner.sdk.errors import LannerError, UsageError
from lanner.sdk.text.printable import join_port

DEFAULT: Final = "127.0.0.1:8766"
_UNIX: Final = "unix:"
_HIGHEST_PORT: Final = 65_535
_EXAMPLES: Final = "write 127.0.0.1:8766, [::1]:8766 or unix:/run/user/1000/lanner.sock"


class Address(NamedTuple):
    """Address of a listening socket: `path` of a unix socket, or `host`, an IP address, and `port`."""

    host: str
    port: int
    path: str = ""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return bool(self.path) or ip_address(self.host).is_loopback


def parse_address(text: str) -> Address:
    """Return the address of --listen. Raises `UsageError`."""
    if text.startswith(_UNIX):
        path = text.removeprefix(_UNIX)
        if not path or "\0" in path:
            raise UsageError(f"--listen {_UNIX} needs a path: {_EXAMPLES}")
        return Address("", 0, path)
    host, colon, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host[1:-1] if host[:1] + host[-1:] == "[]" else host
    try:
        is_valid = (ip_address(host).version == 6) is text.startswith("[")
    except ValueError:
        is_valid = False
    if not colon or not is_valid or not (port.isascii() and port.isdigit() and int(port) <= _HIGHEST_PORT):
        raise UsageError(f"--listen takes an IP address with a port, or {_UNIX}PATH, not {text!r}: {_EXAMPLES}")
    return Address(host, int(port))


def listen(address: Address) -> socket.socket:
    """Return a listening socket. Raises `LannerError`."""
    try:
        return _listen_unix(address.path) if address.path else _listen_tcp(address)
    except OSError as error:
        shown = f"{_UNIX}{address.path}" if address.path else join_port(address.host, address.port)
        raise LannerError(f"the console cannot listen on {shown}: {_why(error)}") from None


def _listen_tcp(address: Address) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _listen_unix(path: str) -> socket.socket:
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(path)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _remove_stale(path: str) -> None:
    """Remove the socket of a process that has ended. Raises `OSError` if a process listens there."""
    try:
        if not stat.S_ISSOCK(Path(path).lstat().st_mode):
            raise OSError(errno.EEXIST, "another file has this name")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink(missing_ok=True)
            return
    raise OSError(errno.EADDRINUSE, "address in use")


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the address is in use, perhaps by another console: choose another one with --listen, or port 0 for any free port"
    if error.errno == errno.EACCES:
        return "permission denied: choose a port from 1024, or a directory that this user may write"
    return f"{(error.strerror or str(error)).lower()}: {_EXAMPLES}"
