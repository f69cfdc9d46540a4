"""A name of 100,000 characters, wherever a name is allowed: the message is short, and says where and what to do."""

import json
import subprocess
import sys

import pytest

from .conftest import ENVIRONMENT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # some eighty commands

LONG = "n" * 100_000
WORDS = "a b " * 25_000
RULE = {"rule": "r", "desc": "d", "condition": "docker.type = image", "output": "o", "priority": "INFO", "source": "docker"}
RULES = {
    "a rule": [RULE | {"rule": LONG, "condition": "nope"}],
    "a rule of many words": [RULE | {"rule": WORDS, "condition": "nope"}],
    "a rule with a warning": [RULE | {"rule": LONG, "condition": "docker.type = docker.id"}],
    "an unused macro": [{"macro": LONG, "condition": "docker.type = image"}, RULE],
    "an unknown macro": [RULE | {"condition": LONG}],
    "an unused list": [{"list": LONG, "items": ["a"]}, RULE],
    "a list with itself": [{"list": LONG, "items": [LONG]}, RULE],
    "an item": [{"list": "l", "items": [f"a,{LONG}"]}, RULE | {"condition": "docker.type in (l)"}],
    "a field": [RULE | {"condition": f"docker.{LONG} = a"}],
    "an argument": [RULE | {"condition": f"docker.type[{LONG}] = a"}],
    "a key of a field": [RULE | {"condition": f"docker.attributes[{LONG}] = a"}],
    "an operator": [RULE | {"condition": f"docker.type {LONG} a"}],
    "a constant": [RULE | {"condition": f"docker.type = {LONG}"}],
    "a number": [RULE | {"condition": f"evt.num = {LONG}"}],
    "a regex": [RULE | {"condition": f'docker.type regex "({LONG}"'}],
    "a transformer": [RULE | {"condition": f"{LONG}(docker.type) = a"}],
    "a field in an output": [RULE | {"output": f"%docker.{LONG}"}],
    "a source": [RULE | {"source": LONG}],
    "a priority": [RULE | {"priority": LONG}],
    "an unknown key": [RULE | {LONG: 1}],
    "an unknown item": [{LONG: 1}, RULE],
    "an exception": [RULE | {"exceptions": [{"name": LONG, "fields": ["docker.nope"], "values": [["a"]]}]}],
    "a field of an exception": [RULE | {"exceptions": [{"name": "e", "fields": [LONG], "values": [["a"]]}]}],
    "an operator of an exception": [RULE | {"exceptions": [{"name": "e", "fields": ["docker.id"], "comps": [LONG], "values": [["a"]]}]}],
    "a value of an exception": [RULE | {"exceptions": [{"name": "e", "fields": ["evt.num"], "values": [[LONG]]}]}],
    "a key of override": [RULE, {"rule": "r", "condition": "and docker.type exists", "override": {LONG: "append"}}],
    "an operation of override": [RULE, {"rule": "r", "condition": "and docker.type exists", "override": {"condition": LONG}}],
    "an append to an unknown rule": [RULE, {"rule": LONG, "condition": "or docker.type exists", "append": True}],
    "an engine version": [{"required_engine_version": LONG}, RULE],
    "a plugin version": [{"required_plugin_versions": [{"name": LONG, "version": "1.0.0"}]}, RULE],
    "a version of a plugin": [{"required_plugin_versions": [{"name": "docker", "version": LONG}]}, RULE],
    "enabled": [RULE | {"enabled": LONG}],
}
CONFIGURATIONS = {
    "an unknown key": {LONG: 1},
    "a key in a block": {"http_output": {LONG: 1}},
    "a word": {"rule_matching": LONG},
    "a priority": {"priority": LONG},
    "a switch": {"json_output": LONG},
    "a number": {"output_timeout": LONG},
    "a plugin": {"load_plugins": [LONG], "plugins": [{"name": "docker", "library_path": "docker"}]},
    "a library": {"plugins": [{"name": "docker", "library_path": LONG}]},
    "an option": {"plugins": [{"name": "docker", "library_path": "docker", "init_config": {LONG: 1}}]},
    "a value of an option": {"plugins": [{"name": "docker", "library_path": "docker", "init_config": {"host": LONG}}]},
    "open parameters": {"plugins": [{"name": "docker", "library_path": "docker", "open_params": LONG}]},
    "two plugins": {"plugins": [{"name": LONG, "library_path": "docker"}] * 2},
    "rules": {"rules_files": [LONG]},
    "a rule to disable": {"rules": [{"disable": {"rule": LONG}}]},
    "an included file": {"config_files": [LONG]},
    "a strategy": {"config_files": [{"path": "x.yaml", "strategy": LONG}]},
    "an address": {"webserver": {"enabled": True, "listen_address": LONG}},
    "an output": {"http_output": {"enabled": True, "url": LONG}},
    "a file": {"file_output": {"enabled": True, "filename": LONG}},
    "a syslog server": {"syslog_output": {"enabled": True}, "lanner": {"syslog": {"address": LONG}}},
    "a severity": {"libs_logger": {"enabled": True, "severity": LONG}},
}
ARGUMENTS = {
    "a plugin": ["run", LONG],
    "an option": ["run", "docker", "--dry-run", "-o", f"{LONG}=1"],
    "a value": ["run", "docker", "--dry-run", "-o", f"priority={LONG}"],
    "a key of many parts": ["run", "docker", "--dry-run", "-o", f"{'a.' * 50_000}b=1"],
    "a rules file": ["run", "docker", "--dry-run", "-r", LONG],
    "a configuration": ["run", "docker", "--dry-run", "-c", LONG],
    "a rule": ["run", "docker", "-l", LONG],
    "a source": ["run", "docker", "--list=" + LONG],
    "a plugin to check": ["rules", "check", "--plugin", LONG],
    "a rule to explain": ["rules", "explain", LONG, "--replay", "example"],
    "a recording": ["run", "docker", "--replay", LONG],
    "a file of tests": ["rules", "test", LONG],
    "a plugin to build": ["build", LONG],
    "a library": ["inspect", LONG],
    "a command": [LONG],
    "an unknown option": ["run", "docker", "--" + LONG],
    "a configuration of the plugin": ["run", "docker", "--dry-run", "--config", f"{{{LONG}: 1}}"],
    "an engine": ["doctor", "--host", LONG],
}
ENOUGH = 12_000
# One process imports the command, and each case runs in a fork of it
RUNNER = """\
import json, os, sys
from lanner.cli import check, commands
from lanner.cli.runs import run
from lanner.cli.main import main
codes = []
for number, arguments in enumerate(json.load(sys.stdin)):
    child = os.fork()
    if not child:
        said = os.open(f"said{number}", os.O_WRONLY | os.O_CREAT)
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.argv = ["lanner", *arguments]
        main()
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(codes))
"""


