"""Alerts to HTTP servers: as falcosidekick wants them, later where the server says so, and never longer than they may take."""

import contextlib
import gzip
import json
import os
import select
import shutil
import socket
import ssl
import threading
import time

import pytest

from lanner.outputs import Alert, OutputError
from lanner.outputs.http import HttpOutput
from lanner.rules.language.catalog import Catalog
from lanner.rules.language.typed import FieldTable
from lanner.rules.output.alert import AlertRule, AlertWriter
from lanner.rules.output.template import parse_output
from lanner.sdk.types import FieldInfo, FieldType

from .servers import Server, certificate, resolve_as, silent_address

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def alerts(*lines):
    return [Alert(line, "a rule", "Warning", "kv", 1) for line in lines]


def read_request(connection):
    """The head's first line, the headers and the body of a request; None at the end, or where it is cut."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        more = connection.recv(65536)
        if not more:
            return None
        body += more
    return first, headers, body


class Http:
    """A server that answers each request with `answer`: bytes, or a function of the request's number that gives them."""

    def __init__(self, answer=OK, tls=None):
        self.answer = answer
        self.requests = []
        self.server = Server(self._talk, tls)
        self.url = f"http{'s' if tls else ''}://localhost:{self.server.port}/alerts?token=secret"

    def _talk(self, connection, _number):
        while (request := read_request(connection)) is not None:
            self.requests.append(request)
            answer = self.answer(len(self.requests)) if callable(self.answer) else self.answer
            connection.sendall(answer)
            if b"Content-Length" not in answer:
                return


def refused(sink, some):
    with pytest.raises(OutputError):
        sink.send(some)


@pytest.fixture
def serve():
    made = []

    def make(*arguments, **options):
        made.append(Http(*arguments, **options))
        return made[-1]

    yield make
    for each in made:
        each.server.close()


