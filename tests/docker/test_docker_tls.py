"""TLS to engines: records of any size, refused certificates, unusable files, and one side without TLS."""

import contextlib
import logging
import os
import select
import shutil
import sys
import tempfile
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from lanner import Address
from lanner.docker.client import find_engine
from lanner.docker.endpoint import Endpoint
from lanner.net.tls import Tls, TlsError, make_context

from ..waiting import PATIENCE
from .certificates import OPENSSL
from .stand_in import LAST_CHUNK, answer, chunk
from .tls_engines import IS_TLS, VERSIONS, answer_once, endpoint, events_of, failure, listening, read

pytestmark = [pytest.mark.slow, pytest.mark.skipif(OPENSSL is None, reason="certificates are made by openssl, which is not installed")]


# what comes through


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_engine_behind_tls_is_asked_as_any_other(certificates, tls_engine, version, host):
    engine = tls_engine(version=version)
    assert str(find_engine(endpoint(engine, certificates.good, host))) == "Docker Engine 20.10.24 (API 1.41)"
    assert engine.requests == ["GET /version HTTP/1.1"]


def test_an_engine_that_is_not_verified_may_be_any(certificates, tls_engine):
    engine = tls_engine(certificates.elsewhere)
    find_engine(endpoint(engine, certificates.good._replace(ca="", verify=False)))
    assert engine.requests == ["GET /version HTTP/1.1"]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("size", [1, 100, 16_384, 1_000_000])
def test_poll_reports_events_in_records_of_any_size(certificates, tls_engine, version, size):
    lines = b"".join(b'{"number":%d}\n' % number for number in range(20)) + b"x" * (3 * size)
    connection, stream = events_of(tls_engine(version=version), certificates.good)
    wire = b"".join(map(chunk, (lines[:7], lines[7:])))

    def send():
        for begin, end in pairwise([*range(0, len(wire), size), len(wire)]):
            stream.send(wire[begin:end])

    sender = threading.Thread(target=send)
    sender.start()
    assert read(connection, len(lines)) == lines
    sender.join()
    assert connection.read() == b""
    connection.close()


@pytest.mark.parametrize("polite", [True, False], ids=["says so", "breaks off"])
@pytest.mark.parametrize("at_once", [True, False], ids=["with the last event", "later"])
def test_the_end_of_a_connection_is_seen(certificates, tls_engine, polite, at_once):
    connection, stream = events_of(tls_engine(), certificates.good)

    def end():
        if not polite:
            stream.close()
            return
        with contextlib.suppress(OSError):  # it waits for an answer that does not come, and the socket stays open
            stream.connection.settimeout(0)
            stream.connection.unwrap()

    stream.send(chunk(b"{}\n"))
    if at_once:
        end()
    assert read(connection, 3) == b"{}\n"
    if not at_once:
        end()
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    assert not connection.waits or poll.poll(PATIENCE * 1000)
    assert connection.read() is None
    assert connection.read() is None
    connection.close()


def test_a_body_that_is_whole_has_ended(certificates, tls_engine):
    connection, stream = events_of(tls_engine(), certificates.good)
    stream.send(chunk(b"{}\n") + LAST_CHUNK)
    assert read(connection, 3) == b"{}\n"
    assert connection.ended
    connection.close()


# who is refused


@pytest.mark.parametrize(
    ("tls", "says"),
    [
        ("other_ca", "Is it signed by the authority in {tls.ca}?"),
        ("system", "Name the authority that signed it: `ca` of `tls`, or DOCKER_CERT_PATH"),
    ],
)
def test_an_engine_that_is_not_trusted_gets_no_request(certificates, tls_engine, tls, says):
    engine = tls_engine()
    used = getattr(certificates, tls)
    where = endpoint(engine, used)
    told = failure(lambda: find_engine(where))
    assert told.startswith(f"{where} (from DOCKER_HOST): the engine's certificate is not trusted: ")
    assert told.endswith(f" certificate in certificate chain. {says.format(tls=used)}")
    assert engine.requests == [""]


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("127.0.0.1", "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ("localhost", "Hostname mismatch, certificate is not valid for 'localhost'"),
    ],
)
def test_an_engine_of_another_name_gets_no_request(certificates, tls_engine, host, says):
    engine = tls_engine(certificates.elsewhere)
    where = endpoint(engine, certificates.good, host)
    advice = "Name the engine as its certificate does"
    assert failure(lambda: find_engine(where)) == (
        f"{where} (from DOCKER_HOST): the engine's certificate is issued for another name: {says}. {advice}"
    )
    assert engine.requests == [""]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_an_engine_that_wants_a_client_certificate_is_reported_as_such(certificates, tls_engine, version):
    where = endpoint(tls_engine(version=version), certificates.bare)
    told = failure(lambda: find_engine(where))
    assert "the engine requires a client certificate (" in told
    assert told.endswith("). Name one with its key: `cert` and `key` of `tls`, or DOCKER_CERT_PATH")


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_an_engine_that_refuses_the_client_certificate_is_reported_as_such(certificates, tls_engine, version):
    where = endpoint(tls_engine(version=version), certificates.strange)
    told = failure(lambda: find_engine(where))
    assert f"the engine rejects the client certificate {certificates.strange.cert} (" in told
    assert told.endswith("unknown ca). Is it signed by the engine's --tlscacert?")


