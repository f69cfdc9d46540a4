"""Pages of the web server about a run, and clients that cannot delay it."""

import collections
import contextlib
import dataclasses
import functools
import http.client
import json
import os
import re
import resource
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lanner.operating.metrics import render
from lanner.operating.webserver import WebServer
from lanner.sdk.errors import LannerError

from ..machine import has_ipv6
from ..waiting import PATIENCE, until

pytestmark = pytest.mark.slow


@pytest.fixture
def serve():
    """`serve(snapshot, **options)`: a server on a free port of 127.0.0.1."""
    with contextlib.ExitStack() as stack:

        def start(snapshot, address="127.0.0.1", **options):
            server = WebServer(address, 0, snapshot if callable(snapshot) else lambda: snapshot, **options)
            stack.callback(server.close)
            return server

        yield start


def get(server, path, method="GET", host="127.0.0.1", **headers):
    """Status, headers and body."""
    connection = http.client.HTTPConnection(host, server.port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def say(server, text):
    """Return the server's answer to these bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(text)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def test_healthz_is_falcos(serve, idle):
    status, headers, body = get(serve(idle), "/healthz")
    assert (status, headers["Content-Type"], body) == (200, "application/json", b'{"status": "ok"}')


@pytest.mark.parametrize(
    ("path", "changes", "status", "body"),
    [
        ("/healthz", {"unhealthy": ("stuck for 61 s",)}, 503, {"status": "unhealthy", "reasons": ["stuck for 61 s"]}),
        ("/healthz", {"not_ready": ("no engine",)}, 200, {"status": "ok"}),
        ("/readyz", {}, 200, {"status": "ok"}),
        ("/readyz", {"not_ready": ("no engine",)}, 503, {"status": "not ready", "reasons": ["no engine"]}),
        ("/readyz", {"unhealthy": ("stuck",)}, 503, {"status": "not ready", "reasons": ["stuck"]}),
        ("/readyz?verbose", {}, 200, {"status": "ok"}),
    ],
)
def test_what_is_wrong_is_reported_with_its_reasons(serve, idle, path, changes, status, body):
    found = get(serve(dataclasses.replace(idle, **changes)), path)
    assert (found[0], json.loads(found[2])) == (status, body)


def test_versions_has_what_falcoctl_compares(serve, idle):
    status, _, body = get(serve(idle), "/versions")
    found = json.loads(body)
    assert status == 200
    assert found == {
        "engine_version": "62",
        "engine_version_semver": "0.62.0",
        "falco_version": "0.44.1+lanner-1.2.3",
        "lanner_version": "1.2.3",
        "plugin_api_version": "3.12.0",
        "plugin_versions": {"docker": "0.1.0"},
    }


def test_metrics_are_there_if_asked_for(serve, busy):
    status, headers, body = get(serve(busy, metrics=render), "/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b"\nfalcosecurity_scap_n_evts_total 1234.0\n" in body
    assert get(serve(busy), "/metrics")[0] == 404


def test_healthz_has_the_path_that_it_is_given(serve, idle):
    server = serve(idle, healthz="/alive")
    assert get(server, "/alive")[0] == 200
    assert get(server, "/healthz")[0] == 404


def test_only_reading_is_answered(serve, idle):
    server = serve(idle)
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        status, headers, _ = get(server, "/healthz", method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
    status, headers, body = get(server, "/healthz", "HEAD")
    assert (status, headers["Content-Length"], body) == (200, "16", b"")


@pytest.mark.parametrize("path", ["/", "/metrics/", "/healthz/..", "/%68ealthz", "//healthz/x", "/../../etc/passwd"])
def test_there_is_nothing_else(serve, idle, path):
    status, _, body = get(serve(idle), path)
    assert (status, json.loads(body)) == (404, {"error": "not found"})


def test_no_version_is_told_to_who_does_not_ask(serve, idle):
    _, headers, _ = get(serve(idle), "/healthz")
    assert headers["Server"] == "lanner"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"\r\n\r\n", b""),
        (b"GET\r\n\r\n", b"400"),
        (b"GET /healthz NONSENSE/1.1\r\n\r\n", b"400"),
        (b"GET /healthz HTTP/3.0\r\n\r\n", b"505"),
        (b"GET /healthz HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"431"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", b"431"),
        (b"GET /healthz HTTP/1.1\n\n", b"200"),
        (b"GET /healthz HTTP/1.1\r\nHost: \xff\r\n\r\n", b"421"),
        (b"<script> /<script> <script>\r\n\r\n", b"400"),
    ],
)
def test_what_is_no_request_is_refused_without_being_repeated(serve, idle, request_, status):
    server = serve(idle)
    answer = say(server, request_)
    assert answer[9:12] == status
    assert b"script" not in answer
    assert get(server, "/healthz")[0] == 200


def test_a_page_that_fails_is_an_answer_too(serve, caplog):
    def snapshot():
        raise ZeroDivisionError("in the host")

    server = serve(snapshot)
    status, _, body = get(server, "/healthz")
    assert (status, json.loads(body)) == (500, {"error": "see the log"})
    assert "ZeroDivisionError: in the host" in caplog.text


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/versions", "/metrics", "/none"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_rebound_host_is_refused_on_every_path(serve, idle, path, method):
    server = serve(idle, metrics=render, hosts=["lanner.monitoring.svc"])
    for host in ("evil.example", "evil.example:8765", "127.0.0.1.evil.example", "[::1", ""):
        expected = (421, "the host") if host else (405 if method == "POST" else 404 if path == "/none" else 200, "")
        status, _, body = get(server, path, method, Host=host)
        assert status == expected[0], host
        assert method == "HEAD" or expected[1] in body.decode()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "192.0.2.7:8765", "[2001:db8::1]:8765", "localhost", socket.gethostname().upper(), "Lanner.Monitoring.svc.:8765", None],
)
def test_probes_and_scrapers_come_by_address_or_a_name_of_this_machine(serve, idle, host):
    server = serve(idle, hosts=["lanner.monitoring.svc"])
    line = "" if host is None else f"Host: {host}\r\n"
    assert say(server, f"GET /healthz HTTP/1.1\r\n{line}\r\n".encode()).startswith(b"HTTP/1.0 200 ")


@pytest.fixture
def many_descriptors():
    """Raise the limit of descriptors for both ends of a thousand connections."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[1] != resource.RLIM_INFINITY and limits[1] < 4096:
        pytest.skip("this machine gives a process fewer than 4096 descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


STALLING = {
    "silent": b"",
    "half a head": b"GET /healthz HTTP/1.1\r\nHost: x\r\n",
    "reads nothing": b"GET /metrics HTTP/1.1\r\n\r\n",
    "never closes": b"GET /healthz HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("count", [60, 200, 1000])
@pytest.mark.parametrize("kind", STALLING)
def test_clients_that_stall_never_hold_up_another(serve, idle, kind, count, many_descriptors):
    server = serve(idle, metrics=lambda _: b"x" * 5_000_000, deadline=60)
    with contextlib.ExitStack() as stack:
        stalled = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)) for _ in range(count)]
        for each in stalled:
            with contextlib.suppress(ConnectionError):  # the oldest may have been hung up on already
                each.sendall(STALLING[kind])
        for path in ("/healthz", "/readyz", "/healthz"):
            begin = time.monotonic()
            assert get(server, path)[0] == 200
            assert time.monotonic() - begin < 20  # of the 60 for which the others may stall, on a machine that is busy


