"""Keys of falco.yaml: values that Falco refuses, keys that it ignores, and how it reads numbers and addresses."""

import re
from pathlib import Path

import pytest

from lanner.sdk.errors import ConfigError

# Values that Falco rejects

ENTRY = "plugins: [{{name: a, library_path: a.py, {}}}]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("priority: nope", "$.priority takes one of emergency, alert, critical, error, warning, notice, informational, debug, not 'nope'"),
        ("priority: ''", "$.priority takes one of "),
        ("rule_matching: some", "$.rule_matching takes one of first, all, not 'some'"),
        ("rules: [7]", "$.rules[0] takes `enable:` or `disable:` with a rule or a tag"),
        ("rules: [{disable: x}]", "$.rules[0].disable takes `rule:` or `tag:`, not 'x'"),
        ("rules: [{disable: {tag: ''}}]", "$.rules[0].disable names no rules: write `rule: NAME`"),
        ("rules: [{enable: {rule: [a]}}]", "$.rules[0].enable.rule takes a string, not a list"),
        ("plugins: [a]", "$.plugins[0] takes keys with their values (name, library_path, init_config, open_params), not 'a'"),
        ("plugins: [{library_path: a}]", "$.plugins[0] has no name"),
        ("plugins: [{name: a}]", "$.plugins[0] has no library_path"),
        ("plugins: [{name: [a], library_path: a}]", "$.plugins[0].name takes a string, not a list"),
        (ENTRY.format("init_config: [1]"), "$.plugins[0].init_config takes a string or a mapping, not a list"),
        (ENTRY.format("open_params: {a: b}"), "$.plugins[0].open_params takes a string, not a mapping"),
        ("append_output: [x]", "$.append_output[0] takes keys with their values (match, extra_output, extra_fields, suggested_output)"),
        ("append_output: [{match: x}]", "$.append_output[0].match takes rule, source and tags, not 'x'"),
        ("append_output: [{match: {tags: [[t]]}}]", "$.append_output[0].match.tags[0] takes a string, not a list"),
        ("append_output: [{extra_output: [x]}]", "$.append_output[0].extra_output takes a string, not a list"),
        ("append_output: [{extra_fields: a}]", "$.append_output[0].extra_fields takes a list of fields, not 'a'"),
        ("append_output: [{extra_fields: [[a]]}]", "$.append_output[0].extra_fields[0] takes a field's name, or one name with its format"),
        ("append_output: [{extra_fields: [{a: x}, a]}]", "$.append_output[0].extra_fields[1] is a duplicate of the name a"),
        ("append_output: [{extra_fields: [a, {a: x}]}]", "$.append_output[0].extra_fields[1] is a duplicate of the name a"),
        ("append_output: [{suggested_output: maybe}]", "$.append_output[0].suggested_output takes true or false, not 'maybe'"),
        ("file_output: alerts.txt", "$.file_output takes keys with their values (enabled, filename, keep_alive), not 'alerts.txt'"),
        ("file_output: {enabled: true}", "$.file_output.filename is empty"),
        ("rules_files: [[a]]", "$.rules_files[0] takes a string, not a list"),
        ("static_fields: {a: [b]}", "$.static_fields.a takes a string, not a list"),
        ("falco_libs: 512", "$.falco_libs takes keys with their values (thread_table_size, "),
        ("stdout_output: []", "$.stdout_output takes keys with their values (enabled), not a list"),
        (
            "log_level: DEBUG",
            "$.log_level takes one of emergency, alert, critical, error, warning, notice, info, debug, not 'DEBUG': did you mean debug?",
        ),
        ("engine: {kind: nope}", "$.engine.kind takes one of kmod, modern_ebpf, replay, nodriver, not 'nope'"),
        ("engine: {kind: replay}", "$.engine.replay.capture_file is empty, which $.engine.kind needs"),
        ("capture: {mode: some}", "$.capture.mode takes one of rules, all_rules, not 'some'"),
        (
            "libs_logger: {severity: nope}",
            "$.libs_logger.severity takes one of trace, debug, info, notice, warning, error, critical, fatal, not 'nope'",
        ),
        ("syscall_event_drops: {threshold: 1.5}", "$.syscall_event_drops.threshold takes a number from 0 to 1, not 1.5"),
        ("syscall_event_drops: {actions: [ignore, log]}", "$.syscall_event_drops.actions has both ignore and log"),
        ("syscall_event_drops: {actions: [nope]}", "$.syscall_event_drops.actions[0] takes one of ignore, log, alert, exit, not 'nope'"),
        ("syscall_event_timeouts: {max_consecutives: 0}", "$.syscall_event_timeouts.max_consecutives takes a number above 0"),
        ("metrics: {enabled: true, interval: 1h}", "$.metrics is enabled without an output"),
        ("metrics: {enabled: true, output_rule: true}", "$.metrics.interval takes numbers with units"),
        ("metrics: {enabled: true, output_rule: true, interval: 200}", "$.metrics.interval takes numbers with units"),
        ("metrics: {enabled: true, output_rule: true, interval: 1ms}", "$.metrics.interval takes numbers with units"),
        ("metrics: {interval: 99999999999999999999s}", "$.metrics.interval takes numbers below 2**64, not "),
        (
            "plugins: [{name: a, library_path: ../liba.so}]",
            "$.plugins[0].library_path is '../liba.so', which is outside the plugins directory",
        ),
        ("plugins: [{name: a, library_path: b/../../liba.so}]", "$.plugins[0].library_path is 'b/../../liba.so', which is outside"),
    ],
)
def test_what_falco_refuses_is_refused_with_its_place_and_what_is_allowed(read, tmp_path, text, message):
    with pytest.raises(ConfigError) as caught:
        read(f"# a comment\n{text}")
    assert str(caught.value).startswith(f"{tmp_path}/falco.yaml:2: {message}")


