"""An engine for `lanner doctor`, and its findings."""

import json
import socketserver
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler

ENGINE = {"Version": "20.10.24", "ApiVersion": "1.41", "Components": [{"Name": "Engine"}]}


class Engine:
    """Answers GET by path on a unix socket: `answers` has (status, document) by what the path holds, `date` is the header's value."""

    def __init__(self, path):
        self.path = path
        self.url = f"unix://{path}"
        self.answers = {"/version": (200, ENGINE), "/_ping": (200, "OK"), "/events": (200, "")}
        self.date = lambda: formatdate(usegmt=True)
        self.asked = []
        engine = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                engine.asked.append(self.path)
                status, document = next(answer for key, answer in engine.answers.items() if key in self.path)
                body = (document if isinstance(document, str) else json.dumps(document)).encode()
                self.send_response_only(status)
                if engine.date is not None:
                    self.send_header("Date", engine.date())
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            def handle_error(self, *_):  # the client hangs up as soon as it knows enough
                pass

        self._server = Server(str(path), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def checked(code, document):
    """The exit status, and what was found; it fits together, and nothing is wrong without a fix."""
    found = {check["check"]: [(each["level"], each["text"], each["fix"]) for each in check["findings"]] for check in document["checks"]}
    levels = [level for findings in found.values() for level, _, _ in findings]
    assert (document["problems"], document["warnings"]) == (levels.count("problem"), levels.count("warning"))
    assert code == (1 if document["problems"] else 0)
    for findings in found.values():
        assert all(bool(fix) == (level != "ok") for level, _, fix in findings), findings
    return code, found


def only(findings):
    """Return the only finding."""
    (finding,) = findings
    return finding


def problems(found):
    """Return the names of the checks with a problem, once for each problem."""
    return [check for check, findings in found.items() for level, *_ in findings if level == "problem"]