def test_clients_that_stall_and_come_repeatedly_hold_up_no_other(serve, idle, many_descriptors):
    server = serve(idle, deadline=60)
    ending = threading.Event()

    def stall():
        kept = collections.deque()
        while not ending.is_set():
            if len(kept) == 300:
                kept.popleft().close()
            with contextlib.suppress(OSError):
                kept.append(socket.create_connection(("127.0.0.1", server.port)))
                kept[-1].sendall(b"GET /h")
        for each in kept:
            each.close()

    threads = [threading.Thread(target=stall) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        # few: a full backlog costs each of them a second or more until the kernel tries again to connect
        for _ in range(5):
            assert get(server, "/healthz")[0] == 200
    finally:
        ending.set()
        for thread in threads:
            thread.join()


def test_only_this_many_connections_are_open_and_the_oldest_goes_first(serve, idle):
    server = serve(idle, deadline=60)
    with contextlib.ExitStack() as stack:
        stalled = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)) for _ in range(300)]
        assert get(server, "/healthz")[0] == 200
        for each in stalled[:40]:
            with contextlib.suppress(ConnectionResetError):
                assert each.recv(100) == b""
        stalled[-1].sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
        assert stalled[-1].recv(100).startswith(b"HTTP/1.0 200")


def test_without_descriptors_the_oldest_connections_make_room(serve, idle):
    server = serve(idle, deadline=60)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.ExitStack() as stack:
        asking = socket.socket()
        stack.callback(asking.close)
        for _ in range(5):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE))
        assert get(server, "/healthz")[0] == 200
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(int(each.name) for each in Path("/proc/self/fd").iterdir()) + 10, limits[1]))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        with contextlib.suppress(OSError):
            while True:
                stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        asking.settimeout(PATIENCE)
        asking.connect(("127.0.0.1", server.port))
        asking.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
        assert asking.recv(100).startswith(b"HTTP/1.0 200")


