"""falco.yaml to its typed form: as Falco reads it (0.44.1: configuration.cpp, yaml_helper.h), with a path in every message."""

import re
from pathlib import Path

import pytest

from lanner.config.falco import FileOutput, Include, Matching, PluginEntry, Strategy
from lanner.config.plugin_entries import PluginSetup, select_plugins
from lanner.config.read import read_configuration, rules_paths
from lanner.config.tree import expanded
from lanner.rules import Priority
from lanner.rules.output.append import Append
from lanner.rules.resolve.select import Switch
from lanner.sdk.errors import ConfigError


@pytest.fixture
def read(tmp_path):
    """`read(text, *options)` is what a file of that text says."""

    def run(text="", *options, flags=()):
        path = tmp_path / "falco.yaml"
        path.write_text(text)
        return read_configuration(str(path), dict(flags), options)

    return run


def test_an_empty_file_has_falcos_defaults(read):
    falco = read().falco
    assert (falco.priority, falco.rule_matching, falco.load_plugins, falco.rules_files) == (Priority.DEBUG, Matching.FIRST, None, None)
    assert (falco.stdout_output.enabled, falco.file_output) == (False, FileOutput())


def test_without_a_file_alerts_go_to_standard_output():
    assert read_configuration(None, {}, ()).falco.stdout_output.enabled


def test_all_keys_are_read(read):
    falco = read(
        """
        plugins:
          - {name: a, library_path: a.py, init_config: {text: "7", flag: On, list: [1.5, ~, 0x]}, open_params: " p "}
          - {name: b, library_path: b.py, init_config: '{"x": 1}', open_params: ~}
        load_plugins: [a]
        plugins_hostinfo: no
        rules_files: [one.yaml, two]
        rules: [{enable: {rule: "a*"}}, {disable: {tag: t}}]
        priority: INFO
        rule_matching: All
        append_output:
          - {match: {rule: r, source: s, tags: [t, u]}, extra_output: "%x", extra_fields: [a.b, {c: "%d"}], suggested_output: true}
        static_fields: {site: 7, empty: ""}
        json_output: true
        json_include_output_property: false
        json_include_message_property: true
        json_include_tags_property: false
        json_include_output_fields_property: false
        time_format_iso_8601: y
        stdout_output: {enabled: true}
        file_output: {enabled: true, filename: f, keep_alive: true}
        """
    ).falco
    assert falco.plugins == (
        PluginEntry("a", "a.py", {"text": 7, "flag": True, "list": [1.5, None, "0x"]}, "p"),
        PluginEntry("b", "b.py", '{"x": 1}'),
    )
    assert (falco.load_plugins, falco.plugins_hostinfo, falco.rules_files) == (("a",), False, ("one.yaml", "two"))
    assert falco.rules == (Switch(enable=True, rule="a*"), Switch(enable=False, tag="t"))
    assert (falco.priority, falco.rule_matching) == (Priority.INFORMATIONAL, Matching.ALL)
    assert falco.append_output == (Append("r", "s", frozenset("tu"), "%x", {"c": "%d"}, ("a.b",), suggested=True),)
    assert falco.static_fields == {"site": "7", "empty": ""}
    assert (falco.json_output, falco.json_include_output_property, falco.json_include_message_property) == (True, False, True)
    assert (falco.json_include_tags_property, falco.json_include_output_fields_property, falco.time_format_iso_8601) == (False, False, True)
    assert (falco.stdout_output.enabled, falco.file_output) == (True, FileOutput(enabled=True, filename="f", keep_alive=True))


def test_one_value_is_a_list_of_one(read):
    falco = read("rules_files: one.yaml\nload_plugins: a\n").falco
    assert (falco.rules_files, falco.load_plugins) == (("one.yaml",), ("a",))


