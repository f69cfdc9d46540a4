"""The engine's client: connects, agrees on an API version, asks for events. It sends GET requests and nothing else, ever.

What can go wrong on the way is an `EngineError` that says what was tried, why it failed, and what to do.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

import lanner
from lanner.docker.http import Body, Head, HttpError, parse_head

if TYPE_CHECKING:
    from lanner.docker.endpoint import Endpoint

# The newest version that still sends status, id and from; engines that know more are asked in this one
NEWEST_API: Final = (1, 51)
TIMEOUT: Final = 10.0
_READ_SIZE: Final = 64 * 1024
_MAX_BODY: Final = 1024 * 1024


class EngineError(lanner.SourceError):
    """The engine cannot be reached, or answers as no Docker engine does."""


class Engine(NamedTuple):
    """What GET /version says: the engine's name and version, and the API version that is used with it."""

    name: str
    version: str
    api: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} (API {self.api})"


class Connection:
    """One connection with one request on it: the head of the answer has been read, the body comes by `read`."""

    def __init__(self, endpoint: Endpoint, path: str, wake: int = -1) -> None:
        """Connect and ask for `path`; `head` is the answer's. Raises `EngineError`, also when `wake`, a descriptor, becomes readable."""
        self._endpoint = endpoint
        self._socket = _connect(endpoint)
        try:
            self._socket.settimeout(TIMEOUT)
            # without the flag a connection that the engine has closed would end a host that does not ignore SIGPIPE, as Python does
            self._socket.sendall(_request(path), socket.MSG_NOSIGNAL)
            self.head, rest = self._read_head(wake)
            self._answered = time.time_ns()
            self._body = Body(self.head.headers)
            self._first = self._body.feed(rest)
        except HttpError as error:
            self._socket.close()
            raise EngineError(f"{endpoint} is not a Docker engine: {error}. Is another service listening there?") from None
        except OSError as error:
            self._socket.close()
            raise EngineError(f"{endpoint}: the engine did not answer GET {path.partition('?')[0]}: {_reason(error)}") from None
        except BaseException:
            self._socket.close()
            raise
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """The socket's descriptor, to wait on."""
        return self._socket.fileno()

    @property
    def ended(self) -> bool:
        """Whether the body is whole."""
        return self._body.ended and not self._first

    def read(self) -> bytes | None:
        """The bytes of the body that are there; None where the connection has ended. Raises `OSError`, `HttpError`."""
        if self._first:
            first, self._first = self._first, b""
            return first
        try:
            data = self._socket.recv(_READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return b""
        return self._body.feed(data) if data else None

    def engine_time(self) -> int:
        """The engine's clock now, in ns since 1970, as its `Date` header tells it to the second; ours where there is none."""
        from email.utils import parsedate_to_datetime  # rare, and not small

        now = time.time_ns()
        try:
            began = parsedate_to_datetime(self.head.headers["date"])
        except (KeyError, ValueError):
            return now
        return now - self._answered + int(began.timestamp() + 1) * 1_000_000_000

    @property
    def has_unread(self) -> bool:
        """Whether `read` has something without waiting for the socket."""
        return bool(self._first)

    def read_all(self) -> bytes:
        """The whole body, of at most 1 MiB. Raises `EngineError`."""
        parts, size = [], 0
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        try:
            while not self.ended and size <= _MAX_BODY:
                if not self.has_unread and not poll.poll(TIMEOUT * 1000):
                    raise EngineError(f"{self._endpoint}: the engine stopped in the middle of an answer")
                data = self.read()
                if data is None:
                    break
                parts.append(data)
                size += len(data)
        except (OSError, HttpError) as error:
            raise EngineError(f"{self._endpoint}: the engine's answer broke off: {error}") from None
        return b"".join(parts)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _read_head(self, wake: int) -> tuple[Head, bytes]:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if wake >= 0:
            poll.register(wake, select.POLLIN)
        data = b""
        while (found := parse_head(data)) is None:
            ready = dict(poll.poll(TIMEOUT * 1000))
            if wake in ready:
                raise EngineError(f"{self._endpoint}: closed before the engine answered")
            if not ready:
                raise TimeoutError
            more = self._socket.recv(65536)
            if not more:
                raise HttpError("it closed the connection without an answer" if not data else "its answer broke off")
            data += more
        return found


def find_engine(endpoint: Endpoint, wake: int = -1) -> Engine:
    """Ask the engine for its version and choose the API version to use: the newest up to `NEWEST_API`. Raises `EngineError`."""
    answer = _get_json(endpoint, "/version", wake)
    newest, oldest = _version(answer.get("ApiVersion")), _version(answer.get("MinAPIVersion"))
    if newest is None:
        raise EngineError(f"{endpoint} is not a Docker engine: GET /version names no ApiVersion. Is another service listening there?")
    api = max(min(newest, NEWEST_API), oldest or (0, 0))
    components = answer.get("Components")
    first = components[0] if isinstance(components, list) and components else {}
    name = str(first.get("Name", "")) if isinstance(first, dict) else ""
    shown = "Docker Engine" if name in {"", "Engine"} else name.removesuffix(" Engine")
    return Engine(shown, str(answer.get("Version", "?")), f"{api[0]}.{api[1]}")


def open_events(endpoint: Endpoint, path: str, wake: int = -1) -> Connection:
    """Ask for the stream of events at `path`. Raises `EngineError` with the engine's own words where it refuses."""
    connection = Connection(endpoint, path, wake)
    if connection.head.status == 200:
        return connection
    try:
        raise _refusal(endpoint, path, connection.head, connection.read_all())
    finally:
        connection.close()


def _get_json(endpoint: Endpoint, path: str, wake: int) -> dict[str, Any]:
    connection = Connection(endpoint, path, wake)
    try:
        text = connection.read_all()
    finally:
        connection.close()
    if connection.head.status != 200:
        raise _refusal(endpoint, path, connection.head, text)
    try:
        answer = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise EngineError(f"{endpoint} is not a Docker engine: GET {path} gives no JSON object. Is another service listening there?")
    return answer


def _refusal(endpoint: Endpoint, path: str, head: Head, text: bytes) -> EngineError:
    asked = path.partition("?")[0]
    try:
        words = str(msgspec.json.decode(text)["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        # an engine explains each refusal in JSON
        return EngineError(
            f"{endpoint} is not a Docker engine: it answers GET {asked} with {head.status} {head.reason}. "
            "Is another service listening there?"
        )
    return EngineError(f"{endpoint}: the engine refuses GET {asked}: {head.status} {words}")


def _request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: docker\r\nUser-Agent: lanner/{lanner.__version__}\r\nAccept: application/json\r\n\r\n".encode()


def _version(text: Any) -> tuple[int, int] | None:
    major, _, minor = str(text or "").partition(".")
    # int() refuses a number of thousands of digits with an error of its own
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() and len(major + minor) < 10 else None


def _connect(endpoint: Endpoint) -> socket.socket:
    try:
        if endpoint.path:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(TIMEOUT)
            try:
                connection.connect(endpoint.path)
            except BaseException:
                connection.close()
                raise
            return connection
        try:
            connection = socket.create_connection((endpoint.host, endpoint.port), TIMEOUT)
        except UnicodeError:
            raise OSError("no host can have this name") from None
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except OSError as error:
        raise EngineError(
            f"no Docker engine at {endpoint} (from {endpoint.origin}): {_reason(error)}. {_advice(endpoint, error)}"
        ) from None
    return connection


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT:g} s"
    return (os.strerror(error.errno) if error.errno and error.errno > 0 and not isinstance(error, socket.gaierror) else str(error)).lower()


def _advice(endpoint: Endpoint, error: OSError) -> str:
    if error.errno == errno.EACCES:
        return (
            "Run as root or as a member of the socket's group (usually `docker`); "
            "whoever may use this socket is root on the machine in effect"
        )
    if endpoint.path and error.errno in {errno.ENOENT, errno.ECONNREFUSED}:
        return "Start the engine (systemctl start docker), or name its socket: --host unix:///path/to/docker.sock, or DOCKER_HOST"
    if endpoint.path:
        return "Name the engine's socket: --host unix:///path/to/docker.sock, or DOCKER_HOST"
    return "Check the address: --host tcp://host:2375, or DOCKER_HOST"
