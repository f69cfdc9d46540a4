"""`lanner run -c falco.yaml` and `-o`: runs on recordings, messages for an invalid file, and no traceback."""

import json
import os
import socket
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

RULES = """\
- rule: Pulled
  desc: d
  condition: docker.action = pull
  output: pulled %docker.actor.id
  priority: NOTICE
  source: docker
  tags: [image]
- rule: Anything
  desc: d
  condition: docker.action exists
  output: action %docker.action
  priority: INFO
  source: docker
  tags: [any]
- rule: Volume
  desc: d
  condition: docker.type = volume
  output: volume
  priority: ERROR
  source: docker
"""
EVENT = (
    b'{"Type":"volume","Action":"destroy","Actor":{"ID":"orders","Attributes":{"driver":"local"}},'
    b'"scope":"local","time":1795469199,"timeNano":1795469199073758155}\n'
)
PLUGINS = "plugins: [{name: docker, library_path: /usr/share/falco/plugins/libdocker.so}]\nstdout_output: {enabled: true}\n"


@pytest.fixture
def falco(lanner, tmp_path):
    """`falco(text, *arguments)` runs on one event by a configuration of that text, in a directory with rules.yaml."""
    (tmp_path / "rules.yaml").write_text(RULES)

    def run(text, *arguments, **options):
        (tmp_path / "falco.yaml").write_text(text)
        return lanner("run", "-c", "falco.yaml", "--replay", "-", *arguments, stdin=EVENT, cwd=tmp_path, **options)

    return run


def rules_of(done):
    return [json.loads(line)["rule"] for line in done.lines]


def test_a_falco_yaml_is_all_that_is_needed(falco):
    done = falco(PLUGINS + "engine: {kind: nodriver}\nrules_files: [rules.yaml]\njson_output: true\n")
    assert done.code == 0
    assert rules_of(done) == ["Anything"]
    assert done.err.startswith("lanner: replaying - with 3 rules (rules.yaml)\n")


def test_falcos_own_file_runs_but_for_its_kernel_side(falco, tmp_path):
    # the keys and values of the falco.yaml of Falco 0.44.1 that are not about files
    done = falco(
        PLUGINS.replace("stdout_output: {enabled: true}\n", "")
        + """
engine: {kind: modern_ebpf, kmod: {buf_size_preset: 4}}
capture: {enabled: false, path_prefix: /tmp/falco, mode: rules, default_duration: 5000}
config_files: [/etc/falco/config.d]
watch_config_files: true
rules_files: [/etc/falco/falco_rules.yaml, rules.yaml]
plugins_hostinfo: true
time_format_iso_8601: false
buffer_format_base64: false
priority: debug
json_output: false
buffered_outputs: false
rule_matching: first
outputs_queue: {capacity: 0}
append_output: [{suggested_output: true}]
stdout_output: {enabled: true}
syslog_output: {enabled: false}
file_output: {enabled: false, keep_alive: false, filename: ./events.txt}
http_output: {enabled: false, url: ""}
program_output: {enabled: false, program: jq}
webserver: {enabled: false, listen_port: 8765}
log_stderr: true
log_syslog: false
log_level: info
libs_logger: {enabled: true, severity: info}
output_timeout: 2000
syscall_event_timeouts: {max_consecutives: 1000}
syscall_event_drops: {threshold: .1, actions: [log, alert]}
metrics: {enabled: false, interval: 1h}
base_syscalls: {custom_set: [], repair: false, all: false}
falco_libs: {thread_table_size: 262144}
"""
    )
    assert (done.code, done.lines) == (0, ["21:26:39.073758155: Informational action destroy"])
    warnings = [line for line in done.err.splitlines() if "warning" in line]
    unused = "engine, syscall_event_drops"
    assert warnings == [
        "lanner: warning: falco.yaml:5: $.config_files: /etc/falco/config.d does not exist; it is ignored",
        "lanner: warning: falco.yaml:7: $.rules_files: /etc/falco/falco_rules.yaml does not exist; it is ignored",
        f"lanner: warning: no effect here, because Lanner runs only plugins: {unused}",
    ]