# What Falco refuses

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
        ("rules: [{enable: {rule: [a]}}]", "$.rules[0].enable.rule takes a text, not a list"),
        ("plugins: [a]", "$.plugins[0] takes keys with their values (name, library_path, init_config, open_params), not 'a'"),
        ("plugins: [{library_path: a}]", "$.plugins[0] has no name"),
        ("plugins: [{name: a}]", "$.plugins[0] has no library_path"),
        ("plugins: [{name: [a], library_path: a}]", "$.plugins[0].name takes a text, not a list"),
        (ENTRY.format("init_config: [1]"), "$.plugins[0].init_config takes a text or a mapping, not a list"),
        (ENTRY.format("open_params: {a: b}"), "$.plugins[0].open_params takes a text, not a mapping"),
        ("append_output: [x]", "$.append_output[0] takes keys with their values (match, extra_output, extra_fields, suggested_output)"),
        ("append_output: [{match: x}]", "$.append_output[0].match takes rule, source and tags, not 'x'"),
        ("append_output: [{match: {tags: [[t]]}}]", "$.append_output[0].match.tags[0] takes a text, not a list"),
        ("append_output: [{extra_output: [x]}]", "$.append_output[0].extra_output takes a text, not a list"),
        ("append_output: [{extra_fields: a}]", "$.append_output[0].extra_fields takes a list of fields, not 'a'"),
        ("append_output: [{extra_fields: [[a]]}]", "$.append_output[0].extra_fields[0] takes a field's name, or one name with its format"),
        ("append_output: [{extra_fields: [{a: x}, a]}]", "$.append_output[0].extra_fields[1] is the second one that is named a"),
        ("append_output: [{extra_fields: [a, {a: x}]}]", "$.append_output[0].extra_fields[1] is the second one that is named a"),
        ("append_output: [{suggested_output: maybe}]", "$.append_output[0].suggested_output takes true or false, not 'maybe'"),
        ("file_output: alerts.txt", "$.file_output takes keys with their values (enabled, filename, keep_alive), not 'alerts.txt'"),
        ("file_output: {enabled: true}", "$.file_output.filename is empty"),
        ("rules_files: [[a]]", "$.rules_files[0] takes a text, not a list"),
        ("static_fields: {a: [b]}", "$.static_fields.a takes a text, not a list"),
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
            "$.plugins[0].library_path is '../liba.so', which leads out of the plugins directory",
        ),
        ("plugins: [{name: a, library_path: b/../../liba.so}]", "$.plugins[0].library_path is 'b/../../liba.so', which leads out"),
    ],
)
def test_what_falco_refuses_is_refused_with_its_path_and_what_is_allowed(read, text, message):
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).startswith(message)


# What Falco ignores, with a word about its schema


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("json_output: maybe", "$.json_output takes true or false, not 'maybe'; the default holds, as in Falco"),
        ("json_output: 1", "$.json_output takes true or false, not '1'; the default holds, as in Falco"),
        ("priority: [error]", "$.priority takes a text, not a list; the default holds, as in Falco"),
        ("rules: {disable: {rule: a}}", "$.rules takes a list, not a mapping; the default holds, as in Falco"),
        ("stdout_output: [a]", "$.stdout_output takes keys with their values (enabled), not a list; the default holds, as in Falco"),
        ("stdout_output: {enabled: [a]}", "$.stdout_output.enabled takes true or false, not a list; the default holds, as in Falco"),
        ("config_files: {path: x}", "$.config_files takes a list, not a mapping; the default holds, as in Falco"),
        ("static_fields: [a]", "$.static_fields takes names with their texts, not a list; the default holds, as in Falco"),
        ("static_fields: ", "$.static_fields takes names with their texts, not nothing; the default holds, as in Falco"),
        (
            "engine: {kind: nodriver, kmod: 5}",
            "$.engine.kmod takes keys with their values (buf_size_preset, drop_failed_exit), not '5'; nothing reads it, as in Falco",
        ),
        ("engine: {kind: nodriver, kmod: {}}", "$.engine.kmod is empty: it takes at least one of buf_size_preset, drop_failed_exit"),
        ("engine: {kmod: {drop_failed_exit: false}}", "$.engine has no kind, which Falco's schema demands"),
        (
            "container_engines: x",
            "$.container_engines takes keys with their values (docker, cri, podman, lxc, libvirt_lxc, bpm), not 'x'; nothing reads it, as in Falco",
        ),
        ("falco_libs: {snaplen: -1}", "$.falco_libs.snaplen takes a number >= 0, not -1; the default holds, as in Falco"),
        ("outputs_queue: {capacity: 08}", "$.outputs_queue.capacity takes a whole number, not '08'; the default holds, as in Falco"),
        (
            "http_output: {max_consecutive_timeouts: 256}",
            "$.http_output.max_consecutive_timeouts takes a number <= 255, not 256; the default holds, as in Falco",
        ),
        ("stdout_output: {}", "$.stdout_output is empty: it takes at least one of enabled"),
        ("program_output: {enabled: false}", "$.program_output has no program, which Falco's schema demands"),
        ("stdout_output: {enabled: yes}", "$.stdout_output.enabled is 'yes': Falco's schema takes true or false"),
        ("metrics: {enabled: false, interval: ~}", "$.metrics.interval has no value, which is the text 'null' in Falco"),
        ("append_output: [{match: [x]}]", "$.append_output[0].match takes rule, source and tags, not a list; it is left out, as in Falco"),
        ("append_output: [{extra_output: ~}]", "$.append_output[0].extra_output has no value, which is the text 'null' in Falco"),
        ("grpc: {enabled: false}", "$.grpc is no key of falco.yaml"),
        ("rule_files: [a]", "$.rule_files is no key of falco.yaml: did you mean rules_files?"),
        ("append_output: [{match: {tags: t}}]", "$.append_output[0].match.tags takes a list, not 't'; it is left out, as in Falco"),
        ("rules: [{enable: {tag: t}, disable: {tag: t}}]", "$.rules[0] has both enable and disable: enable alone counts, as in Falco"),
        ("jsn_output: true", "$.jsn_output is no key of falco.yaml: did you mean json_output?"),
        ("webservr: {}", "$.webservr is no key of falco.yaml: did you mean webserver?"),
        ("xyz: {}", "$.xyz is no key of falco.yaml"),
        ("file_output: {filname: x}", "$.file_output.filname is no key of falco.yaml: did you mean filename?"),
        (ENTRY.format("params: x"), "$.plugins[0].params is no key of falco.yaml: did you mean open_params?"),
        ("append_output: [{match: {rules: x}}]", "$.append_output[0].match.rules is no key of falco.yaml: did you mean rule?"),
    ],
)
def test_what_falco_ignores_is_warned_about(read, text, warning):
    found = read(text)
    assert found.warnings == [warning]
    assert not found.falco.json_output


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
        "$.config_files: /nonexistent/config.d does not exist; it is left out"
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


