"""A configuration class provides validation with paths, a schema for Falco, and the table in the docs."""

from datetime import timedelta
from typing import Annotated, Literal

import msgspec
import pytest

import lanner
from lanner import Config, Meta
from lanner.sdk.options.config import (
    config_table,
    convert_config,
    load_config,
    required_options,
    secret_options,
)  # fmt: skip
from lanner.sdk.options.config_class import check_config_class


class Tls(Config):
    """Certificates."""

    authority: str = ""
    depth: int = 1


class Options(Config):
    """Options of the plugin."""

    flush_interval: Annotated[int, Meta(ge=1, le=60_000, description="Milliseconds that a batch may wait")] = 30
    host: Annotated[str, Meta(description="Where the engine is", max_length=200)] = ""
    proxy: str | None = None
    level: Literal["low", "high"] = "low"
    ratio: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    count: Annotated[int, Meta(gt=0)] = 1
    filters: dict[str, list[str]] = msgspec.field(default_factory=dict)
    tls: Annotated[Tls, Meta(description="How to trust")] = msgspec.field(default_factory=Tls)
    spare: Tls | None = None
    port: int | str = 0
    verbose: bool = False


@pytest.mark.parametrize("text", ["", "{}", b"{}", " \n", "{ }", "null"])
def test_no_configuration_means_the_defaults(text):
    assert load_config(Options, text) == Options()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"flushInterval": 5}', Options(flush_interval=5)),
        ('{"flushinterval": 5}', Options(flush_interval=5)),
        ('{"FLUSHINTERVAL": 5}', Options(flush_interval=5)),
        ('{"host": "unix:///a"}', Options(host="unix:///a")),
        ('{"proxy": null}', Options(proxy=None)),
        ('{"level": "high", "verbose": true, "ratio": 0.25}', Options(level="high", verbose=True, ratio=0.25)),
        ('{"filters": {"type": ["container"]}}', Options(filters={"type": ["container"]})),
        ('{"tls": {"Authority": "a"}}', Options(tls=Tls(authority="a"))),
        ('{"spare": {"AUTHORITY": "a"}}', Options(spare=Tls(authority="a"))),
    ],
)
def test_options_are_camel_case_and_known_in_any_case(text, expected):
    assert load_config(Options, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"host": 2375}', Options(host="2375")),
        ('{"host": 1.5}', Options(host="1.5")),
        ('{"host": true}', Options(host="true")),
        ('{"proxy": 1}', Options(proxy="1")),
        ('{"filters": {"label": [1, "a"]}}', Options(filters={"label": ["1", "a"]})),
        ('{"tls": {"authority": 3}}', Options(tls=Tls(authority="3"))),
        ('{"port": 1}', Options(port=1)),
        ('{"port": "1"}', Options(port="1")),
    ],
)
def test_a_text_takes_the_number_that_falco_yaml_makes_of_it(text, expected):
    assert load_config(Options, text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"flushInterval": 0}', "Expected `int` >= 1 - at `$.flushInterval`"),
        ('{"flushInterval": 60001}', "Expected `int` <= 60000 - at `$.flushInterval`"),
        ('{"flushInterval": "5"}', "Expected `int`, got `str` - at `$.flushInterval`"),
        ('{"flushInterval": true}', "Expected `int`, got `bool` - at `$.flushInterval`"),
        ('{"flushInterval": null}', "Expected `int`, got `null` - at `$.flushInterval`"),
        ('{"verbose": 1}', "Expected `bool`, got `int` - at `$.verbose`"),
        ('{"tls": {"depth": "x"}}', "Expected `int`, got `str` - at `$.tls.depth`"),
        ('{"filters": {"a": "b"}}', "Expected `array`, got `str` - at `$.filters[...]`"),
        ('{"level": "middle"}', "invalid value 'middle' at `$.level`: it takes one of high, low"),
        ('{"since": "1h"}', "unknown option `$.since`; the options are: count, filters, flushInterval,"),
        ('{"flushInterva": 1}', "unknown option `$.flushInterva`; did you mean `flushInterval`?"),
        ('{"FLUSHINTERVA": 1}', "unknown option `$.FLUSHINTERVA`; did you mean `flushInterval`?"),
        ('{"tls": {"x": 1}}', "unknown option `$.tls.x`; the options are: "),
        ('{"tls": {"detph": 1}}', "unknown option `$.tls.detph`; did you mean `depth`?"),
        ('{"host": "a", "Host": "b"}', "Object contains `host` twice, in different spellings - at `$`"),
        ('{"tls": {"depth": 1, "Depth": 2}}', "Object contains `depth` twice, in different spellings - at `$.tls`"),
        ("[]", "Expected `object`, got `array` - at `$`"),
        ("{flushInterval: 5}", "the configuration is not JSON"),
        ('{"host": "\\ud800"}', "the configuration is not JSON"),
        (b'{"host": "\xff"}', "the configuration is not JSON"),
        ("[" * 100_000, "the configuration is not JSON"),
    ],
)
def test_errors_name_the_path_and_the_bound(text, says):
    with pytest.raises(lanner.ConfigError) as caught:
        load_config(Options, text)
    assert says in str(caught.value)


