"""A poller gives each event once, resumes where it stood, and survives everything that the other side does."""

import contextlib
import json
import logging
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from email.utils import formatdate

import pytest

import lanner
from lanner import sources
from lanner.sdk.hosting import init_plugin
from lanner.sdk.sources import open_source
from lanner.sources import polling as poll_module
from lanner.sources.pages import Page, PollError, check_status

from .api_server import Request, serving, unused_port

QUICK = 0.01


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(poll_module, "_FIRST_PAUSE", QUICK)
    monkeypatch.setattr(poll_module, "_SHORTEST_PAUSE", QUICK)


class Store:
    """A host's store of positions, as JSON."""

    def __init__(self, resumed=None):
        self.resumed = resumed
        self.counters = {}

    def advance(self, position):
        self.resumed = json.loads(json.dumps(position))


class Run:
    """A run of a plugin that polls."""

    def __init__(self, source):
        self.source = source
        self.rest = []

    def take(self, count):
        """The next events; more than that is kept for the next call."""
        deadline = time.monotonic() + 20
        while len(self.rest) < count and time.monotonic() < deadline:
            self.rest += self.source.next_batch(20).payloads
        found, self.rest = self.rest[:count], self.rest[count:]
        return [json.loads(payload) for payload in found]


@contextmanager
def polling(request, store=None, **options):
    options = {"every": QUICK, **options}

    class Polls(lanner.Plugin):
        """Polls."""

        id, name, version, event_source, contact = 4242, "polls", "0.1.0", "polls", "github.com/you/polls"

        def open(self, _params, position):
            return sources.poll(request, position=position, **options)

    source = open_source(init_plugin(Polls), "", store)
    try:
        yield Run(source)
    finally:
        source.close()
        while not source.next_batch(20).ended:  # a host reads to the end
            pass


def body(items):
    return json.dumps(items).encode()


class Log:
    """An API with events 1, 2, 3 ... at growing times, in pages: `since` is inclusive, `after` is a page."""

    def __init__(self, count, size=2):
        self.times = list(range(1, count + 1))
        self.size = size

    def add(self, moment):
        self.times.append(moment)

    def __call__(self, request):
        since, after = int(request.query.get("since") or 0), int(request.query.get("after") or 0)
        found = [{"id": number, "at": moment} for number, moment in enumerate(self.times, 1) if moment >= since]
        page = found[after : after + self.size]
        headers = {}
        if after + self.size < len(found):
            headers["Link"] = f'</log?since={since}>; rel="self", </log?since={since}&after={after + self.size}>; rel="next"'
        return 200, headers, body(page)


def ids(events):
    return [event["id"] for event in events]


def test_pages_are_read_to_the_end_and_then_what_is_new():
    log = Log(5)
    with serving(log) as api, polling(f"{api.url}/log?since={{cursor}}", cursor="at") as run:
        assert ids(run.take(5)) == [1, 2, 3, 4, 5]
        log.add(5)  # at the boundary
        assert ids(run.take(1)) == [6]
        log.add(7)
        assert ids(run.take(1)) == [7]
        assert run.source.connections == {api.url: True}
        assert run.source.counters["duplicates dropped"] > 0


def test_the_cursor_is_in_the_address_and_a_parameter_without_value_is_left_out():
    with serving(lambda _: (200, {}, body([{"at": "2026-01-01T00:00:00+01:00"}]))) as api:
        with polling(f"{api.url}/log?limit=5&since={{cursor}}", cursor="at"):
            assert api.next_request().target == "/log?limit=5"
            assert api.next_request().target == "/log?limit=5&since=2026-01-01T00%3A00%3A00%2B01%3A00"
        with polling(f"{api.url}/log?since={{cursor}}", cursor="at", start="x&y"):
            while (target := api.next_request().target) != "/log?since=x%26y":
                assert "limit" in target


@pytest.mark.parametrize("taken", range(1, 8))
def test_a_restart_resumes_after_the_last_processed_event(taken):
    log = Log(0, size=3)
    for moment in (1, 2, 2, 2, 2, 3, 4):
        log.add(moment)
    store = Store()
    with serving(log) as api:
        url = f"{api.url}/log?since={{cursor}}"
        with polling(url, store, cursor="at") as run:
            found = [json.loads(payload)["id"] for payload in take_exactly(run.source, taken)]
        with polling(url, store, cursor="at") as run:
            found += ids(run.take(7 - taken))
            log.add(4)
            found += ids(run.take(1))
    assert found == [1, 2, 3, 4, 5, 6, 7, 8]


