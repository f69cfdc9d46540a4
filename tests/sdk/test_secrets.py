"""Secrets in options are masked in all representations of a configuration, as text and as values."""

import pytest

from lanner.config.additions import Additions
from lanner.config.falco import Falco, PluginEntry
from lanner.config.plugin_entries import PluginSetup
from lanner.sdk.secrets import mask_option, mask_text
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