def test_a_configuration_error_is_a_value_error_too():
    with pytest.raises(ValueError, match="flushInterval"):
        load_config(Options, '{"flushInterval": 0}')


def test_what_yaml_decoded_is_taken_as_it_is():
    assert convert_config(Options, {"flushinterval": 7, "host": 2375}) == Options(flush_interval=7, host="2375")
    assert convert_config(Options, None) == Options()


class Server(Config):
    """A group of options."""

    host: Annotated[str, Meta(description="Its name")]
    pass_code: lanner.Secret | None = None


class Needy(Config):
    """Required options, in nested classes too."""

    token: Annotated[lanner.Secret, Meta(description="Access token")]
    limit: int
    server: Annotated[Server | None, Meta(description="Where")] = None
    servers: list[Server] = msgspec.field(default_factory=list)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the option `$.token` is required: Access token"),
        ("{}", "the option `$.token` is required: Access token"),
        ("null", "the option `$.token` is required: Access token"),
        ('{"token": "a"}', "the option `$.limit` is required"),
        ('{"token": "a", "limit": 1, "server": {}}', "the option `$.server.host` is required: Its name"),
        ('{"token": "a", "limit": 1, "servers": [{"host": "a"}, {}]}', "the option `$.servers[1].host` is required: Its name"),
    ],
)
def test_a_required_option_that_is_missing_is_named_with_its_description(text, says):
    check_config_class(Needy)
    with pytest.raises(lanner.ConfigError) as caught:
        load_config(Needy, text)
    assert str(caught.value) == says


def test_null_is_no_group_if_the_group_has_required_options():
    assert load_config(Needy, '{"token": "a", "limit": 1, "server": null}').server is None


def test_the_table_has_the_options_of_nested_classes():
    assert config_table(Needy) == [
        ("token", "secret", "required", "Access token"),
        ("limit", "integer", "required", ""),
        ("server", "object or null", "null", "Where"),
        ("server.host", "string", "required", "Its name"),
        ("server.passCode", "secret or null", "null", ""),
        ("servers", "array of object", "[]", ""),
        ("servers[].host", "string", "required", "Its name"),
        ("servers[].passCode", "secret or null", "null", ""),
    ]
    assert required_options(Needy) == ["token", "limit"]
    assert secret_options(Needy) == {"token", "passcode", "pass_code"}


@pytest.mark.parametrize("text", ['{"flush_interval": 5}', '{"FLUSH_INTERVAL": 5}', '{"flushInterval": 5}'])
def test_an_option_may_be_written_in_snake_case(text):
    assert load_config(Options, text) == Options(flush_interval=5)


@pytest.mark.parametrize("second", ["flushInterval", "flushinterval", "FLUSH_INTERVAL"])
def test_an_option_in_two_spellings_is_an_error(second):
    with pytest.raises(lanner.ConfigError, match=r"Object contains `flushInterval` twice, in different spellings - at `\$`"):
        load_config(Options, f'{{"flush_interval": 5, "{second}": 5}}')


def test_options_that_a_configuration_cannot_tell_apart_are_refused():
    class Twice(Config):
        max_age: int = 0
        maxage: int = 0

    with pytest.raises(lanner.DefinitionError, match=r"Twice\.maxage and max_age are the same option"):
        check_config_class(Twice)


