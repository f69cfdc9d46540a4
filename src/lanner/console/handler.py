"""Responses of the console: first the checks, then the login, the files of the page, and the API."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from lanner.console.page_files import PATHS, answer_file
from lanner.operating.http_request import Task, error_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.console.access import Access
    from lanner.console.api import Api
    from lanner.operating.http_request import Page, Request

_POLICY: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
HEADERS: Final = (
    (
        "Content-Security-Policy",
        "; ".join(_POLICY),
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
"""Headers of every response, if it does not have its own of the same name."""

_LOGIN: Final = "/login"
_API: Final = "/api/"


class ConsoleHandler:
    """Answers of one console."""

    headers: Sequence[tuple[str, str]] = HEADERS
    max_body: int = 4096

    def __init__(self, access: Access, api: Api) -> None:
        self._access, self._api = access, api

    def start(self, request: Request) -> Page | Task:
        """Return the response, or for the API the task that makes it."""
        if refusal := self._access.refuse(request):
            return refusal
        methods = ("POST",) if request.path == _LOGIN else ("GET", "HEAD")
        if request.command not in methods:
            return error_page(HTTPStatus.METHOD_NOT_ALLOWED, headers=(("Allow", ", ".join(methods)),))
        if request.path == _LOGIN:
            return self._access.login(request)
        if request.path in PATHS:
            return answer_file(request)
        if not self._access.is_logged_in(request):
            return error_page(HTTPStatus.UNAUTHORIZED, "log in: open the address that `lanner console` printed")
        if request.path.startswith(_API):
            path, query = request.path.removeprefix(_API), request.query
            return Task(f"{path}?{query}", lambda: self._api.get(path, query), self._api.lane(path))
        return error_page(HTTPStatus.NOT_FOUND)
