"""The description of containers: which events query the engine, what is kept of the response, and the cost of a failing engine."""

import json
import os
import socket
import threading

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lanner.docker import inspector as inspector_module
from lanner.docker.endpoint import parse_endpoint
from lanner.docker.inspector import Inspector
from lanner.native import Events

from ..waiting import PATIENCE
from .stand_in import answer

ID = "4f2d" * 16
ERRORS_OF_THE_ENGINE = (answer({"message": "no"}, "500 Internal Server Error"), answer(b"<html>", "403 Forbidden", "text/html"))
PLAIN = {
    "Id": ID,
    "Image": "sha256:0d5d",
    "HostConfig": {"NetworkMode": "none", "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}, "Privileged": False},
    "Mounts": [],
    "Config": {"User": "1000", "Env": ["PASSWORD=secret"]},
}
PLAIN_KEPT = {
    "privileged": "false",
    "readonly": "false",
    "user": "1000",
    "modes": {"network": "none"},
    "image": {"id": "sha256:0d5d"},
    "restart": "no",
    "socket": "false",
    "caps": {"added": {}, "dropped": {}},
    "security": {},
    "devices": {},
    "writable": {},
    "mounts": {},
}


def line(action="start", identity=ID, kind="container", **attributes):
    """An event as an engine writes it."""
    actor = {"ID": identity, "Attributes": {"image": "busy:1", "name": "web", **attributes}}
    event = {"status": action, "id": identity, "from": "busy:1", "Type": kind, "Action": action, "Actor": actor, "scope": "local"}
    return json.dumps(event, separators=(",", ":")).encode()


def wants(event):
    """Whether the event may need a query of the engine, which is checked for every event."""
    return Events([event]).starts() == [0]


def inspector(engine, timeout=10.0, wake=-1):
    return Inspector(parse_endpoint(engine.url, "test"), "1.41", timeout, wake)


def described(asking, *args, **kwargs):
    """The description as JSON on one line."""
    said = asking.describe(line(*args, **kwargs))
    assert said is not None
    assert b"\n" not in said
    return json.loads(said)


def kept_of(engine, container):
    engine.events = answer(container)
    return described(inspector(engine))


def with_host(**members):
    return {**PLAIN, "HostConfig": members}


# which events ask


@pytest.mark.parametrize("action", ["create", "start"])
def test_the_creation_and_the_start_of_a_container_are_asked_about(engine, action):
    engine.events = answer(PLAIN)
    asking = inspector(engine)
    assert wants(line(action))
    assert described(asking, action) == PLAIN_KEPT
    assert engine.requests == [f"GET /v1.41/containers/{ID}/json HTTP/1.1"]


@pytest.mark.parametrize("form", [{"separators": (",", ":")}, {}, {"separators": (" , ", " : ")}], ids=["tight", "usual", "loose"])
def test_blanks_in_the_json_do_not_matter(form):
    assert wants(json.dumps(json.loads(line()), **form).encode())


OTHERS = [
    line("die"),
    line("restart"),
    line("exec_start: id"),
    line("exec_create: id"),
    line("create", kind="network"),
    line("create", kind="volume", identity="orders"),
    line("pull", kind="image", identity="busy:1"),
    line("die", name='"Action":"start"'),
    b'{"Type":"container"',
    b"",
    b"\xff",
]


@pytest.mark.parametrize("other", OTHERS)
def test_no_other_event_is_asked_about(engine, other):
    asking = inspector(engine)
    assert not wants(other)
    assert asking.describe(other) is None
    assert engine.requests == []


@pytest.mark.parametrize(
    "other",
    [
        line("die", Action="start"),
        line("create", kind="network", Type="container"),
        b'{"Type":"container","Action":"start"',
        b'{"Type":"container","Action":"start"}\xff',
        b"[" * 100_000 + b'"Type":"container","Action":"start"',
        b'["Type","container",{"Type":"container","Action":"start"}]',
        b'{"Type":["container"],"Action":["start"]}',
    ],
    ids=["a label Action", "a label Type", "cut off", "no UTF-8", "deep", "a list", "lists"],
)
def test_what_only_looks_like_one_is_reported_apart_when_it_is_read(engine, other):
    asking = inspector(engine)
    assert wants(other)
    assert asking.describe(other) is None
    assert engine.requests == []


@pytest.mark.parametrize(
    "identity", ["", "../../images/json?x=", "web", "4F2D", "4f2d/../x", "4f2d\r\nX: 1", "4f2d\n", "٤", "4f2d" * 17, None, 5, ["4f2d"]]
)
def test_an_id_that_is_none_goes_into_no_path(engine, identity):
    assert described(inspector(engine), identity=identity) == {"error": "id"}
    assert engine.requests == []


# what is kept


def test_what_attackers_use_is_kept(engine):
    container = {
        "Id": ID,
        "Image": "sha256:0d5d",
        "ImageManifestDescriptor": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:77aa", "size": 1},
        "HostConfig": {
            "NetworkMode": "host",
            "PidMode": "host",
            "IpcMode": "container:77aa",
            "UTSMode": "host",
            "UsernsMode": "host",
            "CgroupnsMode": "private",
            "Privileged": True,
            "ReadonlyRootfs": True,
            "CapAdd": ["SYS_ADMIN", "CAP_NET_RAW", "all"],
            "CapDrop": ["CHOWN"],
            "RestartPolicy": {"Name": "always"},
            "SecurityOpt": ["seccomp=unconfined", "apparmor:unconfined", "no-new-privileges", 'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'],
            "Devices": [{"PathOnHost": "/dev/sda", "PathInContainer": "/dev/disk", "CgroupPermissions": "rwm"}],
            "DeviceCgroupRules": ["b 8:* rwm"],
            "MaskedPaths": [],
        },
        "Mounts": [
            {"Type": "bind", "Source": "/var/run/docker.sock", "Destination": "/docker.sock", "RW": False},
            {"Type": "bind", "Source": "/root", "Destination": "/r", "RW": True},
            {"Type": "volume", "Name": "orders", "Source": "/var/lib/docker/volumes/orders/_data", "Destination": "/data", "RW": True},
            {"Type": "tmpfs", "Source": "", "Destination": "/tmp", "RW": True},
            {"Type": "bind", "Source": "", "Destination": "/no path", "RW": True},
        ],
        "Config": {"User": "0:0"},
    }
    assert kept_of(engine, container) == {
        "privileged": "true",
        "readonly": "true",
        "user": "0:0",
        "modes": {"network": "host", "pid": "host", "ipc": "container:77aa", "uts": "host", "userns": "host", "cgroup": "private"},
        "image": {"id": "sha256:0d5d", "digest": "sha256:77aa"},
        "restart": "always",
        "socket": "true",
        "caps": {"added": {"SYS_ADMIN": "", "NET_RAW": "", "ALL": ""}, "dropped": {"CHOWN": ""}},
        "security": {
            "seccomp=unconfined": "",
            "apparmor=unconfined": "",
            "no-new-privileges": "",
            "seccomp=custom": "",
            "systempaths=unconfined": "",
        },
        "devices": {"/dev/sda": "/dev/disk", "b 8:* rwm": ""},
        "writable": {"/root": "/r"},
        "mounts": {"/root": "/r", "/var/run/docker.sock": "/docker.sock"},
    }


def test_nothing_else_is_kept(engine):
    """Environment, commands and labels may hold secrets and anything that an attacker writes."""
    secret = "s3cret"
    container = {
        **PLAIN,
        "Path": secret,
        "Args": [secret],
        "Name": f"/{secret}",
        "Config": {
            "Env": [f"PASSWORD={secret}"],
            "Cmd": [secret],
            "Entrypoint": [secret],
            "Labels": {secret: secret},
            "Hostname": secret,
            "Healthcheck": {"Test": [secret]},
        },
        "NetworkSettings": {"Networks": {secret: {}}},
    }
    container["HostConfig"] = {
        **PLAIN["HostConfig"],
        "LogConfig": {"Type": "gelf", "Config": {"token": secret}},
        "ExtraHosts": [secret],
        "SecurityOpt": [f'seccomp={{"comment":"{secret}"}}'],
    }
    assert secret not in json.dumps(kept_of(engine, container))


def test_a_volume_made_of_a_path_of_the_host_is_a_mount_of_that_path(engine):
    options = {"type": "none", "o": "bind", "device": "/etc"}
    volume = {"Type": "volume", "Target": "/data", "VolumeOptions": {"DriverConfig": {"Name": "local", "Options": options}}}
    kept = kept_of(engine, with_host(Mounts=[volume, {**volume, "ReadOnly": True, "VolumeOptions": {}}, {"Type": "bind", "Source": "/x"}]))
    assert (kept["mounts"], kept["writable"]) == ({"/etc": "/data"}, {"/etc": "/data"})


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("/var/run/docker.sock", True),
        ("/run/docker.sock", True),
        ("/run/containerd/containerd.sock", True),
        ("/run/containerd", True),
        ("/run/podman/podman.sock", True),
        ("/var/run/crio/crio.sock", True),
        ("/run/user/1000/docker.sock", True),
        ("/run/user/1000/podman", True),
        ("/run/user/1000", True),
        ("/srv/docker.sock", True),
        ("/", True),
        ("/run", True),
        ("/var/run", True),
        ("/var", False),
        ("/run/lock", False),
        ("/run/docker", True),
        ("/runner", False),
        ("/run/user/1000/bus", False),
        ("/var/run/docker.sock.d", False),
        ("/home/me/docker.sock/x", False),
    ],
)
def test_the_sockets_of_engines_are_known_and_the_directories_that_hold_them(source, holds):
    assert inspector_module._holds_socket(source, "") is holds