def test_a_secret_in_the_source_code_is_refused():
    class Careless(Config):
        token: lanner.Secret = lanner.Secret("open-sesame")

    class Outer(Config):
        inner: Careless | None = None

    for cls in (Careless, Outer):
        with pytest.raises(lanner.DefinitionError, match=r"Careless\.token has a secret as its default: make it required") as caught:
            check_config_class(cls)
        assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (lanner.Secret | str, "combines a secret with another type: write `token: lanner.Secret`, or `lanner.Secret | None`"),
        (lanner.Secret | int | None, "combines a secret with another type"),
        (list[lanner.Secret | str], "combines a secret with another type"),
        (Annotated[lanner.Secret | str, Meta(description="The token")], "combines a secret with another type"),
        (dict[lanner.Secret, int], "has secrets as keys: let them be values"),
        (list[int] | set[int], "is of an unsupported type: Type unions may not contain more than one array-like"),
        ("Missing", "Careless: cannot resolve the annotations of its options: name 'Missing' is not defined"),
    ],
)
def test_an_unsupported_type_of_an_option_is_refused_with_its_name(kind, reason):
    careless = msgspec.defstruct("Careless", [("token", kind)], bases=(Config,), kw_only=True)
    outer = msgspec.defstruct("Outer", [("inner", list[careless], ())], bases=(Config,), kw_only=True)
    for cls in (careless, outer):
        with pytest.raises(lanner.DefinitionError) as caught:
            check_config_class(cls)
        assert str(caught.value).startswith("Careless")
        assert reason in str(caught.value)


class Login(Config):
    """A group with a secret."""

    user: str = ""
    token: lanner.Secret | None = None


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        (lanner.Secret, "sesame"),
        (Annotated[lanner.Secret, Meta(description="The token")], "sesame"),
        (lanner.Secret, ""),
        (lanner.Secret | None, "sesame"),
        (lanner.Secret, msgspec.field(default="sesame")),
        (lanner.Secret, msgspec.field(default_factory=lambda: "sesame")),
        (lanner.Secret | None, msgspec.field(default_factory=lambda: lanner.Secret("sesame"))),
        (lanner.Secret, msgspec.field(default_factory=lambda: {}["sesame"])),
        (list[lanner.Secret], msgspec.field(default_factory=lambda: ["sesame"])),
        (tuple[lanner.Secret, ...], ("sesame",)),
        (tuple[str, lanner.Secret], ("ada", "sesame")),
        (dict[str, lanner.Secret], msgspec.field(default_factory=lambda: {"a": "sesame"})),
        (Login, msgspec.field(default_factory=lambda: Login(token="sesame"))),
        (list[Login], msgspec.field(default_factory=lambda: [Login(token="sesame")])),
        (Login | None, msgspec.field(default_factory=lambda: Login(token=lanner.Secret("sesame")))),
    ],
)
def test_every_default_of_a_secret_but_none_is_refused_and_not_printed(kind, default):
    careless = msgspec.defstruct("Careless", [("token", kind, default)], bases=(Config,), kw_only=True)
    outer = msgspec.defstruct("Outer", [("inner", list[careless], ())], bases=(Config,), kw_only=True)
    for cls in (careless, outer):
        with pytest.raises(lanner.DefinitionError, match=r"Careless\.token has a secret.*: make (it|the option) required") as caught:
            check_config_class(cls)
        assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        (lanner.Secret | None, None),
        (list[lanner.Secret], []),
        (tuple[lanner.Secret, ...], ()),
        (Login, msgspec.field(default_factory=Login)),
        (Login, msgspec.field(default_factory=lambda: Login(user="ada"))),
    ],
)
def test_a_default_without_a_secret_is_accepted(kind, default):
    check_config_class(msgspec.defstruct("Careful", [("token", kind, default)], bases=(Config,), kw_only=True))


def test_the_table_has_every_bound_of_an_option():
    class Bounds(Config):
        age: Annotated[float, Meta(gt=0, le=86400)] = 1.0
        part: Annotated[float, Meta(ge=0, lt=1)] = 0.5
        count: Annotated[int, Meta(gt=0, multiple_of=5)] = 5
        names: Annotated[list[str], Meta(min_length=1, max_length=3)] = msgspec.field(default_factory=list)

    assert [row[1] for row in config_table(Bounds)] == [
        "number, more than 0, at most 86400",
        "number, at least 0, less than 1",
        "integer, more than 0, a multiple of 5",
        "array of string, number of items at least 1, number of items at most 3",
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{"host": "sesame',
        '{"host": sesame}',
        "host=sesame",
        '{"host:sesame": 1}',
        '{"host sesame": 1}',
        b'{"host": "sesame\xff"}',
        '"sesame"',
        '["sesame"]',
    ],
)
def test_no_error_quotes_a_configuration_that_cannot_be_read(text):
    with pytest.raises(lanner.ConfigError) as caught:
        load_config(Options, text)
    assert "sesame" not in str(caught.value)


