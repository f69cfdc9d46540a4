"""Recorded HTTP: a plugin reads an API from a file, with any library; the file is recorded from the API if it does not exist."""

import http.server
import json
import threading
import urllib.error
import urllib.request

import pytest

import lanner
from lanner.testing import recorded_http

from ..waiting import PATIENCE


class Api(http.server.BaseHTTPRequestHandler):
    """An API of pages: each links to the next one by its whole address."""

    def do_GET(self):
        page = int(self.path.partition("page=")[2].partition("&")[0] or 1)
        own = f"http://127.0.0.1:{self.server.server_address[1]}"
        if self.path == "/bytes":
            body, status = b"\xff\x00", 200
        elif page > 2:
            body, status = b'{"error": "no such page"}', 404
        else:
            body, status = json.dumps({"page": page, "echo": self.headers["Authorization"]}).encode(), 200
        self.send_response(status)
        self.send_header("Link", f'<{own}/?page={page + 1}>; rel="next"')
        self.send_header("Set-Cookie", "session=open-sesame")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name of http.server

    def log_message(self, *_):
        pass


@pytest.fixture
def api():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def get(url, data=None, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=PATIENCE) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_what_was_recorded_is_replayed_without_the_api_and_without_secrets(api, tmp_path):
    token = lanner.Secret("open-sesame-1")
    file = tmp_path / "pages.json"

    def read(recording):
        url = f"{recording.url}/?page=1&api_key=open-sesame-2"
        status, headers, body = get(url, Authorization=f"Bearer {token.reveal()}")
        following = headers["Link"].partition(">")[0][1:]
        assert following.startswith(recording.url)
        return status, json.loads(body)["page"], get(following)[0], get(f"{recording.url}/?page=3")[0], get(f"{recording.url}/bytes")[2]

    with recorded_http(file, upstream=api) as recording:
        assert recording.records
        recorded = read(recording)
    assert recorded == (200, 1, 200, 404, b"\xff\x00")
    assert "sesame" not in file.read_text()
    with recorded_http(file, upstream=api) as recording:
        assert not recording.records
        assert read(recording) == recorded
    assert [request.path for request in recording.requests][1:] == ["/?page=2", "/?page=3", "/bytes"]
    assert recording.requests[0].headers["authorization"] == "Bearer open-sesame-1"
    assert "sesame" not in repr(recording.requests)


def test_responses_to_the_same_request_come_in_turn_and_the_last_one_stays(tmp_path):
    file = tmp_path / "events.json"
    file.write_text(
        json.dumps(
            {
                "exchanges": [
                    {"path": "/e", "body": "one"},
                    {"path": "/e", "status": 429, "headers": {"Retry-After": "7"}},
                    {"path": "/e", "body": "two"},
                ]
            }
        )
    )
    with recorded_http(file) as recording:
        assert [get(f"{recording.url}/e")[::2] for _ in range(4)] == [(200, b"one"), (429, b""), (200, b"two"), (200, b"two")]


def test_a_request_without_a_response_fails_the_test_and_names_the_others(tmp_path):
    file = tmp_path / "events.json"
    file.write_text('{"exchanges": [{"path": "/e", "method": "POST", "body": "one"}]}')

    def send():
        with recorded_http(file) as recording:
            assert get(f"{recording.url}/e", b"x")[2] == b"one"
            assert get(f"{recording.url}/e")[0] == 501
            assert get(f"{recording.url}/f?token=a")[0] == 501
            assert recording.requests[0].body == b"x"

    with pytest.raises(AssertionError, match=r"has no response to GET /e, GET /f\?token=\*\*\*\. It has responses to: POST /e$"):
        send()


def test_an_api_that_does_not_answer_is_a_bad_gateway(tmp_path):
    with recorded_http(tmp_path / "a.json", upstream="http://127.0.0.1:1") as recording:
        status, _, body = get(f"{recording.url}/e")
    assert status == 502
    assert b"cannot reach the API: " in body


@pytest.mark.parametrize(
    ("text", "upstream", "says"),
    [
        (None, "", r"the recording .*a\.json does not exist: name the API to record it"),
        (None, "api.example.com", "invalid upstream 'api.example.com'"),
        ("{", "", r"a\.json is not a recording of HTTP"),
        ('{"exchanges": [{"pth": "/"}]}', "", r"a\.json is not a recording of HTTP"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error(tmp_path, text, upstream, says):
    if text is not None:
        (tmp_path / "a.json").write_text(text)
    with pytest.raises(lanner.LannerError, match=says), recorded_http(tmp_path / "a.json", upstream=upstream):
        pass
