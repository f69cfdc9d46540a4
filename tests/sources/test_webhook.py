"""A webhook takes what its sender signed, refuses the rest with the reason, and answers once the host has processed the events."""

import hmac
import json
import socket
import ssl
import time
from base64 import b64encode
from contextlib import closing, suppress

import pytest

import lanner
from lanner import sources

from ..machine import has_ipv6
from ..waiting import PATIENCE
from .webhook_reader import ask, client, reading
from .webhook_signing import SECRET, opened, signed


def test_an_event_is_the_body_as_it_was_sent():
    body = b'{"a": 1.50,\n "b": "\xff"}'
    with opened() as source, reading(source) as reader, client(source) as connection:
        assert ask(connection, body=body, headers=signed(body)) == (200, "processed")
        assert reader.next() == body


def test_a_connection_serves_many_requests():
    with opened() as source, reading(source) as reader, client(source) as connection:
        connection.connect()
        port = connection.sock.getsockname()[1]
        for number in range(20):
            body = json.dumps({"n": number}).encode()
            assert ask(connection, body=body, headers=signed(body))[0] == 200
            assert reader.next() == body
            assert ask(connection, body=body) == (401, "wrong or missing signature")
        assert connection.sock.getsockname()[1] == port


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"path": "/other"}, 404),
        ({"method": "GET", "body": None}, 405),
        ({"method": "HEAD", "body": None}, 405),
        ({"method": "OPTIONS"}, 405),
        ({"method": "NONSENSE"}, 405),
        ({"headers": {"Content-Type": "text/plain"}}, 415),
        ({"headers": {"Content-Type": ""}}, 415),
        ({"headers": {"Content-Encoding": "gzip"}}, 415),
        ({"headers": {"Content-Length": "-1"}}, 400),
        ({"headers": {"Content-Length": "1, 1"}}, 400),
        ({"headers": {"Content-Length": "9" * 30}}, 413),
        ({"headers": {"Content-Length": "1025"}}, 413),
        ({"headers": {"Content-Length": "2", "Transfer-Encoding": "chunked"}}, 400),
        ({"headers": {"Transfer-Encoding": "gzip, chunked"}}, 400),
        ({"headers": {"X-Long": "x" * 20_000}}, 431),
        ({"path": "/" + "x" * 20_000}, 414),
        ({"headers": {f"X-{number}": "x" for number in range(200)}}, 431),
        ({}, 401),
        ({"headers": signed(b"{}", "another")}, 401),
        ({"headers": {"X-Hub-Signature-256": "sha256=é".encode("latin-1").decode("latin-1")}}, 401),
        ({"headers": {"X-Hub-Signature": signed(b"{}")["X-Hub-Signature-256"]}}, 401),
        ({"body": b"{", "headers": signed(b"{")}, 400),
        ({"body": b"", "headers": signed(b"")}, 400),
        ({"body": b"[" * 5000 + b"]" * 5000, "headers": signed(b"[" * 5000 + b"]" * 5000)}, 413),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_request_that_is_refused_is_reported_why(request_, status):
    with opened(max_body=1024) as source, client(source) as connection:
        found, text = ask(connection, **request_)
        assert found == status
        assert text or request_["method"] == "HEAD"
        assert source.read_chunk(0) is lanner.NOTHING


def test_a_405_names_the_method():
    with opened() as source, client(source) as connection:
        connection.request("GET", "/")
        assert connection.getresponse().getheader("Allow") == "POST"


def test_requests_that_are_not_http_are_answered_and_ended():
    with opened() as source:
        for text in (b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00", b"POST / HTTP/9.9\r\n\r\n", b"\r\n\r\n"):
            with closing(socket.create_connection(("127.0.0.1", source.port), timeout=PATIENCE)) as connection:
                connection.sendall(text)
                connection.shutdown(socket.SHUT_WR)
                answer = b""
                while data := connection.recv(4096):
                    answer += data
                assert not answer or answer.split()[1] in {b"400", b"505"}, answer


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length : 2",
        b" Content-Length: 2",
        b"Transfer-Encoding : chunked",
        b"X-Text: a\rTransfer-Encoding: chunked",
        b"X-Text: a\r\n Transfer-Encoding: chunked",
        b"X-Text: a\0",
        b"no header\r\nTransfer-Encoding: chunked",
        b": 1",
    ],
)
def test_headers_that_a_proxy_may_understand_otherwise_are_refused(header):
    with opened(secret=None) as source, closing(socket.create_connection(("127.0.0.1", source.port), timeout=PATIENCE)) as connection:
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        connection.sendall(head + header + b"\r\n\r\n{}")
        answer = b""
        while data := connection.recv(4096):
            answer += data
        assert answer.split()[1] == b"400", answer
        assert source.read_chunk(0) is lanner.NOTHING


