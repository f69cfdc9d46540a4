"""Errors between Lanner and an engine: an `EngineError` with the attempt, the reason, and the fix."""

from __future__ import annotations

import _socket
import errno
import os
import stat

import lanner
from lanner.docker.ssh_error import SshError
from lanner.native import decode_json
from lanner.net.dial import WokenError
from lanner.net.http1 import HttpError, NoAnswerError, NotHttpError
from lanner.net.tls import TlsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from lanner.docker.endpoint import Endpoint
    from lanner.net.dial import Timer
    from lanner.net.http1 import Head

# Beginning of a TLS alert, which some TLS servers send in response to a request in plain text
_TLS_ALERT: Final = b"\x15\x03"
# in addition to refused, reset and broken connections
_AWAY: Final = frozenset({errno.ENOENT, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH, errno.ENETDOWN})


class EngineError(lanner.SourceError):
    """The engine cannot be reached, or does not answer as a Docker engine does."""


class EngineRejectionError(EngineError):
    """The engine answers and calls the request invalid (400)."""


class EngineAwayError(EngineError):
    """The engine is unavailable now, and may come up: nothing indicates an invalid configuration."""


class EngineTimeoutError(EngineAwayError):
    """The engine did not answer within the timeout."""


def refusal(endpoint: Endpoint, path: str, head: Head, text: bytes) -> EngineError:
    """Return the error for a response other than 200 OK, with the engine's own words."""
    asked = path.partition("?")[0]
    # an engine that is not ready, or a proxy whose engine is unreachable
    kind = EngineAwayError if head.status >= 500 else EngineRejectionError if head.status == 400 else EngineError
    try:
        words = str(decode_json(text)["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        if head.status == 400 and b"HTTPS" in text and endpoint.tls is None:  # the words of Go's server, and of nginx
            return speaks_tls(endpoint)
        # an engine explains each refusal in JSON
        return kind(
            f"{endpoint} is not a Docker engine: it answers GET {asked} with {head.status} {head.reason}. "
            "Is another service listening there?"
        )
    return kind(f"{endpoint}: the engine refuses GET {asked}: {head.status} {words}")


def no_answer(endpoint: Endpoint, path: str, cause: HttpError | OSError, timer: Timer, remark: str) -> EngineError:
    """Return the error for a request without a response. `remark` is more information about the cause."""
    if isinstance(cause, NotHttpError) and cause.beginning.startswith(_TLS_ALERT) and endpoint.host:
        return speaks_tls(endpoint)
    if isinstance(cause, HttpError):
        kind = EngineAwayError if isinstance(cause, NoAnswerError) else EngineError
        return kind(f"{endpoint} is not a Docker engine: {cause}. {_question(endpoint)}")
    if isinstance(cause, WokenError):
        return EngineError(f"{endpoint}: closed before the engine answered")
    if isinstance(cause, SshError):
        return _ssh_error(endpoint, cause)
    asked = path.partition("?")[0]
    question = f". {_question(endpoint)}" if isinstance(cause, ConnectionError) else ""
    text = f"{endpoint}: the engine did not answer GET {asked}: {_reason(cause, timer)}{remark}{question}"
    return _system_error(endpoint, cause, text)


def no_connection(endpoint: Endpoint, cause: OSError, timer: Timer) -> EngineError:
    """Return the error for a failed connection."""
    if isinstance(cause, TlsError):
        return EngineError(f"{endpoint} (from {endpoint.origin}): {cause}")
    if isinstance(cause, WokenError):
        return EngineError(f"{endpoint}: closed before the engine answered")
    if isinstance(cause, SshError):
        return _ssh_error(endpoint, cause)
    reason = "it is not a socket" if _is_no_socket(endpoint, cause) else _reason(cause, timer)
    text = f"no Docker engine at {endpoint} (from {endpoint.origin}): {reason}. {_advice(endpoint, cause)}"
    return _system_error(endpoint, cause, text)


def speaks_tls(endpoint: Endpoint) -> EngineError:
    """Return the error for an engine that requires TLS and was queried in plain text."""
    return EngineError(
        f"{endpoint} (from {endpoint.origin}): it requires TLS and was queried in plain text. If this is the engine's TLS port, "
        "configure `tls` with this address, or set DOCKER_TLS_VERIFY and DOCKER_CERT_PATH in addition to DOCKER_HOST"
    )


def _ssh_error(endpoint: Endpoint, cause: SshError) -> EngineError:
    kind = EngineAwayError if cause.is_away else EngineError
    return kind(f"no Docker engine at {endpoint} (from {endpoint.origin}): {str(cause).rstrip('.?!')}. {cause.advice}")


def _system_error(endpoint: Endpoint, cause: OSError, text: str) -> EngineError:
    if isinstance(cause, TimeoutError):
        return EngineTimeoutError(text)
    is_away = isinstance(cause, ConnectionError | _socket.gaierror) or cause.errno in _AWAY
    return EngineAwayError(text) if is_away and not _is_no_socket(endpoint, cause) else EngineError(text)


def _reason(error: OSError, timer: Timer) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {timer.timeout:g} s"
    if isinstance(error, TlsError):
        return str(error)
    return (os.strerror(error.errno) if error.errno and error.errno > 0 and not isinstance(error, _socket.gaierror) else str(error)).lower()


def _question(endpoint: Endpoint) -> str:
    if endpoint.ssh is not None:
        return "Does the start-up file of the shell on the other machine print something?"
    # many servers hang up on a request in clear text to a TLS port without a word
    return "Is this a TLS port, or another service's?" if endpoint.host and endpoint.tls is None else "Is another service listening there?"


def _is_no_socket(endpoint: Endpoint, error: OSError) -> bool:
    """Return whether a connection was refused because the path is a file or directory instead of a socket."""
    if not endpoint.path or error.errno != errno.ECONNREFUSED:
        return False
    try:
        return not stat.S_ISSOCK(os.stat(endpoint.path).st_mode)
    except OSError:
        return False


def _advice(endpoint: Endpoint, error: OSError) -> str:
    if error.errno == errno.EACCES:
        return (
            "Run as root or as a member of the socket's group (usually `docker`); "
            "every user of this socket is effectively root on the machine"
        )
    socket_advice = endpoint.advice("unix:///path/to/docker.sock")
    if endpoint.path and error.errno in {errno.ENOENT, errno.ECONNREFUSED} and not _is_no_socket(endpoint, error):
        return "Start the engine (systemctl start docker), or name its socket: " + socket_advice
    if endpoint.path:
        return "Name the engine's socket: " + socket_advice
    return "Check the address: " + endpoint.advice(f"tcp://host:{2376 if endpoint.tls else 2375}")
