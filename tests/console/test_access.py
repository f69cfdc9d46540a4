"""The console is for the user who started it: not for pages of foreign sites, nor for clients without the token."""

import gzip
import json
import socket
import time
from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lanner.console.handler import HEADERS

from ..waiting import PATIENCE

PATHS = [
    "/",
    "/static/console.js",
    "/static/console.css",
    "/static/none.js",
    "/api/status",
    "/api/alerts",
    "/api/alert/5ad0c0de-1",
    "/api/none",
    "/login",
    "/none",
    "/../../etc/passwd",
    "//evil.example/",
    "*",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE"])
def test_a_rebound_host_is_refused_on_every_path(client, path, method):
    for host in (
        "evil.example",
        "evil.example:8766",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "127.0.0.1@evil.example",
        "[::1].evil.example",
    ):
        assert client.ask(path, method, Host=host)[0] == 421, host


@pytest.mark.parametrize("host", [None, "", ":80", "[::1", "a b", "\xff", "127.0.0.1:x", "127.0.0.1:80:80"])
def test_an_invalid_host_is_refused(client, host):
    assert client.ask("/", Host=host)[0] == 421


def test_two_hosts_are_refused(client):
    answer = client.say(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n")
    assert answer.startswith(b"HTTP/1.0 421 ")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST.:9", "[::1]:8766", "192.0.2.1:80", socket.gethostname()])
def test_addresses_and_names_of_this_machine_are_served(client, host):
    assert client.ask("/api/status", Host=host)[0] == 200


def test_a_configured_name_is_served_also_behind_a_proxy_with_tls(serve):
    client = serve(hosts=["Alerts.example.com"])
    for scheme in ("http", "https"):
        status, headers, _ = client.login(Host="alerts.example.com", Origin=f"{scheme}://alerts.example.com")
        assert status == 204
        assert headers["Set-Cookie"].endswith("; Secure") is (scheme == "https")
    assert client.ask("/api/status", Host="alerts.example.com", Origin="http://alerts.example.com")[0] == 200
    assert client.ask("/api/status", Host="alerts.example.com", Origin="https://other.example.com")[0] == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "origin", ["null", "http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1:1", "http://127.0.0.1", "", "http://["]
)
def test_a_request_of_a_foreign_page_is_refused_by_origin(client, path, origin):
    assert client.ask(path, Origin=origin.replace("{port}", str(client.console.port)))[0] == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("site", ["cross-site", "same-site", "SAME-ORIGIN", ""])
def test_a_request_of_a_foreign_page_is_refused_by_sec_fetch(client, path, site):
    assert client.ask(path, Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors", Sec_Fetch_Dest="image")[0] == 403


def test_a_link_in_a_mail_opens_the_page_and_nothing_else(client):
    follow = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert client.ask("/", **follow)[0] == 200
    assert client.ask("/", **follow | {"Sec_Fetch_Dest": "iframe"})[0] == 403
    assert client.ask("/api/status", **follow)[0] == 403


def test_the_pages_own_requests_are_served(client):
    own = {
        "Sec_Fetch_Site": "same-origin",
        "Sec_Fetch_Mode": "cors",
        "Sec_Fetch_Dest": "empty",
        "Origin": f"http://127.0.0.1:{client.console.port}",
    }
    assert client.ask("/api/status", **own)[0] == 200


def test_the_page_needs_no_login_and_all_else_does(serve):
    client = serve()
    for path in ("/", "/static/console.js", "/static/console.css"):
        assert client.ask(path)[0] == 200
    for path in ("/api/status", "/api/alerts", "/api/none", "/none"):
        assert client.get(path) == (401, {"error": "log in: open the address that `lanner console` printed"})


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.8, *;q=0.1", "deflate,gzip ; q=1.000"])
def test_files_of_the_page_are_compressed_for_browsers_that_accept_it(serve, accepted):
    client = serve()
    for path in ("/", "/static/console.js", "/static/console.css"):
        plain = client.ask(path)
        packed = client.ask(path, Accept_Encoding=accepted)
        assert plain[1]["Content-Encoding"] is None
        assert packed[1]["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed[2]) == plain[2]
        assert {answer[1]["Vary"] for answer in (plain, packed)} == {"Accept-Encoding"}


@pytest.mark.parametrize("accepted", ["br", "gzip;q=0", "gzip;q=0.000", "gzip;q=x", "notgzip", "identity", ""])
def test_other_clients_get_the_files_as_they_are(serve, accepted):
    assert serve().ask("/static/console.js", Accept_Encoding=accepted)[1]["Content-Encoding"] is None


def test_a_browser_that_has_a_file_does_not_get_it_again(serve):
    client = serve()
    for path in ("/", "/static/console.js", "/static/console.css"):
        _, headers, _ = client.ask(path, Accept_Encoding="gzip")
        tag = headers["ETag"]
        assert headers.get_all("Cache-Control") == ["no-cache"]
        for known in (tag, f'"other", {tag}'):
            status, headers, body = client.ask(path, If_None_Match=known)
            assert (status, body, headers["ETag"], headers["Content-Length"]) == (304, b"", tag, None)
        assert client.ask(path, If_None_Match='W/"other"')[0] == 200
    assert client.ask("/api/status")[1].get_all("Cache-Control") == ["no-store"]


def test_the_page_is_small(serve):
    client = serve()
    files = [client.ask(path, Accept_Encoding="gzip")[2] for path in ("/", "/static/console.js", "/static/console.css")]
    assert sum(map(len, files)) <= 30_000


def test_login_sets_a_cookie_that_scripts_and_other_sites_do_not_get(serve):
    client = serve()
    status, headers, body = client.login()
    assert (status, body, headers["Content-Length"]) == (204, b"", None)
    _, *attributes = headers["Set-Cookie"].split("; ")
    assert attributes == ["HttpOnly", "SameSite=Strict", "Path=/"]
    assert client.console.token not in headers["Set-Cookie"]
    assert client.ask("/api/status")[0] == 200
    assert client.ask("/api/status", Cookie=f"other=1; {client.cookie}; more=2")[0] == 200
    assert client.ask("/api/status", Cookie=client.cookie + "0")[0] == 401


def test_the_token_does_not_serve_as_a_cookie_or_a_parameter(serve):
    client = serve()
    token = client.console.token
    assert client.ask("/api/status", Cookie=f"lanner-{client.console.port}={token}")[0] == 401
    assert client.ask(f"/api/status?token={token}")[0] == 401
    assert client.ask("/api/status", Authorization=f"Bearer {token}")[0] == 401


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"token": 1}', b"\xff", b"[" * 4000, b'{"token": null}'])
def test_a_login_without_a_token_is_told_what_to_send(serve, body):
    status, _, answer = serve().ask("/login", "POST", body, Content_Type="application/json")
    assert (status, json.loads(answer)) == (400, {"error": 'send {"token": "..."}'})


def test_a_form_of_a_foreign_page_cannot_log_in(serve):
    client = serve()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8", None):
        assert client.login(Content_Type=kind)[0] == 415


def test_a_body_is_bounded(serve):
    client = serve()
    assert client.ask("/login", "POST", b"x" * 5000, Content_Type="application/json")[0] == 413
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    for length in (b"-1", b"1_0", b"+5", b"1e3", b"9" * 40, "٣".encode()):
        assert client.say(head + b"Content-Length: " + length + b"\r\n\r\n").startswith(b"HTTP/1.0 400 ")
    assert client.say(head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n").startswith(b"HTTP/1.0 400 ")
    assert client.say(head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}").startswith(b"HTTP/1.0 400 ")


@pytest.mark.parametrize("token", ["", "wrong", "\ud800", "ä" * 100])
def test_a_wrong_token_is_answered_late_and_the_right_one_at_once(serve, token):
    client = serve()
    begin = time.monotonic()
    status, headers, _ = client.login(token)
    assert status == 403
    assert "Set-Cookie" not in headers
    assert time.monotonic() - begin >= 1
    assert client.login()[0] == 204


def test_only_a_few_wrong_tokens_wait_at_a_time(serve, monkeypatch):
    monkeypatch.setattr("lanner.console.access.time", SimpleNamespace(monotonic=lambda: 1000.0))  # they come within a second
    client = serve()
    body = json.dumps({"token": "wrong"}).encode()
    request = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    waiting = [socket.create_connection(("127.0.0.1", client.console.port), timeout=PATIENCE) for _ in range(20)]
    for each in waiting:
        each.sendall(request + body)
    assert client.login()[0] == 204
    statuses = [each.recv(12)[-3:] for each in waiting]
    for each in waiting:
        each.close()
    assert Counter(statuses) == {b"403": 8, b"429": 12}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_other_methods_are_refused(client, method):
    for path in ("/", "/api/status", "/static/console.js", "/none"):
        status, headers, _ = client.ask(path, method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
    status, headers, _ = client.ask("/login")
    assert (status, headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/../console.py",
        "/static/..%2fapi.py",
        "/static/%2e%2e/api.py",
        "/static//console.js",
        "/static/console.js/",
        "/index.html",
        "/static/\\..\\x",
        "/static/console.js%00",
        "/etc/passwd",
    ],
)
def test_only_the_files_of_the_list_are_served(client, path):
    assert client.ask(path)[0] == 404


def has_all_headers(answer):
    # the files of the page have no secrets: a browser may keep them, if it asks each time
    kept = b"\r\nCache-Control: no-cache\r\nETag: "
    head = answer.partition(b"\r\n\r\n")[0].replace(kept, b"\r\nCache-Control: no-store\r\nETag: ").decode("latin-1").split("\r\n")[1:]
    return sorted(f"{name}: {value}" for name, value in HEADERS) == sorted(line for line in head if line.split(":")[0] in dict(HEADERS))


@settings(max_examples=2 * settings.default.max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "get", "X" * 20_000]),
    path=st.one_of(
        st.sampled_from(PATHS),
        st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=50).map("/".__add__),
        st.just("/" + "a" * 20_000),
    ),
    host=st.sampled_from(["localhost", "evil.example", "", "[", "\xff"]),
    more=st.lists(
        st.sampled_from(
            ["Origin: null", "Sec-Fetch-Site: cross-site", "Content-Length: x", "Cookie: lanner=\xff;;=", "no header", "\x00: \x00"]
        ),
        max_size=3,
    ),
    version=st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/3.0", "NONSENSE", "HTTP/1.x"]),
)
@example(method="GET", path="/", host="localhost", more=[], version="HTTP/1.1")
def test_every_response_has_all_security_headers(client, method, path, host, more, version):
    head = f"{method} {path} {version}\r\n" + "".join(f"{line}\r\n" for line in (f"Host: {host}", *more)) + "\r\n"
    assert has_all_headers(client.say(head.encode("latin-1")))