# Values that Falco ignores, with a warning about its schema


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("json_output: maybe", "$.json_output takes true or false, not 'maybe'; the default applies, as in Falco"),
        ("json_output: 1", "$.json_output takes true or false, not '1'; the default applies, as in Falco"),
        ("priority: [error]", "$.priority takes a string, not a list; the default applies, as in Falco"),
        ("rules: {disable: {rule: a}}", "$.rules takes a list, not a mapping; the default applies, as in Falco"),
        ("stdout_output: [a]", "$.stdout_output takes keys with their values (enabled), not a list; the default applies, as in Falco"),
        ("stdout_output: {enabled: [a]}", "$.stdout_output.enabled takes true or false, not a list; the default applies, as in Falco"),
        ("config_files: {path: x}", "$.config_files takes a list, not a mapping; the default applies, as in Falco"),
        ("static_fields: [a]", "$.static_fields takes names with their values, not a list; the default applies, as in Falco"),
        ("static_fields: ", "$.static_fields takes names with their values, not nothing; the default applies, as in Falco"),
        (
            "engine: {kind: nodriver, kmod: 5}",
            "$.engine.kmod takes keys with their values (buf_size_preset, drop_failed_exit), not '5'; it is ignored, as in Falco",
        ),
        ("engine: {kind: nodriver, kmod: {}}", "$.engine.kmod is empty: it takes at least one of buf_size_preset, drop_failed_exit"),
        ("engine: {kmod: {drop_failed_exit: false}}", "$.engine has no kind, which Falco's schema requires"),
        (
            "container_engines: x",
            "$.container_engines takes keys with their values (docker, cri, podman, lxc, libvirt_lxc, bpm), not 'x'; it is ignored, as in Falco",
        ),
        ("falco_libs: {snaplen: -1}", "$.falco_libs.snaplen takes a number >= 0, not -1; the default applies, as in Falco"),
        ("outputs_queue: {capacity: 08}", "$.outputs_queue.capacity takes a whole number, not '08'; the default applies, as in Falco"),
        (
            "http_output: {max_consecutive_timeouts: 256}",
            "$.http_output.max_consecutive_timeouts takes a number <= 255, not 256; the default applies, as in Falco",
        ),
        ("stdout_output: {}", "$.stdout_output is empty: it takes at least one of enabled"),
        ("program_output: {enabled: false}", "$.program_output has no program, which Falco's schema requires"),
        ("stdout_output: {enabled: yes}", "$.stdout_output.enabled is 'yes': Falco's schema takes true or false"),
        ("metrics: {enabled: false, interval: ~}", "$.metrics.interval has no value, which is the string 'null' in Falco"),
        ("append_output: [{match: [x]}]", "$.append_output[0].match takes rule, source and tags, not a list; it is ignored, as in Falco"),
        ("append_output: [{extra_output: ~}]", "$.append_output[0].extra_output has no value, which is the string 'null' in Falco"),
        ("grpc: {enabled: false}", "$.grpc is not a key of falco.yaml"),
        ("rule_files: [a]", "$.rule_files is not a key of falco.yaml: did you mean rules_files?"),
        ("append_output: [{match: {tags: t}}]", "$.append_output[0].match.tags takes a list, not 't'; it is ignored, as in Falco"),
        ("rules: [{enable: {tag: t}, disable: {tag: t}}]", "$.rules[0] has both enable and disable: only enable counts, as in Falco"),
        ("jsn_output: true", "$.jsn_output is not a key of falco.yaml: did you mean json_output?"),
        ("webservr: {}", "$.webservr is not a key of falco.yaml: did you mean webserver?"),
        ("xyz: {}", "$.xyz is not a key of falco.yaml"),
        ("file_output: {filname: x}", "$.file_output.filname is not a key of falco.yaml: did you mean filename?"),
        (ENTRY.format("params: x"), "$.plugins[0].params is not a key of falco.yaml: did you mean open_params?"),
        ("append_output: [{match: {rules: x}}]", "$.append_output[0].match.rules is not a key of falco.yaml: did you mean rule?"),
    ],
)
def test_what_falco_ignores_is_warned_about(read, text, warning):
    found = read(text)
    assert found.warnings == [warning]
    assert not found.falco.json_output


