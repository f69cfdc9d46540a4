"""A poller survives every fault of its server, and keeps to the server's wishes and its own limits."""

import contextlib
import logging
import socket
import threading
import time
from email.utils import formatdate

import pytest

from lanner import sources
from lanner.sources.pages import Page, PollError, check_status

from ..waiting import PATIENCE
from .api_server import serving, unused_port
from .polling_api import QUICK, Log, Store, body, failing, ids, polling

pytestmark = pytest.mark.usefixtures("short_pauses")


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
        ((200, {"Connection": "close"}, b"[" + b" " * 2000), "the response is longer than 1,000 bytes"),
        ((200, {"Content-Length": "1000000000"}, b"[" + b" " * 2000), "the response is longer than 1,000 bytes"),
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
                    connection.settimeout(PATIENCE)
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
            hung.wait(PATIENCE)
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
        hung.wait(PATIENCE)
        return 200, {}, b"[]"

    def function(_):
        hung.wait(PATIENCE)
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
                assert time.monotonic() - begun < 20  # 0.1 s on an idle machine
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
    assert 100 <= feed._note_failure(PollError("x", retry_after=100)) <= 110
    assert 3600 <= feed._note_failure(PollError("x", retry_after=1e9)) <= 3960
    feed = sources.poll("http://127.0.0.1:1/")
    growing = [feed._note_failure(PollError("x")) for _ in range(40)]
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
