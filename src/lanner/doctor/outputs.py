"""Where alerts would go: may they be written there, is somebody there, is there room. Nothing is sent."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lanner.doctor.results import ok, problem, warning
from lanner.sdk.address import Address
from lanner.sdk.checks import check_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.config.falco import Falco
    from lanner.config.outputs import HttpOutput
    from lanner.sdk.checks import Finding

_MIB: Final = 1 << 20
_ANSWER: Final = 5.0
"""Seconds that a server has to take a connection."""


def look_at_outputs(falco: Falco) -> Iterator[Finding]:
    """Each one that is enabled."""
    outputs = (falco.stdout_output, falco.file_output, falco.program_output, falco.syslog_output, falco.http_output)
    if not any(output.enabled for output in outputs):
        yield warning("no output is enabled: alerts go nowhere", "Enable one: `stdout_output: {enabled: true}`")
    if falco.stdout_output.enabled:
        yield ok("standard output")
    if falco.file_output.enabled:
        yield from _file(falco.file_output.filename)
    if falco.program_output.enabled:
        yield from _program(falco.program_output.program)
    if falco.syslog_output.enabled:
        yield from _syslog(falco.lanner.syslog.address)
    if falco.http_output.enabled:
        yield from _http(falco.http_output, falco.lanner.http.headers)


def look_at_disk(falco: Falco) -> Iterator[Finding]:
    """Room for what is kept on disk."""
    if falco.file_output.enabled and (folder := _existing(Path(falco.file_output.filename).parent)):
        yield check_disk(folder, 0, "of alerts")
    spool = falco.lanner.spool
    if not spool.path:
        return
    folder = _existing(Path(spool.path))
    if folder is None or not os.access(folder, os.W_OK | os.X_OK):
        yield problem(f"the spool {spool.path} cannot be written", f"mkdir -p -m 700 {spool.path}, owned by the user that Lanner runs as")
    else:
        yield check_disk(folder, spool.max_size_mb * _MIB, f"of the spool {spool.path}", "Make room, or lower $.lanner.spool.max_size_mb")


def look_at_webserver(falco: Falco) -> Iterator[Finding]:
    """Who could reach it."""
    server = falco.webserver
    if not server.enabled:
        return
    where = f"{server.listen_address} port {server.listen_port}"
    if server.listen_address in {"localhost", "::1"} or server.listen_address.startswith("127."):
        yield ok(f"the web server is on {where}, for this machine alone")
    else:
        yield warning(
            f"the web server is on {where}, where others may read of rules, engines and versions",
            "$.webserver.listen_address: 127.0.0.1, or keep others away with a firewall",
        )
    if server.ssl_enabled and not os.access(server.ssl_certificate, os.R_OK):
        yield problem(
            f"its certificate {server.ssl_certificate} cannot be read", "$.webserver.ssl_certificate: a PEM file with certificate and key"
        )


def _file(path: str) -> Iterator[Finding]:
    file, folder = Path(path), Path(path).parent
    if file.is_dir():
        yield problem(f"the file {path} is a directory", "$.file_output.filename: name a file")
    elif file.exists() and not os.access(file, os.W_OK):
        yield problem(f"the file {path} cannot be written by this user", f"See to its owner and mode: {_rights(file)}")
    elif not file.exists() and not folder.is_dir():
        yield problem(f"the directory of the file {path} does not exist", f"mkdir -p {folder}")
    elif not file.exists() and not os.access(folder, os.W_OK | os.X_OK):
        yield problem(f"no file can be made in {folder} by this user", f"See to its owner and mode: {_rights(folder)}")
    elif file.exists() and stat.S_IMODE(file.stat().st_mode) & stat.S_IROTH:
        yield warning(f"everybody can read the file {path}, and alerts hold command lines", f"chmod o-r {path}")
    else:
        yield ok(f"the file {path}")


def _program(command: str) -> Iterator[Finding]:
    words = command.split()
    if not words or any(char in words[0] for char in "=$`(;|&<>'\"\\"):
        yield ok(f"the program {command!r}, which is the shell's to understand")
        return
    # the shell that will run it knows its own commands, too
    done = subprocess.run(  # noqa: S603 - a constant text, and a word that it does not run
        ["/bin/sh", "-c", 'command -v -- "$1"', "sh", words[0]], capture_output=True, timeout=_ANSWER, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        yield problem(f"the program {words[0]} is not there", "$.program_output.program: install it, or write its whole path")
    else:
        yield ok(f"the program {words[0]}")


def _syslog(address: str) -> Iterator[Finding]:
    scheme, _, rest = address.partition("://")
    if not address or scheme == "unix":
        path = rest or "/dev/log"
        if Path(path).is_socket():
            yield ok(f"syslog at {path}")
        else:
            yield problem(f"no syslog daemon listens at {path}", "Start one (systemd-journald, rsyslog), or write $.lanner.syslog.address")
        return
    host, port = urlsplit(address).hostname, urlsplit(address).port or (6514 if scheme == "tls" else 514)
    yield _reach(host or "", port, "syslog", "$.lanner.syslog.address")


def _http(output: HttpOutput, headers: dict[str, str]) -> Iterator[Finding]:
    parts = urlsplit(output.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        yield problem(f"invalid URL {str(Address(output.url))!r}", "$.http_output.url: such as http://127.0.0.1:2801/")
        return
    yield _reach(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), "the HTTP server", "$.http_output.url")
    if parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        yield warning(f"alerts go to {parts.hostname} in clear text", "$.http_output.url: use https://")
    if parts.scheme == "https" and output.insecure:
        yield warning(
            "whoever answers is believed to be the server", "$.http_output.insecure: false, with ca_cert for a certificate of yours"
        )
    files = {f"$.lanner.http.headers.{name}": path for name, path in headers.items()}
    files |= {f"$.http_output.{key}": path for key in ("ca_cert", "ca_bundle") if (path := getattr(output, key))}
    if output.mtls:
        files |= {"$.http_output.client_cert": output.client_cert, "$.http_output.client_key": output.client_key}
    for key, path in files.items():
        if not os.access(path, os.R_OK):
            yield problem(f"{path} cannot be read", f"{key}: name a file that this user may read")
        elif (key.startswith("$.lanner") or key.endswith("_key")) and stat.S_IMODE(Path(path).stat().st_mode) & stat.S_IROTH:
            yield warning(f"everybody can read the secret in {path}", f"chmod o-r {path}")


def _reach(host: str, port: int, what: str, key: str) -> Finding:
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        socket.create_connection((host, port), timeout=_ANSWER).close()
    except (OSError, UnicodeError) as error:
        reason = "no answer" if isinstance(error, TimeoutError) else str(getattr(error, "strerror", None) or error).lower()
        return problem(f"{what} at {shown} takes no connection: {reason}", f"Start it, or correct {key}; with a spool, alerts wait for it")
    return ok(f"{what} at {shown} takes connections")


def _existing(path: Path) -> Path | None:
    """The directory, or the nearest one above it that is there."""
    return next((each for each in (path, *path.parents) if each.is_dir()), None)


def _rights(path: Path) -> str:
    found = path.stat()
    return f"it is {stat.S_IMODE(found.st_mode):04o} of {found.st_uid}:{found.st_gid}"