def test_many_who_ask_for_metrics_share_the_work(serve, idle):
    made, begun, go = [], threading.Event(), threading.Event()

    def metrics(_):
        begun.set()
        go.wait(PATIENCE)
        made.append(1)
        return b"metrics"

    server = serve(idle, metrics=metrics, deadline=60)
    with contextlib.ExitStack() as stack:

        def ask():
            asking = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE))
            asking.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            return asking

        asking = [ask()]
        asking[0].shutdown(socket.SHUT_WR)  # it says no more, and is answered all the same
        assert begun.wait(PATIENCE)
        asking += [ask() for _ in range(99)]
        while len(server._server._asking[0]) < 99:
            assert get(server, "/healthz")[0] == 200
        go.set()
        for each in asking:
            assert b"".join(iter(functools.partial(each.recv, 4096), b"")).endswith(b"\r\n\r\nmetrics")
    assert len(made) == 2


def test_a_connection_that_stalls_is_hung_up_on_at_its_deadline(serve, idle):
    server = serve(idle, deadline=0.5)
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(b"GET /healthz HTT")
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""


def test_a_request_has_a_deadline_however_it_trickles_in(serve, idle):
    server = serve(idle, deadline=1.0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.05) as connection, contextlib.suppress(ConnectionError):
        for _ in range(1000):
            connection.sendall(b"a")
            with contextlib.suppress(TimeoutError):
                assert connection.recv(100) == b""
                break
        else:
            pytest.fail("a client of a byte each 50 ms was waited for")


def test_a_client_that_does_not_read_is_not_waited_for(serve, idle):
    server = serve(idle, metrics=lambda _: b"x" * 50_000_000, deadline=60)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert get(server, "/healthz")[0] == 200


def test_no_number_of_clients_makes_more_threads(serve, idle):
    server = serve(idle, deadline=5)
    before = threading.active_count()
    with contextlib.ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        assert threading.active_count() <= before
        server.close()  # and hangs up on them


def test_requests_are_not_logged(serve, idle, capfd, caplog):
    caplog.set_level(0)
    server = serve(idle)
    get(server, "/healthz")
    get(server, "/nothing")
    say(server, b"nonsense\r\n\r\n")
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_no_client_is_answered_after_its_end(idle):
    server = WebServer("127.0.0.1", 0, lambda: idle)
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("lanner-web")])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_addresses_of_both_kinds(serve, idle, host):
    if host == "::1" and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    assert get(serve(idle, host), "/healthz", host=host)[0] == 200


