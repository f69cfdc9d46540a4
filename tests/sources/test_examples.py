"""The examples of sources: what they declare, what their sources give, and the tests of their rules."""

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import lanner.testing
from lanner.host.recording import Replay
from lanner.sdk.authoring.plugin import plugin_info

from ..waiting import PATIENCE
from .api_server import serving
from .system_log import SystemLog
from .test_webhook import signed
from .webhook_reader import ask, client

EXAMPLES = Path(__file__).parents[2] / "examples"
LANNER = Path(sys.executable).parent / "lanner"


def example(name, cls):
    spec = spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, cls)


GITHUB, OKTA, NGINX = example("github", "GitHub"), example("okta", "Okta"), example("nginx", "Nginx")


def recorded(cls):
    """The payloads of the example's recording."""
    replay = Replay([plugin_info(cls).example], plugin_info(cls))
    found = []
    while not (batch := replay.next_batch(0)).ended:
        found += batch.payloads
    return [*found, *batch.payloads]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["github", "okta", "nginx"])
def test_the_tests_of_the_rules_pass(name):
    done = subprocess.run([LANNER, "rules", "test", EXAMPLES / f"{name}_rules_test.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fired in no test" not in done.stdout


@pytest.mark.parametrize(
    ("cls", "config"), [(GITHUB, {"secret": "s"}), (OKTA, {"url": "https://example.okta.com", "token": "t"}), (NGINX, "")]
)
def test_each_field_has_a_value_in_the_recording(cls, config):
    missing = {declaration.info.name for declaration in plugin_info(cls).fields}
    with lanner.testing.host(cls, config) as host:
        for payload in recorded(cls):
            for declaration in plugin_info(cls).fields:
                argument = 0 if declaration.info.argument else None
                if host.extract(payload, declaration.info.name, argument) is not None:
                    missing.discard(declaration.info.name)
    assert missing <= {"okta.evt.legacytype", "github.alert.severity", "github.branch.rule", "github.team"}


def test_github_events_come_with_their_kind(in_background):
    body = json.dumps({"ref": "refs/heads/main", "x_github_event": "forged", "sender": {"login": "ann"}}).encode()
    with (
        lanner.testing.host(GITHUB, {"secret": "s", "address": ":0", "path": "/github"}) as host,
        client(host.source._instance) as connection,
    ):
        answer = in_background(ask, connection, path="/github", body=body, headers={**signed(body, "s"), "X-GitHub-Event": "push"})
        event = host.next()
        assert answer() == (200, "processed")
        assert host.extract(event, "github.type") == "push"
        assert host.extract(event, "github.branch") == "main"
        assert host.extract(event, "github.user") == "ann"
        assert host.extract(event, "github.delivery") is None
        assert ask(connection, path="/github", body=body, headers=signed(body, "wrong"))[0] == 401


def test_okta_pages_are_read_once_and_resumed():
    events = [json.loads(payload) for payload in recorded(OKTA)]
    config = {"token": "token", "since": "2026-01-01T00:00:00Z", "every": 0.01}
    log = SystemLog(events[:5])
    with serving(log) as api:
        with lanner.testing.host(OKTA, {**config, "url": api.url}) as host:
            found = [host.extract(host.next(), "okta.uuid") for _ in range(5)]
            log.events += events[5:7]
            found += [host.extract(host.next(), "okta.uuid") for _ in range(2)]
            position = host.position
        log.events += events[7:]
        with lanner.testing.host(OKTA, {**config, "url": api.url}, position=position) as host:
            event = host.next()
            found.append(host.extract(event, "okta.uuid"))
            with pytest.raises(TimeoutError):
                host.next(timeout=0.1)
    assert found == [event["uuid"] for event in events]


def test_okta_asks_with_its_token_and_waits_for_its_rate(caplog):
    log = SystemLog([{"published": "2026", "uuid": "1"}], limited=1)
    with serving(log) as api:
        with lanner.testing.host(OKTA, {"url": api.url, "token": "token", "since": "2026", "every": 0.01}) as host:
            assert host.extract(host.next(), "okta.uuid") == "1"
        assert "answers 429" in caplog.text
        with lanner.testing.host(OKTA, {"url": api.url, "token": "wrong", "every": 0.01}) as host:
            with pytest.raises(TimeoutError):
                host.next(timeout=0.1)
            assert host.source.connections == {api.url: False}
    assert "answers 401" in caplog.text
    assert "wrong" not in caplog.text


@pytest.mark.slow
def test_lines_written_to_nginx_log_raise_alerts(tmp_path):
    """A run continues at its position: the second one reads only the lines that were written after the first."""
    log, state = tmp_path / "access.log", tmp_path / "state"
    lines = Path(plugin_info(NGINX).example).read_bytes().splitlines(keepends=True)

    def run(events):
        command = [
            LANNER,
            "run",
            EXAMPLES / "nginx.py",
            "--open",
            log,
            "--max-events",
            str(events),
            "-o",
            f"lanner.state_directory={state}",
        ]
        done = subprocess.run(
            list(map(str, command)), capture_output=True, check=False, timeout=PATIENCE, encoding="utf-8", errors="surrogateescape"
        )
        assert done.returncode == 0, done.stderr
        return [line.split(": ", 1)[1].split(" (")[0] for line in done.stdout.splitlines()]

    log.write_bytes(b"".join(lines[:5]))
    assert run(5) == ["Critical secret file served", "Warning SQL injection attempt"]
    with log.open("ab") as file:
        file.write(b"".join(lines[5:]) + lines[3].replace(b".git", b"\xff/.git"))
    assert run(5) == ["Warning directory traversal", "Notice login to the administration failed", "Critical secret file served"]
