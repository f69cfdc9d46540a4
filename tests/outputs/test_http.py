"""Alerts as HTTP posts: bodies, headers, connections, addresses and certificates."""

import contextlib
import gzip
import json
import os
import select
import ssl

import pytest

from lanner.outputs import OutputError
from lanner.outputs.http_output import HttpOutput
from lanner.rules.language.catalog import Catalog
from lanner.rules.language.typed import FieldTable
from lanner.rules.output.alert import AlertRule, AlertWriter
from lanner.rules.output.template import parse_output
from lanner.sdk.types import FieldInfo, FieldType

from ..waiting import PATIENCE
from .http_server import OK, alerts, read_request, status
from .servers import Server


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
            poll.register(sink._connection.link, select.POLLRDHUP)
            assert poll.poll(PATIENCE * 1000)
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


def test_a_server_that_is_not_there_is_said(post):
    with pytest.raises(
        OutputError, match=r"^http://\*\*\*@127\.0\.0\.1:1/\?\*\*\* \(\$\.http_output\.url\) cannot be reached: Connection refused"
    ):
        post("http://user:password@127.0.0.1:1/?token=secret").send(alerts("a"))


@pytest.mark.parametrize("url", ["", "localhost:80", "ftp://x/", "http://", "http://[::1", "http://x:99999/"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(OutputError, match="write http://host:port/path"):
        HttpOutput(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://a..b/", r"url has the invalid host name 'a\.\.b'"),
        ("http://" + "a" * 64 + "/", "invalid host name"),
        ("http://a b/", "invalid host name"),
        ("http://x/\u00fc", "url has invalid characters after the host"),
        ("http://x/a b", "url has invalid characters after the host"),
    ],
)
def test_what_can_never_be_reached_is_refused(url, message):
    with pytest.raises(OutputError, match=message):
        HttpOutput(url)


def test_what_is_no_user_agent_is_refused():
    with pytest.raises(OutputError, match="user_agent is invalid"):
        HttpOutput("http://x/", user_agent="lanner \u20ac")


def test_an_unexpected_error_costs_no_alert_and_no_connection(serve, post, monkeypatch):
    server = serve()
    sink = post(server, keep_alive=True)
    sink.send(alerts("a"))
    with monkeypatch.context() as patch:
        patch.setattr(sink, "_fixed", {"X-Odd": "a\nb"})
        with pytest.raises(OutputError, match="invalid header value or name: 'X-Odd'") as caught:
            sink.send(alerts("b", "c"))
        assert (caught.value.delivered, caught.value.permanent) == (0, False)
    assert sink._connection.link is None
    sink.send(alerts("b \ud800"))
    assert [body for _, _, body in server.requests] == [b"a", b"b ?"]


@pytest.mark.parametrize("content", [b"a\nb", b"\xff", b"a\x01"])
def test_what_is_no_header_is_refused_without_being_shown(tmp_path, content):
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(OutputError, match=r"\$\.lanner\.http\.headers\.X-Token") as caught:
        HttpOutput("http://x/", headers={"X-Token": str(tmp_path / "token")})
    assert content.decode("latin-1") not in str(caught.value)


def test_a_server_is_believed_by_its_certificate(serve, post, tls):
    server = serve(tls=tls)
    post(server, ca_cert=tls[0]).send(alerts("a"))
    post(server, insecure=True).send(alerts("b"))
    assert [body for _, _, body in server.requests] == [b"a", b"b"]
    with pytest.raises(OutputError, match=r"is not trusted: .*; name its authority \(\$\.http_output\.ca_cert\)"):
        post(server).send(alerts("c"))


def test_a_certificate_that_cannot_be_used_is_said(tmp_path, tls):
    with pytest.raises(OutputError, match=r"cannot read the TLS authority .*missing: no such file or directory \(\$\.http_output\)"):
        HttpOutput("https://x/", ca_cert=str(tmp_path / "missing"))
    with pytest.raises(OutputError, match=r"the TLS certificate .* or its key /dev/null is not a PEM file .* \(\$\.http_output\)"):
        HttpOutput("https://x/", mtls=True, client_cert=tls[0], client_key=os.devnull)