def test_a_port_that_is_taken_is_reported_with_what_to_do(serve, idle):
    port = serve(idle).port
    with pytest.raises(LannerError) as caught:
        WebServer("127.0.0.1", port, lambda: idle)
    assert str(caught.value) == (
        f"the web server cannot listen on 127.0.0.1:{port}: the port is in use, perhaps by Falco or another Lanner: "
        "set another $.webserver.listen_port, or disable this server ($.webserver.enabled: false)"
    )


@pytest.mark.parametrize(("address", "reason"), [("192.0.2.1", "cannot assign requested address"), ("no.such.host.invalid", "")])
def test_an_address_that_is_not_ours_is_reported(idle, address, reason):
    with pytest.raises(LannerError, match=rf"cannot listen on {address}:8765: {reason}.*\$\.webserver\.listen_address"):
        WebServer(address, 8765, lambda: idle)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a certificate and its key."""
    path = tmp_path_factory.mktemp("tls") / "falco.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj", "/CN=lanner"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", str(path), "-out", f"{path}.crt"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no openssl here to make a certificate with")
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return str(path)


def test_tls(serve, idle, certificate):
    server = serve(idle, certificate=certificate)
    context = ssl.create_default_context(cafile=f"{certificate}.crt")
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b'{"status": "ok"}'


def test_tls_is_not_held_up_by_who_does_not_speak_it(serve, idle, certificate):
    server = serve(idle, certificate=certificate, deadline=60)
    with contextlib.suppress(ConnectionError):
        assert b"200" not in say(server, b"GET /healthz HTTP/1.1\r\n\r\n")
    with socket.create_connection(("127.0.0.1", server.port)):  # says nothing
        context = ssl.create_default_context(cafile=f"{certificate}.crt")
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", "/readyz")
            assert connection.getresponse().status == 200


def test_a_certificate_that_is_none_is_reported(idle, tmp_path):
    (tmp_path / "falco.pem").write_text("nothing")
    for path, reason in ((tmp_path / "none.pem", "no such file or directory"), (tmp_path / "falco.pem", "PEM")):
        with pytest.raises(LannerError, match=rf"cannot use TLS \(\$\.webserver\.ssl_certificate\): .*{path}.*{reason}"):
            WebServer("127.0.0.1", 0, lambda: idle, certificate=str(path))


def test_a_key_with_a_passphrase_is_refused(idle, certificate, tmp_path):
    path = tmp_path / "falco.pem"
    subprocess.run(["openssl", "pkey", "-in", certificate, "-aes256", "-passout", "pass:secret", "-out", path], check=True)
    path.write_text(path.read_text() + Path(f"{certificate}.crt").read_text())
    with pytest.raises(LannerError, match="is encrypted; write it without a passphrase"):
        WebServer("127.0.0.1", 0, lambda: idle, certificate=str(path))


def test_the_images_health_check_tells_well_from_ill(serve, idle):
    dockerfile = (Path(__file__).parents[2] / "docker" / "Dockerfile").read_text()
    command = json.loads(re.search(r"^HEALTHCHECK [^\n]*\\\n *CMD (\[.*\])$", dockerfile, re.MULTILINE)[1])
    assert command[0] == "/opt/lanner/bin/python"
    ill = dataclasses.replace(idle, unhealthy=("stuck",))
    servers = [serve(idle), serve(ill), serve(idle)]
    servers[2].close()
    codes = []
    for server in servers:
        arguments = [part.replace("8765", str(server.port)) for part in command[1:]]
        codes.append(subprocess.run([sys.executable, *arguments], check=False, capture_output=True, timeout=PATIENCE).returncode)
    assert codes == [0, 1, 1]
