"""The command `lanner console`: its address, its options, its end."""

import http.client
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.console.conftest import Client

from lanner.console.listening import parse_address
from lanner.console.token import read_token
from lanner.sdk.errors import LannerError, UsageError

from ..waiting import PATIENCE

pytestmark = pytest.mark.slow
LANNER = str(Path(sys.executable).with_name("lanner"))


@pytest.fixture
def start():
    """`start(*arguments)`: the command, and its first line."""
    started = []

    def run(*arguments, cwd=None):
        process = subprocess.Popen(
            [LANNER, "console", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd
        )
        started.append(process)
        return process, process.stdout.readline().rstrip("\n")

    yield run
    for process in started:
        process.kill()
        process.communicate()


class Remote:
    """A console of another process, for `Client`."""

    def __init__(self, link):
        address, _, self.token = link.partition("#token=")
        self.port = int(address.rstrip("/").rpartition(":")[2])


def test_the_first_line_is_the_address_with_the_token(start, generated):
    process, link = start(generated, "--listen", "127.0.0.1:0")
    client = Client(Remote(link))
    assert client.login()[0] == 204
    assert len(client.get("/api/alerts?limit=10")[1]["alerts"]) == 10
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    assert process.stdout.read() == ""


def test_ctrl_c_ends_it_without_an_error(start, generated):
    process, _ = start(generated, "--listen", "127.0.0.1:0")
    process.send_signal(signal.SIGINT)
    assert (process.wait(PATIENCE), process.stderr.read()) == (0, "")


def test_each_start_has_another_token(start, generated):
    assert start(generated, "--listen", "127.0.0.1:0")[1].split("=")[1] != start(generated, "--listen", "127.0.0.1:0")[1].split("=")[1]


def test_a_unix_socket_is_for_its_user_alone(start, generated, tmp_path):
    path = tmp_path / "s"
    process, link = start(generated, "--listen", f"unix:{path}")
    assert link.startswith(f"unix:{path}#token=")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.0 200 ")
    process.kill()
    process.wait()
    assert path.exists()  # killed: the next one replaces it
    process, _ = start(generated, "--listen", f"unix:{path}")
    assert start(generated, "--listen", f"unix:{path}")[0].wait(PATIENCE) == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    assert not path.exists()


def test_another_file_at_the_path_of_the_socket_stays(start, generated, tmp_path):
    (tmp_path / "file").write_text("kept")
    process, _ = start(generated, "--listen", f"unix:{tmp_path}/file")
    assert process.wait(PATIENCE) == 1
    assert "another file has this name" in process.stderr.read()
    assert (tmp_path / "file").read_text() == "kept"


def test_other_addresses_need_tls(start, generated, tmp_path):
    process, _ = start(generated, "--listen", "0.0.0.0:0")
    assert process.wait(PATIENCE) == 2
    assert "reachable from other machines, which needs TLS: add --certificate" in process.stderr.read()
    pem, key = tmp_path / "c.pem", tmp_path / "k.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj", "/CN=lanner"]
    try:
        subprocess.run([*command, "-days", "2", "-keyout", key, "-out", pem], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed (Debian: apt-get install openssl)")
    process, link = start(generated, "--listen", "0.0.0.0:0", "--certificate", pem, "--key", key)
    assert link.startswith("https://0.0.0.0:")
    import ssl

    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("127.0.0.1", Remote(link).port, context=context, timeout=PATIENCE)
    body = f'{{"token": "{Remote(link).token}"}}'
    connection.request("POST", "/login", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 204
    assert answer.headers["Set-Cookie"].endswith("; Secure")
    connection.close()


def test_a_certificate_that_is_none_is_named(start, generated, tmp_path):
    (tmp_path / "c.pem").write_text("nothing")
    for path in (tmp_path / "c.pem", tmp_path / "none.pem"):
        process, _ = start(generated, "--certificate", path, "--listen", "127.0.0.1:0")
        assert process.wait(PATIENCE) == 1
        assert re.search(rf"cannot use TLS \(--certificate\): .*{path}", process.stderr.read())


def test_without_a_store_it_starts_and_says_how_to_make_one(start, tmp_path):
    process, link = start(tmp_path / "none", "--listen", "127.0.0.1:0")
    client = Client(Remote(link))
    client.login()
    assert client.get("/api/alerts")[0] == 503
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    assert "warning: there is no alert store at" in process.stderr.read()


def test_a_token_in_a_file_survives_a_restart_and_is_not_printed(start, generated, tmp_path):
    path = tmp_path / "token"
    cookies = set()
    for _ in range(2):
        process, address = start(generated, "--listen", "127.0.0.1:0", "--token-file", path)
        assert "#" not in address
        token = path.read_text().strip()
        client = Client(Remote(f"{address}#token={token}"))
        assert client.login()[0] == 204
        cookies.add(client.cookie.partition("=")[2])
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert token not in process.stderr.read()
    assert len(cookies) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_token_file_that_cannot_be_created_is_named_with_the_advice(tmp_path):
    with pytest.raises(LannerError) as caught:
        read_token(tmp_path / "nix" / "t")
    assert str(caught.value) == (
        f"--token-file: cannot create {tmp_path}/nix/t: No such file or directory: "
        "name a file in a directory that exists and that this user may write"
    )


@pytest.mark.parametrize(("content", "mode"), [("short", 0o600), ("", 0o600), ("a" * 300, 0o600), ("ä" * 20, 0o600), ("a" * 32, 0o644)])
def test_an_unsuitable_token_file_is_refused(tmp_path, content, mode):
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(LannerError, match="token"):
        read_token(path)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8766", ("127.0.0.1", 8766, "")),
        ("localhost:1", ("127.0.0.1", 1, "")),
        ("[::1]:0", ("::1", 0, "")),
        ("unix:/run/s", ("", 0, "/run/s")),
        ("unix:s", ("", 0, "s")),
        ("127.8.8.8:1", ("127.8.8.8", 1, "")),
    ],
)
def test_addresses(text, address):
    assert tuple(parse_address(text)) == address
    assert parse_address(text).is_loopback


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "8766",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:x",
        "127.0.0.1:70000",
        "::1:80",
        "[::1]",
        "[127.0.0.1]:80",
        "example.com:80",
        "unix:",
        "unix:a\0b",
        "127.0.0.1:٣",
        "0x7f.1:80",
    ],
)
def test_invalid_addresses_are_refused(text):
    with pytest.raises(UsageError, match="--listen"):
        parse_address(text)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_an_idle_console_uses_next_to_no_processor(start, generated):
    process, link = start(generated, "--listen", "127.0.0.1:0")
    client = Client(Remote(link))
    client.login()
    client.get("/api/alerts")

    def ticks():
        values = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(values[11]) + int(values[12])  # of 10 ms

    def is_idle():
        before = ticks()
        time.sleep(3)  # nothing to await: it is the absence of work that is measured
        return ticks() - before <= 1

    assert any(is_idle() for _ in range(10))  # the work for the requests may end late
