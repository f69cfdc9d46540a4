"""The text of --config, as JSON, as YAML or in a file."""

import pytest

import lanner
from lanner.cli.plugin_config import make_plugin
from lanner.docker import Docker
from lanner.sdk.errors import UsageError


class Free(lanner.Config):
    text: str = ""
    number: float = 0
    flag: bool = False
    items: list[str] = []  # noqa: RUF012 - msgspec copies it


class Doors(lanner.Plugin):
    """Doors."""

    id, name, version, event_source = 4244, "doors", "0.1.0", "doors"
    contact = "the tests"
    config: Free

    def open(self, _params):
        return iter(())


def config(text, host=None):
    return make_plugin(Docker, text, host).config


@pytest.mark.parametrize("text", ["", "  ", "{}", "null", "# nothing\n"])
def test_no_configuration_is_the_defaults(text):
    assert config(text) == config("{}")


@pytest.mark.parametrize(
    "text",
    [
        '{"flushInterval": 5, "since": "10m"}',
        '{\n\t"flushInterval": 5,\n\t"since": "10m"\n}',
        "flushInterval: 5\nsince: 10m\n",
        "{flushInterval: 5, since: 10m}",
        "flushinterval: 5\nsince: '10m'\n",
    ],
    ids=["json", "tabs", "yaml", "flow", "spelling"],
)
@pytest.mark.parametrize("way", ["text", "file", "host"])
def test_json_and_yaml_mean_the_same(tmp_path, text, way):
    path = tmp_path / "config"
    path.write_text(text)
    found = config(f"@{path}" if way == "file" else text, "tcp://h:1" if way == "host" else None)
    assert (found.flush_interval, found.since, found.host) == (5, "10m", "tcp://h:1" if way == "host" else "")


@pytest.mark.parametrize("interval", [0, 1, 60_001, (1 << 64) - 1])
def test_the_originals_interval_is_any_whole_number_from_0(interval):
    assert config(f'{{"flushInterval": {interval}}}', None).flush_interval == interval


@pytest.mark.parametrize("time", ["2026-01-31", "2026-01-31T12:00:00Z", "2026-01-31 12:00:00", "2026-01-31T12:00:00.123456789+01:00"])
def test_a_time_in_yaml_stays_the_text_that_it_is(time):
    assert config(f"since: {time}").since == time
    assert config(f'{{"since": "{time}"}}', "tcp://h:1").since == time


def test_numbers_and_booleans_of_yaml_are_such():
    found = make_plugin(Doors, "text: 7\nnumber: 1.5\nflag: true\nitems: [2026-01-31, a]").config
    assert (found.text, found.number, found.flag, found.items) == ("7", 1.5, True, ["2026-01-31", "a"])


def test_the_option_host_comes_before_the_configuration():
    assert config('{"host": "tcp://a:1"}').host == "tcp://a:1"
    assert config('{"host": "tcp://a:1"}', "tcp://b:2").host == "tcp://b:2"


def test_a_plugin_without_the_option_refuses_host():
    with pytest.raises(UsageError, match="the plugin doors has no option `host`: leave out --host"):
        make_plugin(Doors, "", "tcp://h:1")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"flushInterval": -1}', r"Expected `int` >= 0 - at `\$\.flushInterval`"),
        ("flushInterval: 0.5", r"Expected `int`, got `float` - at `\$\.flushInterval`"),
        ("flushInterval: x", r"Expected `int`, got `str` - at `\$\.flushInterval`"),
        ('{"filters": {"type": "volume"}}', r"Expected `array`, got `str` - at `\$\.filters\[\.\.\.\]`"),
        ("tls: {sinse: 10m}", r"plugin docker: unknown option `\$\.tls\.sinse`; the options are: ca, cert"),
        (
            '{"since": "10m"',
            r"the configuration is neither JSON nor YAML, see line 1, column 16: end of map flow not found. A '{' is not closed",
        ),
        ("{flushInterval: 2", r"neither JSON nor YAML, see line 1, column \d+: end of .*A '{' is not closed"),
        ("a: b\nsince: [", "the configuration is neither JSON nor YAML, see line 2, column 9: end of sequence flow not found"),
        (
            "[" * 1500 + "]" * 1500,
            "the configuration is neither JSON nor YAML, see line 1, column 65: nodes are nested more than 64 levels deep",
        ),
        ("{" * 1500, r"the configuration is neither JSON nor YAML, see line 1, column "),
        ("10m", "the configuration is a single value; write options with their values, such as 'flushInterval: ...', or @FILE"),
        ("- since", "the configuration is a list; write options"),
        ("@/nonexistent/config", "cannot read the configuration in /nonexistent/config: No such file or directory"),
        ("!!python/object/apply:os.system [exit]", "neither JSON nor YAML"),
    ],
)
def test_a_wrong_configuration_is_refused_with_what_is_wrong(text, problem):
    with pytest.raises(lanner.ConfigError, match=problem):
        config(text)


def test_a_file_that_is_wrong_is_named(tmp_path):
    path = tmp_path / "config"
    for content in (b"since: [", b'{"since"', b"\xff", b"10m"):
        path.write_bytes(content)
        with pytest.raises(lanner.ConfigError, match=f"{path}"):
            config(f"@{path}")


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        "[hunter2]",
        "{host: tcp://user:hunter2@engine",
        '{"host": "tcp://user:hunter2@engine"',
        "host: *hunter2",
        "host: !hunter2 x",
        "host: tcp://user:hunter2@engine\n  tls: hunter2: x",
        "host: [hunter2\n\tx",
        'host: "hunter2\\q"',
        "tls: hunter2",
        "host: {a: hunter2}",
        "hosts: ['tcp://user:hunter2@a', 'tcp://user:hunter2@a']",
        "hosts: [{url: 'tcp://user:hunter2@a'}, 'tcp://user:hunter2@a']",
        "host: ssh://user:hunter2@engine",
        "host: tcp://user:hunter2@engine:x",
        "host: user:hunter2@engine",
        "hosts: ['tpc://user:hunter2@a']",
    ],
)
def test_a_wrong_configuration_is_not_quoted_with_its_secrets(text):
    with pytest.raises(lanner.LannerError) as caught:
        make_plugin(Docker, text).targets()
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