@pytest.mark.parametrize("path", ["store_output.path", "spool.path", "console.address", "state_directory", "webserver_hosts[]"])
def test_own_keys_without_a_text_are_refused(read, path):
    """A value `null` would name a file or directory `null`."""
    *blocks, key = path.removesuffix("[]").split(".")
    for value, said in (
        ("~", "takes a string, not nothing: write one, or leave the key out"),
        ('"a\\0b"', "takes a string without a null byte"),
    ):
        text = f"{key}: [{value}]" if path.endswith("[]") else f"{key}: {value}"
        with pytest.raises(ConfigError, match=f"\\$.lanner.{path.replace('[]', '.0.')} {said}"):
            read("lanner: " + "".join(f"{{{block}: " for block in blocks) + f"{{{text}}}" + "}" * len(blocks))


PATHS = [
    *("file_output.filename", "http_output.ca_cert", "http_output.ca_bundle", "http_output.ca_path", "http_output.client_cert"),
    *("http_output.client_key", "webserver.ssl_certificate", "metrics.output_file", "rules_files[0]", "rules_file[0]"),
    *("config_files[0]", "plugins[0].library_path", "lanner.store_output.path", "lanner.spool.path", "lanner.http.headers.X"),
    *("lanner.syslog.ca_cert", "lanner.syslog.client_cert", "lanner.syslog.client_key"),
]


def _set(key, value):
    """The text of a configuration in which a key has this value, a scalar of YAML."""
    if key == "plugins[0].library_path":
        return f"plugins: [{{name: docker, library_path: {value}}}]"
    *blocks, last = key.split(".")
    inner = f"{last[:-3]}: [{value}]" if last.endswith("]") else f"{last}: {value}"
    return "".join(f"{block}: {{" for block in blocks) + inner + "}" * len(blocks)


@pytest.mark.parametrize("key", [*PATHS, "program_output.program"])
def test_a_path_or_command_with_a_null_byte_is_refused(read, key):
    said = (
        "takes a string without a null byte" if key.startswith("lanner.") else "has a null byte, which no path or command can have: remove"
    )
    with pytest.raises(ConfigError, match=rf"^[^\0]*\$\.{re.escape(key)} {said}"):
        read(_set(key, '"a\\0b"'))