@pytest.mark.parametrize(("source", "holds"), [("/srv/engine.sock", True), ("/srv", True), ("/srv/x", False)])
def test_the_socket_of_the_engine_that_is_asked_is_one_of_them(source, holds):
    assert inspector_module._holds_socket(source, "/srv/engine.sock") is holds


@pytest.mark.parametrize(
    ("written", "path"),
    [("/etc/", "/etc"), ("//etc", "/etc"), ("/etc/.", "/etc"), ("/srv/../etc", "/etc"), ("/", "/"), ("//", "/"), ("/..", "/")],
)
def test_a_path_is_the_same_path_however_it_is_written(engine, written, path):
    """Engines clean the paths of mounts, but not those in a volume's options."""
    volume = {"Type": "volume", "Target": "/data", "VolumeOptions": {"DriverConfig": {"Options": {"device": written}}}}
    container = {**with_host(Mounts=[volume]), "Mounts": [{"Type": "bind", "Source": written, "Destination": "/x", "RW": True}]}
    kept = kept_of(engine, container)
    assert [*kept["mounts"]] == [*kept["writable"]] == [path]
    assert kept["socket"] == ("true" if path == "/" else "false")


@pytest.mark.parametrize("wrong", [None, True, 0, -1.5, [], ["text"], [["text"]], [{}], {}, {"Name": 5}, "text"], ids=repr)
def test_members_of_the_wrong_type_are_none_and_harm_no_other(engine, wrong):
    for member in ("HostConfig", "Mounts", "Config", "Image", "ImageManifestDescriptor"):
        kept = kept_of(engine, {**PLAIN, member: wrong})
        assert set(kept) >= {
            "privileged",
            "readonly",
            "user",
            "modes",
            "image",
            "socket",
            "caps",
            "security",
            "devices",
            "writable",
            "mounts",
        }
    host = dict.fromkeys(
        ("NetworkMode", "Privileged", "ReadonlyRootfs", "CapAdd", "SecurityOpt", "Devices", "DeviceCgroupRules", "RestartPolicy", "Mounts"),
        wrong,
    )
    assert kept_of(engine, with_host(**host))["user"] == "1000"