def test_a_secret_of_an_environment_variable_may_have_bytes_that_are_not_utf8():
    secret = "caf\udce9"  # as os.environ returns them
    with opened(secret=lanner.Secret(secret)) as source, reading(source), client(source) as connection:
        assert ask(connection, headers=signed(b"{}", secret))[0] == 200


@pytest.mark.parametrize(
    ("signature", "headers"),
    [
        (sources.Hmac("X-Sig", prefix="", digest="sha512"), {"X-Sig": hmac.new(b"key", b"{}", "sha512").hexdigest()}),
        (sources.Hmac("X-Sig", prefix="", encoding="base64"), {"X-Sig": b64encode(hmac.digest(b"key", b"{}", "sha256")).decode()}),
        (sources.Hmac("X-Sig", prefix="v1,", encoding="base64", message="{X-Id}.{body}"), {"X-Id": "7", "X-Sig": "v1,old v1," + b64encode(hmac.digest(b"key", b"7.{}", "sha256")).decode()}),
        (sources.Token("X-Gitlab-Token"), {"X-Gitlab-Token": "key"}),
        (sources.Token(prefix="Bearer "), {"authorization": "Bearer key"}),
    ],
    ids=["sha512", "base64", "several", "token", "bearer"],
)  # fmt: skip
def test_other_schemes_of_signatures(signature, headers):
    with opened(secret="key", signature=signature) as source, reading(source), client(source) as connection:
        assert ask(connection, headers=headers)[0] == 200
        assert ask(connection, headers={name: value[:-1] for name, value in headers.items()})[0] == 401
        assert ask(connection)[0] == 401


def test_an_old_request_cannot_be_repeated():
    scheme = sources.Hmac("X-Sig", prefix="v0=", message="v0:{X-Time}:{body}", time_header="X-Time")

    def headers(moment):
        return {"X-Time": str(moment), "X-Sig": "v0=" + hmac.new(b"key", f"v0:{moment}:{{}}".encode(), "sha256").hexdigest()}

    now = int(time.time())
    with opened(secret="key", signature=scheme) as source, reading(source), client(source) as connection:
        assert ask(connection, headers=headers(now))[0] == 200
        for moment in (now - 1000, now + 1000, "", "1e9", "9" * 400):
            assert ask(connection, headers=headers(moment))[0] == 401


def test_the_old_and_the_new_secret_fit_while_they_are_exchanged():
    with opened(secret=["old", lanner.Address("new")]) as source, reading(source), client(source) as connection:
        assert [ask(connection, headers=signed(b"{}", secret))[0] for secret in ("old", "new", "other")] == [200, 200, 401]


def test_members_have_the_values_of_headers():
    body = b'{"event": "forged", "a": 1}\n'
    with opened(members={"event": "X-GitHub-Event", "id": "X-Id"}) as source, reading(source) as reader, client(source) as connection:
        assert ask(connection, body=body, headers={**signed(body), "X-GitHub-Event": 'pu"sh'})[0] == 200
        assert reader.next() == b'{"event": "forged", "a": 1,"event":"pu\\"sh","id":null}'
        assert ask(connection, body=b" {} ", headers=signed(b" {} "))[0] == 200
        assert json.loads(reader.next()) == {"event": None, "id": None}
        assert ask(connection, body=b"[]", headers=signed(b"[]")) == (400, "the event is not a JSON object")


def test_a_request_may_have_several_events():
    body = b'{"data": {"events": [{"n": 1}, {"n": 2.0}]}}'
    with opened(items=("data", "events")) as source, reading(source) as reader, client(source) as connection:
        assert ask(connection, body=body, headers=signed(body))[0] == 200
        assert [reader.next(), reader.next()] == [b'{"n": 1}', b'{"n": 2.0}']
        for wrong in (b'{"data": {}}', b'{"data": {"events": 1}}', b"[]"):
            assert ask(connection, body=wrong, headers=signed(wrong)) == (400, "no list at 'data.events'")
        empty = b'{"data": {"events": []}}'
        assert ask(connection, body=empty, headers=signed(empty)) == (200, "no events")


