"""Pages of the web server of a run. This module knows no sockets."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from lanner.operating.falco_versions import versions
from lanner.operating.http_request import Page, Task, error_page, json_page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.operating.hosts import Hosts
    from lanner.operating.http_request import Request
    from lanner.operating.snapshot import Snapshot

_PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"
_METRICS: Final = "/metrics"


class Pages:
    """The pages by path, for clients that ask for one of these `hosts`.

    `metrics` returns the text of /metrics for a snapshot; None disables the page.
    """

    headers: Sequence[tuple[str, str]] = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
    max_body: int = 0

    def __init__(self, snapshot: Callable[[], Snapshot], healthz: str, metrics: Callable[[Snapshot], bytes] | None, hosts: Hosts) -> None:
        self._snapshot, self._metrics, self._hosts = snapshot, metrics, hosts
        self._pages = {"/readyz": _readyz, "/versions": _versions, healthz: _healthz}

    def start(self, request: Request) -> Page | Task:
        """Return the response, or for /metrics the task that makes it."""
        if reason := self._hosts.refuse(request.all_of("Host")):
            return error_page(HTTPStatus.MISDIRECTED_REQUEST, reason)
        if request.command not in {"GET", "HEAD"}:
            return error_page(HTTPStatus.METHOD_NOT_ALLOWED, headers=(("Allow", "GET, HEAD"),))
        if (metrics := self._metrics) is not None and request.path == _METRICS:
            return Task(_METRICS, lambda: Page(HTTPStatus.OK, _PROMETHEUS, metrics(self._snapshot())))
        page = self._pages.get(request.path)
        return error_page(HTTPStatus.NOT_FOUND) if page is None else page(self._snapshot())


def _healthz(snapshot: Snapshot) -> Page:
    return _state("unhealthy", snapshot.unhealthy)


def _readyz(snapshot: Snapshot) -> Page:
    return _state("not ready", (*snapshot.not_ready, *snapshot.unhealthy))


def _versions(snapshot: Snapshot) -> Page:
    return json_page(versions(snapshot))


def _state(word: str, reasons: tuple[str, ...]) -> Page:
    if reasons:
        return json_page({"status": word, "reasons": reasons}, HTTPStatus.SERVICE_UNAVAILABLE)
    return json_page({"status": "ok"})
