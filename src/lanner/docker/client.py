"""The engine's client: connects, agrees on an API version, requests events. It sends only GET requests.

A failure is an `EngineError` with the attempt, the reason, and the fix.
"""

from __future__ import annotations

import time

import lanner
from lanner.docker.engine_errors import EngineError, EngineTimeoutError, no_answer, no_connection, refusal
from lanner.docker.engine_link import open_link
from lanner.docker.ssh_error import SSH_TIMEOUT
from lanner.native import Loan, decode_json
from lanner.net.dial import Timer, WokenError
from lanner.net.http1 import HttpError, Response, basic_authorization, read_date, read_head, write_request
from lanner.net.link import Link
from lanner.sdk.typing_marks import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from lanner.docker.endpoint import Endpoint
    from lanner.docker.engine_link import SpareLink
    from lanner.native import EventWindow, Finisher, ObjectFramer
    from lanner.net.http1 import Head

# The newest version that still sends status, id and from; newer engines are queried in this version
NEWEST_API: Final = (1, 51)
TIMEOUT: Final = 10.0
HEAD_PATIENCE: Final = 2.0
"""Seconds that a start waits for the head of the event stream: podman 5.2 sends it only with the first event."""
MAX_BODY: Final = 1024 * 1024


class Engine(NamedTuple):
    """The response of GET /version: the engine's name and version, the API version in use, and `Connection.ahead`."""

    name: str
    version: str
    api: str
    ahead: int = 0

    def __str__(self) -> str:
        return f"{self.name} {self.version} (API {self.api})"


class Connection:
    """One request on a connection, whose body `read` returns."""

    def __init__(
        self,
        endpoint: Endpoint,
        path: str,
        wake: int = -1,
        timeout: float | None = None,
        spare: SpareLink | None = None,
        *,
        is_stream: bool = False,
        ahead: int = 0,
    ) -> None:
        """Connect and request `path`, within `timeout` seconds, else `TIMEOUT`, for the head and all that `read_all` reads.

        An engine may begin a stream only with its first event: with `is_stream` the wait for the head ends after `timeout`, and `read`
        reads it when it arrives. `spare` may hold an earlier connection, and gets this one when its response is complete. `ahead` is what
        an earlier response showed of the engine's clock. Raises `EngineError`, even when `wake`, a descriptor, becomes readable.
        """
        self._endpoint, self._path, self._spare, self._is_stream, self._ahead = endpoint, path, spare, is_stream, ahead
        self._response = Response()
        self._first = b""
        self._is_closed = False
        seconds = TIMEOUT if timeout is None else timeout
        self._timer = Timer(seconds, wake)
        if spare is not None and (kept := spare.take()) is not None:
            self._link = kept
            if self._ask(is_kept=True):
                return
        if endpoint.ssh is not None:
            seconds += SSH_TIMEOUT
        self._timer = Timer(seconds, wake)
        self._link = _connect(endpoint, self._timer)
        self._ask()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._link.fileno()

    @property
    def head(self) -> Head | None:
        """The head of the response; None until it has arrived."""
        return self._response.head

    @property
    def ended(self) -> bool:
        """Whether the body is complete."""
        return self._response.ended and not self._first

    def read(self) -> bytes | None:
        """Return the available bytes of the body; None if the connection has ended.

        Raises `OSError`, `HttpError`, and `EngineError` if a late head rejects the request.
        """
        if self._first:
            first, self._first = self._first, b""
            return first
        data = self._link.read()
        if not data:
            return data
        if self._response.head is not None:
            return self._response.feed(data)
        try:
            data = self._response.feed(data)
        except HttpError as error:
            raise no_answer(self._endpoint, self._path, error, self._timer, "") from None
        self._read_clock()
        if self.head is not None and self.head.status != 200:
            raise refusal(self._endpoint, self._path, self.head, data)
        return data

    def make_loan(self, framer: ObjectFramer, window: EventWindow, finisher: Finisher, engine: int, *, inspects: bool) -> Loan | None:
        """Return the connection with what its body passes through, for `HostReader.lend`; None if only `read` can read it."""
        body = self._response.body
        if body is None or body.has_length or not self.waits or type(self._link) is not Link:
            return None
        return Loan(self._link.fileno(), body.chunks, framer, window, finisher, engine, inspects)

    def engine_time(self) -> int:
        """Return the engine's clock now, in ns since 1970, by its `Date` header to the second; this machine's without the header."""
        return time.time_ns() + self._ahead

    @property
    def ahead(self) -> int:
        """The maximum lead of the engine's clock over this machine's, in ns; 0 if unknown."""
        return self._ahead

    @property
    def waits(self) -> bool:
        """Whether `read` has nothing to return before an event of the socket."""
        return not (self._first or self._response.ended or self._link.ended)

    def read_all(self) -> bytes:
        """Return the whole body, or its first `MAX_BODY` bytes and some more, within the request's time. Raises `EngineError`."""
        parts, size = [], 0
        try:
            while not self.ended and size <= MAX_BODY:
                data = self.read()
                if data is None:
                    break
                self._timer.left()
                if not data and not self.ended:
                    self._link.wait(self._timer)
                parts.append(data)
                size += len(data)
        except TimeoutError:
            raise EngineTimeoutError(f"{self._endpoint}: the engine stopped in the middle of an answer") from None
        except (OSError, HttpError) as error:
            raise EngineError(f"{self._endpoint}: the engine's answer broke off: {error}") from None
        return b"".join(parts)

    def close(self) -> None:
        """Close the connection, or keep it for the next request."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._spare is not None and self._link.is_costly and self._response.leaves_open and not self._first:
            self._spare.keep(self._link)
        else:
            self._link.close()

    def _ask(self, *, is_kept: bool = False) -> bool:
        """Send the request and read the head. Return False if a connection that was kept is closed."""
        try:
            self._send_request()
            self._first = read_head(self._link, self._response, self._timer)
        except (HttpError, OSError) as error:
            if isinstance(error, TimeoutError) and self._is_stream and not self._response.has_begun:
                return True
            remark = self._link.remark
            self._link.close()
            if is_kept and not self._response.has_begun and not isinstance(error, TimeoutError | WokenError):
                return False
            raise no_answer(self._endpoint, self._path, error, self._timer, remark) from None
        except BaseException:
            self._link.close()
            raise
        self._read_clock()
        return True

    def _send_request(self) -> None:
        try:
            self._link.send(_request(self._endpoint, self._path), self._timer)
        except ConnectionError:
            # an engine that rejects the client certificate closes at once: its alert must still be read
            if self._endpoint.tls is None:
                raise

    def _read_clock(self) -> None:
        if self.head is not None and (began := read_date(self.head.headers.get("date", ""))) is not None:
            self._ahead = (began + 1) * 1_000_000_000 - time.time_ns()


def find_engine(endpoint: Endpoint, wake: int = -1, spare: SpareLink | None = None) -> Engine:
    """Query the engine's version and choose the API version to use: the newest up to `NEWEST_API`. Raises `EngineError`."""
    connection, text = _exchange(endpoint, "/version", wake, None, spare)
    answer = _read_json(endpoint, "/version", _head_of(connection), text)
    newest, oldest = _version(answer.get("ApiVersion")), _version(answer.get("MinAPIVersion"))
    if newest is None:
        raise EngineError(f"{endpoint} is not a Docker engine: GET /version names no ApiVersion. Is another service listening there?")
    api = max(min(newest, NEWEST_API), oldest or (0, 0))
    components = answer.get("Components")
    first = components[0] if isinstance(components, list) and components else {}
    name = str(first.get("Name", "")) if isinstance(first, dict) else ""
    shown = "Docker Engine" if name in {"", "Engine"} else name.removesuffix(" Engine")
    return Engine(shown, str(answer.get("Version", "?")), f"{api[0]}.{api[1]}", connection.ahead)