def test_bodies_that_are_not_json():
    with opened(json=False) as source, reading(source) as reader, client(source) as connection:
        assert ask(connection, body=b"a\nb\0", headers={**signed(b"a\nb\0"), "Content-Type": "text/plain"})[0] == 200
        assert reader.next() == b"a\nb\0"


def test_chunked_bodies():
    body = b'{"a": "' + b"x" * 100_000 + b'"}'
    pieces = [body[place : place + 30_000] for place in range(0, len(body), 30_000)]
    with opened(max_body=len(body)) as source, reading(source) as reader:
        with client(source) as connection:
            assert ask(connection, body=iter(pieces), headers=signed(body))[0] == 200
            assert reader.next() == body
        with client(source) as connection:
            assert ask(connection, body=iter([*pieces, b"x"]), headers=signed(body))[0] == 413


def test_a_large_body_is_announced_before_it_is_sent():
    """Clients such as curl await the interim answer."""
    with opened() as source, reading(source):
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: "
        with closing(socket.create_connection(("127.0.0.1", source.port), timeout=PATIENCE)) as connection:
            connection.sendall(head + b"2\r\n\r\n")
            assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"{}")
            assert connection.recv(4096).startswith(b"HTTP/1.1 401 ")
        with closing(socket.create_connection(("127.0.0.1", source.port), timeout=PATIENCE)) as connection:
            connection.sendall(head + b"99999999\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_scheme_that_fails_is_an_internal_error(caplog):
    class Broken:
        def check(self, request, secret):
            raise RuntimeError("broken")

    with opened(signature=Broken()) as source, client(source) as connection:
        assert ask(connection) == (500, "internal error")
        assert source.counters == {"failed checks of requests": 1}
    assert "RuntimeError: broken" in caplog.text


def warnings(caplog):
    return [record.getMessage().partition("/: ")[2] for record in caplog.records]


@pytest.mark.parametrize(
    ("request_", "counter", "warning"),
    [
        ({}, "refused requests, wrong signature", "refused a request: 401 wrong or missing signature"),
        ({"body": b"{", "headers": signed(b"{")}, "refused requests, invalid body", "refused a request: 400 "),
        ({"body": b"x" * 2000}, "refused requests, status 413", "refused a request: 413 the body is longer than 1,024 bytes"),
        ({"headers": {"Content-Type": "text/plain"}}, "refused requests, status 415", "refused a request: 415 the content type must be "),
        ({"path": "/other"}, "refused requests, status 404", "refused a request: 404 unknown path"),
        ({"method": "GET"}, "refused requests, status 405", "refused a request: 405 only POST is allowed"),
    ],
)
def test_a_refused_request_is_counted_and_the_first_is_logged_at_once(caplog, request_, counter, warning):
    with opened(max_body=1024) as source:
        for number in range(1, 4):
            with client(source) as connection:
                ask(connection, **request_)
            assert source.counters == {counter: number}
            assert [text[: len(warning)] for text in warnings(caplog)] == [warning]


def test_a_failed_tls_handshake_is_logged(caplog, certificate):
    cert, key = certificate
    with opened(certificate=str(cert), key=str(key)) as source:
        with closing(socket.create_connection(("127.0.0.1", source.port), timeout=PATIENCE)) as plain:
            plain.sendall(b"POST / HTTP/1.1\r\n\r\n")
            with suppress(ConnectionResetError):
                while plain.recv(1024):
                    pass
        assert source.counters == {"failed TLS handshakes": 1}
    assert [text.partition(": ")[0] for text in warnings(caplog)] == ["a TLS handshake failed"]


def test_a_generator_may_read_it(in_background):
    class Hooks(lanner.Plugin):
        """Webhooks."""

        id, name, version, event_source, contact = 4242, "hooks", "0.1.0", "hooks", "github.com/you/hooks"

        def open(self, _params):
            opened_ports.append(hook := sources.webhook(":0", secret=SECRET))
            for event in hook:
                if event.payload != b"[]":
                    yield event

    opened_ports = []
    with lanner.testing.host(Hooks) as host:
        assert host.source is not None
        while not opened_ports or not hasattr(opened_ports[0], "port"):
            time.sleep(0.001)
        with client(opened_ports[0]) as connection:
            for body in (b"[]", b"{}"):
                answer = in_background(ask, connection, body=body, headers=signed(body))
                if body == b"{}":
                    assert host.next().payload == b"{}"
                assert answer() == (200, "processed")


def test_tls(certificate):
    cert, key = certificate
    with opened(certificate=str(cert), key=str(key)) as source, reading(source) as reader:
        assert source.describe() == f"webhook https://127.0.0.1:{source.port}/"
        with closing(socket.create_connection(("127.0.0.1", source.port), timeout=PATIENCE)) as silent, client(source) as plain:
            silent.sendall(b"\x16")
            with pytest.raises((ConnectionError, OSError)):
                ask(plain)
            context = ssl.create_default_context(cafile=str(cert))
            with client(source, context=context) as connection:
                for _ in range(2):
                    assert ask(connection, headers=signed(b"{}"))[0] == 200
                    assert reader.next() == b"{}"


@pytest.mark.parametrize(
    ("address", "options", "text"),
    [
        ("0.0.0.0:0", {"secret": None}, "without a secret, so any client could write events"),
        ("127.0.0.1:0", {"secret": ""}, "the webhook's secret is empty"),
        ("127.0.0.1:0", {"secret": []}, "the webhook's secret is empty"),
        ("127.0.0.1:0", {"secret": ["a", ""]}, "the webhook's secret is empty"),
        ("127.0.0.1", {}, "write host:port"),
        ("127.0.0.1:65536", {}, "write host:port"),
        ("http://127.0.0.1:80", {}, "write host:port"),
        ("127.0.0.1:0", {"path": "hook"}, "write an absolute path"),
        ("127.0.0.1:0", {"path": "/a?b"}, "write an absolute path"),
        ("127.0.0.1:0", {"max_body": 0}, "max_body is 0; it must be at least 1"),
        ("127.0.0.1:0", {"timeout": float("inf")}, "timeout is inf; it must be a positive number"),
        ("127.0.0.1:0", {"key": "key.pem"}, "no certificate"),
        ("127.0.0.1:0", {"json": False, "items": "a"}, "need JSON"),
    ],
)
def test_invalid_arguments_are_usage_errors(address, options, text):
    with pytest.raises(lanner.UsageError, match=text):
        sources.webhook(address, **{"secret": SECRET, **options})


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"digest": "sha0"}, "unknown digest"),
        ({"encoding": "hxe"}, "it must be 'hex' or 'base64'"),
        ({"message": "x"}, "must contain {body}"),
    ],
)
def test_invalid_schemes_are_usage_errors(options, text):
    with pytest.raises(lanner.UsageError, match=text):
        sources.Hmac(**options)