def test_a_failure_has_all_security_headers_and_no_details(client, monkeypatch, caplog):
    def fail(*_):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("lanner.console.api.describe_state", fail)
    answer = client.say(f"GET /api/status HTTP/1.1\r\nHost: localhost\r\nCookie: {client.cookie}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.0 500 ")
    assert b"secret" not in answer
    assert has_all_headers(answer)
    assert "ZeroDivisionError: secret" in caplog.text


def test_seven_slow_clients_and_seven_tabs(serve):
    client = serve()
    client.login()
    slow = [socket.create_connection(("127.0.0.1", client.console.port), timeout=PATIENCE) for _ in range(7)]
    for number, each in enumerate(slow):
        each.sendall(
            (f"GET /api/alerts?limit={100 + number} HTTP/1.1\r\nHost: localhost\r\nCookie: {client.cookie}\r\n\r\n")[
                : 30 if number % 2 else None
            ].encode()
        )
    begin = time.monotonic()
    for _ in range(4):
        for tab in range(7):
            assert client.ask(f"/api/alerts?after={tab}")[0] == 200
    assert time.monotonic() - begin < PATIENCE
    for each in slow:
        each.close()


def test_requests_are_not_logged(client, capfd, caplog):
    caplog.set_level(0)
    client.ask("/api/status")
    client.ask("/none", Host="evil.example")
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
