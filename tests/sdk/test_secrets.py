"""The type of secrets; secrets in options are masked in all representations of a configuration, as text and as values."""

import copy
import json
import logging
import pickle
from functools import partial
from typing import Any

import msgspec
import pytest

import lanner
from lanner.config.additions import Additions
from lanner.config.falco import Falco, PluginEntry
from lanner.config.plugin_entries import PluginSetup
from lanner.sdk.hosting.failures import plugin_failure
from lanner.sdk.hosting.loglines import log_line, record_text
from lanner.sdk.options.config import load_config
from lanner.sdk.options.secrets import Secret, mask_message, mask_option, mask_text, read_secret
from lanner.sinks.http import HttpBlock
from lanner.sinks.syslog import SyslogTarget


@pytest.mark.parametrize("name", ["token", "apiKey", "api-key", "key", "db_password", "clientSecret", "signing_key", "PASSWORD", "tlsKey"])
def test_options_whose_names_tell_of_secrets_are_masked(name):
    assert mask_option({name: "open-sesame", "host": "h"}) == {name: "***", "host": "h"}
    assert mask_option({"nested": [{name: 815}]}) == {"nested": [{name: "***"}]}
    for text in (
        f'{{"{name}": "open-sesame, \\"sesame", "host": "h"}}',
        f"{name}: open-sesame, host: h",
        f'{{\\"{name}\\": \\"open-sesame\\"}} host: h',
    ):
        assert "sesame" not in mask_text(text)
        assert mask_text(text).replace('"', "").replace("'", "").rstrip("}").endswith("host: h")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"tokens": ["sesame-1", "sesame-2"], "host": "h"}', '{"tokens": ***, "host": "h"}'),
        ('{"tokens": {"a": ["sesame]1"], "b": {"c": "sesame}2"}}, "host": "h"}', '{"tokens": ***, "host": "h"}'),
        ('{\\"tokens\\": [\\"sesame]1\\", \\"sesame-2\\"], \\"host\\": 1}', '{\\"tokens\\": ***, \\"host\\": 1}'),
        ('{"tokens":\n  ["sesame-1"],\n "host": "h"}', '{"tokens":\n  ***,\n "host": "h"}'),
        ("tokens: [sesame-1, sesame-2]\nhost: h", "tokens: ***\nhost: h"),
        ("tokens: {a: sesame-1, b: sesame-2}\nhost: h", "tokens: ***\nhost: h"),
        ("tokens:\n  - sesame-1\n\n  - sesame-2\nhost: h", "tokens:***\nhost: h"),
        ("tokens:\n- sesame-1\n# more\n- sesame-2\nhost: h", "tokens:***\nhost: h"),
        ("apps:\n  - token: |\n      sesame-1\n      sesame-2\n    host: h", "apps:\n  - token: ***\n    host: h"),
        ("token: sesame-1\n  sesame-2\nhost: h", "token: ***\nhost: h"),
        ("token: 'it''s sesame'\nhost: h", "token: ***\nhost: h"),
        ('token: open"sesame]1\nhost: h', "token: ***\nhost: h"),
        ('{"tokens": ["sesame-1", "ses', '{"tokens": ***'),
    ],
)
def test_values_of_secret_options_are_masked_whole(text, shown):
    assert mask_text(text) == shown


@pytest.mark.parametrize("text", ["keys: a", "monkey: a", "hosts: [a]", "keep_alive: true", "tokens"])
def test_other_options_are_shown(text):
    assert mask_text(text) == text


def test_no_configuration_shows_a_password_in_its_repr():
    address = "tcp://me:open-sesame@host:1"
    entry = PluginEntry("p", "p.py", {"token": "open-sesame", "hosts": [address]}, address)
    shown = [
        Falco(plugins=(entry,), http_output=HttpBlock(url=address), lanner=Additions(syslog=SyslogTarget(address=address))),
        PluginEntry("p", "p.py", '{"token": "open-sesame"}'),
        PluginSetup("p", "p", "", {"token": "open-sesame"}, address),
    ]
    assert "open-sesame" not in repr(shown)
    assert "tcp://***@host:1" in repr(shown[0])


TOKEN = "open-sesame/é\n2"


class Options(lanner.Config):
    """Secrets at all places of a configuration."""

    pat: Secret
    more: list[Secret] = msgspec.field(default_factory=list)
    by_name: dict[str, Secret] = msgspec.field(default_factory=dict)
    spare: Secret | None = None


def test_a_secret_shows_its_text_only_to_those_who_ask_for_it():
    secret = lanner.Secret(TOKEN)
    assert secret.reveal() == TOKEN
    assert (str(secret), repr(secret), f"{secret}", f"{secret:>5}", f"{secret!r}") == (
        "***", "Secret(***)", "***", "  ***", "Secret(***)",
    )  # fmt: skip
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    assert not hasattr(secret, "__dict__")