def test_the_plugins_own_rules_are_those_of_a_file_that_names_none(falco):
    done = falco(PLUGINS)
    assert done.lines == ["21:26:39.073758155: Warning Volume destroyed (volume=orders driver=local name=<NA>)"]


@pytest.mark.parametrize(
    ("text", "alerts"),
    [
        ("rule_matching: all", ["Anything", "Volume"]),
        ("rules: [{disable: {rule: A*}}]", ["Volume"]),
        ("rules: [{disable: {tag: any}}, {enable: {tag: any}}]", ["Volume"]),
        ("priority: error", ["Volume"]),
        ("rules: [{disable: {rule: '*'}}]\nlanner: {allow_no_rules: true}", []),
    ],
)
def test_rules_are_chosen(falco, text, alerts):
    done = falco(f"{PLUGINS}rules_files: rules.yaml\njson_output: true\n{text}")
    assert (done.code, rules_of(done)) == (0, alerts)


def test_a_choice_that_concerns_no_rule_is_warned_about(falco):
    done = falco(PLUGINS + "rules_files: rules.yaml\nrules: [{disable: {rule: nope}}]")
    assert (done.code, len(done.lines)) == (0, 1)
    assert "lanner: warning: falco.yaml:4: $.rules[0] concerns no rule of source docker\n" in done.err


def test_outputs_and_alerts_get_what_is_appended(falco):
    done = falco(
        PLUGINS
        + """
rules_files: [rules.yaml]
json_output: true
static_fields: {site: "${SITE}", zone: eu}
append_output:
  - match: {rule: Anything, source: docker, tags: [any]}
    extra_output: "(%docker.type)"
    extra_fields: [evt.num, {who: "<%docker.actor.id>"}]
    suggested_output: true
""",
        env={"SITE": "Rome"},
    )
    alert = json.loads(done.lines[0])
    assert alert["output"].endswith("Informational action destroy (volume) static_site=Rome static_zone=eu")
    assert alert["output_fields"] == {
        "docker.action": "destroy",
        "docker.type": "volume",
        "evt.num": 1,
        "evt.time": 1795469199073758155,
        "static.site": "Rome",
        "static.zone": "eu",
        "who": "<orders>",
    }


def test_the_parts_of_json_alerts_are_chosen(falco):
    text = "json_include_output_property: no\njson_include_tags_property: no\njson_include_message_property: yes\n"
    done = falco(PLUGINS + text + "json_include_output_fields_property: no\njson_output: yes\ntime_format_iso_8601: yes\n")
    assert list(json.loads(done.lines[0])) == ["hostname", "message", "priority", "rule", "source", "time"]


@pytest.mark.parametrize(("hostinfo", "name"), [("true", "host"), ("false", "")])
def test_the_hosts_name_is_a_field_unless_it_is_switched_off(falco, tmp_path, hostinfo, name):
    (tmp_path / "host.yaml").write_text(RULES.replace("action %docker.action", "<%evt.hostname>"))
    done = falco(f"{PLUGINS}plugins_hostinfo: {hostinfo}\nrules_files: host.yaml\n")
    assert done.lines[0].endswith(f" <{name}>")


@pytest.mark.parametrize("keep_alive", ["true", "false"])
def test_alerts_go_to_a_file_and_to_standard_output(falco, tmp_path, keep_alive):
    done = falco(f"{PLUGINS}file_output: {{enabled: true, filename: alerts, keep_alive: {keep_alive}}}\n")
    assert done.out == (tmp_path / "alerts").read_bytes() != b""


