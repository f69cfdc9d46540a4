"""Every field of every event: recordings of two engines, the forms that newer engines and podman give them, and wrong types."""

import json
import random
from pathlib import Path

import pytest

import lanner.testing
from lanner.docker import Docker
from lanner.sdk.authoring.plugin import plugin_info

from .reading import LISTS, reading, timestamp

RECORDINGS = {
    "engine-20.10": Path(__file__).parents[1] / "data" / "docker-engine-20.10-events.jsonl",
    "example": Path(plugin_info(Docker).example),
}
OLD_NAMES = ("status", "id", "from")
"""Members that an engine asked in API 1.52 or later does not send."""


def event(kind, action, attributes, who="1234", **more):
    return {"Type": kind, "Action": action, "Actor": {"ID": who, "Attributes": attributes}, "scope": "local"} | more


# Events that podman 4.3 sent on its Docker-compatible socket, by the description of its events
PODMAN = [
    event("container", "died", {"containerExitCode": "137", "image": "busy:1"}, status="died", time=1, timeNano=1_000_000_001),
    event("container", "start", {"containerExitCode": "0", "image": "busy:1"}, status="start", id="1234"),
    event("container", "remove", {"containerExitCode": "0", "exitCode": ""}, status="remove"),
    event("volume", "create", {"name": "orders"}, who="", status="create"),
    event("image", "tag", {"name": "busy:2", "image": ""}, **{"from": ""}),
    event("container", "health_status", {"health_status": "unhealthy"}),
    # podman 5's, by ConvertToEntitiesEvent
    event("container", "health_status", {"name": "job"}, HealthStatus="unhealthy", status="health_status"),
    event("container", "start", {"name": "job"}, HealthStatus="unhealthy"),
    event("container", "exec", {"name": "job", "podId": ""}, status="exec"),
    event("container", "exec_died", {"name": "job", "containerExitCode": "139", "podId": ""}, status="exec_died"),
    event("container", "die", {"name": "job", "containerExitCode": "137", "exitCode": "137", "oomKilled": "true"}, status="die"),
    event("network", "connect", {"image": "", "name": "job", "network": "podman", "podId": ""}, who="ab12"),
    event("network", "create", {"image": "", "name": "", "network": "outside", "driver": "macvlan"}, who="ab12"),
]
ODD = [
    event("container", "exec_create: sh -c 'a: b:c'", {"execID": ""}),
    event("container", "exec_create", {}),
    event("container", "exec_start:", {}),
    event("container", "exec_start: ", {}),
    event("container", "exec_die", {"execID": "9", "exitCode": "-1"}),
    event("container", "health_status:unhealthy", {}),
    event("container", "top: exec_create: x", {"exitCode": "12monkeys", "signal": " 9"}),
    event("network", "connect", {"type": "", "name": 'grün "q" \\ \u0000 \U0001f40b'}, scope="swarm"),
    event("daemon", "reload", {}, time=7),
    event("daemon", "reload", {"a": 1, "b": None, "c": {"d": "e"}}, timeNano="8", time=7),
    {},
    {"Actor": None},
    {"Actor": {"Attributes": []}},
]
DESCRIBED = {
    "privileged": "true",
    "readonly": "false",
    "user": "",
    "modes": {"network": "host", "pid": "host", "ipc": "private", "uts": "host", "userns": "host", "cgroup": "private"},
    "image": {"id": "sha256:0d5d", "digest": "sha256:77aa"},
    "restart": "always",
    "socket": "true",
    "caps": {"added": {"SYS_ADMIN": "", "NET_RAW": ""}, "dropped": {"CHOWN": ""}},
    "security": {"seccomp=unconfined": "", "no-new-privileges": ""},
    "devices": {"/dev/sda": "/dev/disk", "b 8:* rwm": ""},
    "writable": {"/root": "/r"},
    "mounts": {"/root": "/r", "/var/run/docker.sock": "/docker.sock"},
    "error": "cut",
}
GAP = {
    "from": 1_795_426_345_860_357_172,
    "until": 1_795_426_346_000_000_000,
    "fromTime": "2026-11-23T09:32:25.860357172Z",
    "untilTime": "2026-11-23T09:32:26.000000000Z",
    "reason": "queue full",
}
# Members that Lanner adds
ADDED = [
    event("container", "start", {"image": "busy:1"}, lanner={"host": "db", "inspect": DESCRIBED}),
    event("container", "create", {}, lanner={"inspect": {"error": "timeout"}}),
    event("container", "create", {}, lanner={"inspect": {"caps": {"added": {}}, "mounts": {}}}),
    event("lanner", "gap", {"reason": "queue full"}, who="db", time=1, timeNano=GAP["until"], lanner={"host": "db", "gap": GAP}),
    event("lanner", "gap", {}, lanner={"gap": {"from": "1", "until": -1, "reason": 5}}),
]
WRONG = [None, True, 0, -1.5, 2**70, [], ["text"], {}, {"name": "text"}]


