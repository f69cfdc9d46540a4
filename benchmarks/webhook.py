"""Requests per second to a webhook in `lanner run`, compared to a bare server of the same kind: Python's `ThreadingHTTPServer`.

`python -m benchmarks.webhook bare [SECRET]` is that server: it reads the body, checks its signature if a secret is given, and answers 200.
"""

import hashlib
import hmac
import http.server
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import LANNER, Usage, progress, require, size, table

COUNT = size(20_000, 200)
EXAMPLES = Path(__file__).parents[1] / "examples"
SECRET = "of the benchmark"
_TICK = os.sysconf("SC_CLK_TCK")


def make_request(number: int) -> bytes:
    """Return a request of 2 KiB that is signed as GitHub does."""
    event = {"ref": "refs/heads/bump", "sender": {"login": f"user{number}", "type": "Bot"}, "repository": {"full_name": "octo/shop"}}
    body = json.dumps({**event, "text": "x" * 1800}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    head = (
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: GitHub-Hookshot/1\r\nAccept: */*\r\nContent-Type: application/json\r\n"
        f"X-GitHub-Event: push\r\nX-GitHub-Delivery: {number}\r\nX-Hub-Signature-256: sha256={signature}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def post_all(port: int, count: int, connections: int) -> int:
    """Post that many requests over kept connections, one at a time on each, and return the number of answers with status 200."""
    requests = [make_request(number) for number in range(min(count, 500))]
    poll = select.poll()
    sockets = {}
    sent = accepted = answered = 0
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets[connection.fileno()] = connection
        poll.register(connection, select.POLLIN)
        connection.sendall(requests[sent % len(requests)])
        sent += 1
    while answered < count:
        for descriptor, _ in poll.poll():
            connection = sockets[descriptor]
            accepted += connection.recv(4096).startswith(b"HTTP/1.1 200 ")
            answered += 1
            if sent < count:
                connection.sendall(requests[sent % len(requests)])
                sent += 1
    for connection in sockets.values():
        connection.close()
    return accepted


def cpu_of(process: int) -> float:
    """Return the seconds of CPU of a running process."""
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / _TICK


@contextmanager
def serve(command: list[str], port: int, said: list[str]) -> Iterator[int]:
    """Run a server until the block ends, and yield its process id once it listens. Its standard error is appended to `said`."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        try:
            for _ in range(2000):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.01)
            else:
                server.kill()
                sys.exit(f"{' '.join(command)} does not listen:\n{server.communicate()[1]}")
            yield server.pid
            server.terminate()
            said.append(server.communicate()[1])
        finally:
            server.kill()


def free_port() -> int:
    """Return a port that no server uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


def main() -> None:
    """Measure all servers."""
    progress("webhook")
    port = free_port()
    config = json.dumps({"secret": SECRET, "address": f"127.0.0.1:{port}"})
    bare = [sys.executable, "-m", "benchmarks.webhook", "bare", str(port)]
    lanner = [LANNER, "run", str(EXAMPLES / "github.py"), "-r", str(EXAMPLES / "github_rules.yaml"), "--config", config]
    servers = (("bare server", bare), ("bare server that checks signatures, the limit", [*bare, SECRET]), ("lanner run, 9 rules", lanner))
    for connections in (1, 16):
        rows = []
        limit = 0.0
        for what, command in servers:
            said: list[str] = []
            with serve(command, port, said) as process:
                post_all(port, COUNT // 10, connections)
                begin, cpu = time.perf_counter(), cpu_of(process)
                accepted = post_all(port, COUNT, connections)
                wall, used = time.perf_counter() - begin, cpu_of(process) - cpu
            require(what, COUNT, accepted)
            if command is lanner:
                Usage(wall, used, 0.0, said[0]).require_events(what, COUNT // 10 + COUNT)
            if command[-1] == SECRET:
                limit = wall
            rows.append([what, f"{COUNT / wall:,.0f}", f"{used / COUNT * 1e6:.0f}", f"{wall / limit:.1f}x" if limit else "-"])
        table(f"{COUNT:,} requests of 2 KiB over {connections} connections", ["", "requests/s", "us of CPU", "/ limit"], rows)


class BareHandler(http.server.BaseHTTPRequestHandler):
    """Reads a body, checks its signature, and answers 200."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    secret = b""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.secret:
            signature = "sha256=" + hmac.new(self.secret, body, hashlib.sha256).hexdigest()
            if not hmac.compare_digest(signature, self.headers["X-Hub-Signature-256"]):
                self.send_error(401)
                return
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"processed\n")

    def log_message(self, *_: object) -> None:
        pass


def serve_bare(port: int, secret: str) -> None:
    """Serve until a signal."""
    BareHandler.secret = secret.encode()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), BareHandler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:2] == ["bare"]:
        serve_bare(int(sys.argv[2]), "".join(sys.argv[3:]))
    else:
        main()
