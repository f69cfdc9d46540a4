"""The requests of a poller: made by a function, its arguments, credentials, and TLS."""

import ssl
import threading

import pytest

import lanner
from lanner import sources

from ..waiting import PATIENCE
from .api_server import Request, serving
from .polling_api import QUICK, Log, failing, ids, polling

pytestmark = pytest.mark.usefixtures("short_pauses")

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
        (lambda: sources.PollResponse(200, {}, b"[" + b" " * 1000), "the response is longer than 1,000 bytes"),
        (lambda: sources.PollResponse(200, {}, (b" " * 100 for _ in range(10**7))), "the response is longer than 1,000 bytes"),
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
        hung.wait(PATIENCE)
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
        ("http://127.0.0.1/", {"every": 0}, "every is 0; it must be a positive number of seconds"),
        ("http://127.0.0.1/", {"every": float("nan")}, "every is nan; it must be a positive number"),
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
        untrusted = [(api.url, {}), (api.url.replace("localhost", "127.0.0.1"), {"ca": str(cert)})]
        for count, (url, options) in enumerate(untrusted, 1):
            with polling(url, **options) as run:
                while caplog.text.count("is not trusted") < count:
                    run.source.next_batch(QUICK)
                assert run.source.counters["failed requests"] > 0
        assert api.requests.qsize() <= asked + 1, "the last poll of the first run may have arrived meanwhile"
    assert caplog.text.count("is not trusted") == 2
    with pytest.raises(lanner.SourceError, match="cannot read the TLS authority"):
        sources.poll(api.url, ca="/nonexistent")