@pytest.fixture(scope="module")
def docker():
    """One host for all events: what it keeps of one must not be seen in another."""
    with lanner.testing.host(Docker) as host:
        yield host


def recorded():
    for path in RECORDINGS.values():
        for line in path.read_bytes().splitlines():
            yield json.loads(line), line


def check(docker, expected, payload):
    found = {name: docker.extract(payload, name) for name in reading(expected)}
    assert found | {name: sorted(found[name] or ()) or None for name in LISTS} == reading(expected), payload
    return found


def test_the_reading_knows_every_field():
    assert {*reading({}), "docker.attributes"} == {declaration.info.name for declaration in plugin_info(Docker).fields}


@pytest.mark.parametrize("path", RECORDINGS.values(), ids=RECORDINGS)
def test_every_field_of_every_recorded_event(docker, path):
    given = set()
    for line in path.read_bytes().splitlines():
        found = check(docker, json.loads(line), line)
        given.update(name for name, value in found.items() if value is not None)
    assert {"docker.exec.command", "docker.signal", "docker.from", "docker.attributes.container"} <= given


def test_every_attribute_by_its_name(docker):
    for expected, line in recorded():
        attributes = expected["Actor"]["Attributes"]
        assert {key: docker.extract(line, "docker.attributes", key) for key in attributes} == attributes
        assert docker.extract(line, "docker.attributes", "no such") is None
        assert docker.extract(line, "docker.attributes", "Name") is None


def test_engines_of_api_1_52_give_containers_and_images_the_same_values(docker):
    for old, line in recorded():
        new = {key: value for key, value in old.items() if key not in OLD_NAMES}
        found = check(docker, new, json.dumps(new))
        if old["Type"] in {"container", "image"}:
            for name in OLD_NAMES:
                assert found[f"docker.{name}"] == docker.extract(line, f"docker.{name}"), line


@pytest.mark.parametrize("form", [json.dumps, lambda value: json.dumps(value, ensure_ascii=False, indent=1).replace("\n", "")])
@pytest.mark.parametrize("told", PODMAN + ODD + ADDED, ids=lambda told: f"{told.get('Type')}-{told.get('Action')}")
def test_podmans_and_odd_events_and_what_lanner_adds(docker, told, form):
    check(docker, told, form(told))


def test_each_field_of_what_lanner_adds_has_a_value_in_one_of_these_events(docker):
    given = {name for told in ADDED for name, value in check(docker, told, json.dumps(told)).items() if value is not None}
    assert {name for name in reading({}) if name.startswith(("docker.container.", "docker.gap.", "docker.host"))} <= given


def test_no_label_can_say_what_lanner_says(docker):
    """Attributes contain the names of others; of equal names the last counts, which is Lanner's."""
    attributes = {"lanner": "x", "host": "forged", "lanner.host": "forged", "privileged": "false"}
    told = event("container", "start", attributes)
    found = check(docker, told, json.dumps(told))
    assert not [name for name, value in found.items() if value == "forged"]
    line = json.dumps({"lanner": {"host": "forged"}, **told})
    assert docker.extract(line.removesuffix("}") + ',"lanner":{"host":"db"}}', "docker.host") == "db"


def places(value, place=()):
    """The way to each member of an event."""
    for key, member in value.items():
        yield (*place, key)
        if isinstance(member, dict):
            yield from places(member, (*place, key))


def put(value, place, other):
    """The event with another value at that place."""
    key, *rest = place
    return value | {key: put(value[key], rest, other) if rest else other}


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_a_value_of_the_wrong_type_is_no_value_and_harms_no_other_field(docker, wrong):
    kinds = {(told["Type"], told["Action"].partition(":")[0]): told for told, _ in recorded()}
    for told in (*kinds.values(), *ADDED):
        for place in places(told):
            broken = put(told, place, wrong)
            check(docker, broken, json.dumps(broken))


def test_no_value_of_one_event_is_seen_in_another(docker):
    events = [told for told, _ in recorded()] + PODMAN + ODD + ADDED
    order = random.Random(1)
    for _ in range(3):
        order.shuffle(events)
        for told in events:
            check(docker, told, json.dumps(told))


def test_the_timestamp_is_the_engines_time(docker):
    for told, line in recorded():
        assert docker.extract(line, "docker.time") == timestamp(told) == told["timeNano"]