def take_exactly(source, count):
    """Process this many events and no more, and then close."""
    found = []
    while len(found) < count:
        found += source.next_batch(20, count - len(found)).payloads
    source.commit(source.position)
    return found


def test_the_first_start_is_stored_before_the_first_event():
    """Else events that come while no run reads would be skipped, if each start begins with the time of now."""
    log, store = Log(0), Store()
    with serving(log) as api:
        with polling(f"{api.url}/log?since={{cursor}}", store, cursor="at", start=5) as run:
            while not run.source.counters.get("requests", 0) > 1:
                run.source.next_batch(QUICK)
            run.source.commit(run.source.position)
        assert store.resumed["cursor"] == 5
        log.add(6)
        with polling(f"{api.url}/log?since={{cursor}}", store, cursor="at", start=7) as run:
            assert ids(run.take(1)) == [1]


def test_a_page_that_later_events_come_to_is_the_position():
    """As in Okta's system log: there is always a next page."""
    events = [1, 2, 3]

    def answer(request):
        after = int(request.query.get("after", 0))
        page = events[after : after + 2]
        return 200, {"Link": f'<{api.url}/log?after={after + len(page)}>; rel="next"'}, body([{"id": each} for each in page])

    store = Store()
    with serving(answer) as api:
        with polling(f"{api.url}/log", store, follow=True) as run:
            assert ids(run.take(3)) == [1, 2, 3]
            events += [4, 5, 6]
            assert len(take_exactly(run.source, 1)) == 1
        with polling(f"{api.url}/log", store, follow=True) as run:
            assert ids(run.take(2)) == [5, 6]
            events.append(6)  # equal, but another event
            assert ids(run.take(1)) == [6]


def test_the_next_page_may_be_in_the_body():
    pages = {"": (["a", "b"], "t1"), "t1": (["c"], "t2"), "t2": (["d"], "")}
    seen = []

    def answer(request):
        found, token = pages[request.query.get("page", "")]
        seen.append(request.query.get("page", ""))
        return 200, {}, body({"meta": {"next": token}, "data": {"items": [{"id": each} for each in found]}})

    with serving(answer) as api, polling(f"{api.url}/log?page={{page}}", items=("data", "items"), next=("meta", "next")) as run:
        assert ids(run.take(4)) == ["a", "b", "c", "d"]
        while len(seen) < 4:
            api.next_request()
    assert seen[:4] == ["", "t1", "t2", ""]


def test_all_pages_of_a_poll_have_its_cursor():
    asked = []

    def answer(request):
        asked.append((request.query.get("since"), request.query.get("page")))
        page = int(request.query.get("page", 0))
        return 200, {}, body({"next": page + 1 if page < 2 else None, "items": [{"id": page, "at": page + 10}]})

    with (
        serving(answer) as api,
        polling(f"{api.url}/?since={{cursor}}&page={{page}}", cursor="at", start=5, items="items", next="next") as run,
    ):
        assert ids(run.take(3)) == [0, 1, 2]
        while len(asked) < 4:
            api.next_request()
    assert asked[:4] == [("5", None), ("5", "1"), ("5", "2"), ("12", None)]


@pytest.mark.parametrize("taken", [1, 2, 3, 4])
def test_events_in_another_order_are_not_lost_by_a_restart(caplog, taken):
    def answer(request):
        since, after = int(request.query.get("since") or 0), int(request.query.get("after") or 0)
        found = [{"id": number, "at": number} for number in (5, 4, 2, 3, 1) if number >= since]
        link = {"Link": f'</?since={since}&after={after + 2}>; rel="next"'} if after + 2 < len(found) else {}
        return 200, link, body(found[after : after + 2])

    store = Store()
    with serving(answer) as api:
        url = f"{api.url}/?since={{cursor}}"
        with polling(url, store, cursor="at") as run:
            found = {json.loads(payload)["id"] for payload in take_exactly(run.source, taken)}
        assert store.resumed is None
        with polling(url, store, cursor="at") as run:
            found |= set(ids(run.take(5)))
    assert found == {1, 2, 3, 4, 5}
    assert "the events are not in order" in caplog.text