def test_no_output_at_all_is_said(falco):
    done = falco(PLUGINS + "stdout_output: {enabled: false}\n", "-o", "stdout_output.enabled=no")
    assert (done.code, done.out) == (0, b"")
    assert "lanner: warning: no output is enabled: alerts are only counted" in done.err
    assert "1 event, 1 alert in" in done.err


def test_included_files_count(falco, tmp_path):
    (tmp_path / "more.yaml").write_text("json_output: true\nrules_files: [rules.yaml]\n")
    assert rules_of(falco(PLUGINS + "config_files: [more.yaml]")) == ["Anything"]


def test_options_of_the_command_line_have_the_last_word(falco, tmp_path):
    text = PLUGINS + "rules_files: [missing.yaml]\njson_output: true\npriority: error\n"
    done = falco(text, "-r", "rules.yaml", "--format", "text", "--iso8601", "--all-matches", "-o", "priority=debug", "--output", "alerts")
    assert (done.code, done.out) == (0, b"")
    assert (tmp_path / "alerts").read_text().splitlines() == [
        "2026-11-23T21:26:39.073758155+0000: Informational action destroy",
        "2026-11-23T21:26:39.073758155+0000: Error volume",
    ]


def test_options_do_without_a_file(lanner):
    done = lanner("run", "docker", "-o", "json_output=true", "-o", "append_output[0].extra_output=more", "--replay", "-", stdin=EVENT)
    assert json.loads(done.lines[0])["output"].endswith(" name=<NA>) more")


def test_a_plugin_in_python_with_its_configuration(lanner, plugin, rules, words, tmp_path):
    entry = {"name": "words", "library_path": plugin("Words"), "open_params": f" {words(b'one', b'two')} "}
    other = {"name": "pretty", "library_path": plugin("Pretty")}
    config = {
        "plugins": [other, entry],
        "load_plugins": ["words"],
        "rules_files": [str(rules("words"))],
        "stdout_output": {"enabled": True},
    }
    (tmp_path / "falco.yaml").write_text(json.dumps(config))
    assert lanner("run", "-c", tmp_path / "falco.yaml").lines[1] == "22:13:20.000000001: Notice got two"
    assert lanner("run", "-c", tmp_path / "falco.yaml", "--open", words(b"x")).lines == ["22:13:20.000000000: Notice got x"]


def test_a_plugins_field_suggests_itself_for_outputs(lanner, plugin, rules, words):
    arguments = ("run", plugin("Suggesting"), "-r", rules("words"), "--open", words(b'{"length":"7"}'))
    assert lanner(*arguments).lines == ['22:13:20.000000000: Notice got {"length":"7"}']
    done = lanner(*arguments, "-o", "append_output[].suggested_output=true")
    assert done.lines == ['22:13:20.000000000: Notice got {"length":"7"} words_length=7']
    told = json.loads(lanner("fields", plugin("Suggesting"), "--json").out)
    assert [field["name"] for field in told if field.get("addOutput")] == ["words.length"]


def test_the_configuration_of_a_plugin_is_checked(falco):
    done = falco("plugins: [{name: docker, library_path: libdocker.so, init_config: {flushInterval: -1}}]")
    assert (done.code, done.out) == (1, b"")
    assert "falco.yaml:1: plugin docker: Expected `int` >= 0 - at `$.flushInterval`" in done.err
    done = falco("plugins: [{name: docker, library_path: libdocker.so, init_config: '{\"flushInterval\": 50}'}]", "--dry-run")
    assert done.code == 0


def test_two_event_sources_are_one_too_many(falco):
    text = "plugins: [{name: a, library_path: docker}, {name: b, library_path: 'lanner.docker:Docker'}]"
    done = falco(text)
    assert (done.code, done.out) == (1, b"")
    assert (
        "2 plugins with event sources would be loaded (a, b), and Lanner runs one event source at a time: name one of them, as in "
        "`lanner run a -c" in done.err
    )
    assert falco(text, "a").code == 0


