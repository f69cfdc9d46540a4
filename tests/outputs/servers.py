"""Real servers on the loopback address for tests of outputs: they keep what they receive, and send configured responses."""

import contextlib
import socket
import ssl
import subprocess
import threading

from ..waiting import PATIENCE


def certificate(folder):
    """A certificate for localhost and its key, in files."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run([*command.split(), "-addext", names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return str(cert), str(key)


@contextlib.contextmanager
def silent_address():
    """An address of the loopback network that answers no connection, because its queue is full."""
    with contextlib.ExitStack() as stack:
        address = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0)).getsockname()
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield address


def resolve_as(monkeypatch, addresses):
    """Have every name be of these addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


class Server:
    """Takes connections one after the other and gives each to `talk(connection, number)` in a thread; `url` has its port."""

    def __init__(self, talk, tls=None):
        self._talk, self._tls = talk, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.count = 0
        self._open = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            # the last data leaves before it hangs up, even with input unread
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection, self.count)))
            self.count += 1
            self._threads[-1].start()

    def _serve(self, connection, number):
        with contextlib.suppress(OSError), connection:
            if self._tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*self._tls)
                connection = context.wrap_socket(connection, server_side=True)
            self._talk(connection, number)
            connection.close()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def watch_connecting(monkeypatch):
    """Return an event that is set when a connection has been begun."""
    begun, connect = threading.Event(), socket.socket.connect_ex

    def noticed(connection, address):
        code = connect(connection, address)
        begun.set()
        return code

    monkeypatch.setattr(socket.socket, "connect_ex", noticed)
    return begun