def _run(directory, cases):
    """Run the commands of the cases, assert that each says little, and return the exit codes by case."""
    done = subprocess.run(
        [sys.executable, "-c", RUNNER], input=json.dumps([*cases.values()]).encode(), cwd=directory, env=ENVIRONMENT,
        stdout=subprocess.PIPE, check=True, timeout=500,
    )  # fmt: skip
    said = {name: (directory / f"said{number}").read_text("utf-8", "replace") for number, name in enumerate(cases)}
    assert {name: len(text) for name, text in said.items() if len(text) > ENOUGH} == {}
    assert [name for name, text in said.items() if "Traceback" in text or "bug in Lanner" in text] == []
    return dict(zip(cases, json.loads(done.stdout), strict=True))


def test_long_names_in_rules(tmp_path):
    cases = {}
    for number, (name, rules) in enumerate(RULES.items()):
        (tmp_path / f"{number}.yaml").write_text(json.dumps(rules))
        cases[f"{name}: check"] = ["rules", "check", f"{number}.yaml"]
    cases["a run"] = ["run", "docker", "--dry-run", "-r", "0.yaml", "-r", "2.yaml"]
    assert set(_run(tmp_path, cases).values()) <= {0, 1}


def test_long_names_in_configurations(tmp_path):
    cases = {}
    for number, (name, configuration) in enumerate(CONFIGURATIONS.items()):
        (tmp_path / f"{number}.yaml").write_text(json.dumps({"stdout_output": {"enabled": True}} | configuration))
        plugin = [] if "plugins" in configuration else ["docker"]
        cases[name] = ["run", *plugin, "--dry-run", "-c", f"{number}.yaml"]
    assert set(_run(tmp_path, cases).values()) <= {0, 1, 2}


def test_long_arguments(tmp_path):
    codes = _run(tmp_path, ARGUMENTS)
    assert {name for name, code in codes.items() if code == 0} == {"an option"}  # an unknown key is a warning
