"""`lanner run docker` and `lanner record docker` as programs, on a real engine: what they print while things happen there."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from lanner.testing.dockerd import IMAGE, Dockerd
from lanner.testing.image_registry import registry

from ..waiting import PATIENCE

pytestmark = pytest.mark.engine

LANNER = str(Path(sys.executable).with_name("lanner"))
RUN = ("run", "-d", "--network", "none", "--stop-timeout", "1")


class Running:
    """The program, its stdout read line by line."""

    def __init__(self, process):
        self.process = process
        self.alerts = []

    def wait_for(self, rule, text=""):
        """Read alerts up to one of this rule with this text in its output; those on the way are kept too."""
        while True:
            line = self.process.stdout.readline()
            assert line, f"{rule} was not raised: {self.process.communicate()[1]}"
            self.alerts.append(json.loads(line))
            if self.alerts[-1]["rule"] == rule and text in self.alerts[-1]["output"]:
                return self.alerts[-1]


@contextmanager
def lanner(engine, *arguments):
    # since: the engine answers before it listens for its own events, so that one right after might be missed
    since = ("--open", f"since={time.time_ns() / 1e9:.9f}")
    with subprocess.Popen(
        [LANNER, arguments[0], "docker", *arguments[1:], *since],
        env=os.environ | {"DOCKER_HOST": engine.host},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def in_a_container(engine):
    engine.docker(*RUN, "--name", "web", IMAGE, "sleep", "1000")
    for command in (["sh", "-c", "true"], ["id"], ["cat", "/etc/shadow"], ["ls", "/var/run/docker.sock"], ["wget", "http://127.1.1.1:1/"]):
        engine.docker("exec", "web", *command, check=False)
    engine.docker("exec", "-i", "web", "sh", stdin="exit\n")
    engine.docker("exec", "-d", "web", "nc", "-l", "-p", "4444", "-e", "/bin/sh")
    engine.docker("exec", "web", "echo", "apk add nmap")


def to_a_container(engine):
    engine.docker("run", "--name", "web", "--network", "none", "--stop-timeout", "1", IMAGE, "true")
    engine.docker("cp", f"{engine.root}/daemon.json", "web:/tmp/x")
    engine.docker("cp", "web:/tmp/x", f"{engine.root}/x")
    engine.docker("commit", "web", "web:2")
    engine.docker("rmi", "web:2")
    engine.docker("export", "-o", f"{engine.root}/web.tar", "web")
    engine.docker("rename", "web", "falco")
    engine.docker("rm", "falco")
    engine.docker(*RUN, "--name", "web", IMAGE, "sleep", "1000")
    engine.docker("top", "web")
    engine.docker("update", "--memory", "64m", "--memory-swap", "64m", "web")
    engine.docker("pause", "web")
    engine.docker("unpause", "web")
    engine.docker("kill", "web")
    with engine.recorded() as events:
        health = ("--health-cmd", "false", "--health-interval", "1s", "--health-retries", "1")
        engine.docker(*RUN, "--name", "queue", *health, IMAGE, "sleep", "1000")
        engine.docker(*RUN, "--name", "parser", IMAGE, "sh", "-c", "exit 139")
        events.wait_for_action("container", "health_status", name="queue")
        events.wait_for_action("container", "die", name="parser")


def an_agent_is_stopped(engine):
    engine.docker("tag", IMAGE, "falcosecurity/falco:0")
    engine.docker(*RUN, "--name", "watch", "falcosecurity/falco:0", "sleep", "1000")
    engine.docker("kill", "watch")
    engine.docker("rm", "watch")
    engine.docker("rmi", "falcosecurity/falco:0")


def names_that_tell(engine):
    for name in ("xmrig:6", "justincormack/nsenter1:1"):
        engine.docker("tag", IMAGE, name)
        engine.docker("create", "--network", "none", name, "true")
        engine.docker("rm", engine.docker("ps", "-ql"))
        engine.docker("rmi", name)


def images(engine):
    with registry() as host:
        engine.docker("tag", IMAGE, f"{host}/web:1")
        engine.docker("push", f"{host}/web:1")
        engine.docker("rmi", f"{host}/web:1")
        engine.docker("pull", f"{host}/web:1")
        engine.docker("rmi", f"{host}/web:1")
    engine.docker("save", "-o", f"{engine.root}/saved.tar", IMAGE)
    engine.docker("load", "-i", f"{engine.root}/saved.tar")


def places(engine):
    engine.docker("volume", "create", "orders")
    engine.docker("volume", "rm", "orders")
    engine.docker("volume", "prune", "-f")
    engine.docker("run", "--rm", "--network", "host", IMAGE, "true")
    engine.docker("network", "create", "--internal", "shop")


def swarm(engine):
    engine.swarm_init()
    engine.docker("secret", "create", "password", "-", stdin="not a secret")
    engine.docker("config", "create", "nginx.conf", "-", stdin="events {}\n")
    for name in ("shop_web", "batch"):
        engine.docker("service", "create", "-d", "--name", name, "--no-resolve-image", "--replicas", "0", IMAGE)
        engine.docker("service", "rm", name)
    engine.docker("node", "update", "--availability", "drain", engine.docker("info", "--format", "{{.Swarm.NodeID}}"))


def engine_itself(engine):
    plugin = engine.root / "plugin"
    (plugin / "rootfs").mkdir(parents=True)
    (plugin / "config.json").write_text(
        '{"entrypoint": ["/bin/true"], "interface": {"types": ["docker.logdriver/1.0"], "socket": "p.sock"}}'
    )
    engine.docker("plugin", "create", "acme/logs", str(plugin))
    engine.docker("plugin", "rm", "acme/logs")
    with engine.recorded() as events:
        engine.reload()
        events.wait_for_action("daemon", "reload")


# what is done on the engine: the rules that it has to raise, and what one of the alerts has to name
SCENES = [
    (
        in_a_container,
        {
            "Shell in a container",
            "Shell command in a container",
            "Reconnaissance in a container",
            "Credentials read in a container",
            "Escape to the host tried in a container",
            "Download in a container",
            "Reverse shell in a container",
            "Package installed in a container",
        },
    ),
    (
        to_a_container,
        {
            "Terminal attached to a container",
            "Files copied into a container",
            "Files copied out of a container",
            "Container committed to an image",
            "Image deleted",
            "Container exported",
            "Container renamed",
            "Processes of a container listed",
            "Limits of a container changed",
            "Container paused",
            "Container killed by signal 9",
            "Container unhealthy",
            "Container crashed",
        },
    ),
    (an_agent_is_stopped, {"Security agent stopped"}),
    (names_that_tell, {"Miner or malware by name", "Container from an image made to reach the host"}),
    (images, {"Image pushed", "Image pulled", "Image tagged", "Image saved", "Image loaded or imported"}),
    (places, {"Volume destroyed", "Objects pruned", "Container on the host's network", "Network created"}),
    (
        swarm,
        {"Secret touched", "Config touched", "Service created", "Stack removed", "Service removed", "Swarm node drained or paused"},
    ),
    (engine_itself, {"Engine plugin installed", "Engine plugin removed", "Engine reloaded"}),
]


@pytest.mark.parametrize(("scene", "rules"), SCENES, ids=[scene.__name__ for scene, _ in SCENES])
def test_what_happens_on_the_engine_raises_its_rules(engine, scene, rules):
    with lanner(engine, "run", "--format", "json") as running:
        scene(engine)
        engine.docker("volume", "create", "the-end")
        engine.docker("volume", "rm", "the-end")
        running.wait_for("Volume destroyed", "the-end")
    raised = {alert["rule"] for alert in running.alerts if "the-end" not in alert["output"]}
    assert rules <= raised


def test_a_container_that_needs_too_much_memory_raises_its_rule(engine):
    with lanner(engine, "run", "--format", "json") as running:
        # repeatedly: the engine can miss the kernel's report of one kill
        command = "while :; do tail /dev/zero; sleep 0.2; done"
        engine.docker(*RUN, "--name", "report", "-m", "16m", "--memory-swap", "16m", IMAGE, "sh", "-c", command)
        alert = running.wait_for("Container out of memory")
        engine.docker("kill", "report")
    assert alert["output_fields"]["docker.attributes.name"] == "report"


def test_a_node_that_comes_and_goes_raises_its_rules(engine):
    with lanner(engine, "run", "--format", "json") as running, Dockerd() as other:
        port = engine.swarm_init()
        here = f"127.0.0.1:{port + 1}"
        token = engine.docker("swarm", "join-token", "-q", "worker")
        other.docker("swarm", "join", "--token", token, "--listen-addr", here, "--advertise-addr", here, f"127.0.0.1:{port}")
        node = running.wait_for("Swarm node joined")["output_fields"]["docker.actor.id"]
        engine.docker("node", "promote", node)
        running.wait_for("Swarm node promoted")
        while "reachable" not in engine.docker("node", "inspect", "-f", "{{json .ManagerStatus}}", node):
            time.sleep(0.2)  # a manager that has not arrived yet cannot be demoted, and no event tells
        engine.docker("node", "demote", node)
        running.wait_for("Swarm node demoted")
        other.stop(kill=True)
        running.wait_for("Swarm node down")
        engine.docker("node", "rm", "--force", node)
        assert running.wait_for("Swarm node removed")["output_fields"]["docker.actor.id"] == node


def test_alerts_alone_are_on_stdout_and_a_summary_on_stderr_at_ctrl_c(engine):
    with lanner(engine, "run") as running:
        engine.docker("volume", "create", "orders")
        engine.docker("volume", "rm", "orders")
        first = running.process.stdout.readline()
        running.process.send_signal(signal.SIGINT)
        rest, told = running.process.communicate(timeout=PATIENCE)
    assert first.partition(": ")[2] == "Warning Volume destroyed (volume=orders driver=local name=<NA>)\n"
    assert rest == ""
    assert running.process.returncode == 0
    assert str(engine.socket) in told
    assert "Volume destroyed" in told


def test_alerts_continue_after_the_engine_was_restarted(engine):
    with lanner(engine, "run", "--format", "json") as running:
        for name in ("one", "two"):
            engine.docker("volume", "create", name)
            engine.docker("volume", "rm", name)
            running.wait_for("Volume destroyed", name)
            engine.stop()
            engine.start()
        running.process.send_signal(signal.SIGTERM)
        running.process.communicate(timeout=PATIENCE)
    assert running.process.returncode == 0


def test_a_recording_raises_the_same_alerts_when_it_is_replayed(engine, tmp_path):
    recording = tmp_path / "recording.jsonl"
    with lanner(engine, "run", "--format", "json") as running, lanner(engine, "record", "-o", str(recording)) as recorder:
        images(engine)
        places(engine)
        engine.docker("volume", "create", "the-end")
        engine.docker("volume", "rm", "the-end")
        running.wait_for("Volume destroyed", "the-end")
        while "the-end" not in (recording.read_text() if recording.exists() else ""):
            time.sleep(0.05)
        recorder.process.send_signal(signal.SIGINT)
        recorder.process.communicate(timeout=PATIENCE)
    assert recorder.process.returncode == 0
    replayed = subprocess.run(
        [LANNER, "run", "docker", "--format", "json", "--replay", str(recording)], capture_output=True, text=True, check=True
    )
    alerts = [json.loads(line) for line in replayed.stdout.splitlines()]
    assert alerts[: len(running.alerts)] == running.alerts