@pytest.mark.parametrize("key", PATHS)
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("~/x", "begins with `~`, which is not expanded here: write the whole path, or ${HOME}"),
        ('"~"', "begins with `~`, which is not expanded here: write the whole path, or ${HOME}"),
        ("~ann.b/x", "begins with `~ann.b`, which is not expanded here"),
        ("a/$HOME/$x", "has `$HOME`, which is not expanded here: write ${HOME}"),
    ],
)
def test_a_path_that_a_shell_would_expand_is_warned_about(read, key, value, said):
    found = read(_set(key, value))
    assert f"$.{key} {said}" in "\n".join(found.warnings)


@pytest.mark.parametrize("value", ["/x/~", "a~", "./~/x", "'~ x'", "$1", "a$", '"$${A}/$"', '"${HOME}/x"', '"~+/x"'])
def test_other_paths_are_not(read, value):
    assert not [each for each in read(_set("file_output.filename", value)).warnings if "expanded" in each]


def test_a_path_is_kept_as_it_is_written(read, monkeypatch):
    """Falco, too, replaces only `${NAME}`."""
    monkeypatch.setenv("A", "/tmp")
    for written, kept in (("~/x", "~/x"), ("$A/x", "$A/x"), ("${A}/x", "/tmp/x"), ("$${A}/x", "${A}/x")):
        assert read(_set("file_output.filename", f'"{written}"')).falco.file_output.filename == kept


def test_keys_without_effect_are_named_unless_they_ask_for_nothing(read):
    found = read(
        "engine: {kind: nodriver}\ncapture: {enabled: true}\nbuffer_format_base64: false\nbase_syscalls: {all: true}\n"
        "falco_libs: {thread_table_size: 262144}\nmetrics: {jemalloc_stats_enabled: false, include_empty_values: true}\n"
    )
    assert (sorted(found.unused), found.warnings) == (["base_syscalls", "capture", "metrics.include_empty_values"], [])
    assert read("engine: {kind: modern_ebpf}").unused == ["engine"]


def test_the_keys_of_falcos_own_file_draw_no_warning(read):
    """Every key that the falco.yaml of Falco 0.44.1 has, commented ones among them."""
    assert read(Path(__file__).with_name("all_keys.yaml").read_text()).warnings == [
        "$.config_files: /nonexistent/config.d does not exist; it is ignored"
    ]


@pytest.mark.parametrize("interval", ["100ms", "1h30m", "1h 30m", "1y2w3d", "010s", "0h1m"])
def test_an_interval_is_numbers_with_units(read, interval):
    found = read(f"metrics: {{enabled: true, output_rule: true, interval: {interval}}}")
    seconds = {"100ms": 0.1, "1h30m": 5400, "1h 30m": 5400, "1y2w3d": 33004800, "010s": 8, "0h1m": 60}
    assert (found.falco.metrics.interval, found.warnings) == (seconds[interval], [])


ADDRESSES = ["127.0.0.1", "0.0.0.0", "::", "::1", "fe80::1%eth0", "::ffff:1.2.3.4", " 10.0.0.1 ", "1:2:3:4:5:6:7::"]

NO_ADDRESSES = [
    "",
    "localhost",
    "256.1.1.1",
    "1.2.3",
    "01.2.3.4",
    "1.2.3.4%eth0",
    "1.2.3.4:80",
    "[::1]",
    "1::2::3",
    ":::",
    "::1/128",
    "::%",
    "12345::",
]


def test_the_web_servers_address_is_one_of_ip(read):
    for address in ADDRESSES:
        assert read(f"webserver: {{enabled: false, listen_address: '{address}'}}").falco.webserver.listen_address == address
    for address in NO_ADDRESSES:
        with pytest.raises(ConfigError, match=r"\$.webserver.listen_address takes an IP address"):
            read(f"webserver: {{enabled: false, listen_address: '{address}'}}")


def test_numbers_are_read_as_falco_reads_them(read):
    for text, value in (("0x10", 16), ("010", 8), ("+5", 5), ("4294967295", 4294967295), ("'5 '", 5)):
        assert read(f"output_timeout: {text}").falco.output_timeout == value
    for text in ("4294967296", "-1", "5.0", "' 5'", "1e3"):
        assert read(f"output_timeout: {text}").falco.output_timeout == 2000