def test_secrets_are_values():
    secret, other = Secret("a"), Secret("b")
    assert secret == Secret("a")
    assert secret != other
    assert secret != "a"
    assert {secret, Secret("a"), other} == {secret, other}
    assert bool(secret)
    assert not Secret("")
    assert copy.deepcopy([secret]) == [secret] == [copy.copy(secret)]
    with pytest.raises(TypeError, match="a Secret needs a string, not bytes"):
        Secret(b"sesame")  # type: ignore[arg-type]


def test_a_configuration_reads_secrets_at_all_places_and_shows_none(monkeypatch, tmp_path):
    monkeypatch.setenv("LANNER_TEST_TOKEN", TOKEN)
    (tmp_path / "token").write_text(f"{TOKEN}\r\n\n", "utf-8")
    config = load_config(
        Options,
        f'{{"pat": "${{LANNER_TEST_TOKEN}}", "more": ["file:{tmp_path}/token", "sesame"], "byName": {{"a": "sesame"}}, "spare": "sesame"}}',
    )
    assert config.pat.reveal() == config.more[0].reveal() == TOKEN.replace("\r", "")
    assert config.spare == Secret("sesame")
    assert repr(config) == "Options(pat=Secret(***), more=[Secret(***), Secret(***)], by_name={'a': Secret(***)}, spare=Secret(***))"
    assert "sesame" not in str(config.__rich_repr__())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "the secret is empty"),
        ("a\0sesame", "the secret contains a null character"),
        ("${sesame!}", "invalid name of an environment variable"),
        ("${}", "invalid name of an environment variable"),
        ("file:", "must be absolute"),
        ("file:sesame", "must be absolute"),
        ("file:~/sesame", "must be absolute"),
        (None, "expected a string, got nothing"),
        (True, "expected a string, got a boolean"),
        (1e100, "expected a string, got a number"),
        ({"sesame": 1}, "expected a string, got a mapping"),
    ],
)
def test_a_value_that_is_no_secret_is_refused_without_its_text(given, says):
    with pytest.raises(ValueError, match=says) as caught:
        read_secret(given)
    assert "sesame" not in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"the file .*token is not UTF-8 text"):
        read_secret(f"file:{tmp_path}/token")


@pytest.mark.parametrize("text", ["Bearer ${TOKEN}", "a${b}", "$TOKEN", "$${TOKEN}", "files:/a", " file:/a"])
def test_other_texts_are_taken_as_they_are(text):
    assert read_secret(text).reveal() == text


@pytest.mark.parametrize("form", ["{0}", "{0!r}", "b{0!r}", "GET https://h/?t=open-sesame%2F%C3%A9%0A2 failed"])
def test_messages_and_logs_mask_living_secrets_in_each_form(form):
    secret = Secret(TOKEN)
    text = form.format(secret.reveal())
    assert "sesame" not in mask_message(text)
    assert "sesame" not in log_line(text)
    with pytest.raises(ValueError, match=r".") as caught:
        int(text)
    assert "sesame" not in str(plugin_failure("p", "open", caught.value))
    record = logging.LogRecord("a", logging.ERROR, "f", 1, "%s", (text,), (ValueError, caught.value, None))
    assert "sesame" not in record_text(record)


@pytest.mark.parametrize("quoted", [json.dumps, partial(json.dumps, ensure_ascii=False), lambda text: repr(json.dumps(text))])
def test_messages_mask_secrets_in_json(quoted):
    secret = Secret('open"sesame\\é')
    assert "sesame" not in mask_message(f"the server refused {{'body': {quoted(secret.reveal())}}}")


def test_logs_mask_each_line_of_a_secret_in_an_indented_traceback():
    key = Secret("open-sesame-1\nopen-sesame-2\n")
    group = ExceptionGroup("failed", [ValueError(key.reveal())])
    record = logging.LogRecord("a", logging.ERROR, "f", 1, "failed", (), (type(group), group, None))
    assert "sesame" not in record_text(record)


def test_short_secrets_leave_messages_readable():
    secret = Secret("info")
    assert mask_message("info: started") == "info: started"
    assert secret


def test_a_secret_that_is_gone_is_forgotten():
    Secret("once-upon-a-time")
    assert mask_message("once-upon-a-time") == "once-upon-a-time"


def test_names_of_secret_options_can_be_given():
    options: dict[str, Any] = {"pat": "sesame", "Hooks": ["sesame"], "host": "h"}
    assert mask_option(options, secret={"pat", "hooks"}) == {"pat": "***", "Hooks": ["***"], "host": "h"}
    assert mask_text("pat: sesame, host: h", secret={"pat"}) == "pat: ***, host: h"