def test_a_condition_that_could_not_be_sent_does_not_end_the_polls():
    with serving(lambda _: (200, {"ETag": "a\rb", "Last-Modified": "now"}, b"[]")) as api, polling(f"{api.url}/log"):
        api.next_request()
        headers = api.next_request().headers
        assert headers["If-Modified-Since"] == "now"
        assert "If-None-Match" not in headers


def test_feeds_that_begin_with_the_newest_event():
    """As GitHub's events: conditional requests, pages that move on, and an interval that the server wishes."""
    events = [3, 2, 1]

    def answer(request):
        tag = f'"{events[0]}"'
        if request.headers["If-None-Match"] == tag:
            return 304, {"ETag": tag}, b""
        page = int(request.query.get("page", 1))
        found = events[(page - 1) * 3 : page * 3]
        links = {"Link": f'</events?page={page + 1}>; rel="next"'} if page * 3 < len(events) else {}
        return 200, {"ETag": tag, "X-Poll-Interval": "0", **links}, body([{"id": each} for each in found])

    store = Store()
    with serving(answer) as api:
        options = {"newest_first": True, "key": "id"}
        with polling(f"{api.url}/events", store, **options) as run:
            assert ids(run.take(3)) == [1, 2, 3]
            while api.next_request().headers["If-None-Match"] != '"3"':
                pass
            events[:0] = [10, 9, 8, 7, 6, 5, 4]
            assert ids(run.take(7)) == [4, 5, 6, 7, 8, 9, 10]
            take_exactly(run.source, 0)
        events[:0] = [14, 13, 12, 11]
        with polling(f"{api.url}/events", store, **options) as run:
            assert ids(run.take(4)) == [11, 12, 13, 14]


def test_events_keep_their_bytes():
    text = b'\xef\xbb\xbf[{"n": 12345678901234567890.50,\n "t": "\xff"} , 7]'
    with serving(lambda _: (200, {}, text)) as api, polling(f"{api.url}/") as run:
        assert run.source.next_batch(20).payloads == [b'{"n": 12345678901234567890.50,\n "t": "\xff"}', b"7"]


def test_equal_events_without_a_key_are_counted():
    events = [{"a": 1}, {"a": 1}]
    with serving(lambda _: (200, {}, body(events))) as api, polling(f"{api.url}/") as run:
        assert run.take(2) == [{"a": 1}, {"a": 1}]
        events.append({"a": 1})
        events.append({"b": 1})
        assert run.take(2) == [{"a": 1}, {"b": 1}]


def failing(*answers):
    """An API that gives these answers first, and then one event."""
    left = list(answers)
    return lambda _: left.pop(0) if left else (200, {}, body([{"id": 1}]))


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ((500, {}, b""), "answers 500"),
        ((503, {"Retry-After": "0"}, b""), "answers 503"),
        ((429, {"X-Rate-Limit-Reset": str(int(time.time()) - 5)}, b""), "answers 429"),
        ((401, {}, b""), "answers 401"),
        ((404, {}, b""), "answers 404"),
        ((200, {}, b""), "invalid JSON"),
        ((200, {}, b"<html>"), "invalid JSON"),
        ((200, {}, b'[{"id": 1}'), "invalid JSON"),
        ((200, {}, b"[" * 900), "invalid JSON"),
        ((200, {}, b"{}"), "the body is not a list"),
        ((200, {"Content-Length": "100"}, b"[]"), "did not answer within 0.3 s"),
        ((200, {"Connection": "close"}, b"[" + b" " * 2000), "the response is longer than 1000 bytes"),
        ((200, {"Content-Length": "1000000000"}, b"[" + b" " * 2000), "the response is longer than 1000 bytes"),
        ((302, {"Location": "http://evil.example/"}, b""), "leads to another server, http://evil.example:80,"),
        ((302, {"Location": "https://127.0.0.1/"}, b""), "leads to another server"),
        ((302, {}, b""), "redirects more than 5 times"),
        ((307, {"Location": "/"}, b""), None),
        ((200, {"Link": "<http://evil.example/>; rel=next"}, b"[]"), "leads to another server"),
        ((200, {"Link": "<http://[bad/>; rel=next"}, b"[]"), "leads to another server"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value[0]) if value else "followed",
)  # fmt: skip
def test_a_failure_is_reported_and_the_poller_continues(caplog, answer, text):
    caplog.set_level(logging.INFO)
    times = 6 if answer[:2] == (302, {}) else 1
    with serving(failing(*[answer] * times)) as api, polling(f"{api.url}/", timeout=0.3, max_body=1000) as run:
        assert ids(run.take(1)) == [1]
    if text is not None:
        assert text in caplog.text
        assert "answers again" in caplog.text
        assert run.source.counters["failed requests"] >= 1
    else:
        assert "failed requests" not in run.source.counters


