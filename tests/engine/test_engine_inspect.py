"""Details of containers from a real engine, compared with how they were created, and rules that use them."""

import contextlib
import json

import pytest

import lanner.testing
from lanner.docker import Docker
from lanner.docker.client import find_engine
from lanner.docker.endpoint import parse_endpoint
from lanner.docker.inspector import Inspector
from lanner.native import Events
from lanner.testing.dockerd import IMAGE

pytestmark = pytest.mark.engine

SECRET = "s3cret"
SECRETS = ("-e", f"PASSWORD={SECRET}", "--label", f"token={SECRET}")
COMMAND = ("sh", "-c", f": {SECRET}; exec sleep 1000")
PLAIN = {
    "docker.container.privileged": "false",
    "docker.container.readonly": "false",
    "docker.container.user": "",
    "docker.container.network.mode": "none",
    "docker.container.restart.policy": "no",
    "docker.container.mounts.socket": "false",
    "docker.container.inspect.error": None,
    "docker.container.caps.added": None,
    "docker.container.caps.dropped": None,
    "docker.container.devices": None,
    "docker.container.mounts": None,
    "docker.container.mounts.writable": None,
    "docker.container.security.options": None,
    "docker.container.pid.mode": None,
    "docker.container.uts.mode": None,
    "docker.container.userns.mode": None,
}


def wants(line):
    """Whether the event may need a query of the engine."""
    return Events([line]).starts() == [0]


# the options that a container is made with, what the fields then say, and the rule that its start raises
CASES = {
    "plain": ([], {}, None),
    "privileged": (
        ["--privileged"],
        # an engine disables labels of privileged containers
        {"docker.container.privileged": "true", "docker.container.security.options": ("label=disable",)},
        "Privileged container",
    ),
    "capabilities": (
        ["--cap-add", "SYS_ADMIN", "--cap-add", "cap_net_raw", "--cap-drop", "CHOWN"],
        {"docker.container.caps.added": ("NET_RAW", "SYS_ADMIN"), "docker.container.caps.dropped": ("CHOWN",)},
        "Dangerous capability in a container",
    ),
    "socket": (
        ["-v", "/var/run/docker.sock:/docker.sock:ro"],
        {"docker.container.mounts.socket": "true", "docker.container.mounts": ("/var/run/docker.sock",)},
        "Engine socket in a container",
    ),
    "processes of the host": (
        ["--pid", "host"],
        {"docker.container.pid.mode": "host", "docker.container.security.options": ("label=disable",)},
        "Container in a namespace of the host",
    ),
    "namespaces of the host": (
        ["--ipc", "host", "--uts", "host", "--userns", "host"],
        {
            "docker.container.ipc.mode": "host",
            "docker.container.uts.mode": "host",
            "docker.container.userns.mode": "host",
            "docker.container.security.options": ("label=disable",),
        },
        "Container in a namespace of the host",
    ),
    "paths of the host": (
        ["-v", "/etc:/hostetc:ro", "--mount", "type=bind,source=/root,target=/r", "-v", "orders:/orders"],
        {"docker.container.mounts": ("/etc", "/root"), "docker.container.mounts.writable": ("/root",)},
        "Sensitive path of the host writable in a container",
    ),
    "a path of the host to read": (
        ["-v", "/etc/passwd:/passwd:ro"],
        {"docker.container.mounts": ("/etc/passwd",)},
        "Sensitive path of the host readable in a container",
    ),
    "a volume that is a path of the host": (
        [
            "--mount",
            "type=volume,source=hidden,target=/data,volume-driver=local,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/var/lib",
        ],
        {"docker.container.mounts": ("/var/lib",), "docker.container.mounts.writable": ("/var/lib",)},
        "Sensitive path of the host writable in a container",
    ),
    "devices": (
        ["--device", "/dev/kmsg:/dev/log", "--device-cgroup-rule", "b 8:* rwm"],
        {"docker.container.devices": ("/dev/kmsg", "b 8:* rwm")},
        "Device of the host in a container",
    ),
    "no confinement": (
        ["--security-opt", "seccomp=unconfined", "--security-opt", "no-new-privileges", "--security-opt", "systempaths=unconfined"],
        {"docker.container.security.options": ("no-new-privileges", "seccomp=unconfined", "systempaths=unconfined")},
        "Container without confinement",
    ),
    "well kept": (
        ["--read-only", "-u", "1000:1000", "--restart", "on-failure:3", "--cap-drop", "ALL"],
        {
            "docker.container.readonly": "true",
            "docker.container.user": "1000:1000",
            "docker.container.restart.policy": "on-failure",
            "docker.container.caps.dropped": ("ALL",),
        },
        None,
    ),
}


@pytest.fixture
def asking(engine):
    endpoint = parse_endpoint(engine.host, "test")
    return Inspector(endpoint, find_engine(endpoint).api, 10.0)


@pytest.fixture(scope="module")
def docker():
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(lanner.testing.host(Docker))


@pytest.fixture(scope="module")
def rules():
    return lanner.testing.Rules()


@pytest.mark.parametrize("case", CASES)
def test_the_fields_say_what_a_container_was_made_with_and_the_rules_see_it(engine, asking, docker, rules, case):
    options, given, rule = CASES[case]
    with engine.recorded() as recording:
        engine.docker("create", "--name", "web", "--network", "none", *SECRETS, *options, IMAGE, *COMMAND)
        recording.wait_for_action("container", "create", name="web")
        [line] = (line.encode() for line in recording.lines if wants(line.encode()))
    said = asking.describe(line)
    assert SECRET.encode() not in said
    # not every machine of tests is allowed to start each of these
    event = {**json.loads(line), "Action": "start", "lanner": {"inspect": json.loads(said)}}
    expected = {**PLAIN, "docker.container.image.id": engine.docker("image", "inspect", "-f", "{{.Id}}", IMAGE), **given}
    found = {name: docker.extract(json.dumps(event), name) for name in expected}
    assert {name: tuple(sorted(value)) if isinstance(value, list) else value for name, value in found.items()} == expected
    assert [alert.rule for alert in rules.replay([event]).alerts] == ([rule] if rule else [])


def test_the_start_of_a_container_is_asked_about_too(engine, asking):
    with engine.recorded() as recording:
        engine.docker("run", "--name", "web", "--network", "none", IMAGE, "true")
        recording.wait_for_action("container", "die", name="web")
        wanted = [line.encode() for line in recording.lines if wants(line.encode())]
    assert [json.loads(line)["Action"] for line in wanted] == ["create", "start"]
    assert asking.describe(wanted[1]) == asking.describe(wanted[0])


def test_a_container_that_is_gone_is_reported_and_one_that_was_seen_is_still_known(engine, asking):
    with engine.recorded() as recording:
        engine.docker("create", "--name", "seen", "--network", "none", "--cap-add", "SYS_ADMIN", IMAGE, "true")
        created = json.dumps(recording.wait_for_action("container", "create", name="seen")).encode()
        said = asking.describe(created)
        engine.docker("run", "--rm", "--name", "unseen", "--network", "none", IMAGE, "true")
        gone = json.dumps(recording.wait_for_action("container", "start", name="unseen")).encode()
        recording.wait_for_action("container", "destroy", name="unseen")
        engine.docker("rm", "seen")
    assert asking.describe(gone) == b'{"error":"gone"}'
    assert asking.describe(created) == said
    assert json.loads(said)["caps"]["added"] == {"SYS_ADMIN": ""}
