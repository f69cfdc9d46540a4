"""The examples about pollers and webhooks in docs/sources.md run as they are."""

import hmac
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

import lanner
import lanner.testing
from lanner import sources

from .api_server import serving

PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


class ApiConfig(lanner.Config):
    token: lanner.Secret


class HooksConfig(lanner.Config):
    secret: lanner.Secret
    address: str = ":8080"


@pytest.fixture
def namespace(monkeypatch):
    """The names that the page's examples use; `load(word)` runs the block that contains it."""
    names = {
        "Any": Any,
        "ApiConfig": ApiConfig,
        "HooksConfig": HooksConfig,
        "Request": Request,
        "ThreadPoolExecutor": ThreadPoolExecutor,
        "hmac": hmac,
        "lanner": lanner,
        "sources": sources,
        "urlopen": urlopen,
        "__name__": __name__,
    }

    def load(word):
        (block,) = [block for block in BLOCKS if word in block]
        exec(block, names)
        return names

    return load


def test_the_webhook_and_its_test(namespace):
    namespace("class Hooks(")
    namespace("def test_a_push_is_an_event")["test_a_push_is_an_event"]()


def test_the_poller(namespace, monkeypatch):
    polled = sources.poll

    def answer(request):
        assert request.headers["Authorization"] == "token"
        return 200, {}, json.dumps([{"id": 1, "created_at": "2026-01-01T00:00:00Z"}]).encode()

    with serving(answer) as api:
        monkeypatch.setattr(sources, "poll", lambda url, **options: polled(url.replace("https://api.example.com", api.url), **options))
        with lanner.testing.host(namespace("class Api(")["Api"], {"token": "token"}) as host:
            assert host.next().json["id"] == 1
            assert api.next_request().target == "/events"
            assert host.position["cursor"] == "2026-01-01T00:00:00Z"


def test_the_poller_with_another_client(namespace):
    """A stand-in for httpx, with the members that the page uses."""

    class Answer:
        status_code, headers, url = 200, {}, "https://api.example.com/events"

        def iter_bytes(self):
            yield b'[{"created_at": "2026-01-02", "id": 1}]'

    class Client:
        def build_request(self, method, url, params, headers):
            return (method, url, params["since"], dict(headers))

        def send(self, request, *, stream):
            assert stream
            sent.append(request)
            return Answer()

    (block,) = [block for block in BLOCKS if "def fetch(self" in block]
    sent = []
    names = namespace("class Api(") | {"URL": "https://api.example.com/events"}
    indented = block if block.startswith(" ") else "".join(f"    {line}" for line in block.splitlines(keepends=True))
    exec('class Fetching(Api):\n    "Polls with another client."\n\n' + indented, names)
    with lanner.testing.host(names["Fetching"], {"token": "token"}) as host:
        host.plugin.client = Client()
        assert host.next().json["id"] == 1
    assert sent[0] == ("GET", "https://api.example.com/events", "2026-01-01T00:00:00Z", {})