def test_a_server_that_is_down_is_asked_until_it_is_up():
    port = unused_port()
    with polling(f"http://127.0.0.1:{port}/") as run:
        while not run.source.counters.get("failed requests"):
            run.source.next_batch(QUICK)
        assert run.source.connections == {f"http://127.0.0.1:{port}": False}


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"", "it closed the connection without an answer"),
        (b"SSH-2.0-x\r\n", "does not answer as an HTTP server does"),
        (b"HTTP/1.1 abc\r\n\r\n", "which is not a status line"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000, "head is longer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[]", "closed the connection within its response"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n", "closed the connection within its response"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "does not answer as an HTTP server does"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n\x1f\x8b", "closed the connection within its response"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3, "its answer broke off"),
        (b"\x15\x03\x01\x00\x02\x02\x16", "does not answer as an HTTP server does"),
    ],
    ids=range(10),
)
def test_what_is_not_http_is_a_failed_request(caplog, answer, text):
    with socket.create_server(("127.0.0.1", 0)) as server, polling(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout=5) as run:
        for reply in (answer, answer, b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n[{"id": 1}]\n'):
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                with contextlib.suppress(OSError):  # the client has read enough
                    connection.sendall(reply)
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(5)
                    connection.recv(1)
        assert ids(run.take(1)) == [1]
    assert text in caplog.text


def test_a_stored_page_of_another_server_is_not_requested(caplog):
    store = Store({"page": "http://evil.example/log", "keys": []})
    with serving(Log(1)) as api, polling(f"{api.url}/log", store, follow=True) as run:
        while not run.source.counters.get("failed requests"):
            run.source.next_batch(QUICK)
        assert api.requests.empty()
    assert "leads to another server, http://evil.example:80" in caplog.text


def test_a_server_that_hangs_or_drips_has_one_deadline(caplog):
    hung = threading.Event()

    def drip():
        while not api.ended.wait(0.02):
            yield b" "

    def answer(_):
        kind = kinds.pop(0) if kinds else "well"
        if kind == "hangs":
            hung.wait(20)
        return 200, {}, drip() if kind == "drips" else body([{"id": 1}])

    kinds = ["hangs", "drips"]
    with serving(answer) as api, polling(f"{api.url}/", timeout=0.3) as run:
        assert ids(run.take(1)) == [1]
        hung.set()
    assert caplog.text.count("did not answer within 0.3 s") >= 1
    assert run.source.counters["failed requests"] == 2


def test_close_ends_every_wait_at_once(in_background):
    hung = threading.Event()

    def answer(_):
        hung.wait(20)
        return 200, {}, b"[]"

    def function(_):
        hung.wait(20)
        return sources.PollResponse(200, {}, b"[]")

    with serving(answer) as api:
        try:
            for request in (f"{api.url}/", function):
                feed = sources.poll(request)
                result = in_background(list, feed)
                while not feed.counters.get("requests"):
                    time.sleep(0.001)
                begun = time.monotonic()
                feed.close()
                assert result() == []
                assert time.monotonic() - begun < 2  # 0.1 s on an idle machine
        finally:
            hung.set()
    feed = sources.poll(f"{api.url}/")  # nothing listens: it waits for the next attempt
    result = in_background(list, feed)
    while not feed.counters.get("failed requests"):
        time.sleep(0.001)
    feed.close()
    assert result() == []


def test_a_server_may_ask_to_wait():
    def wished(status, **headers):
        with pytest.raises(PollError) as caught:
            check_status(Page(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"", ""))
        return caught.value.retry_after

    now = time.time()
    assert wished(429, retry_after="7") == 7
    assert 50 < wished(503, retry_after=formatdate(now + 60, usegmt=True)) <= 60
    assert wished(503, retry_after=formatdate(now - 60, usegmt=True)) == 0
    assert wished(503, retry_after="soon") is None
    assert wished(503, retry_after="-1") is None
    assert 50 < wished(429, x_rate_limit_reset=str(int(now) + 60)) <= 60
    assert 50 < wished(403, x_ratelimit_remaining="0", x_ratelimit_reset=str(int(now) + 60)) <= 60
    assert wished(403, x_ratelimit_remaining="3", x_ratelimit_reset=str(int(now) + 60)) is None
    assert wished(429, ratelimit_reset="30") == 30
    assert wished(500) is None


def test_the_wish_of_a_server_is_kept_and_bounded():
    feed = sources.poll("http://127.0.0.1:1/")
    assert 100 <= feed._failed(PollError("x", retry_after=100)) <= 110
    assert 3600 <= feed._failed(PollError("x", retry_after=1e9)) <= 3960
    feed = sources.poll("http://127.0.0.1:1/")
    growing = [feed._failed(PollError("x")) for _ in range(40)]
    assert growing[0] == QUICK
    assert growing[3] > growing[0]
    assert max(growing) <= 300 * 1.2


def test_a_page_that_the_server_does_not_know_any_more_begins_the_poll_again():
    log = Log(3, size=1)
    state = {"fails": True}

    def answer(request):
        if "after" in request.query and state.pop("fails", None):
            return 400, {}, b"expired"
        return log(request)

    with serving(answer) as api, polling(f"{api.url}/log?since={{cursor}}", cursor="at", key="id") as run:
        assert ids(run.take(3)) == [1, 2, 3]


def test_a_server_that_repeats_its_pages_is_left_until_the_next_poll():
    with serving(lambda _: (200, {"Link": '</?page=1>; rel="next"'}, body([{"id": 1}]))) as api, polling(f"{api.url}/", every=0.05) as run:
        assert ids(run.take(1)) == [1]
        while not run.source.counters.get("repeated pages"):
            run.source.next_batch(QUICK)
        begun, first = time.monotonic(), run.source.counters["requests"]
        while run.source.counters["repeated pages"] < 3:
            run.source.next_batch(QUICK)
        assert run.source.counters["requests"] - first <= 3 * (2 + (time.monotonic() - begun) / 0.05)


# functions of developers


def test_a_function_makes_the_requests():
    log = Log(3)
    asked = []

    def fetch(request):
        asked.append((request.cursor, request.page))
        number = request.page or f"/log?since={request.cursor or 0}"
        target = number.removeprefix("https://api.example")

        status, headers, data = log(Request(target, {}))
        return sources.PollResponse(status, headers, iter([data[:3], data[3:]]), f"https://api.example{target}")

    with polling(fetch, cursor="at") as run:
        assert ids(run.take(3)) == [1, 2, 3]
        assert run.source.connections == {"fetch": True}
        while len(asked) < 3:
            run.source.next_batch(QUICK)
    assert asked[:3] == [(None, None), (None, "https://api.example/log?since=0&after=2"), (3, None)]


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (lambda: 1 // 0, "ZeroDivisionError: integer division or modulo by zero"),
        (lambda: None, r"the function returned NoneType; it must return sources.PollResponse"),
        (lambda: sources.PollResponse(200, {}, b"[" + b" " * 1000), "the response is longer than 1000 bytes"),
        (lambda: sources.PollResponse(200, {}, (b" " * 100 for _ in range(10**7))), "the response is longer than 1000 bytes"),
        (lambda: sources.PollResponse(200, {}, (b"" for _ in iter(int, 1))), "did not arrive in time"),
        (lambda: sources.PollResponse(200, {"link": "<https://a/b>; rel=next"}, b"[]"), "PollResponse(..., url=...)"),
        (lambda: sources.PollResponse(200, {"link": "</b>; rel=next"}, b"[]", "/a"), "PollResponse(..., url=...)"),
        (lambda: sources.PollResponse(200, {"link": "<https://b/b>; rel=next"}, b"[]", "https://a/"), "leads to another server, https://b:443"),
        (lambda: sources.PollResponse(301, {"location": "https://b/b"}, b""), "the server redirects (status 301) to https://b:443"),
        (lambda: (_ for _ in ()).throw(SystemExit("token=abc")), "SystemExit"),
        (lambda: (_ for _ in ()).throw(ValueError("https://user:hunter2@host/?token=abc")), "https://***@host/?***"),
    ],
)  # fmt: skip
def test_what_a_function_does_never_ends_the_run(caplog, response, text):
    answers = [response]
    with polling(
        lambda _: answers.pop()() if answers else sources.PollResponse(200, {}, b'[{"id": 1}]'), timeout=0.3, max_body=1000
    ) as run:
        assert ids(run.take(1)) == [1]
    assert text in caplog.text
    assert "hunter2" not in caplog.text