WRONG = {
    "no plugin": ("", "no plugin is loaded: name one, as in `lanner run docker`, or list it in $.plugins"),
    "no list": ("plugins: x", "falco.yaml:1: $.plugins[0] takes keys with their values"),
    "no YAML": ("a: [", "falco.yaml:1:5: "),
    "no keys": ("[a]", "falco.yaml: a configuration file must be keys with their values"),
    "no such plugin": (
        "load_plugins: [x]",
        "falco.yaml:1: $.load_plugins[0] is 'x', but no plugin of that name is in $.plugins, which is empty",
    ),
    "a library": (
        "plugins: [{name: k, library_path: libk8saudit.so}]",
        "falco.yaml:1: $.plugins[0].library_path is 'libk8saudit.so', and Lanner loads no",
    ),
    "a file that is not there": ("plugins: [{name: k, library_path: no.py}]", "the plugin file no.py does not exist"),
    "no rules": (PLUGINS + "rules_files: [no.yaml]", "falco.yaml:3: $.rules_files: none of no.yaml exists; name a rules file with -r FILE"),
    "a priority": (PLUGINS + "priority: x", "falco.yaml:3: $.priority takes one of emergency, "),
    "an output": (PLUGINS + "file_output: {enabled: true, filename: no/alerts}", "cannot write alerts to no/alerts: No such file"),
    "an added field": (PLUGINS + "append_output: [{extra_fields: [nope]}]", "the rules have "),
    "a control character": (
        'plugins: [{name: "\\e[31m", library_path: "\\e"}]',
        "falco.yaml:1: $.plugins[0].library_path is '\\x1b', and Lanner",
    ),
    "depth": ("a: " + "[" * 100, "falco.yaml:1:"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_in_one_sentence(falco, what):
    text, problem = WRONG[what]
    done = falco(text)
    assert (done.code, done.out) == (2 if what == "a file that is not there" else 1, b"")  # 2: an unknown plugin, as on the command line
    assert f"lanner: error: {problem}" in done.err
    assert "Traceback" not in done.err
    assert "defect" not in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["-c", "missing.yaml"], 1, "cannot read the configuration file missing.yaml: No such file or directory"),
        (["-c", "."], 1, "cannot read the configuration file .: Is a directory"),
        (["docker", "-o", "x"], 1, "-o x: write key=value or key.subkey=value"),
        (["docker", "-o", "json_output[0]=x", "-o", "json_output.a=b"], 1, "-o json_output.a=...: $.json_output is not a mapping"),
        (["docker", "-r", "."], 1, "the directory . has no rules file: none ends in .yaml or .yml"),
        (["-o", "json_output=true"], 1, "no plugin is loaded"),
        ([], 2, "Missing argument 'PLUGIN': name the plugin to load, as in `lanner run docker`, or a configuration with -c FILE."),
    ],
)
def test_wrong_usage_is_said(lanner, tmp_path, arguments, code, problem):
    done = lanner("run", *arguments, cwd=tmp_path)
    assert (done.code, done.out) == (code, b"")
    assert f"lanner: error: {problem}" in done.err
    assert "Traceback" not in done.err


# Other reports of Falco about its configuration