MEMBERS = (
    *(
        "HostConfig",
        "Config",
        "Mounts",
        "Image",
        "ImageManifestDescriptor",
        "Type",
        "Source",
        "Destination",
        "RW",
        "User",
        "digest",
        "Privileged",
    ),
    *(
        "CapAdd",
        "CapDrop",
        "SecurityOpt",
        "Devices",
        "DeviceCgroupRules",
        "PathOnHost",
        "PathInContainer",
        "MaskedPaths",
        "RestartPolicy",
        "Name",
    ),
    *("NetworkMode", "VolumeOptions", "DriverConfig", "Options", "device", "Target", "ReadOnly"),
)
TEXTS = st.text() | st.sampled_from(["bind", "/", "/etc", "/var/run", "host", "seccomp={", "=", "CAP_", "\0", "\x1b[2J", "/" + "x" * 5000])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=80) | st.dictionaries(st.sampled_from(MEMBERS) | TEXTS, inner, max_size=12),
    max_leaves=60,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # large values are wanted, and take their time to make on a busy machine
@given(st.dictionaries(st.sampled_from(MEMBERS), VALUES))
def test_any_answer_of_an_engine_becomes_one_line_of_bounded_json(container):
    kept = inspector_module._select_members(container, "/var/run/docker.sock")
    said = msgspec.json.encode(kept)
    assert len(said) < 64 * 1024  # of which a word of control characters takes six bytes for each
    assert not [byte for byte in said if byte < 0x20]
    assert {type(member) for member in kept.values()} <= {str, dict}


# bounds


def mount(source):
    return {"Type": "bind", "Source": source, "Destination": "/x", "RW": False}


def test_a_list_is_bounded_and_the_shortest_items_are_kept(engine):
    """So that many mounts do not hide the one that matters."""
    sources = [f"/home/me/{number:04}" for number in range(1000)]
    kept = kept_of(engine, {**PLAIN, "Mounts": [mount(source) for source in [*sources, "/etc", "/run"]]})
    assert set(kept["mounts"]) == {"/etc", "/run", *sources[:62]}
    assert (kept["error"], kept["socket"]) == ("cut", "true")


