"""`lanner run` with the outputs of a configuration file: real servers, programs and files, that come and go."""

import http.server
import signal
import socket
import threading

import pytest

from ..waiting import PATIENCE, until

pytestmark = pytest.mark.slow


class Receiver:
    """An HTTP server that keeps what is posted; it can go away and come back at its address."""

    def __init__(self):
        self.lines = []
        self._changed = threading.Condition()
        self._server = None
        # bound all the time, so that no other process gets the port while the server is unreachable
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self.port = self._place.getsockname()[1]
        self.start()

    def start(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                with receiver._changed:
                    receiver.lines += body.split("\n")
                    receiver._changed.notify_all()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.daemon_threads = True
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()

    def stop(self):
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def close(self):
        self.stop()
        self._place.close()

    def wait(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.lines) >= count, PATIENCE), f"{len(self.lines)} alerts, not {count}"


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def configure(tmp_path, plugin, rules):
    """`configure(text, count)` is a configuration file for a stream of this number of numbers, with an alert for each."""

    def write(text, count=1000):
        path = tmp_path / "falco.yaml"
        path.write_text(
            f"plugins: [{{name: ticks, library_path: '{plugin('Ticks')}', open_params: '{count}'}}]\nrules_files: [{rules('ticks')}]\n"
            f"output_timeout: 60000\n{text}"
        )
        return path

    return write


def numbers(lines):
    return [int(line.rpartition(" ")[2]) for line in lines]


def end(process):
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    return process.returncode, err.decode()


def wait_for_line(path, words):
    until(lambda: path.exists() and words in path.read_text(), lambda: f"{words!r} did not come")


def test_a_server_that_is_down_gets_all_alerts_in_order_when_it_is_back(start, configure, receiver, tmp_path):
    config = configure(
        f"http_output: {{enabled: true, url: 'http://127.0.0.1:{receiver.port}/', keep_alive: true}}\n"
        f"file_output: {{enabled: true, filename: {tmp_path}/alerts, keep_alive: true}}\nlanner: {{spool: {{path: {tmp_path}/spool}}}}\n"
    )
    process = start("run", "-c", config)
    receiver.wait(100)
    receiver.stop()
    wait_for_line(tmp_path / "alerts", "got 999\n")  # one output that is down does not hold up another
    receiver.start()
    receiver.wait(1000)
    code, err = end(process)
    assert code == 0, err
    seen = numbers(receiver.lines)
    assert list(dict.fromkeys(seen)) == list(range(1000))
    assert len(seen) <= 1010  # at least once: what was under way when it went may have come twice
    assert numbers((tmp_path / "alerts").read_text().splitlines()) == list(range(1000))


def test_what_a_server_has_not_got_by_the_end_is_delivered_by_the_next_run(start, configure, receiver, tmp_path):
    config = configure(
        f"http_output: {{enabled: true, url: 'http://127.0.0.1:{receiver.port}/'}}\n"
        f"file_output: {{enabled: true, filename: {tmp_path}/alerts, keep_alive: true}}\nlanner: {{spool: {{path: {tmp_path}/spool}}}}\n",
        50,
    )
    receiver.stop()
    process = start("run", "-c", config)
    wait_for_line(tmp_path / "alerts", "got 49\n")
    code, err = end(process)
    assert code == 0, err
    receiver.start()
    process = start("run", "-c", config, "-o", "plugins[0].open_params=0")
    receiver.wait(50)
    assert end(process)[0] == 0
    assert numbers(receiver.lines) == list(range(50))


def test_without_a_spool_what_is_lost_is_said(start, configure, tmp_path):
    config = configure(
        "http_output: {enabled: true, url: 'http://127.0.0.1:1/'}\n"
        f"file_output: {{enabled: true, filename: {tmp_path}/alerts, keep_alive: true}}\n",
        5,
    )
    process = start("run", "-c", config)
    wait_for_line(tmp_path / "alerts", "got 4\n")
    code, err = end(process)
    assert code == 1
    assert "http_output: 5 alerts could not be delivered and are lost: http://127.0.0.1:1/ ($.http_output.url) cannot be reached" in err


def test_programs_and_syslog_get_alerts(start, configure, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(tmp_path / "log"))
        daemon.settimeout(PATIENCE)
        config = configure(
            f"program_output: {{enabled: true, program: 'cat >> {tmp_path}/out', keep_alive: true}}\nsyslog_output: {{enabled: true}}\n"
            f"lanner: {{syslog: {{address: 'unix://{tmp_path}/log'}}}}\n",
            5,
        )
        process = start("run", "-c", config)
        messages = [daemon.recv(65536).decode() for _ in range(5)]
    wait_for_line(tmp_path / "out", "got 4\n")
    assert end(process)[0] == 0
    assert numbers(messages) == numbers((tmp_path / "out").read_text().splitlines()) == list(range(5))


def test_alerts_that_a_program_left_unread_fail_the_run(start, configure, tmp_path):
    program = f"echo started >> {tmp_path}/out; exec sleep 0.01"
    process = start("run", "-c", configure(f"program_output: {{enabled: true, program: '{program}', keep_alive: true}}\n", 1))
    wait_for_line(tmp_path / "out", "started")
    code, err = end(process)
    assert code == 1
    assert "unread" in err


def test_a_log_that_was_moved_away_is_created_again_on_sigusr1(start, configure, tmp_path):
    log = tmp_path / "alerts"
    process = start("run", "-c", configure(f"file_output: {{enabled: true, filename: {log}, keep_alive: true}}\n", 1_000_000))
    wait_for_line(log, "got 10\n")
    log.rename(tmp_path / "alerts.1")
    process.send_signal(signal.SIGUSR1)
    wait_for_line(log, "\n")
    assert end(process)[0] == 0
    seen = numbers([*(tmp_path / "alerts.1").read_text().splitlines(), *log.read_text().splitlines()])
    assert seen == list(range(len(seen)))
    assert log.stat().st_mode & 0o777 == 0o600


def test_throttling_and_deduplication_are_counted(start, configure, tmp_path):
    config = configure(
        f"file_output: {{enabled: true, filename: {tmp_path}/alerts, keep_alive: true}}\nlanner: {{throttle: {{rate: 0.001, burst: 3}}}}\n",
        50,
    )
    process = start("run", "-c", config, "--max-events", "50")
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert numbers((tmp_path / "alerts").read_text().splitlines()) == [0, 1, 2]
    assert "47 alerts suppressed by $.lanner.throttle or $.lanner.deduplicate" in err.decode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http_output: {enabled: true, url: nonsense}\n", "$.http_output.url is not a server's address"),
        ("syslog_output: {enabled: true}\nlanner: {syslog: {address: nonsense}}\n", "$.lanner.syslog.address is 'nonsense'"),
    ],
)
def test_what_cannot_be_is_said_at_the_start(lanner, configure, tmp_path, text, words):
    done = lanner("run", "-c", configure(text.replace("FILE", str(tmp_path / "x"))), "--duration", "5")
    assert done.code == 1
    assert words in done.err
    assert "Traceback" not in done.err
