"""falco.yaml: files, includes, variables, options, plugins and outputs."""

import re

import pytest

from lanner.config.falco import Include, MatchPolicy, PluginEntry, Strategy
from lanner.config.plugin_entries import PluginSetup, select_plugins
from lanner.config.read import read_configuration, rules_paths
from lanner.config.tree import expand_variables
from lanner.rules import Priority
from lanner.rules.output.append import Append
from lanner.rules.resolve.select import Switch
from lanner.sdk.errors import ConfigError
from lanner.sinks.file import FileBlock


def test_an_empty_file_has_falcos_defaults(read):
    falco = read().falco
    assert (falco.priority, falco.rule_matching, falco.load_plugins, falco.rules_files) == (Priority.DEBUG, MatchPolicy.FIRST, None, None)
    assert (falco.stdout_output.enabled, falco.file_output) == (False, FileBlock())


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
    assert (falco.priority, falco.rule_matching) == (Priority.INFORMATIONAL, MatchPolicy.ALL)
    assert falco.append_output == (Append("r", "s", frozenset("tu"), "%x", {"c": "%d"}, ("a.b",), suggested=True),)
    assert falco.static_fields == {"site": "7", "empty": ""}
    assert (falco.json_output, falco.json_include_output_property, falco.json_include_message_property) == (True, False, True)
    assert (falco.json_include_tags_property, falco.json_include_output_fields_property, falco.time_format_iso_8601) == (False, False, True)
    assert (falco.stdout_output.enabled, falco.file_output) == (True, FileBlock(enabled=True, filename="f", keep_alive=True))


def test_one_value_is_a_list_of_one(read):
    falco = read("rules_files: one.yaml\nload_plugins: a\n").falco
    assert (falco.rules_files, falco.load_plugins) == (("one.yaml",), ("a",))


# Files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "{}:1:5: end of sequence flow not found. A '[' is not closed"),
        ("a: *b", "{}:1:4: the referenced anchor is not defined: ***"),
        ("[a]", "{}: a configuration file must be keys with their values"),
        ("text", "{}: a configuration file must be keys with their values"),
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
    assert falco.file_output == FileBlock(enabled=True, filename="b")


def test_a_strategy_that_there_is_not_is_append(include):
    found = include(MAIN, MORE, "replace")
    assert found.falco.rules_files == ("a", "b")
    assert found.warnings == [
        "$.config_files[0].strategy takes one of append, override, add-only, not 'replace'; append applies, as in Falco"
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
        ("", "config_files: [x]", "more.yaml:1: an included file cannot include others"),
        (
            "rules_files: a",
            "rules_files: [b]",
            r"more.yaml:1: \$.rules_files is a list to append, but it is not a list in the files before",
        ),
    ],
)
def test_what_cannot_be_included_is_said(include, main, more, message):
    with pytest.raises(ConfigError, match=message):
        include(main, more)


def test_a_file_cannot_include_itself(read, tmp_path):
    with pytest.raises(ConfigError, match="includes the file itself"):
        read(f"config_files: ['{tmp_path / 'falco.yaml'}']")


def test_an_included_file_need_not_exist(read, tmp_path):
    missing = tmp_path / "missing"
    assert read(f"config_files: [{missing}]").warnings == [f"$.config_files: {missing} does not exist; it is ignored"]


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
    assert expand_variables(text) == result