def test_all_that_is_kept_is_bounded(engine):
    long = "/" + "x" * 20_000
    full = {
        **with_host(
            NetworkMode=long,
            CapAdd=[long + str(number) for number in range(5)],
            SecurityOpt=[long],
            Devices=[{"PathOnHost": long, "PathInContainer": long}],
        ),
        "Mounts": [mount(f"/{number}{'y' * 5000}") for number in range(100)],
    }
    full["Image"] = long
    engine.events = answer(full)
    said = inspector(engine).describe(line())
    assert len(said) < 40 * 1024
    assert json.loads(said)["error"] == "cut"
    assert len(json.loads(said)["modes"]["network"]) == 256


def test_an_answer_that_is_too_long_is_not_read(engine):
    engine.events = answer({**PLAIN, "Name": "x" * 2_000_000})
    assert described(inspector(engine)) == {"error": "answer"}


# what it costs


def test_a_container_is_asked_about_once(engine):
    engine.events = answer(PLAIN)
    asking = inspector(engine)
    for _ in range(3):
        assert described(asking, "create") == described(asking, "start") == PLAIN_KEPT
    assert len(engine.requests) == 1


def test_the_last_containers_are_known_and_no_more(engine, monkeypatch):
    monkeypatch.setattr(inspector_module, "_MOST_CACHED", 2)
    engine.events = answer(PLAIN)
    asking = inspector(engine)
    for identity in ("aa", "bb", "aa", "cc", "aa", "bb"):
        described(asking, identity=identity)
    assert [request.split("/")[3] for request in engine.requests] == ["aa", "bb", "cc", "bb"]


def test_a_container_that_is_gone_is_reported_and_is_no_fault_of_the_engine(engine):
    engine.events = answer({"message": "No such container"}, "404 Not Found")
    asking = inspector(engine)
    assert [described(asking) for _ in range(5)] == [{"error": "gone"}] * 5
    assert len(engine.requests) == 5


@pytest.mark.parametrize(
    ("said", "error"),
    [
        *((said, "refused") for said in ERRORS_OF_THE_ENGINE),
        (answer(b"<html>"), "answer"),
        (answer(b"[]"), "answer"),
        (answer(b"[" * 100_000), "answer"),
        (b"garbage", "unreachable"),
        (b"", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "answer"),
    ],
)
def test_an_engine_that_fails_is_left_alone_for_a_while(engine, said, error):
    engine.events = said
    asking = inspector(engine)
    assert [described(asking) for _ in range(6)] == [{"error": error}] * 3 + [{"error": "skipped"}] * 3
    assert len(engine.requests) == 3


def test_after_the_while_it_is_asked_again_once_and_then_as_ever(engine, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(inspector_module.time, "monotonic", lambda: now)
    engine.stop()
    asking = Inspector(parse_endpoint(engine.url, "test"), "1.41", 3600.0)
    assert [described(asking)["error"] for _ in range(4)] == ["unreachable"] * 3 + ["skipped"]
    now += 10.0
    assert [described(asking)["error"] for _ in range(2)] == ["unreachable", "skipped"]
    engine.start()
    engine.events = answer(PLAIN)
    now += 10.0
    assert described(asking) == PLAIN_KEPT
    engine.events = ERRORS_OF_THE_ENGINE[0]
    assert [described(asking, identity="aa")["error"] for _ in range(4)] == ["refused"] * 3 + ["skipped"]


@pytest.fixture
def silent(tmp_path):
    """An engine that takes connections and says nothing, and its address."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "silent.sock"))
        listener.listen()
        yield listener, f"unix://{tmp_path}/silent.sock"


def test_an_engine_that_says_nothing_costs_its_timeout_three_times(silent):
    _, url = silent
    asking = Inspector(parse_endpoint(url, "test"), "1.41", 0.05)
    assert [described(asking)["error"] for _ in range(9)] == ["timeout"] * 3 + ["skipped"] * 6


def test_an_answer_that_comes_in_drops_has_no_more_time_than_another(engine):
    """One deadline counts for all of it, not one for each byte."""
    engine.events = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    done = threading.Event()
    original = engine._answer

    def drip(exchange):
        original(exchange)
        while not done.wait(0.01):
            exchange.send(b" ")

    engine._answer = drip
    assert described(inspector(engine, timeout=0.2)) == {"error": "timeout"}
    done.set()


def test_close_ends_it(silent):
    listener, url = silent
    wake = os.eventfd(0)
    asking = Inspector(parse_endpoint(url, "test"), "1.41", 3600.0, wake)
    said = []
    waiting = threading.Thread(target=lambda: said.append(described(asking)), daemon=True)
    waiting.start()
    connection, _ = listener.accept()
    os.eventfd_write(wake, 1)
    waiting.join(PATIENCE)
    connection.close()
    os.close(wake)
    assert said == [{"error": "unreachable"}]