class Endless(Config):
    inner: "Endless | None" = None


def test_a_configuration_that_holds_itself_is_refused():
    with pytest.raises(lanner.DefinitionError, match="Endless: a configuration cannot contain itself"):
        check_config_class(Endless)


def test_the_table_for_the_docs():
    rows = {name: rest for name, *rest in config_table(Options)}
    assert rows["flushInterval"] == ["integer, at least 1, at most 60000", "30", "Milliseconds that a batch may wait"]
    assert rows["host"] == ["string, length at most 200", '""', "Where the engine is"]
    assert rows["proxy"] == ["string or null", "null", ""]
    assert rows["level"] == ['"high" or "low"', '"low"', ""]
    assert rows["filters"] == ["object", "{}", ""]


class Sequences(Config):
    """Lists of each kind."""

    command: tuple[str, ...] = ("a",)
    names: set[str] = msgspec.field(default_factory=set)
    words: frozenset[str] = frozenset()
    servers: tuple[Server, ...] = ()


def test_each_kind_of_list_takes_what_falco_yaml_makes_of_texts():
    config = load_config(Sequences, '{"command": ["tail", 0, true], "names": [1], "words": null, "servers": [{"Host": 5}]}')
    assert (config.command, config.names, config.words, config.servers[0].host) == (("tail", "0", "true"), {"1"}, frozenset(), "5")
    assert ("servers[].passCode", "secret or null", "null", "") in config_table(Sequences)
    with pytest.raises(lanner.ConfigError, match=r"unknown option `\$.servers\[0\].hots`; did you mean `host`"):
        load_config(Sequences, '{"servers": [{"hots": 5}]}')


class Listed(Config):
    choice: Literal[1, 2] | str = ""
    other: str | None = None


@pytest.mark.parametrize("other", [{}, {"other": None}, {"other": "x"}], ids=["only", "null", "text"])
def test_a_listed_value_is_kept_for_any_other_options(other):
    assert convert_config(Listed, {"choice": 1, **other}).choice == 1
    assert convert_config(Listed, {"choice": 3, **other}).choice == "3"


@pytest.mark.parametrize("name", ["flushInterval", "flushinterval", "flush_interval"])
@pytest.mark.parametrize("value", [30, 30.0, "30", True, None, [30], {}])
def test_the_spelling_of_a_name_does_not_change_what_a_value_becomes(name, value):
    class Interval(Config):
        flush_interval: int | str | list[str] | None = None

    def convert(spelling):
        try:
            return convert_config(Interval, {spelling: value}).flush_interval
        except lanner.ConfigError as error:
            return str(error)

    assert convert(name) == convert("flushInterval")


@pytest.mark.parametrize(
    ("kind", "default", "reason"),
    [
        (int, "x", "Expected `int`, got `str`"),
        (int, None, r"write `option: \.\.\. \| None`"),
        (str, 5, "Expected `str`, got `int`"),
        (bool, 1, "Expected `bool`, got `int`"),
        (Annotated[int, Meta(ge=1)], 0, "Expected `int` >= 1"),
        (Literal["a", "b"], "c", "Invalid enum value 'c'"),
        (tuple[str, ...], (1,), "Expected `str`, got `int`"),
        (dict[str, int] | None, "x", "Expected `object | null`, got `str`"),
    ],
)
def test_a_default_that_users_could_not_write_is_an_error(kind, default, reason):
    with pytest.raises(lanner.DefinitionError, match=rf"^Odd\.option has the default .*, which is not of its type: .*(?i:{reason})"):
        check_config_class(type("Odd", (Config,), {"__annotations__": {"option": kind}, "option": default}))


@pytest.mark.parametrize(
    ("kind", "default"),
    [(int, 5), (float, 5), (str | None, None), (list[int], []), (dict[str, str], {}), (tuple[str, ...], ("a",)), (timedelta, timedelta(1))],
)
def test_a_default_that_users_could_write_is_accepted(kind, default):
    check_config_class(type("Good", (Config,), {"__annotations__": {"option": kind}, "option": default}))
