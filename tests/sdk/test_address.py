"""Addresses of any form never print their secret parts."""

import msgspec
import pytest

import lanner
from lanner import Address
from lanner.sdk.options.address import mask_addresses


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tcp://127.0.0.1:2375", "tcp://127.0.0.1:2375"),
        ("https://user:hunter2@engine:2376/path", "https://***@engine:2376/path"),
        ("https://token-hunter2@engine", "https://***@engine"),
        ("https://engine/hook?key=hunter2", "https://engine/hook?***"),
        ("https://engine/hook#hunter2", "https://engine/hook#***"),
        ("tls://user:hunter2@[::1]:6514", "tls://***@[::1]:6514"),
        ("tcp://user:hun@ter2@engine", "tcp://***@engine"),
        ("tcp://user:hunter2/a@engine", "tcp://***@engine"),
        ("tcp://user:hunter2?a@engine", "tcp://***@engine"),
        ("tcp://user:hunter2#@engine", "tcp://***@engine"),
        ("user:hunter2@engine:2375", "***@engine:2375"),
        ("tcp:/user:hunter2@engine", "***@engine"),
        ("://user:hunter2@engine", "://***@engine"),
        ("ssh://me@engine", "ssh://me@engine"),
        ("ssh://me:hunter2@engine", "ssh://me:***@engine"),
        ("unix:///run/a@b/docker.sock?x", "unix:///run/a@b/docker.sock?x"),
        ("", ""),
    ],
)
def test_secrets_are_masked_in_all_that_is_printed(text, shown):
    address = Address(text)
    assert str(address) == f"{address}" == "%s" % address == shown  # noqa: UP031 - as loggers do
    assert repr(address) == f"Address({shown!r})"
    assert repr([address]) == f"[Address({shown!r})]"
    assert address.reveal() == text


def test_its_parts_are_there_for_the_code_that_connects():
    address = Address("https://us%65r:p%40ss@engine:2376/path?query")
    assert (address.scheme, address.user, address.password, address.place) == ("https", "user", "p@ss", "engine:2376/path?query")
    address = Address("tcp://engine/a@b")
    assert (address.scheme, address.user, address.password, address.place) == ("tcp", None, None, "engine/a@b")


def test_the_same_text_is_the_same_address():
    assert Address("tcp://a:b@c") == Address("tcp://a:b@c")
    assert Address("tcp://a:b@c") != Address("tcp://a:x@c")
    assert len({Address("tcp://a"), Address("tcp://a")}) == 1
    assert Address("tcp://a") != "tcp://a"


def test_addresses_in_other_text_are_masked_too():
    text = "see 'tcp://user:hunter2@a:1', https://b/?hunter2 and ssh://me@c; unix:///run/a@b"
    assert mask_addresses(text) == "see 'tcp://***@a:1', https://b/?*** and ssh://me@c; unix:///run/a@b"
    assert mask_addresses("nothing to see") == "nothing to see"


class Inner(lanner.Config):
    url: str = ""


class Secrets(lanner.Config):
    host: str = ""
    hosts: list[str | Inner] = msgspec.field(default_factory=list)
    api_key: str = ""
    password: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    count: int = 0


def test_a_configuration_prints_itself_without_secrets():
    address = "tcp://user:hunter2@engine"
    config = Secrets(
        host=address,
        hosts=[address, Inner(url=address)],
        api_key="hunter2",
        password="hunter2",
        labels={"token": "hunter2", "a": address},
        count=3,
    )
    shown = repr(config)
    assert "hunter2" not in shown
    assert shown.startswith("Secrets(host='tcp://***@engine', hosts=['tcp://***@engine', Inner(url='tcp://***@engine')], api_key='***', ")
    assert shown.endswith("labels={'token': '***', 'a': 'tcp://***@engine'}, count=3)")
    assert repr(Secrets()) == "Secrets(host='', hosts=[], api_key='', password='', labels={}, count=0)"
    assert config.host == address


def test_the_time_to_mask_grows_with_the_text_only():
    assert mask_addresses("n" * 1_000_000) == "n" * 1_000_000
    assert mask_addresses("n" * 1000 + "tcp://me:hunter2@engine") == "n" * 1000 + "tcp://***@engine"
