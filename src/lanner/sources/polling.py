"""A poller: an event source that polls an HTTP API for new events.

`lanner.sources.cursors` knows which events are new, `lanner.sources.fetch` makes the requests for an address.
"""

from __future__ import annotations

import random
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from lanner.sdk.authoring.events import Event, Nothing
from lanner.sdk.hosting.failures import plugin_failure
from lanner.sdk.options.secrets import mask_text
from lanner.sources.arguments import (
    argument_error,
    check_count,
    check_credentials_by_name,
    check_flag,
    check_path,
    check_place,
    check_seconds,
    check_text,
)
from lanner.sources.backoff import Backoff
from lanner.sources.bodies import ItemError, find_scalar, split
from lanner.sources.calls import Call
from lanner.sources.cursors import Progress
from lanner.sources.feed import Feed
from lanner.sources.pages import PollError, PollRequest, check_status, next_link, origin, read_page, resolve
from lanner.sources.waiting import wait

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from lanner.sources.bodies import Place
    from lanner.sources.credentials import Credential
    from lanner.sources.pages import Page, Request, Scalar
    from lanner.sources.waiting import Flag

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 300.0
_LONGEST_WISH: Final = 3600.0
"""Maximum number of seconds for which a server may ask to wait."""
_SHORTEST_PAUSE: Final = 0.1
_EMPTY: Final = frozenset({204, 304})
_MOST_PAGES: Final = 10_000
_MOST_COLLECTED: Final = 64 * 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"


def poll(
    request: str | Request,
    *,
    every: float = 60.0,
    position: Any = None,
    cursor: Place | None = None,
    start: Scalar | None = None,
    items: Place = (),
    next: Place | None = None,  # noqa: A002 - the name of the relation
    follow: bool = False,
    newest_first: bool = False,
    key: Place | None = None,
    headers: Mapping[str, Credential] | None = None,
    ca: str = "",
    timeout: float = 30.0,
    max_body: int = 16 * 1024 * 1024,
    name: str = "",
) -> Poll:
    """Return an event source that requests events every `every` seconds. Return it from `open(self, params, position)`.

    `request` is an address, or a function that makes one request. `headers` (a token) and `ca` (a file of authorities) are for an
    address. Lanner replaces `{cursor}` and `{page}` in its query.

    `items` is the place of the list of events in the JSON body. `cursor` is the place of a value in an event with which the next request
    begins: a time, or a number that grows; `start` is the first one. `next` is the place of the next page in the body; by default it is
    the `Link` header. With `follow`, the next page is where later events will be, so it is the cursor. `newest_first`: the first event of
    a response is the newest. `key` is the place of a value that identifies an event.

    `position` is that of `open`. `timeout` (seconds) and `max_body` (bytes) bound a request, `name` is shown in messages and health.

    Raise `lanner.UsageError` for invalid arguments.
    """
    if not isinstance(request, str) and not callable(request):
        raise argument_error("poll", f"request is of the type {type(request).__name__}; it must be an address or a function")
    check_seconds("poll", every=every, timeout=timeout)
    check_count("poll", max_body=max_body)
    check_text("poll", ca=ca, name=name)
    check_path("poll", ca=ca)
    check_flag("poll", follow=follow, newest_first=newest_first)
    places = {"items": items, "cursor": cursor, "next": next, "key": key}
    check_place("poll", **{argument: place for argument, place in places.items() if place is not None})
    check_credentials_by_name("poll", headers=headers or {})
    if follow and (cursor is not None or newest_first):
        raise argument_error("poll", "with `follow` the next page is the cursor: leave out `cursor` and `newest_first`")
    if not isinstance(request, str) and (headers or ca):
        raise argument_error("poll", "`headers` and `ca` are for an address: let the function send them")
    progress = Progress(position, start, cursor, key, follows=follow)
    limits = (timeout, max_body)
    if isinstance(request, str):
        maker = partial(_fetcher, request, headers or {}, ca)
        files = [ca] if ca else []
        return Poll(name or origin(request), maker, progress, every, items, next, limits, newest_first, files)
    return Poll(name or getattr(request, "__name__", "poll"), lambda _: request, progress, every, items, next, limits, newest_first)