@pytest.fixture
def post():
    made = []

    def make(server, **options):
        made.append(HttpOutput(getattr(server, "url", server), **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def tls(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    return certificate(tmp_path)


def test_each_alert_is_a_post_with_its_json(serve, post):
    server = serve()
    catalog = Catalog([FieldInfo("kv.str", FieldType.STRING, "text")], "kv")
    rule, output = AlertRule("A rule", "Critical", "kv", ("t",)), parse_output("x %kv.str", catalog, FieldTable())
    line = AlertWriter("json", hostname="h").compile(rule, output).line(1_700_000_000_000_000_015, ['a"b'])
    post(server).send(alerts(line, "{}"))
    (first, headers, body), (_, _, other) = server.requests
    assert first == "POST /alerts?token=secret HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("lanner/")
    # what falcosidekick's FalcoPayload decodes
    alert = json.loads(body)
    assert {key: type(value) for key, value in alert.items()} == {
        "hostname": str,
        "output": str,
        "output_fields": dict,
        "priority": str,
        "rule": str,
        "source": str,
        "tags": list,
        "time": str,
    }
    assert other == b"{}"


def test_texts_are_sent_as_texts(serve, post):
    server = serve()
    post(server, json=False).send(alerts("a \udcff"))
    assert (server.requests[0][1]["content-type"], server.requests[0][2]) == ("text/plain", b"a \xff")


def test_one_connection_is_kept_where_it_is_wanted(serve, post):
    server = serve()
    post(server, keep_alive=True).send(alerts(*"abc"))
    assert (len(server.requests), server.server.count) == (3, 1)
    post(server).send(alerts(*"abc"))
    assert (len(server.requests), server.server.count) == (6, 4)


def test_a_connection_that_the_server_has_closed_is_opened_again_at_once(serve, post):
    server = serve(b"HTTP/1.1 200 OK\r\n\r\n")
    sink = post(server, keep_alive=True)
    for line in "abc":
        sink.send(alerts(line))
    assert [body for _, _, body in server.requests] == [b"a", b"b", b"c"]


@pytest.mark.parametrize("says_so", [False, True])
def test_so_is_one_over_tls(post, tls, says_so):
    got = []

    def talk(connection, _):
        if (request := read_request(connection)) is not None:
            got.append(request[2])
            connection.sendall(OK)
            if says_so:
                connection.setblocking(False)
                with contextlib.suppress(ssl.SSLWantReadError):  # it waits for what the client says to that
                    connection.unwrap()

    server = Server(talk, tls)
    try:
        sink = post(f"https://localhost:{server.port}/", insecure=True, keep_alive=True)
        for size in (10, 3_000_000, 10, 3_000_000):
            sink.send(alerts("x" * size))
            poll = select.poll()
            poll.register(sink._connection.current, select.POLLRDHUP)
            assert poll.poll(10_000)
        assert [len(body) for body in got] == [10, 3_000_000, 10, 3_000_000]
    finally:
        sink.close()
        server.close()


def test_many_go_in_one_post(serve, post):
    server = serve()
    post(server, batch_size=3).send(alerts(*"abcdefg"))
    assert [body for _, _, body in server.requests] == [b"a\nb\nc", b"d\ne\nf", b"g"]
    assert server.requests[0][1]["content-type"] == "application/x-ndjson"


def test_what_is_refused_of_many_is_found(serve, post):
    server = serve(lambda number: status(400) if b"bad" in server.requests[number - 1][2] else OK)
    sink = post(server, batch_size=8)
    with pytest.raises(OutputError) as caught:
        sink.send(alerts("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "bad", "12"))
    assert (caught.value.delivered, caught.value.permanent) == (11, True)
    taken = [line for _, _, body in server.requests if b"bad" not in body for line in body.split(b"\n")]
    assert taken == [str(number).encode() for number in range(11)]


def test_a_server_that_takes_less_at_once_gets_less_at_once(serve, post):
    server = serve(lambda number: status(413) if len(server.requests[number - 1][2]) > 10_000 else OK)
    lines = [f"{number} ".ljust(1000, "x") for number in range(100)]
    post(server, batch_size=50).send(alerts(*lines))
    taken = [line for _, _, body in server.requests if len(body) <= 10_000 for line in body.decode().split("\n")]
    assert taken == lines


def test_what_is_compressed_says_so(serve, post):
    server = serve()
    post(server, compress_uploads=True).send(alerts("x" * 1000))
    _, headers, body = server.requests[0]
    assert headers["content-encoding"] == "gzip"
    assert len(body) < 100
    assert gzip.decompress(body) == b"x" * 1000


def test_headers_come_from_files_and_are_read_again(serve, post, tmp_path):
    server = serve()
    token = tmp_path / "token"
    token.write_text("Bearer one\n")
    sink = post(server, headers={"Authorization": str(token)})
    sink.send(alerts("a"))
    token.write_text("Bearer two\n")
    sink.reopen()
    sink.send(alerts("b"))
    assert [headers["authorization"] for _, headers, _ in server.requests] == ["Bearer one", "Bearer two"]


def status(number, reason="Because", headers=""):
    return f"HTTP/1.1 {number} {reason}\r\n{headers}Content-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("answer", "permanent", "retry_after"),
    [
        (status(500), False, 0),
        (status(503, headers="Retry-After: 7\r\n"), False, 7),
        (status(429, headers="Retry-After: 999999\r\n"), False, 300),
        (status(429, headers="Retry-After: soon\r\n"), False, 0),
        (status(408), False, 0),
        (status(400), True, 0),
        (status(404), True, 0),
        (status(302, headers="Location: http://127.0.0.1:1/\r\n"), True, 0),
    ],
)
def test_the_status_says_what_becomes_of_an_alert(serve, post, answer, permanent, retry_after):
    server = serve(lambda number: OK if number == 1 else answer)
    with pytest.raises(OutputError) as caught:
        post(server).send(alerts("a", "b", "c"))
    assert (caught.value.delivered, caught.value.permanent, caught.value.retry_after) == (1, permanent, retry_after)
    assert answer.split(b" ")[1].decode() in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "garbage", [b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 100, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n"]
)
def test_garbage_is_no_success(serve, post, garbage):
    server = serve(garbage)
    with pytest.raises(OutputError, match=r"\$\.http_output\.url") as caught:
        post(server).send(alerts("a"))
    assert (caught.value.delivered, caught.value.permanent) == (0, False)


def test_a_server_that_is_not_there_is_said(post):
    with pytest.raises(
        OutputError, match=r"^http://\*\*\*@127\.0\.0\.1:1/\?\*\*\* \(\$\.http_output\.url\) cannot be reached: Connection refused"
    ):
        post("http://user:password@127.0.0.1:1/?token=secret").send(alerts("a"))


@pytest.mark.parametrize("secured", [False, True])
def test_a_server_that_reads_slowly_takes_no_longer_than_it_may(post, tls, secured):
    """However much of an alert it takes meanwhile: over TLS each record begins anew."""
    done = threading.Event()

    def talk(connection, _):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with contextlib.suppress(OSError):
            while not done.wait(0.05):
                connection.recv(16384)

    server = Server(talk, tls if secured else None)
    try:
        sink = post(f"http{'s' if secured else ''}://localhost:{server.port}/", insecure=True, timeout=1.0)
        begun = time.monotonic()
        with pytest.raises(OutputError, match="did not answer within 1 s"):
            sink.send(alerts("x" * 32_000_000))
        assert time.monotonic() - begun < 10
    finally:
        done.set()
        server.close()


def test_a_name_server_that_does_not_answer_takes_no_longer_than_it_may(post, monkeypatch):
    answered, ask = threading.Event(), socket.getaddrinfo

    def slow(*arguments, flags=0, **options):
        if not flags:  # a name, not a number
            answered.wait(20)
        return ask(*arguments, flags=flags, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    sink = post("http://localhost:1/", timeout=0.2)
    begun = time.monotonic()
    try:
        with pytest.raises(OutputError, match=r"did not answer within 0\.2 s"):
            sink.send(alerts("a"))
        assert time.monotonic() - begun < 5
    finally:
        answered.set()


def drip(connection, parts, pause):
    for part in parts:
        time.sleep(pause)
        connection.sendall(part)


@pytest.mark.parametrize("silent", [True, False])
def test_a_slow_server_takes_no_longer_than_it_may(post, silent):
    done = threading.Event()

    def talk(connection, _):
        read_request(connection)
        if silent:
            done.wait(20)
            return
        while not done.wait(0.05):
            connection.sendall(b"H")

    server = Server(talk)
    try:
        begin = time.monotonic()
        with pytest.raises(OutputError, match=r"did not answer within 0\.3 s"):
            post(f"http://127.0.0.1:{server.port}/", timeout=0.3).send(alerts("a"))
        assert time.monotonic() - begin < 10
    finally:
        done.set()
        server.close()


def test_so_many_timeouts_in_a_row_are_usual(serve, post, monkeypatch):
    sink = post(serve(), timeout=0, max_consecutive_timeouts=2)

    def is_usual():
        with pytest.raises(OutputError, match="did not answer") as caught:
            sink.send(alerts("a"))
        return caught.value.is_usual

    assert [is_usual() for _ in range(4)] == [True, True, False, False]
    with monkeypatch.context() as patch:
        patch.setattr(sink, "_timeout", 10)
        sink.send(alerts("a"))
    assert is_usual()


def test_no_more_than_the_beginning_of_an_answer_is_read(post):
    done = threading.Event()

    def talk(connection, _):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000)
        done.wait(20)

    server = Server(talk)
    try:
        post(f"http://127.0.0.1:{server.port}/", timeout=5).send(alerts("a"))
    finally:
        done.set()
        server.close()


@pytest.fixture
def say():
    """Servers that read a request's head alone, or all of it, say something, and wait for the test's end or hang up."""
    done, made = threading.Event(), []

    def make(answer, *, reads=True, hangs_up=False, tls=None):
        def talk(connection, _):
            if reads:
                read_request(connection)
            else:
                connection.recv(100)
            connection.sendall(answer)
            if not hangs_up:
                done.wait(20)

        made.append(Server(talk, tls))
        return f"http{'s' if tls else ''}://localhost:{made[-1].port}/"

    yield make
    done.set()
    for each in made:
        each.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
@pytest.mark.parametrize("keep_alive", [False, True])
def test_an_alert_that_was_taken_is_not_sent_again_for_what_follows_the_status(say, post, answer, keep_alive):
    sink = post(say(answer), timeout=0.2, keep_alive=keep_alive)
    sink.send(alerts("a"))
    sink.send(alerts("b"))


@pytest.mark.parametrize("secured", [False, True])
def test_a_server_that_refuses_an_alert_before_it_has_read_it_is_heard(say, post, secured, tls):
    url = say(status(413), reads=False, hangs_up=True, tls=tls if secured else None)
    sink = post(url, insecure=True, keep_alive=True)
    for _ in range(3):
        with pytest.raises(OutputError, match="answers 413") as caught:
            sink.send(alerts("x" * 8_000_000))
        assert caught.value.permanent


def test_a_server_that_has_not_read_an_alert_does_not_have_it(say, post):
    with pytest.raises(OutputError, match="cannot be reached") as caught:
        post(say(OK, reads=False, hangs_up=True)).send(alerts("x" * 8_000_000))
    assert not caught.value.permanent


def test_what_a_server_says_in_between_is_not_its_answer(serve, post):
    server = serve(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + OK)
    sink = post(server, keep_alive=True)
    sink.send(alerts("a", "b"))
    assert (len(server.requests), server.server.count) == (2, 1)


def test_answers_are_printed_where_that_is_wanted(serve, post, capfd):
    post(serve(), echo=True).send(alerts("a"))
    assert capfd.readouterr().out == "ok\n"


@pytest.mark.parametrize("is_read", [False, True])
def test_an_answer_that_cannot_be_printed_is_not_waited_for_and_no_failure(serve, post, is_read):
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"x" * 50_000)
    reader, writer = os.pipe()
    stdout = os.dup(1)
    os.dup2(writer, 1)
    try:
        if not is_read:
            os.close(reader)
        post(server, echo=True).send(alerts(*"abcdefghijklmnopqrstuvwxyz"))
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
        os.close(writer)
        if is_read:
            os.close(reader)
    assert len(server.requests) == 26


@pytest.mark.parametrize("url", ["", "localhost:80", "ftp://x/", "http://", "http://[::1", "http://x:99999/"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(OutputError, match="write http://host:port/path"):
        HttpOutput(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://a..b/", r"url names the host 'a\.\.b', which can be none"),
        ("http://" + "a" * 64 + "/", "which can be none"),
        ("http://a b/", "which can be none"),
        ("http://x/\u00fc", "url has characters behind the host that stand in no address"),
        ("http://x/a b", "url has characters behind the host that stand in no address"),
    ],
)
def test_what_can_never_be_reached_is_refused(url, message):
    with pytest.raises(OutputError, match=message):
        HttpOutput(url)


def test_what_is_no_user_agent_is_refused():
    with pytest.raises(OutputError, match="user_agent is no value of a header"):
        HttpOutput("http://x/", user_agent="lanner \u20ac")


def test_an_error_that_nobody_thought_of_costs_no_alert_and_no_connection(serve, post, monkeypatch):
    server = serve()
    sink = post(server, keep_alive=True)
    sink.send(alerts("a"))
    with monkeypatch.context() as patch:
        patch.setattr(sink, "_fixed", {"X-Odd": "a\nb"})
        with pytest.raises(OutputError, match="Invalid header value") as caught:
            sink.send(alerts("b", "c"))
        assert (caught.value.delivered, caught.value.permanent) == (0, False)
    assert sink._client is None
    sink.send(alerts("b \ud800"))
    assert [body for _, _, body in server.requests] == [b"a", b"b ?"]


@pytest.mark.parametrize("content", [b"a\nb", b"\xff", b"a\x01"])
def test_what_is_no_header_is_refused_without_being_shown(tmp_path, content):
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(OutputError, match=r"\$\.lanner\.http\.headers\.X-Token") as caught:
        HttpOutput("http://x/", headers={"X-Token": str(tmp_path / "token")})
    assert content.decode("latin-1") not in str(caught.value)


def test_a_wait_can_be_interrupted(post):
    asked, done = threading.Event(), threading.Event()

    def talk(connection, _):
        read_request(connection)
        asked.set()
        done.wait(20)

    server = Server(talk)
    try:
        sink = post(f"http://127.0.0.1:{server.port}/", timeout=1000)
        thread = threading.Thread(target=refused, args=(sink, alerts("a")))
        thread.start()
        assert asked.wait(10)
        sink.interrupt()
        thread.join(10)
        assert not thread.is_alive()
        with pytest.raises(OutputError):
            sink.send(alerts("b"))
    finally:
        done.set()
        server.close()


def test_a_wait_for_the_rest_of_an_answer_can_be_interrupted(post):
    answered, done = threading.Event(), threading.Event()

    def talk(connection, _):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 20\r\n\r\nabc")
        answered.set()
        done.wait(20)

    server = Server(talk)
    try:
        sink = post(f"http://127.0.0.1:{server.port}/", timeout=1000)
        thread = threading.Thread(target=sink.send, args=(alerts("a"),))
        thread.start()
        assert answered.wait(10)
        while sink._client is None or sink._client.sock is not None:  # until its head has been read
            time.sleep(0.01)
        sink.interrupt()
        thread.join(10)
        assert not thread.is_alive()
    finally:
        done.set()
        server.close()


def test_a_wait_for_a_connection_can_be_interrupted(post):
    with silent_address() as (host, port):
        sink = post(f"http://{host}:{port}/", timeout=1000)
        thread = threading.Thread(target=refused, args=(sink, alerts("a")))
        thread.start()
        while sink._connection.current is None:
            time.sleep(0.01)
        sink.interrupt()
        thread.join(10)
        assert not thread.is_alive()


def test_all_addresses_together_have_the_time_of_one(post, monkeypatch):
    with silent_address() as silent:
        resolve_as(monkeypatch, [silent] * 1000)
        with pytest.raises(OutputError, match=r"did not answer within 0\.5 s"):
            post("http://many/", timeout=0.5).send(alerts("a"))


def test_an_interrupted_connection_still_speaks_tls(serve, post, tls):
    sink = post(serve(tls=tls), insecure=True, keep_alive=True)
    sink.send(alerts("a"))
    sink.interrupt()
    # a thread that was sending goes on for a moment, and must not do so in plain text
    assert sink._client.sock.version() is not None


def test_a_server_is_believed_by_its_certificate(serve, post, tls):
    server = serve(tls=tls)
    post(server, ca_cert=tls[0]).send(alerts("a"))
    post(server, insecure=True).send(alerts("b"))
    assert [body for _, _, body in server.requests] == [b"a", b"b"]
    with pytest.raises(OutputError, match=r"is not trusted: .*; name its authority \(\$\.http_output\.ca_cert\)"):
        post(server).send(alerts("c"))


def test_a_certificate_that_cannot_be_used_is_said(tmp_path, tls):
    with pytest.raises(OutputError, match=r"cannot read .*missing \(\$\.http_output\): No such file"):
        HttpOutput("https://x/", ca_cert=str(tmp_path / "missing"))
    with pytest.raises(OutputError, match="cannot use"):
        HttpOutput("https://x/", mtls=True, client_cert=tls[0], client_key=os.devnull)
