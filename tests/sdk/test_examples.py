"""The examples work unchanged."""

import json
import socket
import sys
from importlib.util import module_from_spec, spec_from_file_location
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

import lanner
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.hosting.plugin_init import init_plugin

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name: str) -> Any:
    spec = spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_counter_counts():
    with lanner.testing.host(example("counter").Counter) as host:
        events = [host.next() for _ in range(3)]
        assert [host.extract(event, "counter.value") for event in events] == [0, 1, 2]
        assert [event.number for event in events] == [1, 2, 3]
        assert {event.source for event in events} == {"counter"}


def test_nginx_needs_no_method():
    """Each line of the recorded log is read, and the rules raise the alerts that their tests list."""
    nginx = example("nginx").Nginx
    log = (EXAMPLES / "nginx_example.log").read_bytes().splitlines()
    fields = [each.info.name for each in plugin_info(nginx).fields]
    assert all(each.method is None for each in plugin_info(nginx).fields)
    with lanner.testing.host(nginx, params=str(EXAMPLES / "nginx_example.log")) as host:
        events = [host.next() for _ in log]
        read = {name: host.extract(events[3], name) for name in fields}
        assert [host.extract(event, "nginx.status") for event in events] == [200, 304, 404, 200, 500, 400, 400, 401, 302]
    assert read == {
        "nginx.client": IPv4Address("203.0.113.45"), "nginx.user": None, "nginx.request": "GET /backup/.git/config HTTP/1.1", "nginx.method": "GET",
        "nginx.path": "/backup/.git/config", "nginx.query": None, "nginx.status": 200, "nginx.size": 274, "nginx.referer": None,
        "nginx.agent": "curl/7.88.1",
    }  # fmt: skip
    assert [event.timestamp // 10**9 for event in events[:2]] == [1795943702, 1795943703]


@pytest.fixture
def lines(tmp_path):
    path = str(tmp_path / "lines.sock")
    with lanner.testing.host(example("lines").Lines, json.dumps({"path": path})) as host:
        assert host.source is not None
        yield host, path


def connection(path: str) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    return client


def test_lines_from_several_connections_do_not_mix(lines):
    host, path = lines
    with connection(path) as first, connection(path) as second:
        first.sendall(b'{"name":"fr')
        second.sendall(b'{"name":"back","status":"shut"}\n')
        back = host.next()
        first.sendall(b'ont","at":5,"labels":{"color":"red"}}')
    front = host.next()
    assert (host.extract(back, "lines.name"), host.extract(back, "lines.state")) == ("back", "shut")
    assert (host.extract(front, "lines.name"), host.extract(front, "lines.state")) == ("front", None)
    assert host.extract(front, "lines.label", "color") == "red"
    assert front.timestamp == 5_000_000_000


def test_what_lines_declares():
    info = plugin_info(example("lines").Lines)
    assert [declaration.info.name for declaration in info.fields] == ["lines.name", "lines.state", "lines.label"]
    with pytest.raises(lanner.ConfigError, match=r"Expected `str` of length >= 1 - at `\$\.path`"):
        init_plugin(example("lines").Lines, '{"path": ""}')