def test_variables_that_name_each_other_come_to_an_end(read, monkeypatch, tmp_path):
    monkeypatch.setenv("A", "${B}x")
    monkeypatch.setenv("B", "${A}${A}")
    with pytest.raises(ConfigError, match=f"{tmp_path}/falco.yaml:1:11: environment variables refer to each other in a cycle"):
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
        ("file_output.filename=a=b", "file_output", FileBlock(filename="a=b")),
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
        ("=x", "-o =...: the key is empty"),
        (".a=x", "-o .a=...: the key is invalid from '.a'"),
        ("a..b=x", "-o a..b=...: the key is invalid from '..b'"),
        ("[0]=x", "-o [0]=...: the key is invalid from '[0]'"),
        ("a[x]=x", "-o a[x]=...: the key is invalid from '[x]'"),
        ("a[0]b=x", "-o a[0]b=...: the key is invalid from 'b'"),
        ("a\\b=x", "-o a\\b=...: the key is invalid from '\\\\b'"),
        ("priority.x=y", "-o priority.x=...: $.priority is not a mapping, so it cannot contain x"),
        ("priority[0]=y", "-o priority[0]=...: $.priority is not a list"),
        ("rules_files[5]=y", "-o rules_files[5]=...: $.rules_files has 1 item: the next one is $.rules_files[1]"),
        ("token:open-sesame", "-o token...: write key=value or key.subkey=value"),
        ("priority.x=open-sesame", "-o priority.x=...: $.priority is not a mapping"),
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
        "$.rules_files: missing.yaml does not exist; it is ignored",
        "$.rules_files: two.txt ends neither in .yaml nor in .yml; it is ignored",
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
    with pytest.raises(ConfigError, match="are both set"):
        rules_paths((), read("rules_file: a\nrules_files: a"))
    with pytest.raises(ConfigError, match="none of a, b exists; name a rules file with -r FILE"):
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
    with pytest.raises(
        ConfigError, match=r"\$.load_plugins\[0\] is 'x', but no plugin of that name is in \$.plugins: its names are a, d, m"
    ):
        targets(read, "load_plugins: [x]")


@pytest.mark.parametrize("library", ["docker", "libdocker.so", "/usr/share/falco/plugins/libdocker.so"])
def test_the_built_in_plugin_stands_for_its_library(read, library):
    assert select_plugins(read(f"plugins: [{{name: x, library_path: {library}}}]").falco, None) == (PluginSetup("docker", "x", library),)


@pytest.mark.parametrize(
    ("library", "problem"),
    [("libk8saudit.so", "Lanner loads no compiled plugins"), ("", "Lanner does not recognise it"), ("x", "Lanner does not recognise")],
)
def test_a_library_that_cannot_be_loaded_is_said_with_what_can(read, library, problem):
    with pytest.raises(ConfigError) as caught:
        select_plugins(read(f"plugins: [{{name: x, library_path: '{library}'}}]").falco, None)
    assert str(caught.value).startswith(f"$.plugins[0].library_path is {library!r}, and {problem}")
    assert "libdocker.so" in str(caught.value)
    assert "path/to/file.py[:Class] or module:Class" in str(caught.value)


def test_a_library_with_a_python_file_beside_it_is_said_with_that_file(read, tmp_path):
    (tmp_path / "mine.py").write_text("")
    with pytest.raises(ConfigError, match=r"loads no compiled plugins: write '.*/mine\.py', the Python file in its directory"):
        select_plugins(read(f"plugins: [{{name: x, library_path: {tmp_path}/libmine.so}}]").falco, None)


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
        ("lanner: {store_output: {retain_days: x}}", r"$.lanner.store_output.retain_days takes a whole number, not 'x'"),
        ("lanner: {store_output: {retain_days: 1.5}}", r"$.lanner.store_output.retain_days takes a whole number, not '1.5'"),
        ("lanner: {store_output: {retain_days: }}", r"$.lanner.store_output.retain_days takes a whole number, not nothing"),
        ("lanner: {store_output: {enabled: maybe}}", r"$.lanner.store_output.enabled takes true or false, not 'maybe'"),
        ("lanner: {store_output: {path: [a]}}", r"$.lanner.store_output.path takes a string, not a list"),
        ("lanner: {spool: [a]}", r"$.lanner.spool takes keys with their values (path, max_size_mb), not a list"),
        ("lanner: {throttle: {rate: much}}", r"$.lanner.throttle.rate takes a number, not 'much'"),
        ("lanner: {webserver_hosts: {a: b}}", r"$.lanner.webserver_hosts takes a list, not a mapping"),
        ("lanner: [a]", r"$.lanner takes keys with their values"),
        ("lanner: {log_format: xml}", r"$.lanner.log_format takes one of text, json, not 'xml'"),
        ("http_output: {enabled: true}", r"$.http_output.url is empty: write the server's address"),
        ("program_output: {enabled: true}", r"$.program_output.program is empty: write the command line that alerts go to"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(read, tmp_path, text, message):
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).startswith(f"{tmp_path}/falco.yaml:1: {message}")


