"""Every field of every event of a real engine, beside a reading of the engine's JSON that shares nothing with the plugin's."""

import json
import time

import pytest

import lanner.testing
from lanner.docker import Docker
from lanner.sdk.authoring.plugin import plugin_info
from lanner.testing.dockerd import IMAGE

from ..docker.reading import reading

pytestmark = pytest.mark.engine

RUN = ("run", "-d", "--network", "none", "--stop-timeout", "1")
FIELDS = {declaration.info.name for declaration in plugin_info(Docker).fields}


def containers(engine, events):
    labels = (
        "--label",
        "com.docker.compose.project=shop",
        "--label",
        "com.docker.compose.service=web",
        "--label",
        'note=grün "quoted" \\ back',
    )
    engine.docker(*RUN, "--name", "web", *labels, IMAGE, "sleep", "1000")
    engine.docker("exec", "web", "sh", "-c", 'echo one; echo "two: three"')
    engine.docker("exec", "web", "false", check=False)
    engine.docker("cp", f"{engine.root}/daemon.json", "web:/tmp/x")
    engine.docker("cp", "web:/tmp/x", f"{engine.root}/x")
    engine.docker("commit", "web", "web:2")
    engine.docker("rename", "web", "web-old")
    engine.docker("pause", "web-old")
    engine.docker("unpause", "web-old")
    engine.docker("kill", "-s", "USR1", "web-old")
    engine.docker("kill", "web-old")
    engine.docker("tag", "web:2", "web:3")
    engine.docker("rm", "web-old")
    engine.docker("rmi", "web:2", "web:3")
    health = ("--health-cmd", "test -e /ready", "--health-interval", "1s", "--health-retries", "1")
    engine.docker(*RUN, "--name", "queue", *health, IMAGE, "sleep", "1000")
    events.wait_for_action("container", "health_status", name="queue")
    engine.docker(*RUN, "--name", "job", IMAGE, "sh", "-c", "exit 3")
    events.wait_for_action("container", "die", name="job")
    engine.docker("rm", "-f", "queue", "job")


def networks_and_volumes(engine, events):
    engine.docker("volume", "create", "--label", "team=orders", "orders")
    engine.docker("run", "--rm", "--network", "host", "-v", "orders:/orders", IMAGE, "true")
    engine.docker("volume", "rm", "orders")
    engine.docker("network", "create", "--internal", "shop")
    engine.docker("network", "rm", "shop")
    engine.docker("volume", "prune", "-f")
    engine.reload()
    events.wait_for_action("daemon", "reload")


def swarm(engine, events):
    engine.swarm_init()
    events.wait_for_action("node", "update", state_new="ready")
    engine.docker("secret", "create", "password", "-", stdin="not a secret")
    engine.docker("config", "create", "nginx.conf", "-", stdin="events {}\n")
    label = "com.docker.stack.namespace=shop"
    options = ("-d", "--no-resolve-image", "--stop-grace-period", "1s", "--label", label, "--container-label", label)
    engine.docker("service", "create", "--name", "shop_web", *options, IMAGE, "sleep", "1000")
    events.wait_for(lambda event: event["Action"] == "start" and "com.docker.swarm.task.id" in event["Actor"]["Attributes"])
    engine.docker("service", "rm", "shop_web")
    events.wait_for(lambda event: event["Action"] == "destroy" and "com.docker.swarm.task.id" in event["Actor"]["Attributes"])
    engine.docker("secret", "rm", "password")
    engine.docker("config", "rm", "nginx.conf")
    engine.docker("node", "update", "--availability", "drain", engine.docker("info", "--format", "{{.Swarm.NodeID}}"))
    events.wait_for_action("node", "update", availability_new="drain")


# which fields each of them must have given a value at least once, so that nothing is compared with nothing
SCENES = {
    containers: {
        "docker.exec.command",
        "docker.exec.id",
        "docker.health.status",
        "docker.exitcode",
        "docker.signal",
        "docker.compose.project",
    },
    networks_and_volumes: {"docker.attributes.container", "docker.attributes.type", "docker.attributes.name", "docker.actor.id"},
    swarm: {"docker.swarm.taskname", "docker.swarm.task", "docker.node.id", "docker.node.statenew", "docker.stack.namespace"},
}


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_every_field_of_every_event_is_what_the_engines_client_says(engine, scene):
    since = f"since={time.time_ns() / 1e9:.9f}"
    with engine.recorded() as recording, lanner.testing.host(Docker, {"inspect": False, "host": engine.host}, since) as host:
        scene(engine, recording)
        engine.docker("volume", "create", "the-end")
        recording.wait_for(lambda event: event["Actor"]["ID"] == "the-end")
        seen, given = [], set()
        while True:
            event = host.next()
            seen.append(json.loads(event.payload))
            expected = reading(seen[-1])
            found = {name: host.extract(event, name) for name in expected}
            found["docker.attributes.keys"] = sorted(found["docker.attributes.keys"] or ()) or None
            assert found == expected, event.payload
            attributes = seen[-1]["Actor"]["Attributes"]
            assert {key: host.extract(event, "docker.attributes", key) for key in attributes} == attributes
            assert host.extract(event, "docker.attributes", "no such") is None
            assert event.timestamp == seen[-1]["timeNano"]
            given.update(name for name, value in found.items() if value is not None)
            if seen[-1]["Actor"]["ID"] == "the-end":
                break
    assert {*expected, "docker.attributes"} == FIELDS
    assert SCENES[scene] <= given

    def by_time(event):
        return event["timeNano"], event["Action"]

    last = seen[-1]["timeNano"]
    recorded = [event for event in map(json.loads, recording.lines) if event["timeNano"] <= last]
    assert sorted((event for event in seen if event["timeNano"] <= last), key=by_time) == sorted(recorded, key=by_time)
