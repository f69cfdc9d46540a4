"""Engines behind TLS, and certificates for every case."""

import contextlib
import select
import socket
import ssl

import pytest

from lanner import Address
from lanner.docker.client import open_events
from lanner.docker.endpoint import Endpoint
from lanner.docker.engine_errors import EngineError
from lanner.net.tls import Tls

from ..waiting import PATIENCE
from .certificates import Authority
from .stand_in import StandInEngine

IS_TLS = (
    "{} (from DOCKER_HOST): it requires TLS and was queried in plain text. If this is the engine's TLS port, configure `tls` with this address, "
    "or set DOCKER_TLS_VERIFY and DOCKER_CERT_PATH in addition to DOCKER_HOST"
)

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


class TlsEngine(StandInEngine):
    """A stand-in engine behind TLS that wants client certificates of its authority."""

    def __init__(self, context):
        self._context = context
        super().__init__("tcp://127.0.0.1:0")

    def _talk(self, exchange):
        try:
            exchange.connection = self._context.wrap_socket(exchange.connection, server_side=True)
        except OSError:  # the client is refused, or refuses
            exchange.ended.set()
        else:
            super()._talk(exchange)


class Certificates:
    """Files for tests: an authority with an engine's and a client's certificate, and another authority with a client's."""

    def __init__(self, folder):
        self.folder = folder
        authority, other = Authority(folder, "authority"), Authority(folder, "other")
        self.engine = authority.certificate("engine", "serverAuth", "DNS:localhost,IP:127.0.0.1")
        self.elsewhere = authority.certificate("elsewhere", "serverAuth", "DNS:engine.example.com")
        client, stranger = authority.certificate("client", "clientAuth"), other.certificate("stranger", "clientAuth")
        locked = authority.certificate("locked", "clientAuth", passphrase="secret")
        garbage = folder / "garbage.pem"
        garbage.write_text("no certificate\n")
        good = Tls(str(authority.ca), str(client.cert), str(client.key))
        self.good = good
        self.bare = Tls(good.ca)
        self.strange = Tls(good.ca, str(stranger.cert), str(stranger.key))
        self.other_ca = good._replace(ca=str(other.ca))
        self.system = good._replace(ca="")
        self.locked = Tls(good.ca, str(locked.cert), str(locked.key))
        self.mixed = good._replace(key=str(stranger.key))
        self.garbage = str(garbage)


def context_of(certificates, own=None, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = own or certificates.engine
    context.load_cert_chain(own.cert, own.key)
    context.load_verify_locations(certificates.good.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def endpoint(engine, tls, host="127.0.0.1"):
    port = int(engine.url.rpartition(":")[2])
    return Endpoint(Address(f"tcp://{host}:{port}"), "DOCKER_HOST", host=host, port=port, tls=tls)


def events_of(engine, tls):
    connection = open_events(endpoint(engine, tls), "/v1.41/events")
    return connection, engine.stream()


def read(connection, size):
    """A part of the body, waiting only with poll(2), as the readers of streams do."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    data = b""
    while len(data) < size:
        if connection.waits:
            assert poll.poll(PATIENCE * 1000), f"nothing after {len(data)} of {size} bytes"
        more = connection.read()
        assert more is not None
        data += more
    return data


def failure(ask):
    with pytest.raises(EngineError) as caught:
        ask()
    return str(caught.value)


@contextlib.contextmanager
def listening():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener, listener.getsockname()[1]


def answer_once(listener, said):
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(said)
