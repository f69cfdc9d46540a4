"""Check of the Host header: the defence against DNS rebinding.

A page of a foreign site can make a browser connect to this machine by pointing the site's name at its address. The browser then sends
that name as Host. An IP address cannot be pointed elsewhere, so it needs no check.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

from lanner.sdk.text.printable import message_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Hosts:
    """The hosts that a server answers for: all IP addresses, localhost, the names of this machine, and `names` from the configuration.

    `advice` is how the user adds a name. `required`: refuse a request without Host, which only a program sends.
    """

    def __init__(self, names: Iterable[str], advice: str, *, required: bool) -> None:
        own = socket.gethostname()
        self._names = {each.casefold().rstrip(".") for each in ("localhost", own, own.partition(".")[0], *names)} - {""}
        self._advice, self._required = advice, required

    def refuse(self, values: Sequence[str]) -> str:
        """Return the reason to refuse a request with these values of Host, or ""."""
        if len(values) > 1:
            return "the request has more than one Host header"
        if not values or not values[0]:
            return "the request has no Host header" if self._required else ""
        host = host_name(values[0])
        if host is not None and (host in self._names or is_address(host)):
            return ""
        return f"the host {message_line(host or values[0])!r} is not a name of this server: {self._advice}"


def host_name(value: str) -> str | None:
    """Return the host of a Host header in lower case, without port and brackets; None if it is invalid."""
    host, port = value, ""
    if value.startswith("["):
        inner, bracket, rest = value[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or ":" not in inner:
            return None
        host, port = inner, rest[1:]
    elif ":" in value:
        host, _, port = value.partition(":")
    if not host or (port and not (port.isascii() and port.isdigit() and len(port) < 6)):
        return None
    return host.casefold().rstrip(".")


def is_address(host: str) -> bool:
    """Return whether the text is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