# Files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "{}:1:5: yaml-cpp: error at line 1, column 1: end of sequence flow not found. A '[' is not closed"),
        ("a: *b", "{}:1:4: yaml-cpp: error at line 1, column 4: the referenced anchor is not defined: ***"),
        ("[a]", "{}: a configuration file is keys with their values"),
        ("text", "{}: a configuration file is keys with their values"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_name(read, tmp_path, text, message):
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).startswith(message.format(tmp_path / "falco.yaml"))


def test_a_file_that_cannot_be_read_is_said(tmp_path):
    for path, reason in ((tmp_path / "no.yaml", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigError, match=f"cannot read the configuration file {path}: {reason}"):
            read_configuration(str(path), {}, ())


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b"http_output: {url: caf\xe9}", "caf\ufffd"),
        ("\ufeffhttp_output: {url: café}".encode("utf-16-le"), "café"),
        (b"http_output: {url: a\x01\x7f\xc2\x85b}", "a\x01\x7f\x85b"),
        (b"%YAML 1.3\n---\nhttp_output:\n\t\n  url:\n    a\n    b\n", "a b"),
        (b"http_output: {url: x}\n---\n[", "x"),
    ],
)
def test_a_configuration_is_read_as_yaml_cpp_reads_it(tmp_path, data, path):
    (tmp_path / "falco.yaml").write_bytes(data)
    assert read_configuration(str(tmp_path / "falco.yaml"), {}, ()).falco.http_output.url == path


@pytest.fixture
def include(read, tmp_path, monkeypatch):
    """`include(main, file, strategy)` is what a file says that includes another one."""
    monkeypatch.chdir(tmp_path)

    def run(main, file, strategy="append", *options):
        (tmp_path / "more.yaml").write_text(file)
        return read(f"config_files: [{{path: more.yaml, strategy: {strategy}}}]\n{main}", *options)

    return run


MAIN = "rules_files: [a]\npriority: error\nstdout_output: {enabled: true}\n"
MORE = "rules_files: [b]\npriority: alert\nfile_output: {enabled: true, filename: f}\n"


@pytest.mark.parametrize(
    ("strategy", "files", "priority"),
    [
        ("append", ("a", "b"), Priority.ALERT),
        ("override", ("b",), Priority.ALERT),
        ("add-only", ("a",), Priority.ERROR),
    ],
)
def test_included_files_are_merged_as_their_strategy_says(include, strategy, files, priority):
    falco = include(MAIN, MORE, strategy).falco
    assert (falco.rules_files, falco.priority, falco.file_output.filename) == (files, priority, "f")
    assert falco.config_files == (Include("more.yaml", Strategy(strategy)),)


