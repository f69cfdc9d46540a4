"""Docker engines: may this user ask it, does it answer, does it tell events, and does its clock go as ours does."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import stat
import time
from typing import TYPE_CHECKING, Final

from lanner.docker.client import HEAD_PATIENCE, EngineError, find_engine, get, open_events
from lanner.sdk.diagnosis import ok, problem, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.docker.client import Engine
    from lanner.docker.endpoint import Endpoint
    from lanner.sdk.diagnosis import Finding
    from lanner.sdk.errors import LannerError

_NAMES_MATTER: Final = (1, 22)
"""Older APIs tell neither the kind of an object nor its attributes."""
_APART, _FAR_APART = 2.0, 30.0
"""Seconds between the clocks: beyond the second that the header is exact to; and what makes times of alerts useless."""


def look_at_socket(endpoint: Endpoint) -> Iterator[Finding]:
    """Rights on a unix socket; nothing of other addresses, but whether they are safe."""
    if endpoint.ssh is not None:
        yield from _ssh(endpoint)
        return
    if not endpoint.path:
        yield from _network(endpoint)
        return
    path = endpoint.path
    try:
        found = os.stat(path)  # noqa: PTH116 - its errors are what is looked for
    except FileNotFoundError:
        yield problem(
            f"{path} (from {endpoint.origin}) does not exist",
            "Start the engine (systemctl start docker), or name its socket with --host or DOCKER_HOST; "
            "in a container, mount it: -v /var/run/docker.sock:/var/run/docker.sock",
        )
        return
    except OSError as error:
        yield problem(
            f"{path} (from {endpoint.origin}) cannot be looked at: {error.strerror}", "See to the rights of the directories above it"
        )
        return
    if not stat.S_ISSOCK(found.st_mode):
        what = "a directory" if stat.S_ISDIR(found.st_mode) else "no socket"
        advice = "; Docker makes a directory where a socket that is mounted into a container was not there" if what == "a directory" else ""
        yield problem(f"{path} (from {endpoint.origin}) is {what}", f"Name the engine's socket with --host or DOCKER_HOST{advice}")
        return
    owner = f"{_user(found.st_uid)}:{_group(found.st_gid)} {stat.S_IMODE(found.st_mode):04o}"
    if found.st_mode & stat.S_IWOTH:
        yield warning(
            f"{path} ({owner}) may be used by everybody, and whoever uses it is root on this machine in effect",
            f"chmod o-rw {path}, and see what made it so",
        )
    if os.access(path, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        yield ok(f"{path} ({owner}) may be used by {_user(os.geteuid())}")
    else:
        yield problem(f"{path} ({owner}) may not be used by {_user(os.geteuid())}", _join(found))


def look_at_engine(endpoint: Endpoint) -> Iterator[Finding]:
    """Who answers, in which API, and whether it tells events."""
    try:
        engine = find_engine(endpoint)
    except EngineError as error:
        yield problem(*_halves(error))
        return
    numbers = tuple(int(part) for part in engine.api.split("."))
    if numbers < _NAMES_MATTER:
        yield warning(f"{engine}: events of this API hold little more than a status and an ID", "Update the engine to 1.10 or later")
    else:
        yield ok(f"{engine}")
    if "podman" in engine.name.lower():
        yield warning(
            "this is podman, whose service ends when nobody asks it anything and knows fewer kinds of events",
            "For a service: systemctl enable --now podman.socket; the shipped rules that name exec commands see less there",
        )
    yield from _events(endpoint, engine)


def look_at_clock(endpoint: Endpoint) -> Iterator[Finding]:
    """The engine's clock, as its `Date` header tells it, against ours."""
    from email.utils import parsedate_to_datetime

    asked = time.time()
    try:
        head, _ = get(endpoint, "/_ping")
    except EngineError:
        return  # told elsewhere
    answered = time.time()
    try:
        theirs = parsedate_to_datetime(head.headers["date"]).timestamp()
    except (KeyError, ValueError):
        yield warning("the engine does not tell its time", "A proxy in front of it may take the header Date out")
        return
    # the header has whole seconds, cut off
    apart = max(0.0, theirs - answered, asked - (theirs + 1))
    if apart <= _APART:
        yield ok("the engine's clock goes as ours does")
        return
    which = "ahead of" if theirs > answered else "behind"
    text = f"the engine's clock is {apart:.0f} s {which} ours: alerts have its times, and `since` after a restart goes by them"
    fix = "Have both machines keep their time: timedatectl set-ntp true"
    yield problem(text, fix) if apart >= _FAR_APART else warning(text, fix)


def _events(endpoint: Endpoint, engine: Engine) -> Iterator[Finding]:
    """A stretch of no length: the answer is empty and ends at once."""
    now = int(time.time())
    path = f"/v{engine.api}/events?since={now}&until={now}"
    try:
        with contextlib.closing(open_events(endpoint, path)) as connection:
            if connection.head is None:
                yield _late(engine)
                return
            connection.read_all()
        # some engines answer that, but begin a stream only with an event
        with contextlib.closing(open_events(endpoint, f"/v{engine.api}/events")) as connection:
            if connection.head is None:
                yield _late(engine)
                return
    except EngineError as error:
        yield problem(
            f"it does not tell events: {error}", "A proxy or an authorisation plugin in front of it has to let GET /events through, too"
        )
        return
    yield ok("it tells events")


def _late(engine: Engine) -> Finding:
    return warning(
        f"it has not begun to tell events within {HEAD_PATIENCE:g} s, as engines do that answer only with the first event (podman 5.2)",
        f"`lanner run` waits for that event, and asks whether {engine.name} is alive meanwhile; an update of the engine makes it sure",
    )


def _ssh(endpoint: Endpoint) -> Iterator[Finding]:
    program = shutil.which("ssh")
    if program is None:
        yield problem(
            f"{endpoint} (from {endpoint.origin}) is reached by ssh, which is not in PATH", "Debian: apt-get install openssh-client"
        )
    else:
        yield ok(f"{endpoint} (from {endpoint.origin}) is reached by {program}, as {_user(os.geteuid())}")


def _network(endpoint: Endpoint) -> Iterator[Finding]:
    if endpoint.tls is None:
        local = endpoint.host in {"localhost", "::1"} or endpoint.host.startswith("127.")
        text = f"{endpoint} (from {endpoint.origin}) is plain TCP: whoever reaches that port is root there in effect"
        if local:
            yield warning(text, "Prefer the engine's unix socket, or a proxy that lets through GET /version and GET /events alone")
        else:
            yield warning(text, "Turn TLS with client certificates on at the engine (dockerd --tlsverify), and configure `tls` with `host`")
    else:
        yield ok(f"{endpoint} (from {endpoint.origin}) is TLS")


def _join(found: os.stat_result) -> str:
    name, user = _group(found.st_gid), _user(os.geteuid())
    caution = "whoever is in that group is root on this machine in effect"
    if not found.st_mode & stat.S_IWGRP or found.st_gid == 0:
        return f"Run as {_user(found.st_uid)}, or give the socket a group (group = docker in the engine's socket unit)"
    with contextlib.suppress(KeyError):
        if user in grp.getgrgid(found.st_gid).gr_mem:
            return f"{user} is in the group {name}, but this session began before that: log in again, or run `newgrp {name}`"
    return f"usermod -aG {name} {user}, then log in again; in a container --group-add {found.st_gid}. Know that {caution}"


def _halves(error: LannerError) -> tuple[str, str]:
    """The client's sentences: what is wrong, and what to do."""
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
