"""Errors in a plugin's options name file, line, plugin, and the allowed values."""

import pytest

pytestmark = pytest.mark.slow

PLUGINS = """json_output: true
plugins:
  - name: docker
    library_path: libdocker.so
    init_config:
      flushInterval: 30
      {option}
    open_params: {params}
load_plugins: [docker]
"""


@pytest.fixture
def falco_yaml(tmp_path):
    """`falco_yaml(option, params)` is such a file: the option is in line 7, the parameters in line 8."""

    def write(option="inspect: true", params="''"):
        file = tmp_path / "falco.yaml"
        file.write_text(PLUGINS.format(option=option, params=params))
        return file

    return write


ERRORS = [
    ("queuePolicy: drop_all", 1, "invalid value 'drop_all' at `$.queuePolicy`: it takes one of block, drop_newest, drop_oldest"),
    ("tls: {verfy: true}", 1, "unknown option `$.tls.verfy`; did you mean `verify`?"),
    ("tls: {x: true}", 1, "unknown option `$.tls.x`; the options are: ca, cert, key, verify"),
    ("hosts: [{url: 'unix:///x', nme: y}]", 1, "unknown option `$.hosts[0].nme`; did you mean `name`?"),
    ("inspect: maybe", 1, "Expected `bool`, got `str` - at `$.inspect`"),
    ("pingInterval: 0", 1, "Expected `int` >= 1 - at `$.pingInterval`"),
    ("since: never", 2, "`$.since` is 'never', which is not a time"),
    ('cursor: "a\\0b"', 1, "`$.cursor` has a null byte, which no path can have: remove it"),
    ('tls: {key: "a\\0b"}', 1, "`key` has a null byte, which no path can have: remove it - at `$.tls`"),
    ('host: "unix:///a\\0b"', 2, "invalid engine address 'unix:///a\\x00b' (from `$.host` of the configuration): it has a null byte"),
    ("host: nonsense", 2, "invalid engine address 'nonsense' (from `$.host` of the configuration)"),
]


@pytest.mark.parametrize(("option", "code", "text"), ERRORS)
@pytest.mark.parametrize("more", [[], ["--dry-run"]], ids=["run", "dry run"])
def test_an_error_names_file_line_and_plugin(lanner, falco_yaml, option, code, text, more):
    file = falco_yaml(option)
    done = lanner("run", "-c", file, *more)
    assert (done.code, done.out) == (code, b""), done.err
    assert f"lanner: error: {file}:7: plugin docker: {text}" in done.err


def test_so_does_a_warning(lanner, falco_yaml):
    file = falco_yaml("quePolicy: drop_newest")
    done = lanner("run", "-c", file, "--dry-run")
    assert done.code == 0
    text = "unknown option `$.quePolicy`, which has no effect; did you mean `queuePolicy`?"
    assert f"lanner: warning: {file}:7: plugin docker: {text}\n" in done.err


def test_and_an_error_of_the_open_parameters(lanner, falco_yaml):
    file = falco_yaml(params="sinc=1")
    done = lanner("run", "-c", file)
    assert done.code == 2
    assert f"lanner: error: {file}:8: plugin docker: the open parameters have 'sinc', which is none of since, until, filters" in done.err


def test_an_entry_of_an_included_file_is_found_there(lanner, falco_yaml, tmp_path):
    file = falco_yaml("queuePolicy: drop_all")
    other = tmp_path / "other.yaml"
    other.write_text(f"config_files: [{file}]\n")
    assert f"error: {file}:7: plugin docker: " in lanner("run", "-c", other).err


def test_options_of_the_command_line_are_not_looked_for_in_the_file(lanner, falco_yaml, tmp_path):
    file = falco_yaml()
    done = lanner("run", "-c", file, "--config", '{"queuePolicy": "drop_all"}')
    assert "lanner: error: plugin docker: invalid value 'drop_all' at `$.queuePolicy`: it takes" in done.err
    done = lanner("run", "-c", file, "--host", "nonsense")
    assert "lanner: error: invalid engine address 'nonsense'" in done.err
    done = lanner("run", "-c", file, "--open", "sinc=1")
    assert "lanner: error: the open parameters have 'sinc'" in done.err
    options = tmp_path / "options.yaml"
    options.write_text("inspect: true\nqueuePolicy: drop_all\n")
    done = lanner("run", "docker", "--config", f"@{options}")
    assert f"lanner: error: {options}:2: plugin docker: invalid value 'drop_all'" in done.err


@pytest.mark.parametrize(
    ("command", "url", "code"),
    [
        (("run",), "foo://bar", 2),
        (("run", "--dry-run"), "foo://bar", 2),
        (("record", "-o", "-"), "foo://bar", 2),
        (("run",), "unix:///nonexistent/x.sock", 3),
        (("record", "-o", "-"), "unix:///nonexistent/x.sock", 3),
    ],
)
def test_an_address_of_the_option_host_is_reported_as_such(lanner, command, url, code):
    done = lanner(*command, "docker", "--host", url)
    assert done.code == code
    assert f"{url} (from --host)" in done.err.replace("'", "")
    assert "$.host" not in done.err


def test_the_file_is_not_named_for_an_address_of_the_option_host(lanner, falco_yaml):
    path = falco_yaml("host: unix:///x.sock")
    done = lanner("run", "-c", path, "--host", "foo://bar")
    assert done.code == 2
    assert str(path) not in done.err
    assert "(from --host)" in done.err
    done = lanner("doctor", "-c", path, "--host", "foo://bar")
    assert "(from --host)" in done.out.decode()
    assert "(from `$.host` of the configuration)" in lanner("run", "docker", "--config", "host: foo://bar").err