def test_mappings_are_replaced_whole(include):
    falco = include("file_output: {enabled: true, filename: a, keep_alive: true}", "file_output: {enabled: true, filename: b}").falco
    assert falco.file_output == FileOutput(enabled=True, filename="b")


def test_a_strategy_that_there_is_not_is_append(include):
    found = include(MAIN, MORE, "replace")
    assert found.falco.rules_files == ("a", "b")
    assert found.warnings == [
        "$.config_files[0].strategy takes one of append, override, add-only, not 'replace'; append holds, as in Falco"
    ]


def test_a_directory_is_included_in_order_and_not_deep(read, tmp_path):
    folder = tmp_path / "config.d"
    (folder / "deep").mkdir(parents=True)
    (folder / "2.conf").write_text("priority: alert\nrules_files: [two]")
    (folder / "1.yaml").write_text("priority: error\nrules_files: [one]")
    (folder / "deep" / "3.yaml").write_text("priority: debug")
    falco = read(f"config_files: [{folder}]").falco
    assert (falco.rules_files, falco.priority) == (("one", "two"), Priority.ALERT)


def test_includes_can_be_given_as_options(include, read):
    assert include("", MORE, "append", "config_files=more.yaml").falco.priority is Priority.ALERT


@pytest.mark.parametrize(
    ("main", "more", "message"),
    [
        ("", "config_files: [x]", "more.yaml: an included file cannot include others"),
        ("rules_files: a", "rules_files: [b]", r"more.yaml: \$.rules_files is a list to append, but it is none in the files before"),
    ],
)
def test_what_cannot_be_included_is_said(include, main, more, message):
    with pytest.raises(ConfigError, match=message):
        include(main, more)


def test_a_file_cannot_include_itself(read, tmp_path):
    with pytest.raises(ConfigError, match="includes the file itself"):
        read(f"config_files: ['{tmp_path / 'falco.yaml'}']")


def test_an_included_file_need_not_exist(read):
    assert read("config_files: [/nonexistent]").warnings == ["$.config_files: /nonexistent does not exist; it is left out"]


# Environment variables


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${A}", "one"),
        ("<${A}${A}>", "<oneone>"),
        ("${NOT_SET}x", "x"),
        ("$${A}", "${A}"),
        ("$${A} ${A}", "${A} one"),
        ("$A", "$A"),
        ("$A ${A}", "$A ${A}"),  # Falco looks no further
        ("${A", "${A"),
        ("a}$", "a}$"),
        ("${B}", "one!"),
        ("${}", ""),
    ],
)
def test_variables_are_written_in_as_falco_does(monkeypatch, text, result):
    monkeypatch.setenv("A", "one")
    monkeypatch.setenv("B", "${A}!")
    assert expanded(text) == result


def test_variables_that_name_each_other_come_to_an_end(read, monkeypatch, tmp_path):
    monkeypatch.setenv("A", "${B}x")
    monkeypatch.setenv("B", "${A}${A}")
    with pytest.raises(ConfigError, match=f"{tmp_path}/falco.yaml:1:11: environment variables that name each other have no end"):
        read("priority: ${A}")


def test_variables_stand_in_values_of_files_alone(read, monkeypatch):
    monkeypatch.setenv("A", "one")
    falco = read("rules_files: ['${A}', '${NOT_SET}']\nstatic_fields: {'${A}': '${A}'}", "load_plugins=${A}").falco
    assert falco.rules_files == ("one", "")
    assert falco.static_fields == {"${A}": "one"}
    assert falco.load_plugins == ("${A}",)


# Options