# files that cannot be used


@pytest.mark.parametrize(
    ("tls", "says"),
    [
        ({"ca": "/nowhere/ca.pem"}, "cannot read the TLS authority /nowhere/ca.pem: no such file or directory"),
        ({"cert": "/nowhere/cert.pem"}, "cannot read the TLS certificate /nowhere/cert.pem: no such file or directory"),
        ({"key": "/nowhere/key.pem"}, "cannot read the TLS key /nowhere/key.pem: no such file or directory"),
        ({"key": "/"}, "cannot read the TLS key /: is a directory"),
        ({"ca": "{garbage}"}, "the TLS authority {garbage} contains no certificate in PEM form"),
        ({"cert": "{garbage}"}, "the TLS certificate {garbage} or its key {good.key} is not a PEM file of a certificate or key"),
        ({"key": "{garbage}"}, "the TLS certificate {good.cert} or its key {garbage} is not a PEM file of a certificate or key"),
        ({"key": "{mixed.key}"}, "the TLS key {mixed.key} does not belong to the certificate {good.cert}"),
        (
            {"cert": "{locked.cert}", "key": "{locked.key}"},
            "the TLS key {locked.key} is encrypted; write it without a passphrase into a file that only its reader can read",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_reported_by_its_path(certificates, tls_engine, tls, says):
    known = vars(certificates)
    used = certificates.good._replace(**{name: text.format(**known) for name, text in tls.items()})
    where = endpoint(tls_engine(), used)
    assert failure(lambda: find_engine(where)) == f"{where} (from DOCKER_HOST): {says.format(**known)}"


def test_a_python_without_openssl_is_reported(certificates, monkeypatch):
    monkeypatch.setitem(sys.modules, "ssl", None)
    with pytest.raises(TlsError, match=r"^TLS needs Python's module ssl, which is missing here$"):
        make_context(certificates.good)


@pytest.fixture
def other_user(certificates):
    """The rights of another user than the one whose the files are, and a copy of a client's certificate that this user may read."""
    if os.geteuid() != 0:
        pytest.skip("needs the rights of another user, which only root can take")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # the folders of pytest are only for this user
        Path(folder).chmod(0o755)
        tls = Tls("", f"{folder}/cert.pem", f"{folder}/key.pem", verify=False)
        shutil.copy(certificates.good.cert, tls.cert)
        shutil.copy(certificates.good.key, tls.key)
        Path(tls.cert).chmod(0o644)
        Path(tls.key).chmod(0o600)
        os.seteuid(65534)
        try:
            yield tls
        finally:
            os.seteuid(0)


def test_a_key_that_may_not_be_read_is_reported(other_user):
    with pytest.raises(TlsError) as caught:
        make_context(other_user)
    assert str(caught.value) == f"cannot read the TLS key {other_user.key}: permission denied"


def test_no_failure_tells_what_is_in_a_key(certificates, tls_engine, caplog):
    caplog.set_level(logging.DEBUG)
    engine = tls_engine()
    cases = (certificates.strange, certificates.mixed, certificates.locked, certificates.other_ca)
    told = [failure(lambda tls=tls: find_engine(endpoint(engine, tls))) for tls in cases]
    find_engine(endpoint(engine, certificates.good))
    for tls in (*cases, certificates.good):
        secrets = Path(tls.key).read_text().splitlines()[1:-1]
        assert len(secrets) > 1
        assert not [secret for secret in secrets if secret in caplog.text + "".join(told)]


# one side with TLS, the other without


def test_a_clear_request_to_a_tls_port_that_hangs_up_is_reported_with_the_question(certificates, tls_engine):
    where = endpoint(tls_engine(), None)
    assert failure(lambda: find_engine(where)).endswith(". Is this a TLS port, or another service's?")


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
        answer(b"<center>The plain HTTP request was sent to HTTPS port</center>", "400 Bad Request", "text/html"),
        b"\x15\x03\x01\x00\x02\x02\x16",
    ],
    ids=["Go", "nginx", "an alert of TLS"],
)
def test_servers_that_say_that_they_want_tls_are_understood(tcp_engine, said):
    tcp_engine.version = said
    where = endpoint(tcp_engine, None)
    assert failure(lambda: find_engine(where)) == IS_TLS.format(where)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n400 Bad Request", "it does not answer in TLS (wrong version number). Is this a TLS port?"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it does not answer in TLS (wrong version number). Is this a TLS port?"),
        (b"", "it closed the connection during the TLS handshake. Is this a TLS port?"),
    ],
)
def test_tls_to_a_clear_port_is_reported_as_such(certificates, said, says):
    with listening() as (listener, port):
        answering = threading.Thread(target=answer_once, args=[listener, said])
        answering.start()
        where = Endpoint(Address("tcp://engine"), "DOCKER_HOST", host="127.0.0.1", port=port, tls=certificates.good)
        assert failure(lambda: find_engine(where)) == f"tcp://engine (from DOCKER_HOST): {says}"
        answering.join()