def test_numbers_and_durations_that_are_none_leave_the_default(read):
    found = read("output_timeout: soon\nmetrics: {enabled: false, interval: 1 hour}\n")
    assert (found.falco.output_timeout, found.falco.metrics.interval) == (2000, 0)
    assert found.warnings == ["$.output_timeout takes a whole number, not 'soon'; the default applies, as in Falco"]


def test_an_option_of_lanners_own_is_refused_with_its_name():
    with pytest.raises(ConfigError, match=r"lanner\.store_output\.retain_days.* takes a whole number, not 'x'"):
        read_configuration(None, {}, ["lanner.store_output.retain_days=x"])


@pytest.mark.parametrize("text", ["lanner:\n", "lanner:\n  spool:\n"])
def test_a_block_of_lanners_own_may_be_empty(read, text):
    found = read(text)
    assert found.falco.lanner == read("").falco.lanner
    assert [warning.rpartition("; ")[2] for warning in found.warnings] == ["the default applies"]


def test_two_entries_for_one_plugin_are_refused_with_both_places(include, read, tmp_path):
    entry = "plugins: [{name: docker, library_path: libdocker.so}]\n"
    both = f"the plugin docker has two entries, {tmp_path}/falco.yaml: $.plugins[0] and more.yaml: $.plugins[0]"
    for text in (entry, f"{entry}load_plugins: [docker]\n"):
        with pytest.raises(ConfigError, match=re.escape(both)):
            include(text, entry)
    assert len(include(entry, entry, "override").falco.plugins) == 1
    with pytest.raises(ConfigError, match=r"\$.load_plugins\[1\] is 'a' for the second time"):
        select_plugins(read(f"{PLUGINS}load_plugins: [a, a]").falco, None)


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("lanner: {store_output: {path: x}}", (), ["$.lanner.store_output has no effect until $.lanner.store_output.enabled is true"]),
        (
            "json_output: false",
            ("lanner.store_output.path=x",),
            ["$.lanner.store_output has no effect until $.lanner.store_output.enabled is true"],
        ),
        ("lanner: {http: {headers: {A: /b}}}", (), ["$.lanner.http has no effect until $.http_output.enabled is true"]),
        ("lanner: {stdout: {summary: true}}", (), ["$.lanner.stdout has no effect until $.stdout_output.enabled is true"]),
        ("lanner: {spool: {max_size_mb: 5}}", (), ["$.lanner.spool has no effect until $.lanner.spool.path is set"]),
        ("lanner: {throttle: {burst: 5}}", (), ["$.lanner.throttle has no effect until $.lanner.throttle.rate is set"]),
        # it was switched off on purpose
        ("lanner: {store_output: {enabled: false, path: x}}", (), []),
        ("http_output: {enabled: false}\nlanner: {http: {headers: {A: /b}}}", (), []),
        ("lanner: {spool: {path: '', max_size_mb: 5}, throttle: {rate: 0, burst: 5}}", (), []),
        # Falco says nothing about its own keys
        ("file_output: {filename: x}", (), []),
        ("lanner: {store_output: {enabled: true, path: x}, spool: {path: y, max_size_mb: 5}, throttle: {rate: 1, burst: 5}}", (), []),
        ("stdout_output: {enabled: true}\nlanner: {stdout: {summary: true}}", (), []),
    ],
)
def test_keys_of_lanner_without_effect_are_reported_once(read, text, options, expected):
    assert read(text, *options).warnings == expected
