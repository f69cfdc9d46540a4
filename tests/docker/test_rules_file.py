"""The rules that ship with the Docker plugin, beyond what their test file says: engines of all API versions, the language, the recording."""

from pathlib import Path

import pytest

from lanner.docker import Docker
from lanner.rules import Catalog, compile_rules, load_rules
from lanner.rules.condition.ast import And, Check, Not, Or
from lanner.sdk.authoring.plugin import plugin_info
from lanner.testing import Rules
from lanner.testing.casefile import TestFile
from lanner.testing.ruletests import compare, find_silent, run_file

INFO = plugin_info(Docker)
RULES = Rules()
RULESET = RULES.rules.rules
NAMES = [rule.name for rule in RULESET]
FILE = Path(INFO.rules).with_name("docker_rules_test.yaml")
CASES = TestFile(FILE).content.tests


# raised by what the recording does not do: the events of the test file must do for them
NOT_RECORDED = {
    "Container from an image made to reach the host",
    "Network with the outside created",
    "Package installed in a container",
    "Security agent stopped",
    "Service removed",
    "Update of a service failed",
    # they need what Lanner adds to an engine's events
    "Container could not be described",
    "Container in a namespace of the host",
    "Container without confinement",
    "Dangerous capability in a container",
    "Device of the host in a container",
    "Docker events may be missing",
    "Engine socket in a container",
    "Event too long to be read whole",
    "Label hides what the engine says",
    "Privileged container",
    "Sensitive path of the host readable in a container",
    "Sensitive path of the host writable in a container",
}


def legacy(event):
    """The same event as engines up to API 1.51 send it."""
    actor, kind = event.get("Actor", {}), event["Type"]
    old = {"status": event["Action"], "id": actor.get("ID", "4f2d")} if kind in {"container", "image"} else {}
    if kind == "container" and "image" in actor.get("Attributes", {}):
        old["from"] = actor["Attributes"]["image"]
    return old | event


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


def test_all_of_the_test_file_passes_and_every_rule_fires_in_it():
    done = run_file(FILE)
    assert [(outcome.name, outcome.differences) for outcome in done.outcomes if not outcome.passed] == []
    assert find_silent([done]) == []


def test_of_each_rule_there_are_events_that_come_close_and_do_not_raise_it():
    near = {case.name: {each.rule for each in case.entries()} for case in CASES if case.all_matches}
    for name in NAMES:
        assert name not in near[f"{name}, not on similar events"]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_events_of_engines_before_api_1_52_raise_the_same(case):
    events = [legacy(event) for event in case.events]
    replayed = RULES.replay(events, enable=case.enable, all_matches=case.all_matches)
    assert list(compare(case, replayed)) == []


def test_the_file_is_read_without_a_word():
    catalog = Catalog([declaration.info for declaration in INFO.fields], "docker")
    ruleset = load_rules([INFO.rules], catalog, plugins={"docker": INFO.version})
    assert ruleset.findings == ()
    assert compile_rules(ruleset, catalog).findings == ()


def test_only_rules_that_need_filling_or_would_be_noise_are_disabled():
    assert {rule.name for rule in RULESET if not rule.enabled} == {
        "Command in a container",
        "Container ended with an error",
        "Container from an image that is not on the list",
        "Container started on the host's network",
        "Docker status changed",
        "Image pulled from a registry that is not on the list",
        "Root in a container writes to the host",
    }


@pytest.mark.parametrize("rule", RULESET, ids=NAMES)
def test_rule_speaks_the_language_of_falco_0_32(rule):
    """The rule uses no regex, iglob, transformers, fields on the right or `oneof`, which Falco 0.32 lacks."""
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
            "intersects",
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


def test_every_shipped_rule_is_found_by_the_index():
    assert RULES.rules.compile().plan.index.always == ()


def test_the_recording_raises_all_rules_but_a_known_few():
    raised = [alert.rule for alert in RULES.replay(INFO.example).alerts]
    assert {rule.name for rule in RULESET if rule.enabled} - set(raised) == NOT_RECORDED
    assert len(raised) >= 40


@pytest.fixture
def adapted(tmp_path):
    """`adapted(text)` are the rules with a file of the user's after them."""

    def rules(text):
        (tmp_path / "mine.yaml").write_text(text)
        return Rules(INFO.rules, tmp_path / "mine.yaml")

    return rules


def run(command):
    return {"Type": "container", "Action": f"exec_start: {command}"}


def test_a_health_check_on_the_list_raises_nothing(adapted):
    rules = adapted("- list: known_health_checks\n  items: ['/bin/sh -c pg_isready -U shop || exit 1']\n")
    rules.replay([run("/bin/sh -c pg_isready -U shop || exit 1")]).assert_silent()
    rules.replay([run("/bin/sh -c pg_isready")]).assert_fired("Shell command in a container")