def test_a_dry_run_loads_everything_and_opens_nothing(lanner, tmp_path):
    done = lanner("run", "docker", "--dry-run", "--host", "unix:///nonexistent", "--output", tmp_path / "alerts")
    assert (done.code, done.out) == (0, b"")
    assert done.err.endswith("rules (the plugin's own) would run; no source was opened\n")
    assert not (tmp_path / "alerts").exists()
    (tmp_path / "rules.yaml").write_text(RULES.replace("docker.action exists", "docker.nope exists"))
    done = lanner("run", "docker", "--dry-run", "-r", tmp_path / "rules.yaml")
    assert done.code == 1
    assert "lanner: error: the rules have 1 error; " in done.err


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            ["-o", "http_output.enabled=true", "-o", "http_output.url=htp://foo"],
            "-o http_output.url: $.http_output.url is not a server's address",
        ),
        (
            ["-o", "lanner.syslog.facility=loud", "-o", "syslog_output.enabled=true"],
            "-o lanner.syslog.facility: $.lanner.syslog.facility is 'loud'",
        ),
        (["--output", "missing/alerts.txt"], "cannot write alerts to missing/alerts.txt: No such file or directory"),
        (["--output", "."], "cannot write alerts to .: Is a directory"),
        (["--output", "file/alerts.txt"], "cannot write alerts to file/alerts.txt: Not a directory"),
        (["--replay", "missing.jsonl"], "cannot read the recording missing.jsonl: No such file or directory"),
    ],
)
def test_a_dry_run_reports_the_error_that_a_run_would_end_with(lanner, tmp_path, options, problem):
    (tmp_path / "file").touch()
    done = lanner("run", "docker", "--dry-run", *options, cwd=tmp_path)
    assert f"lanner: error: {problem}" in done.err
    assert "would run" not in done.err
    host = [] if "--replay" in options else ["--host", "unix:///nonexistent"]
    assert done.code == lanner("run", "docker", "--max-events", "1", *host, *options, cwd=tmp_path).code != 0
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["-o", "lanner.spool.path=file"], 0, "warning: the spool file ($.lanner.spool.path) cannot be used: file is not a directory"),
        (["-o", "lanner.spool.path=file/spool"], 0, "cannot be used: file is not a directory; alerts would wait only in memory"),
        (["-o", "lanner.spool.path=full"], 0, "cannot be used: full/stdout_output.sqlite is not a regular file"),
        (
            ["-o", "webserver.enabled=true", "-o", "webserver.listen_address=192.0.2.1"],
            1,
            "error: the web server cannot listen on 192.0.2.1:",
        ),
        (
            ["-o", "webserver={enabled: true, ssl_enabled: true, ssl_certificate: missing.pem}"],
            1,
            "error: -o webserver: the web server cannot use TLS ($.webserver.ssl_certificate): cannot read the TLS certificate missing.pem: no such file",
        ),
    ],
)
def test_a_dry_run_checks_the_spool_and_the_web_server(lanner, tmp_path, options, code, message):
    (tmp_path / "file").touch()
    (tmp_path / "full" / "stdout_output.sqlite").mkdir(parents=True)
    done = lanner("run", "docker", "--dry-run", *options, cwd=tmp_path)
    assert (done.code, message in done.err) == (code, True), done.err
    assert {each.name for each in tmp_path.iterdir()} == {"file", "full"}


