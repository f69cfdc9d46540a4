"""A real engine behind TLS that wants client certificates, found by the variables and contexts of Docker's own client as that client finds it."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lanner
import lanner.testing
from lanner.docker import Docker
from lanner.docker.client import find_engine
from lanner.docker.endpoint import find_endpoint, parse_endpoint
from lanner.net.tls import Tls
from lanner.testing.dockerd import Dockerd, why_not

from .. import forked
from ..docker.certificates import OPENSSL, Authority
from ..waiting import PATIENCE

pytestmark = [pytest.mark.engine, pytest.mark.skipif(OPENSSL is None, reason="certificates are made by openssl, which is not installed")]


LANNER = Path(sys.executable).with_name("lanner")


class Setting:
    """An engine on tcp, and the folder of a client that it takes, named as Docker's client names the files."""

    def __init__(self, folder):
        authority, other = Authority(folder, "authority"), Authority(folder, "other")
        self.engine_files = authority.certificate("engine", "serverAuth", "DNS:localhost,IP:127.0.0.1")
        self.ca = authority.ca
        self.client = self._named(folder / "client", authority, authority)
        self.stranger = self._named(folder / "stranger", authority, other)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"tcp://127.0.0.1:{self.port}"

    def _named(self, place, authority, signer):
        place.mkdir()
        made = signer.certificate(place.name, "clientAuth")
        for source, name in ((authority.ca, "ca.pem"), (made.cert, "cert.pem"), (made.key, "key.pem")):
            (place / name).write_bytes(source.read_bytes())
        return place

    def options(self):
        files = ("--tlscacert", self.ca, "--tlscert", self.engine_files.cert, "--tlskey", self.engine_files.key)
        return ("-H", self.url, "--tlsverify", *map(str, files))


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    if reason := why_not():
        pytest.skip(f"no real Docker engine: {reason}")
    made = Setting(tmp_path_factory.mktemp("tls"))
    with Dockerd(*made.options()) as made.engine:
        yield made


@pytest.fixture
def environ(setting, monkeypatch, tmp_path):
    """The variables that lead Docker's client to the engine, in the environment of this process."""
    for name in ("DOCKER_CONTEXT", "DOCKER_TLS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "DOCKER_HOST": setting.url,
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(setting.client),
        "DOCKER_CONFIG": str(tmp_path / "docker"),
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def dockers_own(engine, *arguments):
    """Docker's client if only the environment selects the engine."""
    program = engine.command()[0]
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, env=os.environ, timeout=120)


def test_events_come_through_tls(setting, environ):
    with lanner.testing.host(Docker, {"inspect": False}, f"since={time.time_ns() / 1e9:.9f}") as host:
        assert host.source.description.endswith(f" at {setting.url}")
        names = [f"volume-{number}" for number in range(10)]
        for name in names:
            assert dockers_own(setting.engine, "volume", "create", name).returncode == 0
        seen = []
        while len(seen) < len(names):
            event = host.next(timeout=PATIENCE)
            if host.extract(event, "docker.type") == "volume":
                seen.append(host.extract(event, "docker.actor.id"))
        assert seen == names
    dockers_own(setting.engine, "volume", "rm", *names)


@pytest.mark.parametrize("options", [(), ("--bundle",)], ids=["bound", "bundled"])
def test_events_come_through_tls_in_a_library_for_falco(setting, environ, run_host, tmp_path, options):
    built = forked.run_text(["build", "docker", *options, "-o", tmp_path / "libdocker.so"])
    assert built.returncode == 0, built.stderr
    since = f"{time.time_ns() / 1e9:.9f}"
    names = [f"volume-{number}" for number in range(5)]
    for name in names:
        assert dockers_own(setting.engine, "volume", "create", name).returncode == 0
    wanted = ("--open", f"since={since}", "--fields", "docker.type,docker.actor.id", "--events", str(len(names)))
    report = run_host(tmp_path / "libdocker.so", *wanted)
    assert report["violations"] == []
    assert [event["fields"]["docker.actor.id"] for event in report["runs"][0]["events"]] == names
    dockers_own(setting.engine, "volume", "rm", *names)


def test_the_variables_mean_what_they_mean_to_dockers_client(setting, environ):
    assert dockers_own(setting.engine, "version").returncode == 0
    find_engine(find_endpoint())
    environ.setenv("DOCKER_CERT_PATH", str(setting.stranger))
    assert dockers_own(setting.engine, "version").returncode != 0
    with pytest.raises(lanner.SourceError, match=r"the engine rejects the client certificate .*/stranger/cert\.pem \("):
        find_engine(find_endpoint())
    environ.setenv("DOCKER_TLS_VERIFY", "")
    assert "HTTP request to an HTTPS server" in dockers_own(setting.engine, "version").stderr
    with pytest.raises(lanner.SourceError, match="it requires TLS and was queried in plain text"):
        find_engine(find_endpoint())


def test_a_client_without_a_certificate_is_told_what_is_missing(setting):
    endpoint = parse_endpoint(setting.url, "test", tls=Tls(str(setting.ca)))
    with pytest.raises(lanner.SourceError, match="the engine requires a client certificate"):
        find_engine(endpoint)


def test_contexts_made_by_dockers_client_are_read(setting, environ):
    for name in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        environ.delenv(name)
    files = ",".join(f"{name}={setting.client}/{name}.pem" for name in ("ca", "cert", "key"))
    stranger = ",".join(f"{name}={setting.stranger}/{name}.pem" for name in ("cert", "key"))
    for name, more in (("lab", files), ("careless", f"{stranger},skip-tls-verify=true"), ("clear", "")):
        made = dockers_own(setting.engine, "context", "create", name, "--docker", f"host={setting.url},{more}".rstrip(","))
        assert made.returncode == 0, made.stderr
    environ.setenv("DOCKER_CONTEXT", "lab")
    find_engine(find_endpoint())
    environ.setenv("DOCKER_CONTEXT", "careless")
    assert not find_endpoint().tls.verify
    with pytest.raises(lanner.SourceError, match="the engine rejects the client certificate"):
        find_engine(find_endpoint())
    environ.setenv("DOCKER_CONTEXT", "clear")
    with pytest.raises(lanner.SourceError, match="it requires TLS and was queried in plain text"):
        find_engine(find_endpoint())