@pytest.mark.parametrize(
    ("option", "key", "value"),
    [
        ("json_output=true", "json_output", True),
        ("file_output.filename=a=b", "file_output", FileOutput(filename="a=b")),
        ("rules_files[0]=x", "rules_files", ("x", "b")),
        ("rules_files[2]=x", "rules_files", ("a", "b", "x")),
        ("rules_files[]=x", "rules_files", ("a", "b", "x")),
        ("load_plugins[0]=x", "load_plugins", ("x",)),
        ("rules_files=x", "rules_files", ("x",)),
        (r"static_fields.a\.b\[\\=x", "static_fields", {r"a.b[\ ".strip(): "x"}),
        ("static_fields.a]=x", "static_fields", {"a]": "x"}),
        ("static_fields={a: b}", "static_fields", {"a": "b"}),
        ('rules[]={"disable": {"rule": "x"}}', "rules", (Switch(enable=False, rule="x"),)),
        ("plugins[0].open_params=x", "plugins", (PluginEntry("p", "p.py", open_params="x"),)),
    ],
)
def test_an_option_sets_one_key(read, option, key, value):
    assert getattr(read("rules_files: [a, b]\nplugins: [{name: p, library_path: p.py}]", option).falco, key) == value


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("json_output", "-o json_output: write key=value or key.subkey=value"),
        ("=x", "-o =x: the key is empty"),
        (".a=x", "-o .a=x: the key is wrong from '.a' on"),
        ("a..b=x", "-o a..b=x: the key is wrong from '..b' on"),
        ("[0]=x", "-o [0]=x: the key is wrong from '[0]' on"),
        ("a[x]=x", "-o a[x]=x: the key is wrong from '[x]' on"),
        ("a[0]b=x", "-o a[0]b=x: the key is wrong from 'b' on"),
        ("a\\b=x", "-o a\\b=x: the key is wrong from '\\\\b' on"),
        ("priority.x=y", "-o priority.x=y: $.priority is no mapping, so there is no x in it"),
        ("priority[0]=y", "-o priority[0]=y: $.priority is no list"),
        ("rules_files[5]=y", "-o rules_files[5]=y: $.rules_files has 1 items: the next one is $.rules_files[1]"),
        ("rules={[}", "-o rules:1:3: "),
    ],
)
def test_an_option_that_cannot_be_set_is_said(read, option, message):
    with pytest.raises(ConfigError) as caught:
        read("priority: error\nrules_files: [a]", option)
    assert str(caught.value).startswith(message)


def test_options_have_the_last_word(read):
    falco = read("json_output: false", "json_output=no", flags={"json_output": "true"}).falco
    assert not falco.json_output


# Rules files


def test_rules_files_and_directories(read, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d" / "deep").mkdir(parents=True)
    for name in ("d/b.yaml", "d/a.yml", "d/c.txt", "d/deep/x.yaml", "one.yaml", "two.txt"):
        (tmp_path / name).write_text("")
    found = read("rules_files: [one.yaml, d, two.txt, missing.yaml]")
    assert rules_paths((), found) == ("one.yaml", "d/a.yml", "d/b.yaml")
    assert found.warnings == [
        "$.rules_files: missing.yaml does not exist; it is left out",
        "$.rules_files: two.txt ends neither in .yaml nor in .yml; it is left out",
    ]
    assert rules_paths(("two.txt", "d"), found) == ("two.txt", "d/a.yml", "d/b.yaml")
    assert rules_paths((), read()) is None
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="the directory empty has no rules file"):
        rules_paths(("empty",), found)


def test_the_old_name_of_rules_files(read, tmp_path):
    path = tmp_path / "falco.yaml"
    found = read(f"rules_file: [{path}]")
    assert rules_paths((), found) == (str(path),)
    assert found.warnings == ["$.rules_file is the old name of rules_files"]
    with pytest.raises(ConfigError, match="are both there"):
        rules_paths((), read("rules_file: a\nrules_files: a"))
    with pytest.raises(ConfigError, match="there is none of a, b; name a rules file with -r FILE"):
        rules_paths((), read("rules_files: [a, b]"))


# Plugins

PLUGINS = "plugins: [{name: a, library_path: a.py:A}, {name: d, library_path: /x/libdocker.so}, {name: m, library_path: m.n:M}]\n"


def targets(read, text, name=None):
    return [(each.name, each.target) for each in select_plugins(read(PLUGINS + text).falco, name)]


def test_plugins_are_loaded_in_the_order_that_is_asked_for(read):
    everything = [("a", "a.py:A"), ("d", "docker"), ("m", "m.n:M")]
    assert targets(read, "") == everything
    assert targets(read, "load_plugins: [m, a]") == [everything[2], everything[0]]
    assert targets(read, "load_plugins: []") == []
    assert targets(read, "load_plugins: [a]", "d") == [everything[1]]
    assert targets(read, "", "other.py") == [("other.py", "other.py")]


def test_a_plugin_that_is_not_configured_is_said(read):
    with pytest.raises(ConfigError, match=r"\$.load_plugins\[0\] is 'x', but no plugin of that name is in \$.plugins: there are a, d, m"):
        targets(read, "load_plugins: [x]")