def test_a_dry_run_warns_of_a_port_that_is_in_use_and_leaves_it(lanner):
    """The web server of the running service may use it: the check before a restart must not fail."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = lanner("run", "docker", "--dry-run", "-o", f"webserver={{enabled: true, listen_address: 127.0.0.1, listen_port: {port}}}")
    assert done.code == 0
    assert f"warning: the web server cannot listen on 127.0.0.1:{port}: the port is in use" in done.err
    done = lanner("run", "docker", "--dry-run", "-o", f"webserver={{enabled: true, listen_address: 127.0.0.1, listen_port: {port}}}")
    assert (done.code, "warning" in done.err) == (0, False)


def test_a_dry_run_makes_of_the_rules_what_a_run_makes(lanner, tmp_path, example):
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.replace("docker.action exists", 'join(",", ()) = "" and docker.action exists'))
    assert lanner("run", "docker", "--dry-run", "-r", rules).code == 0
    done = lanner("run", "docker", "-r", rules, "--replay", example)
    assert done.code == 0, done.err


def test_the_fields_of_a_source(lanner):
    assert lanner("run", "docker", "--list").out == lanner("run", "docker", "--list=docker").out
    done = lanner("run", "docker", "--list=nope")
    assert (done.code, done.err) == (2, "lanner: error: there is no event source 'nope': the plugin docker has fields for docker\n")


def test_the_loaded_plugins(falco, plugin):
    done = falco(
        f"plugins: [{{name: docker, library_path: libdocker.so}}, {{name: x, library_path: '{plugin('Extractor')}'}}]", "--list-plugins"
    )
    assert done.code == 0
    assert done.lines[:9] == [
        "2 Plugins Loaded:",
        "",
        "Name: docker",
        "Description: Docker Events",
        "Contact: the Lanner authors",
        done.lines[5],
        "Capabilities: ",
        "  - Event Sourcing (ID=5, source='docker')",
        "  - Field Extraction",
    ]
    assert done.lines[9:] == [
        "",
        "Name: extractor",
        "Description: No source.",
        "Contact: the tests",
        "Version: 0.1.0",
        "Capabilities: ",
        "  - Field Extraction",
        "",
        "",
    ]


def test_all_there_is_to_know_of_a_plugin(falco, lanner, plugin):
    for name in ("docker", "libdocker.so"):
        done = falco("plugins: [{name: docker, library_path: libdocker.so}]\nrules_files: [no.yaml]", "--plugin-info", name)
        assert (done.code, done.err) == (0, "lanner: warning: no effect with --plugin-info: --replay\n")
        assert done.lines[0] == "Name: docker"
        schema = json.loads(done.lines[done.lines.index("Init config schema type: JSON") + 1])
        assert "flushInterval" in schema["properties"]
        assert any(line.startswith("since=10m: ") for line in done.lines[done.lines.index("Suggested open params:") :])
    done = lanner("run", plugin("Words"), "--plugin-info", plugin("Words"))
    assert "Not available, plugin does not implement the init config schema functionality" in done.out.decode()
    assert "No suggested open params available" in done.out.decode()
    done = lanner("run", "docker", "--plugin-info", "x")
    assert (done.code, done.err) == (2, "lanner: error: no plugin named 'x' is loaded; loaded: docker\n")


def test_reports_and_descriptions_know_the_configuration(falco, tmp_path):
    (tmp_path / "static.yaml").write_text(RULES.replace("%docker.action", "%static.site"))
    text = PLUGINS + "static_fields: {site: Rome}\nrules_files: [static.yaml]\njson_output: true\n"
    assert json.loads(falco(text, "-V", "static.yaml").out)["falco_load_results"][0]["successful"]
    assert [rule["info"]["name"] for rule in json.loads(falco(text, "-L").out)["rules"]] == ["Pulled", "Anything", "Volume"]
    more = "append_output: [{match: {rule: Volume}, extra_output: '%docker.from', extra_fields: [evt.num, {a: '<%evt.num>'}]}]\n"
    rule = json.loads(falco(text + more, "-l", "Volume").out)["rules"][0]
    assert (rule["info"]["output"], rule["details"]["output_compiled"]) == ("volume", "volume %docker.from")
    assert rule["details"]["output_fields"] == ["%evt.num", "<%evt.num>", "docker.from"]
    assert rule["details"]["extra_output_formatted_fields"] == {"a": "<%evt.num>"}
    report = json.loads(falco(text + more.replace("docker.from", "docker.nope"), "-V", "static.yaml").out)["falco_load_results"][0]
    assert [error["code"] for error in report["errors"]] == ["LOAD_ERR_COMPILE_OUTPUT"]
    assert falco(text.replace("json_output: true", ""), "-l", "Volume").lines[2].startswith("Volume  ")


def test_the_configuration_can_come_through_a_pipe(lanner):
    reader, writer = os.pipe()
    os.write(writer, (PLUGINS + "json_output: true\n").encode())
    os.close(writer)
    done = lanner("run", "-c", f"/dev/fd/{reader}", "--replay", "-", stdin=EVENT, pass_fds=(reader,))
    os.close(reader)
    assert rules_of(done) == ["Volume destroyed"]
    assert not Path("falco.yaml").exists()
