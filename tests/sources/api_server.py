"""A real HTTP server on loopback whose responses a test writes: an API to poll."""

import http.server
import queue
import socket
import threading
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from ..waiting import PATIENCE


class Request:
    """A request that the server got."""

    def __init__(self, target, headers):
        self.target, self.headers = target, headers
        self.query = {name: values[0] for name, values in parse_qs(urlsplit(target).query, keep_blank_values=True).items()}


class Api:
    """`answer(request)` returns status, headers, and the body, or an iterator of its parts. `requests` has what arrived."""

    def __init__(self, answer, context=None):
        self.answer = answer
        self.requests = queue.Queue()
        self.ended = threading.Event()
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                request = Request(self.path, self.headers)
                api.requests.put(request)
                status, headers, body = api.answer(request)
                self.send_response(status)
                for name, value in dict(headers).items():
                    self.send_header(name, value)
                whole = isinstance(body, bytes)
                if whole and "Content-Length" not in dict(headers):
                    self.send_header("Content-Length", str(len(body)))
                elif not whole:
                    self.send_header("Connection", "close")
                self.end_headers()
                for part in [body] if whole else body:
                    self.wfile.write(part)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):  # clients may go
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
            self.url = f"https://localhost:{self.port}"

    def next_request(self):
        return self.requests.get(timeout=PATIENCE)


@contextmanager
def serving(answer, context=None):
    api = Api(answer, context)
    thread = threading.Thread(target=api.server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield api
    finally:
        api.ended.set()
        api.server.shutdown()
        api.server.server_close()
        thread.join(PATIENCE)


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
