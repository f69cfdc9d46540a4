"""The socket proxy of docs/docker.md in front of a real engine: it gives Lanner all that it needs, and no client more."""

import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

import lanner.testing
from lanner.docker import Docker
from lanner.docker.client import find_engine, ping
from lanner.docker.endpoint import parse_endpoint
from lanner.docker.inspector import Inspector
from lanner.testing.dockerd import IMAGE

from ..waiting import PATIENCE

HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")
PAGE = Path(__file__).parents[2] / "docs" / "docker.md"

pytestmark = [pytest.mark.engine, pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")]


def configuration(proxy, engine):
    """The page's own, with the sockets of this test."""
    found = re.search(r"<!-- PROXY -->\n(.*?)<!-- /PROXY -->", PAGE.read_text("utf-8"), re.DOTALL)
    assert found, "docs/docker.md has no part PROXY"
    text = "".join(f"{line.removeprefix('    ')}\n" for line in found[1].splitlines())
    for name, mine in (("/run/lanner/docker.sock", proxy), ("/var/run/docker.sock", engine), (" group lanner", "")):
        assert text.count(name) == 1
        text = text.replace(name, str(mine))
    return text


@pytest.fixture
def proxy(engine, tmp_path):
    """The path of the proxy's socket."""
    path = tmp_path / "proxy.sock"
    (tmp_path / "haproxy.cfg").write_text(configuration(path, engine.socket))
    with subprocess.Popen([HAPROXY, "-q", "-db", "-f", str(tmp_path / "haproxy.cfg")]) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while not path.exists():
                assert process.poll() is None, "haproxy does not run"
                assert time.monotonic() < deadline, "haproxy does not listen"
                time.sleep(0.05)
            yield path
        finally:
            process.terminate()


def test_lanner_has_all_that_it_needs(engine, proxy):
    endpoint = parse_endpoint(f"unix://{proxy}", "test")
    ping(endpoint)
    asking = Inspector(endpoint, find_engine(endpoint).api, 10.0)
    with lanner.testing.host(Docker, {"inspect": False, "host": str(endpoint)}, f"since={time.time_ns() / 1e9:.9f}") as host:
        engine.docker("create", "--name", "web", "--network", "none", "--cap-add", "SYS_ADMIN", IMAGE, "true")
        said = None
        while said is None:
            said = asking.describe(host.next(timeout=PATIENCE).payload)
        assert b'"added":{"SYS_ADMIN":""}' in said


def status(proxy, method, path):
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(PATIENCE)
        link.connect(str(proxy))
        link.sendall(f"{method} {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
        return int(link.recv(4096).split()[1])


ID = "4f2d" * 16


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1.41/containers/create"),
        ("POST", "/containers/prune"),
        ("POST", "/v1.41/events"),
        ("DELETE", f"/v1.41/containers/{ID}"),
        ("PUT", f"/v1.41/containers/{ID}/archive?path=/"),
        ("GET", f"/v1.41/containers/{ID}/archive?path=/etc/shadow"),
        ("GET", f"/v1.41/containers/{ID}/archive/../json?path=/etc/shadow"),
        ("GET", f"/v1.41/containers/{ID}/logs?stdout=1"),
        ("GET", f"/v1.41/containers/{ID}/attach/ws"),
        ("GET", f"/v1.41/containers/{ID}/json/../export"),
        ("GET", f"/v1.41/containers/{ID}%2fexport?/json"),
        ("GET", "/v1.41/containers/json"),
        ("GET", "/v1.41/containers/web/json"),
        ("GET", "/v1.41/info"),
        ("GET", "/v1.41/secrets"),
        ("GET", "/v1.41/images/json?/version"),
        ("GET", "/v1.41/events/../images/json"),
        ("GET", "//v1.41/images/json"),
        ("GET", "http://docker/v1.41/images/json"),
    ],
)
def test_no_other_request_is_allowed(proxy, method, path):
    assert status(proxy, method, path) in {400, 403}


@pytest.mark.parametrize("path", ["/version", "/_ping", "/v1.41/version", "/v1.41/_ping"])
def test_what_is_let_through_is_the_engines_answer(proxy, path):
    assert status(proxy, "GET", path) == 200


def test_what_the_engine_says_of_an_unknown_container_comes_through(proxy):
    assert status(proxy, "GET", f"/v1.41/containers/{ID}/json") == 404
