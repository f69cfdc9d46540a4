"""Access to the console: checks of Host, Origin and Sec-Fetch on every path, the token and its cookie.

A browser on this machine runs pages of foreign sites, and they can send requests here. Host tells a name that was pointed at this
machine (DNS rebinding), Origin and Sec-Fetch-Site tell foreign pages, and the cookie is bound to the console's address (SameSite).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from lanner.operating.hosts import Hosts, host_name
from lanner.operating.http_request import JSON, Page, error_page
from lanner.sdk.text.encoding import to_lossless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lanner.operating.http_request import Request

_LOG: Final = logging.getLogger("lanner.console")
_FAILED_DELAY: Final = 1.0
"""Seconds before a wrong token is answered."""
_MOST_DELAYED: Final = 8
"""Wrong tokens that may wait for their answer at a time; more are refused at once."""
_FETCH_SITES: Final = {"none", "same-origin"}


class Access:
    """Checks for the requests of one console. `hosts` are names that clients may use besides loopback addresses and this machine's own."""

    def __init__(self, token: str, hosts: Iterable[str] = (), *, is_tls: bool = False, cookie: str = "lanner") -> None:
        self._hosts = Hosts(hosts, "start the console with --host NAME", required=True)
        self._named = {each.casefold().rstrip(".") for each in hosts}
        self._token = token.encode()
        self._session = hmac.new(self._token, b"session of lanner console", hashlib.sha256).hexdigest()
        self._cookie = cookie
        self._scheme = "https" if is_tls else "http"
        self._failed: list[float] = []

    def refuse(self, request: Request) -> Page | None:
        """Return the refusal of a request that a foreign page may have sent, or None."""
        if reason := self._hosts.refuse(request.all_of("Host")):
            return error_page(HTTPStatus.MISDIRECTED_REQUEST, reason)
        for origin in request.all_of("Origin"):
            if not self._is_own(origin, request.all_of("Host")[0]):
                return error_page(HTTPStatus.FORBIDDEN, "the request comes from a page of another site (Origin)")
        sites = request.all_of("Sec-Fetch-Site")
        if any(site not in _FETCH_SITES for site in sites) and not _is_navigation(request):
            return error_page(HTTPStatus.FORBIDDEN, "the request comes from a page of another site (Sec-Fetch-Site)")
        return None

    def is_logged_in(self, request: Request) -> bool:
        """Return whether the request has the cookie of a login."""
        for line in request.all_of("Cookie"):
            for part in line.split(";"):
                name, _, value = part.strip().partition("=")
                if name == self._cookie and hmac.compare_digest(value.encode("utf-8", "replace"), self._session.encode()):
                    return True
        return False

    def login(self, request: Request) -> Page:
        """Return the response to a login: the cookie, or a late refusal."""
        if request.all_of("Content-Type") != [JSON]:
            return error_page(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send the token as {JSON}")
        token = _token(request.body)
        if token is None:
            return error_page(HTTPStatus.BAD_REQUEST, 'send {"token": "..."}')
        if hmac.compare_digest(to_lossless(token), self._token):
            # a proxy may add TLS: then the page's origin tells
            is_secure = self._scheme == "https" or any(origin.startswith("https:") for origin in request.all_of("Origin"))
            secure = "; Secure" if is_secure else ""
            cookie = f"{self._cookie}={self._session}; HttpOnly; SameSite=Strict; Path=/{secure}"
            return Page(HTTPStatus.NO_CONTENT, JSON, b"", (("Set-Cookie", cookie),))
        return self._refuse_wrong()

    def _refuse_wrong(self) -> Page:
        now = time.monotonic()
        self._failed = [each for each in self._failed if each > now - _FAILED_DELAY]
        if len(self._failed) >= _MOST_DELAYED:
            return error_page(HTTPStatus.TOO_MANY_REQUESTS, "too many wrong tokens: wait a second")
        if not self._failed:
            _LOG.warning("a client sent a wrong token")
        self._failed.append(now)
        page = error_page(HTTPStatus.FORBIDDEN, "wrong token: open the address that `lanner console` printed")
        return page._replace(delay=_FAILED_DELAY)

    def _is_own(self, origin: str, host: str) -> bool:
        """Return whether the origin is the console as the client addresses it. A proxy for a configured name may add TLS."""
        schemes = ("http", "https") if host_name(host) in self._named else (self._scheme,)
        return origin in {f"{scheme}://{host.casefold()}" for scheme in schemes}


def _is_navigation(request: Request) -> bool:
    """Return whether the user follows a link to the page, from a mail or a chat. The page contains no data."""
    return (
        request.command == "GET"
        and request.path == "/"
        and request.all_of("Sec-Fetch-Mode") == ["navigate"]
        and request.all_of("Sec-Fetch-Dest") == ["document"]
    )


def _token(body: bytes) -> str | None:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        return None
    token = sent.get("token") if isinstance(sent, dict) else None
    return token if isinstance(token, str) else None