def test_an_image_on_the_list_raises_nothing(adapted):
    name = "Container from an image that is not on the list"
    rules = adapted("- list: allowed_images\n  items: [busy:1, redis:7]\n")
    started = [{"Type": "container", "Action": "start", "Actor": {"Attributes": {"image": image}}} for image in ("busy:1", "redis:6")]
    result = rules.replay(started, enable=[name])
    assert [alert.fields["docker.from"] for alert in result.fired(name)] == ["redis:6"]


def test_an_image_that_may_have_the_hosts_powers_raises_nothing(adapted):
    rules = adapted("- list: images_with_host_access\n  items: [portainer:2]\n")
    described = {
        "privileged": "true",
        "socket": "true",
        "modes": {"pid": "host"},
        "caps": {"added": {"ALL": ""}},
        "writable": {"/": "/host"},
    }
    started = [
        {"Type": "container", "Action": "start", "Actor": {"Attributes": {"image": image}}, "lanner": {"inspect": described}}
        for image in ("portainer:2", "portainer:3")
    ]
    result = rules.replay(started, all_matches=True)
    assert {alert.fields["docker.from"] for alert in result.alerts} == {"portainer:3"}
    assert len(result.alerts) == 5


SHELLS = [
    *(
        "sh",
        "sh ",
        "/bin/sh",
        "/bin/sh -c id",
        "bash -l",
        "/usr/local/bin/bash -c id",
        "/opt/tools/bin/zsh",
        "/busybox/sh",
        "./bash -i",
        "../sh",
    ),
    *("/bin/ash", "/system/bin/mksh", "ksh93 -c id", "/usr/bin/fish", "tcsh", "rbash", "/usr/bin/pwsh -c id", "su", "su - app -c id"),
    *("busybox sh", "/bin/busybox ash -c id", "/busybox sh", "busybox.static sh", "toybox sh -c id"),
    *("env sh", "/usr/bin/env bash -c id", "env -i A=b /bin/sh", "env -S bash -c id", "env PATH=/tmp /usr/local/bin/bash"),
    *("nsenter -t 1 -m -u -n -i sh", "/usr/bin/nsenter --target 1 --mount -- /bin/bash", "chroot /host /bin/bash", "unshare -r sh"),
    *(
        "sudo bash",
        "sudo -u root -- sh -c id",
        "sudo -i",
        "sudo -su root",
        "/usr/bin/sudo -s",
        "sudo --login",
        "doas sh",
        "doas -s",
        "gosu root bash",
    ),
    *(
        "timeout 5 sh -c id",
        "timeout -s KILL 5 /bin/sh",
        "nohup sh -c id",
        "nohup /bin/bash -i",
        "setsid -f sh",
        "nice -n 5 sh",
        "ionice -c 3 sh",
    ),
    *(
        "stdbuf -oL bash",
        "xargs -n 1 sh -c",
        "script -qc /bin/bash /dev/null",
        "flock /tmp/l sh -c id",
        "ip netns exec blue bash",
        "tini -- sh",
    ),
    *(
        "env nohup timeout 9 /bin/sh -c id",
        "find / -name x -exec sh -c id ;",
        "/lib64/ld-linux-x86-64.so.2 /bin/sh",
        "start-stop-daemon -S -x /bin/sh",
    ),
]
NO_SHELLS = [
    *(
        "ls",
        "ssh host",
        "/usr/bin/ssh -c aes host",
        "shred x",
        "bashful",
        "/opt/sh/run",
        "cat /bin/sh",
        "ls /bin/bash",
        "./deploy.sh",
        "finish",
        "publish",
    ),
    *(
        "git -c color.ui=false log",
        "psql -c select",
        "redis-cli ping",
        "python3 -c print(1)",
        "/app/shell-server",
        "fishing",
        "hash",
        "push sh",
    ),
    *(
        "env",
        "env A=sh ls",
        "env SHELL=/bin/bash printenv",
        "busybox ls",
        "busybox wget -h",
        "timeout 5 ./deploy.sh",
        "timeout 5 curl http://h/sh",
        "nice make",
    ),
    *(
        "sudo apt-get update",
        "sudo grep -i x /y",
        "sudo ls -i /",
        "nohup /srv/bashful",
        "xargs rm -f",
        "find / -name sh",
        "chroot /host /bin/ls",
        "time publish",
        "sudo ssh -i k host",
    ),
    *("suexec", "/usr/bin/sum x", "tini -- /app/server.sh", "nginx -s reload", "watch ls /sh.d", ""),
]


@pytest.mark.parametrize(("commands", "expected"), [(SHELLS, True), (NO_SHELLS, False)], ids=["shells", "others"])
def test_shells_by_any_path_and_through_other_programs(commands, expected):
    """Either of two rules, which tell apart whether a script came along."""
    shells = {"Shell in a container", "Shell command in a container"}
    for command in commands:
        told = {"Type": "container", "Action": f"exec_start: {command}", "Actor": {"ID": "4f2d", "Attributes": {"name": "web"}}}
        rules = {alert.rule for alert in RULES.replay([told], all_matches=True).alerts}
        assert bool(rules & shells) == expected, command