@pytest.mark.parametrize("library", ["docker", "libdocker.so", "/usr/share/falco/plugins/libdocker.so"])
def test_the_built_in_plugin_stands_for_its_library(read, library):
    assert select_plugins(read(f"plugins: [{{name: x, library_path: {library}}}]").falco, None) == (PluginSetup("docker", "x", library),)


@pytest.mark.parametrize(
    ("library", "problem"),
    [("libk8saudit.so", "Lanner loads no compiled plugins"), ("", "Lanner cannot tell what that is"), ("x", "Lanner cannot tell")],
)
def test_a_library_that_cannot_be_loaded_is_said_with_what_can(read, library, problem):
    with pytest.raises(ConfigError) as caught:
        select_plugins(read(f"plugins: [{{name: x, library_path: '{library}'}}]").falco, None)
    assert str(caught.value).startswith(f"$.plugins[0].library_path is {library!r}, and {problem}")
    assert "libdocker.so" in str(caught.value)
    assert "path/to/file.py[:Class] or module:Class" in str(caught.value)


# Outputs and operation


def test_outputs_have_falcos_keys_and_lanners_own(read):
    falco = read(
        "http_output: {enabled: true, url: 'http://127.0.0.1:1/', compress_uploads: true, max_consecutive_timeouts: 3}\n"
        "program_output: {enabled: true, program: cat, keep_alive: true}\nsyslog_output: {enabled: true}\n"
        "outputs_queue: {capacity: 7}\noutput_timeout: 500\nmetrics: {enabled: true, interval: 15m, output_rule: true}\n"
        "webserver: {enabled: true, listen_port: 0}\nlog_level: debug\n"
        "lanner: {http: {headers: {Authorization: /run/token}, batch_size: 10}, throttle: {rate: 0.5}, log_format: json}\n"
    ).falco
    assert (falco.http_output.url, falco.http_output.compress_uploads, falco.http_output.max_consecutive_timeouts) == (
        "http://127.0.0.1:1/",
        True,
        3,
    )
    assert (falco.program_output.program, falco.program_output.keep_alive, falco.syslog_output.enabled) == ("cat", True, True)
    assert (falco.outputs_queue.capacity, falco.output_timeout, falco.metrics.interval) == (7, 500, 900)
    assert (falco.webserver.listen_port, falco.webserver.listen_address, falco.log_level) == (0, "127.0.0.1", "debug")
    assert (falco.lanner.http.headers, falco.lanner.http.batch_size) == ({"Authorization": "/run/token"}, 10)
    assert (falco.lanner.throttle.rate, falco.lanner.log_format) == (0.5, "json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lanner: {queue_size_mb: 0}", r"$.lanner.queue_size_mb takes a number >= 1, not 0"),
        ("webserver: {enabled: true, listen_port: 70000}", r"$.webserver.listen_port takes a number <= 65535, not 70000"),
        ("log_level: loud", r"$.log_level takes one of emergency, alert, critical, error, warning, notice, info, debug, not 'loud'"),
        ("lanner: {log_format: xml}", r"$.lanner.log_format takes one of text, json, not 'xml'"),
        ("http_output: {enabled: true}", r"$.http_output.url is empty: write the server's address"),
        ("program_output: {enabled: true}", r"$.program_output.program is empty: write the command line that alerts go to"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(read, text, message):
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).startswith(message)


def test_numbers_and_durations_that_are_none_leave_the_default(read):
    found = read("output_timeout: soon\nmetrics: {enabled: false, interval: 1 hour}\n")
    assert (found.falco.output_timeout, found.falco.metrics.interval) == (2000, 0)
    assert found.warnings == ["$.output_timeout takes a whole number, not 'soon'; the default holds, as in Falco"]


def test_two_entries_for_one_plugin_are_refused_with_both_places(include, read, tmp_path):
    entry = "plugins: [{name: docker, library_path: libdocker.so}]\n"
    both = f"the plugin docker has two entries, {tmp_path}/falco.yaml: $.plugins[0] and more.yaml: $.plugins[0]"
    for text in (entry, f"{entry}load_plugins: [docker]\n"):
        with pytest.raises(ConfigError, match=re.escape(both)):
            include(text, entry)
    assert len(include(entry, entry, "override").falco.plugins) == 1
    with pytest.raises(ConfigError, match=r"\$.load_plugins\[1\] is 'a' for the second time"):
        select_plugins(read(f"{PLUGINS}load_plugins: [a, a]").falco, None)
