"""Pollers and webhooks in a library, bound and bundled: with TLS, positions, and answers once the host has processed the events."""

import hashlib
import hmac
import http.client
import json
import ssl
import subprocess
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest

from ..sources.api_server import serving, unused_port
from ..sources.system_log import SystemLog
from ..waiting import PATIENCE

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
KINDS = pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names, "-days", "2", "-keyout", "pair.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    with (folder / "pair.pem").open("ab") as pair:
        pair.write((folder / "cert.pem").read_bytes())
    return folder


def send(port, secret, count, context, answers, ended):
    """Post this many events, each until it is answered 200 or the host has ended."""
    for number in range(count):
        body = json.dumps({"sender": {"login": f"user{number}"}}).encode()
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature, "X-GitHub-Event": "push"}
        status, last = None, False
        while status != 200 and not last:
            last = ended.is_set()
            if context is None:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            else:
                connection = http.client.HTTPSConnection("localhost", port, timeout=PATIENCE, context=context)
            try:
                connection.request("POST", "/", body, headers)
                response = connection.getresponse()
                # until the host has opened the port, a server of another test may listen there; it has another secret
                status = response.status if response.read() == b"processed\n" else None
            except (OSError, http.client.HTTPException):  # the host has not opened it yet
                time.sleep(0.01)
            finally:
                connection.close()
        answers.append(status)


@KINDS
def test_a_webhook_answers_when_the_host_has_processed_the_event(built, run_host, certificate, secure):
    library = built(str(EXAMPLES / "github.py"), "3.3")
    port, secret, answers, ended = unused_port(), uuid4().hex, [], threading.Event()
    config = {"secret": secret, "address": f"127.0.0.1:{port}", "certificate": str(certificate / "pair.pem") if secure else ""}
    context = ssl.create_default_context(cafile=certificate / "cert.pem") if secure else None
    sender = threading.Thread(target=send, args=[port, secret, 4, context, answers, ended])
    sender.start()
    try:
        report = run_host(library, "--init", json.dumps(config), "--events", "4")
    finally:
        ended.set()
        sender.join(PATIENCE)
    # the thread of the last request waits for a host that will not ask for more
    assert [each for each in report["violations"] if each != "guest: threads are left after destroy: 1"] == [], report
    (run,) = report["runs"]
    assert [(each["fields"]["github.user"], each["fields"]["github.type"]) for each in run["events"]] == [
        (f"user{n}", "push") for n in range(4)
    ]
    assert answers[:3] == [200, 200, 200]


def test_no_request_is_answered_200_before_the_host_asks_for_more(built, run_host):
    """A host that ends after it got the event may not have processed it."""
    library = built(str(EXAMPLES / "github.py"), "3.3")
    port, secret, answers, ended = unused_port(), uuid4().hex, [], threading.Event()
    config = {"secret": secret, "address": f"127.0.0.1:{port}"}
    sender = threading.Thread(target=send, args=[port, secret, 1, None, answers, ended])
    sender.start()
    try:
        report = run_host(library, "--init", json.dumps(config), "--events", "1")
    finally:
        ended.set()
        sender.join(PATIENCE)
    assert report["runs"][0]["count"] == 1, report
    assert answers == [None]


@pytest.mark.parametrize("name", ["github", "okta"])
def test_a_host_may_open_a_source_again(bound, run_host, tmp_path, name):
    """After a reload, as in Falco, the port is free immediately, and no descriptor stays open."""
    url = f"http://127.0.0.1:{unused_port()}"
    config = {"github": {"secret": "secret", "address": url.removeprefix("http://")}, "okta": {"url": url, "token": "token"}}[name]
    options = ["--init", json.dumps(config), "--seconds", "0.2", "--cycles", "3"]
    report = run_host(bound(str(EXAMPLES / f"{name}.py"), "3.3"), *options, env={"LANNER_STATE_DIRECTORY": str(tmp_path)})
    assert report["violations"] == [], report
    assert [run["end"] for run in report["runs"]] == ["seconds"] * 3, report


def test_a_poller_resumes_at_its_position(built, run_host, tmp_path):
    events = [{"uuid": str(number), "published": f"2026-01-01T00:00:{number:02d}Z"} for number in range(8)]
    log = SystemLog(events[:5])
    environment = {"LANNER_STATE_DIRECTORY": str(tmp_path)}

    def uuids(count):
        options = ["--init", json.dumps(config), "--events", str(count)]
        report = run_host(built(str(EXAMPLES / "okta.py"), "3.3"), *options, env=environment)
        assert report["violations"] == [], report
        return [each["fields"]["okta.uuid"] for run in report["runs"] for each in run["events"]]

    with serving(log) as api:
        config = {"url": api.url, "token": "token", "since": "2026", "every": 0.01}
        first = uuids(5)
        log.events += events[5:]
        again = uuids(3)
    assert first[:5] == ["0", "1", "2", "3", "4"]
    assert again[0] <= "5", "nothing is skipped"


def test_a_wrong_argument_is_named_with_the_line_of_the_plugin(built, run_host):
    opened = run_host(built("misused"), "--open", "10")["runs"][0]["open"]
    assert "tail: max_line is 10; it must be at least 1024 (" in opened["error"]
    assert opened["error"].endswith("misused.py, line 14)")
