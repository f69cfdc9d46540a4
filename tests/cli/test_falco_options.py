"""The options of `falco` that `lanner run` has, and the messages for those that it does not support."""

import json
import os

import pytest

pytestmark = pytest.mark.slow

EVENT = (
    b'{"Type":"volume","Action":"destroy","Actor":{"ID":"orders","Attributes":{"driver":"local"}},'
    b'"scope":"local","time":1795469199,"timeNano":1795469199073758155}\n'
)


def test_the_fields_are_listed_in_falcos_layout_with_those_of_every_event(lanner):
    lines = lanner("run", "docker", "--list=docker").lines
    assert lines[:5] == [
        "-------------------------------",
        "Field Class:                  evt (All event types)",
        "Description:                  Fields that every event has ",
        "Event Sources:                docker ",
        "",
    ]
    assert any(line.startswith("evt.num                       ") for line in lines)
    assert "Field Class:                  docker (plugin)" in lines
    assert max(map(len, lines)) <= 121
    verbose = lanner("run", "docker", "--list=docker", "-v").lines
    assert any(line.startswith("evt.time                      (Type: CHARBUF) ") for line in verbose)


def test_names_alone_and_other_layouts(lanner):
    names = lanner("run", "docker", "--list", "-N").lines
    assert names[0] == "evt.num"
    assert "docker.action" in names
    assert json.loads(lanner("run", "docker", "--list", "-N", "--format", "json").out) == {"fieldnames": names}
    classes = json.loads(lanner("run", "docker", "--list", "--format", "json").out)["fieldclasses"]
    assert [each["name"] for each in classes] == ["evt", "docker (plugin)"]
    attributes = next(each for each in classes[1]["fields"] if each["name"] == "docker.attributes")
    assert (attributes["type"], attributes["argument"]["type"]) == ("CHARBUF", ["KEY"])
    for option in (["--format", "markdown"], ["--markdown"]):
        lines = lanner("run", "docker", "--list", *option).lines
        assert lines[0] == "## Field Class: evt"
        assert any(line.startswith("`docker.action` | CHARBUF | ") for line in lines)


def test_versions_and_schemas_need_no_plugin(lanner):
    assert lanner("run", "--version").lines[0].startswith("Falco version: 0.44.1+lanner-")
    assert json.loads(lanner("run", "--version", "-o", "json_output=true").out)["engine_version_semver"] == "0.62.0"
    schema = json.loads(lanner("run", "--config-schema").out)["properties"]
    assert schema["engine"]["properties"]["kind"]["enum"] == ["kmod", "modern_ebpf", "replay", "nodriver"]
    assert schema["plugins"]["items"]["required"] == ["name", "library_path"]
    assert "condition" in json.loads(lanner("run", "--rule-schema").out)["items"]["properties"]
    assert f"{os.sysconf('SC_PAGE_SIZE')} bytes" in lanner("run", "--page-size").err


def test_support_tells_all_but_passwords(lanner, tmp_path):
    configuration = tmp_path / "falco.yaml"
    secrets = "{token: open-sesame, hosts: ['tcp://me:open-sesame@10.0.0.1']}"
    texts = [secrets, "'apiKey: open-sesame'", """'{"password": "open-sesame"}'"""]
    entries = "".join(f"  - {{name: p{number}, library_path: docker, init_config: {text}}}\n" for number, text in enumerate(texts))
    configuration.write_text(f"plugins:\n{entries}load_plugins: []\n")
    done = lanner("run", "docker", "--support", "-o", "http_output.url=http://me:open-sesame@127.0.0.1/", "-c", configuration)
    told = json.loads(done.out)
    assert {"version", "system_info", "engine_info", "cmdline", "config", "rules_files"} <= told.keys()
    assert told["rules_files"][0]["variants"][0]["content"].startswith("#")
    assert "127.0.0.1" in told["config"]
    assert b"open-sesame" not in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-i"], "-i is about system calls, which Lanner does not read: use falco"),
        (["--list-events"], "--list-events is about system calls"),
        (["docker", "--enable-source", "nope"], "no event source 'nope': the plugin docker has docker"),
        (["docker", "--enable-source", "syscall"], "the event source syscall cannot be enabled: Lanner does not read system calls"),
        (["docker", "--disable-source", "docker"], "--disable-source docker leaves nothing to watch"),
        (["docker", "--enable-source", "docker", "--disable-source", "syscall"], "--enable-source and --disable-source exclude each other"),
        (["docker", "--list=syscall"], "no fields of system calls are listed"),
        (["docker", "--list", "--markdown", "--format", "text"], "--markdown and --format exclude each other"),
        (["docker", "--dry-run", "--format", "markdown"], "--format markdown is for --list"),
    ],
)
def test_what_makes_no_sense_here_is_said(lanner, arguments, message):
    done = lanner("run", *arguments)
    assert done.code == 2
    assert f"error: {message}" in done.err


def test_p_adds_to_all_outputs(lanner):
    done = lanner("run", "docker", "-p", "source=%evt.source", "--replay", "-", stdin=EVENT)
    assert done.lines[0].endswith(" source=docker")
    assert "-p is Falco's old name for append_output" in done.err
    done = lanner("run", "docker", "-pk", "--replay", "-", stdin=EVENT)
    assert done.lines[0].endswith("name=<NA>)")


def test_p_names_the_process_in_a_file_and_v_tells_the_time(lanner, tmp_path):
    file = tmp_path / "pid"
    done = lanner("run", "docker", "-P", file, "-v", "-U", "-M", "0", "--replay", "-", "--disable-source", "docker", stdin=EVENT)
    assert done.code == 0
    assert file.read_text().isdigit()
    assert "elapsed time: " in done.err
    assert "cannot write the file of -P" in lanner("run", "docker", "-P", tmp_path, "--replay", "-", stdin=EVENT).err
