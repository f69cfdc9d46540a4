"""Looking up host names: as bytes where they are ASCII, because Python's tables of other letters may be missing in a bundled plugin."""

import select
import socket

import pytest

from lanner import look_up


def wait(descriptor):
    assert select.select([descriptor], [], [], 10)[0]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_name_in_ascii_needs_no_tables(monkeypatch, host):
    asked = []
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda name, *args, **kwargs: asked.append(name) or resolve(name, *args, **kwargs))
    assert look_up(host, 80, wait)
    assert set(asked) == {host.encode()}


def test_without_the_tables_a_name_in_other_letters_is_refused_with_the_way_out(monkeypatch):
    def resolve(name, *_args, **_kwargs):
        if isinstance(name, str):
            raise LookupError("unknown encoding: idna")  # noqa: TRY004 - as Python does
        raise AssertionError(name)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(OSError, match=r"xn--.*--include encodings\.idna"):
        look_up("müller.example", 80, wait)