def test_what_cannot_be_opened_says_why(tmp_path):
    with opened() as source:
        with pytest.raises(lanner.SourceError, match="the port is in use: choose another port"):
            sources.webhook(f"127.0.0.1:{source.port}", secret=SECRET)
        with pytest.raises(lanner.SourceError, match="write an address of this machine"):
            sources.webhook("192.0.2.1:0", secret=SECRET)
        with pytest.raises(lanner.SourceError, match="cannot read the TLS certificate"):
            sources.webhook("127.0.0.1:0", secret=SECRET, certificate=str(tmp_path / "none.pem"))


def test_without_a_secret_only_local_programs_reach_it():
    """A page in a browser could reach it by a name that it controls: DNS rebinding."""
    with opened(secret=None) as source, reading(source), client(source) as connection:
        assert ask(connection)[0] == 200
        assert ask(connection, headers={"Host": f"localhost:{source.port}"})[0] == 200
    with opened(secret=None) as source, client(source) as connection:
        assert ask(connection, headers={"Host": f"evil.example:{source.port}"})[0] == 421


def test_health_and_name():
    with opened(path="/github") as source:
        name = f"webhook http://127.0.0.1:{source.port}/github"
        assert source.connections == {name: True}
        assert source.describe() == name
    with closing(sources.webhook(":0", secret=SECRET)) as source:
        assert source.describe().startswith("webhook http://127.0.0.1:")


def test_it_listens_on_an_address_of_ipv6():
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with closing(sources.webhook("[::1]:0", secret=SECRET)) as source:
        assert source.describe().startswith("webhook http://[::1]:")