def open_events(endpoint: Endpoint, path: str, wake: int = -1, spare: SpareLink | None = None, ahead: int = 0) -> Connection:
    """Request the event stream at `path`. Raises `EngineError` with the engine's own words if it rejects the request.

    The head may come later, with the first event: see `Connection`.
    """
    connection = Connection(endpoint, path, wake, HEAD_PATIENCE, spare, is_stream=True, ahead=ahead)
    if connection.head is None or connection.head.status == 200:
        return connection
    try:
        raise refusal(endpoint, path, connection.head, connection.read_all())
    finally:
        connection.close()


def ping(endpoint: Endpoint, wake: int = -1, timeout: float | None = None, spare: SpareLink | None = None) -> None:
    """Ping the engine. Raises `EngineError` if it does not answer in time."""
    head, text = get(endpoint, "/_ping", wake, timeout, spare)
    if head.status != 200:
        raise refusal(endpoint, "/_ping", head, text)


def get(endpoint: Endpoint, path: str, wake: int = -1, timeout: float | None = None, spare: SpareLink | None = None) -> tuple[Head, bytes]:
    """Return one response with its body, as `Connection.read_all` does. Raises `EngineError`."""
    connection, text = _exchange(endpoint, path, wake, timeout, spare)
    return _head_of(connection), text


def _exchange(endpoint: Endpoint, path: str, wake: int, timeout: float | None, spare: SpareLink | None) -> tuple[Connection, bytes]:
    connection = Connection(endpoint, path, wake, timeout, spare)
    try:
        return connection, connection.read_all()
    finally:
        connection.close()


def _head_of(connection: Connection) -> Head:
    assert connection.head is not None  # only a stream may be without a head
    return connection.head


def _read_json(endpoint: Endpoint, path: str, head: Head, text: bytes) -> dict[str, Any]:
    if head.status != 200:
        raise refusal(endpoint, path, head, text)
    try:
        answer = decode_json(text)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise EngineError(f"{endpoint} is not a Docker engine: GET {path} gives no JSON object. Is another service listening there?")
    return answer


def _request(endpoint: Endpoint, path: str) -> bytes:
    headers = {"Host": "docker", "User-Agent": f"lanner/{lanner.__version__}", "Accept": "application/json"}
    user, password = endpoint.address.user, endpoint.address.password
    if user is not None and endpoint.host:  # for a proxy in front of the engine: engines do not use passwords
        headers["Authorization"] = basic_authorization(user, password or "")
    return write_request("GET", path, headers)


def _version(text: Any) -> tuple[int, int] | None:
    major, _, minor = str(text or "").partition(".")
    # int() raises its own error for a number of thousands of digits
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() and len(major + minor) < 10 else None


def _connect(endpoint: Endpoint, timer: Timer) -> Link:
    try:
        return open_link(endpoint, timer)
    except OSError as error:
        raise no_connection(endpoint, error, timer) from None