def test_a_function_that_does_not_return_is_unhealthy():
    hung = threading.Event()

    def fetch(_):
        hung.wait(20)
        return sources.PollResponse(200, {}, b'[{"id": 1}]')

    with polling(fetch, timeout=0.05, name="api") as run:
        while "api" not in run.source.connections:
            pass
        assert run.source.connections == {"api": False}
        hung.set()
        assert ids(run.take(1)) == [1]
        assert run.source.connections == {"api": True}


@pytest.mark.parametrize(
    ("request_", "options", "text"),
    [
        ("ftp://host/", {}, "write http://host/path"),
        ("host", {}, "write http://host/path"),
        ("http://host:99999/", {}, "write http://host/path"),
        ("https://host/a b", {}, "write http://host/path"),
        ("http://user:hunter2@host/", {}, "could be read on the way"),
        ("http://host/", {"headers": {"Authorization": "x"}}, "could be read on the way"),
        ("http://127.0.0.1/", {"every": 0}, "positive numbers"),
        ("http://127.0.0.1/", {"every": float("nan")}, "positive numbers"),
        ("http://127.0.0.1/", {"follow": True, "cursor": "at"}, "leave out `cursor`"),
        (lambda _: None, {"headers": {"a": "b"}}, "let the function send them"),
    ],
)
def test_invalid_arguments_are_usage_errors(request_, options, text):
    with pytest.raises(lanner.UsageError, match=text) as caught:
        sources.poll(request_, **options)
    assert "hunter2" not in str(caught.value)