def _fetcher(url: str, headers: Mapping[str, Credential], ca: str, closing: Flag) -> Request:
    from lanner.sources.fetch import Fetcher  # not with a function, which brings its own client

    return Fetcher(url, headers, ca, closing)


class Poll(Feed):
    """An open poller. `limits` are the seconds and bytes of a response."""

    def __init__(
        self,
        name: str,
        make_request: Callable[[Flag], Request],
        progress: Progress,
        every: float,
        items: Place,
        next_page: Place | None,
        limits: tuple[float, int],
        newest_first: bool,
        files: Sequence[str] = (),
    ) -> None:
        super().__init__(name, files)
        self._follows = progress.follows
        self._request = make_request(self.closing)
        self._progress, self._every = progress, every
        self._items, self._next = items, next_page
        self._timeout, self._most = limits
        self._newest_first = newest_first
        self._backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        self._conditions: tuple[tuple[Scalar | None, str | None], dict[str, str]] = ((None, None), {})
        self._collected: list[bytes] = []
        self._collected_size = 0
        self._visited: set[str] = set()
        self._is_failing = False
        self._cursor = progress.cursor

    def describe(self) -> str:
        """See `OpenInstance`."""
        return f"{self.name} every {self._every:g} s"

    def events(self) -> Iterator[Event]:
        """Poll until `close`."""
        # only a host can take a position without an event; a generator of the plugin expects events
        is_returned = self._opening is not None and self._opening.returned is self
        told: Any = None if self._progress.is_first and self._progress.cursor is not None else self._progress.position()
        try:
            while not self.closing.is_set:
                if is_returned and (self._follows or self._progress.page is None) and self._progress.position() != told:
                    told = self._progress.position()
                    yield cast("Event", Nothing(told))
                pause = yield from self._poll_once()
                if pause and self.wait(pause):
                    return
        finally:
            close = getattr(self._request, "close", None)
            if callable(close):
                close()

    def _poll_once(self) -> Generator[Event, None, float]:
        """Make one request, yield its events, and return the seconds until the next one."""
        if self._progress.page is None:
            self._visited.clear()
            self._cursor = self._progress.cursor  # further pages belong to the same request
        asked = (self._cursor, self._progress.page)
        conditions = self._conditions[1] if self._conditions[0] == asked else {}
        try:
            page = self._ask(PollRequest(*asked, conditions, self._timeout))
            if page is None:
                return 0.0
            found = [] if page.status in _EMPTY else split(page.body.removeprefix(_BOM), self._items)
            following = None if page.status in _EMPTY else self._next_page(page)
            found, following = self._gather(found, following)
            items = list(self._progress.new(found))
        except (PollError, ItemError) as error:
            return self._note_failure(error)
        self._note_success()
        if self._progress.is_disordered:
            self.warn(
                "order",
                "%s: the events are not in order: is newest_first=True missing?",
                self.name,
            )
        self.counted.add("duplicates dropped", len(found) - len(items))
        self._conditions = asked, _conditions(page)
        self._progress.turn(following)
        if items and not self._progress.is_disordered:  # a restart after the last event need not request this page
            items[-1] = items[-1][0], self._progress.position()
        for item, position in items:
            yield Event(item, position=position)
            if self.closing.is_set:
                return 0.0
        return self._pause_after(page, following, has_new=bool(items))

    def _ask(self, request: PollRequest) -> Page | None:
        """Make a request and read its response; None if the source is closed meanwhile. Raises `PollError`."""
        self.counted.add("requests")
        if getattr(self._request, "ends_when_closed", False):
            return self._read(request)
        call = Call(lambda: self._read(request), f"lanner-poll-{self.name}")
        while not call.done.is_set:
            wait([self.closing, call.done], self._timeout)
            if self.closing.is_set:
                return None
            if not call.done.is_set:
                self.connections[self.name] = False
                self.warn("waiting", "%s: the request has not returned within %g s", self.name, self._timeout)
        return call.result()

    def _read(self, request: PollRequest) -> Page:
        try:
            response = self._request(request)
            page = read_page(response, self._most, time.monotonic() + request.timeout)
        except PollError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the developer's function and client may raise anything
            plugin = self._opening.plugin if self._opening else "poll"
            raise PollError(mask_text(str(plugin_failure(plugin, "request", error)))) from None
        check_status(page)
        return page

    def _next_page(self, page: Page) -> str | None:
        if self._next is None:
            link = next_link(page.headers)
            return None if link is None else resolve(link, page)
        found = find_scalar(page.body, self._next)
        if found is None or found == "":
            return None
        text = str(found)
        return resolve(text, page) if "://" in text else text

    def _gather(self, found: list[bytes], following: str | None) -> tuple[list[bytes], str | None]:
        """Return events from old to new, and the next page. Pages that begin with the newest event are collected up to a known one."""
        if following is not None and not self._follows:
            if following in self._visited or len(self._visited) >= _MOST_PAGES:
                self.counted.add("repeated pages")
                self.warn("pages", "%s: the server repeats its pages; the rest is left to the next poll", self.name)
                following = None
            else:
                self._visited.add(following)
        if not self._newest_first:
            return found, following
        place = self._progress.first_known(found)
        self._collected += found[:place]
        self._collected_size += sum(map(len, found))
        if self._collected_size > _MOST_COLLECTED:
            self.counted.add("gaps")
            self.warn("gap", "%s: more than %d bytes of new events: older ones are left out", self.name, _MOST_COLLECTED)
        elif place == len(found) and following is not None and not self._progress.is_first:
            return [], following
        collected = self._collected[::-1]
        self._forget_collected()
        return collected, None

    def _forget_collected(self) -> None:
        self._collected, self._collected_size = [], 0

    def _pause_after(self, page: Page, following: str | None, *, has_new: bool) -> float:
        if following is not None and (has_new or not self._follows):
            return 0.0
        wished = page.headers.get("x-poll-interval", "")
        return max(self._every, min(float(wished), _LONGEST_WISH) if wished.isascii() and wished.isdigit() and len(wished) < 9 else 0.0)

    def _note_success(self) -> None:
        self._backoff.reset()
        self.connections[self.name] = True
        if self._is_failing:
            self._is_failing = False
            self.log().info("%s: answers again", self.name)

    def _note_failure(self, error: PollError | ItemError) -> float:
        """Report a failure and return the seconds until the next attempt."""
        self._is_failing = True
        self.connections[self.name] = False
        self.counted.add("failed requests")
        if isinstance(error, PollError) and error.is_rejected:
            self._progress.restart()
            self._forget_collected()
            self._conditions = (None, None), {}
        pause = self._backoff.next()
        if isinstance(error, PollError) and error.retry_after is not None:
            # never earlier than the server asks, and not all pollers at once
            pause = min(error.retry_after, _LONGEST_WISH) * random.uniform(1.0, 1.1)  # noqa: S311 - no secret
        if not self.closing.is_set:
            shown = str(error) if str(error).startswith(self.name) else f"{self.name}: {error}"
            self.warn("request", "%s; the next attempt is in %.0f s", shown, pause)
        return max(pause, _SHORTEST_PAUSE)


def _conditions(page: Page) -> dict[str, str]:
    """Return the headers that make the next request for the same page conditional; none that could not be sent."""
    names = (("etag", "If-None-Match"), ("last-modified", "If-Modified-Since"))
    return {condition: page.headers[name] for name, condition in names if page.headers.get(name, "\0").isprintable()}
