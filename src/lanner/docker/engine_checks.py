"""Checks of Docker engines for `lanner doctor`: permissions, response, events, and clock."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner import Check, Finding, LannerError, check_disk
from lanner.docker.client import HEAD_PATIENCE, find_engine, get, open_events
from lanner.docker.engine_errors import EngineError
from lanner.net.http1 import read_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lanner.docker.client import Engine
    from lanner.docker.endpoint import Endpoint

_CURSOR_SIZE: Final = 1 << 20
_NAMES_MATTER: Final = (1, 22)
"""Older APIs send neither the kind of an object nor its attributes."""
_APART, _FAR_APART = 2.0, 30.0
"""Tolerated difference of the clocks in seconds (the header has whole seconds), and the one that makes times of alerts useless."""


def make_checks(endpoints: Sequence[Endpoint], cursor: str) -> Iterator[Check]:
    """Yield the checks of engines, and of the file of the cursor ("": none)."""
    if cursor:
        yield Check("cursor", lambda: [look_at_cursor(cursor)])
    for endpoint in endpoints:
        yield from _engine("engine" if len(endpoints) == 1 else f"engine {endpoint}", endpoint)


def _engine(name: str, endpoint: Endpoint) -> Iterator[Check]:
    yield Check(f"{name}: rights", lambda: look_at_socket(endpoint))
    yield Check(f"{name}: answer", lambda: look_at_engine(endpoint))
    yield Check(f"{name}: clock", lambda: look_at_clock(endpoint))


def look_at_cursor(path: str) -> Finding:
    """Check whether the cursor can be written."""
    folder = Path(path).expanduser().absolute().parent
    if not folder.is_dir():
        return Finding.problem(
            f"the directory of the cursor {path} does not exist", f"mkdir -p -m 700 {folder}, owned by the user that Lanner runs as"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding.problem(f"the cursor {path} cannot be written", f"Let the user that Lanner runs as write to {folder}")
    return check_disk(folder, _CURSOR_SIZE, f"of the cursor {path}")


def look_at_socket(endpoint: Endpoint) -> Iterator[Finding]:
    """Check the rights on a unix socket; for other addresses, whether they are safe."""
    if endpoint.ssh is not None:
        yield from _ssh(endpoint)
        return
    if not endpoint.path:
        yield from _network(endpoint)
        return
    path = endpoint.path
    try:
        found = os.stat(path)
    except FileNotFoundError:
        yield Finding.problem(
            f"{path} (from {endpoint.origin}) does not exist",
            "Start the engine (systemctl start docker), or name its socket with --host or DOCKER_HOST; "
            "in a container, mount it: -v /var/run/docker.sock:/var/run/docker.sock",
        )
        return
    except OSError as error:
        yield Finding.problem(
            f"cannot access {path} (from {endpoint.origin}): {error.strerror}", "Check the permissions of the directories above it"
        )
        return
    if not stat.S_ISSOCK(found.st_mode):
        what = "a directory" if stat.S_ISDIR(found.st_mode) else "no socket"
        advice = "; Docker creates a directory in a container if the socket to mount did not exist" if what == "a directory" else ""
        yield Finding.problem(f"{path} (from {endpoint.origin}) is {what}", f"Name the engine's socket with --host or DOCKER_HOST{advice}")
        return
    owner = f"{_user(found.st_uid)}:{_group(found.st_gid)} {stat.S_IMODE(found.st_mode):04o}"
    if found.st_mode & stat.S_IWOTH:
        yield Finding.warning(
            f"{path} ({owner}) may be used by everybody, and every user of it is effectively root on this machine",
            f"chmod o-rw {path}, and find out what changed it",
        )
    if os.access(path, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        yield Finding.ok(f"{path} ({owner}) may be used by {_user(os.geteuid())}")
    else:
        yield Finding.problem(f"{path} ({owner}) may not be used by {_user(os.geteuid())}", _join(found))


def look_at_engine(endpoint: Endpoint) -> Iterator[Finding]:
    """Check the response, the API version, and whether events are sent. An engine that `look_at_socket` reports is not reported twice."""
    if any(finding.level == "problem" for finding in look_at_socket(endpoint)):
        return
    try:
        engine = find_engine(endpoint)
    except EngineError as error:
        yield Finding.problem(*_halves(error))
        return
    numbers = tuple(int(part) for part in engine.api.split("."))
    if numbers < _NAMES_MATTER:
        yield Finding.warning(
            f"{engine}: events of this API contain little more than a status and an ID", "Update the engine to 1.10 or later"
        )
    else:
        yield Finding.ok(f"{engine}")
    if "podman" in engine.name.lower():
        yield Finding.warning(
            "this is podman, whose service exits when idle and has fewer kinds of events",
            "For a service: systemctl enable --now podman.socket; the shipped rules that name exec commands see less there",
        )
    yield from _events(endpoint, engine)


def look_at_clock(endpoint: Endpoint) -> Iterator[Finding]:
    """Compare the engine's clock, by its `Date` header, with this machine's."""
    asked = time.time()
    try:
        head, _ = get(endpoint, "/_ping")
    except EngineError:
        return  # another check reports it
    answered = time.time()
    theirs = read_date(head.headers.get("date", ""))
    if theirs is None:
        yield Finding.warning("the engine does not send its time", "A proxy in front of it may remove the header Date")
        return
    # the header has whole seconds, truncated
    apart = max(0.0, theirs - answered, asked - (theirs + 1))
    if apart <= _APART:
        yield Finding.ok("the engine's clock matches this machine's")
        return
    which = "ahead of" if theirs > answered else "behind"
    text = f"the engine's clock is {apart:.0f} s {which} ours: alerts have its times, and `since` after a restart goes by them"
    fix = "Synchronise the clocks of both machines: timedatectl set-ntp true"
    yield Finding.problem(text, fix) if apart >= _FAR_APART else Finding.warning(text, fix)


def _events(endpoint: Endpoint, engine: Engine) -> Iterator[Finding]:
    """Request an empty time span: the response is empty and ends at once."""
    now = int(time.time())
    path = f"/v{engine.api}/events?since={now}&until={now}"
    try:
        with contextlib.closing(open_events(endpoint, path)) as connection:
            if connection.head is None:
                yield _describe_delay(engine)
                return
            connection.read_all()
        # some engines answer this, but begin a stream only with an event
        with contextlib.closing(open_events(endpoint, f"/v{engine.api}/events")) as connection:
            if connection.head is None:
                yield _describe_delay(engine)
                return
    except EngineError as error:
        yield Finding.problem(
            f"it does not send events: {error}", "A proxy or an authorisation plugin in front of it must also allow GET /events"
        )
        return
    yield Finding.ok("it sends events")


def _describe_delay(engine: Engine) -> Finding:
    return Finding.warning(
        f"it did not send the head of its answer within {HEAD_PATIENCE:g} s, like engines that answer only with the first event (podman 5)",
        f"`lanner run` waits for that event, and meanwhile checks whether {engine.name} is alive; to avoid these checks, update the engine",
    )


def _ssh(endpoint: Endpoint) -> Iterator[Finding]:
    program = shutil.which("ssh")
    if program is None:
        yield Finding.problem(
            f"{endpoint} (from {endpoint.origin}) is reached by ssh, which is not in PATH", "Debian: apt-get install openssh-client"
        )
    else:
        yield Finding.ok(f"{endpoint} (from {endpoint.origin}) is reached by {program}, as {_user(os.geteuid())}")


def _network(endpoint: Endpoint) -> Iterator[Finding]:
    if endpoint.tls is None:
        local = endpoint.host in {"localhost", "::1"} or endpoint.host.startswith("127.")
        text = f"{endpoint} (from {endpoint.origin}) is plain TCP: every client of that port is effectively root there"
        if local:
            yield Finding.warning(text, "Prefer the engine's unix socket, or a proxy that only allows GET /version and GET /events")
        else:
            yield Finding.warning(
                text, "Enable TLS with client certificates on the engine (dockerd --tlsverify), and configure `tls` with `host`"
            )
    else:
        yield Finding.ok(f"{endpoint} (from {endpoint.origin}) is TLS")


def _join(found: os.stat_result) -> str:
    name, user = _group(found.st_gid), _user(os.geteuid())
    caution = "every member of that group is effectively root on this machine"
    if not found.st_mode & stat.S_IWGRP or found.st_gid == 0:
        return f"Run as {_user(found.st_uid)}, or give the socket a group (group = docker in the engine's socket unit)"
    with contextlib.suppress(KeyError):
        if user in grp.getgrgid(found.st_gid).gr_mem:
            return f"{user} is in the group {name}, but this session began before that: log in again, or run `newgrp {name}`"
    return f"usermod -aG {name} {user}, then log in again; in a container --group-add {found.st_gid}. Know that {caution}"


def _halves(error: LannerError) -> tuple[str, str]:
    """Return the two parts of the client's message: the problem and the fix."""
    text, dot, advice = str(error).partition(". ")
    return text + dot.rstrip(), advice or "See the engine's log: journalctl -u docker"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