def test_headers_and_credentials_are_sent_and_not_shown(caplog):
    with serving(failing((500, {}, b""))) as api:
        url = api.url.replace("//", "//user:hunter2@")
        with polling(url, headers={"X-Token": lanner.Address("abc")}) as run:
            assert ids(run.take(1)) == [1]
            request = api.next_request()
            assert request.headers["X-Token"] == "abc"
            assert request.headers["Authorization"] == "Basic dXNlcjpodW50ZXIy"
            assert request.headers["Host"] == f"127.0.0.1:{api.port}"
            assert run.source.description == f"{api.url} every 0.01 s"
        assert "hunter2" not in caplog.text


def test_tls(certificate, caplog):
    cert, key = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with serving(Log(5), context) as api:
        with polling(f"{api.url}/log?since={{cursor}}", cursor="at", ca=str(cert), headers={"X-Token": "abc"}) as run:
            assert ids(run.take(5)) == [1, 2, 3, 4, 5]
            assert api.next_request().headers["X-Token"] == "abc"
        asked = api.requests.qsize()
        for url, options in ((api.url, {}), (api.url.replace("localhost", "127.0.0.1"), {"ca": str(cert)})):
            with polling(url, **options) as run:
                while not run.source.counters.get("failed requests"):
                    run.source.next_batch(QUICK)
        assert api.requests.qsize() <= asked + 1, "the last poll of the first run may have arrived meanwhile"
    assert caplog.text.count("is not trusted") == 2
    with pytest.raises(lanner.SourceError, match="cannot read the TLS authority"):
        sources.poll(api.url, ca="/nonexistent")


@pytest.mark.parametrize("position", [1, "x", [], {}, {"keys": 5, "cursor": {}, "page": 7}, {"cursor": None, "keys": ["x"]}])
def test_a_position_of_another_kind_is_no_position(position):
    with serving(Log(2)) as api, polling(f"{api.url}/log?since={{cursor}}", Store(position), cursor="at") as run:
        assert ids(run.take(2)) == [1, 2]


def test_cursors_are_compared_as_times():
    times = ["2026-01-01T00:00:01Z", "2026-01-01T00:00:01.5Z", "2026-01-01T00:00:00Z"]
    answer = (200, {}, body([{"at": each} for each in times]))
    with serving(lambda _: answer) as api, polling(f"{api.url}/log?since={{cursor}}", cursor="at") as run:
        assert len(run.take(3)) == 3
        api.next_request()
        assert api.next_request().query["since"] == "2026-01-01T00:00:01.5Z"
