"""Describes an event's container for rules: takes a line of the stream, queries the engine, and returns JSON on one line.

Of GET /containers/ID/json it keeps the members that attackers use, by name; never environment, command line or labels. A slow or
unavailable engine costs its timeout three times and is then not queried for a while. It never raises: a failure is the
member `error` of the JSON.

The JSON suits the expressions of `lanner.payload`: booleans are "true" and "false", lists are objects whose names are the
items, and empty members are omitted.
"""

from __future__ import annotations

import posixpath
import time
from collections import OrderedDict

from lanner.docker.client import MAX_BODY, get
from lanner.docker.engine_errors import EngineError, EngineTimeoutError
from lanner.docker.engine_link import SpareLink
from lanner.native import decode_json, encode_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Final

    from lanner.docker.endpoint import Endpoint

# an event is hostile input, and its id becomes part of a path
_HEX: Final = frozenset("0123456789abcdef")
_LONGEST_ID: Final = 64

_MOST_CACHED: Final = 1024
_MOST_FAILURES: Final = 3
_PAUSE: Final = 10.0
_MOST_ITEMS: Final = 64
_LONGEST_TEXT: Final = 4096  # a path
_LONGEST_WORD: Final = 256
_MOST_TEXT: Final = 32 * 1024

_MODES: Final = {
    "network": "NetworkMode",
    "pid": "PidMode",
    "ipc": "IpcMode",
    "uts": "UTSMode",
    "userns": "UsernsMode",
    "cgroup": "CgroupnsMode",
}
_SOCKETS: Final = (
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/docker/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/run/crio/crio.sock",
)
_SOCKET_NAMES: Final = frozenset(path.rpartition("/")[2] for path in _SOCKETS)
_USER_SOCKETS: Final = "/run/user"


class Inspector:
    """Query of an engine for descriptions of its containers. For one thread."""

    def __init__(self, endpoint: Endpoint, api: str, timeout: float, wake: int = -1) -> None:
        """Query in API version `api`; a response may take `timeout` seconds in total, and ends when the descriptor `wake` is readable."""
        self.api = api
        self.endpoint = endpoint
        self._socket = endpoint.ssh.path if endpoint.ssh else endpoint.path
        self._spare = SpareLink()
        self._timeout = timeout
        self._wake = wake
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._failures = 0
        self._closed_until = 0.0

    def describe(self, line: bytes, before_asking: Callable[[], None] = lambda: None) -> bytes | None:
        """Return the description of the container that the line is about; None if it is about something else."""
        identity = _container_of(line)
        if identity is None:
            return None
        if not (0 < len(identity) <= _LONGEST_ID and _HEX.issuperset(identity)):
            return _error("id")
        # these members do not change while a container exists, except its restart policy
        known = self._known.get(identity)
        if known is not None:
            self._known.move_to_end(identity)
            return known
        if self._failures >= _MOST_FAILURES and time.monotonic() < self._closed_until:
            return _error("skipped")
        before_asking()
        return self._ask(identity)

    def close(self) -> None:
        """Close the connection that is kept for the next query."""
        self._spare.close()

    def _ask(self, identity: str) -> bytes:
        try:
            head, text = get(self.endpoint, f"/v{self.api}/containers/{identity}/json", self._wake, self._timeout, self._spare)
        except EngineError as error:
            return self._note_failure("timeout" if isinstance(error, EngineTimeoutError) else "unreachable")
        if head.status == 404:  # removed meanwhile: the engine is healthy
            self._failures = 0
            return _error("gone")
        if head.status != 200:
            return self._note_failure("refused")
        description = _read(text) if len(text) <= MAX_BODY else None
        if description is None:
            return self._note_failure("answer")
        self._failures = 0
        described = encode_json(_select_members(description, self._socket))
        self._known[identity] = described
        if len(self._known) > _MOST_CACHED:
            self._known.popitem(last=False)
        return described

    def _note_failure(self, reason: str) -> bytes:
        self._failures += 1
        self._closed_until = time.monotonic() + _PAUSE
        return _error(reason)


def _error(reason: str) -> bytes:
    return encode_json({"error": reason})


def _read(text: bytes) -> dict[str, Any] | None:
    try:
        found = decode_json(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _container_of(line: bytes) -> str | None:
    event = _read(line) or {}
    if _text(event, "Type") != "container" or _text(event, "Action") not in {"create", "start"}:
        return None
    return _text(_object(event, "Actor"), "ID")


def _select_members(container: dict[str, Any], socket: str) -> dict[str, Any]:
    """Return the members that are kept, under the names that fields use."""
    host, config = _object(container, "HostConfig"), _object(container, "Config")
    mounts = list(_mounts(container, host))
    lists = _Lists()
    kept: dict[str, Any] = {
        "privileged": _truth(host, "Privileged"),
        "readonly": _truth(host, "ReadonlyRootfs"),
        "user": _word(config, "User"),
        "modes": _drop_empty({name: _word(host, member) for name, member in _MODES.items()}),
        "image": _drop_empty({"id": _word(container, "Image"), "digest": _word(_object(container, "ImageManifestDescriptor"), "digest")}),
        **_drop_empty({"restart": _word(_object(host, "RestartPolicy"), "Name")}),
        "socket": str(any(_holds_socket(source, socket) for source, _, _ in mounts)).lower(),
        "caps": {
            "added": lists.make(dict.fromkeys(map(_capability, _texts(host, "CapAdd")), "")),
            "dropped": lists.make(dict.fromkeys(map(_capability, _texts(host, "CapDrop")), "")),
        },
        "security": lists.make(dict.fromkeys(_security(host), "")),
        "devices": lists.make(dict(_devices(host))),
        "writable": lists.make({source: destination for source, destination, writable in mounts if writable}),
        "mounts": lists.make({source: destination for source, destination, _ in mounts}),
    }
    if lists.cut:
        kept["error"] = "cut"
    return kept


class _Lists:
    """Limits lists, each and in total. The shortest items come first: important paths of a host have short names."""

    def __init__(self) -> None:
        self.cut = False
        self._left = _MOST_TEXT

    def make(self, items: Mapping[str, str]) -> dict[str, str]:
        made: dict[str, str] = {}
        for item in sorted(items, key=lambda item: (len(item), item)):
            name, text = item[:_LONGEST_TEXT], items[item][:_LONGEST_TEXT]
            self._left -= len(encode_json((name, text)))
            if len(made) == _MOST_ITEMS or self._left < 0:
                self.cut = True
                break
            made[name] = text
        return made


def _mounts(container: dict[str, Any], host: dict[str, Any]) -> Iterable[tuple[str, str, bool]]:
    """Return source on the host, destination, and whether it is writable."""
    for mount in _objects(container, "Mounts"):
        if mount.get("Type") == "bind" and _text(mount, "Source").startswith("/"):
            yield _clean(_text(mount, "Source")), _text(mount, "Destination"), mount.get("RW") is not False
    for mount in _objects(host, "Mounts"):  # a volume created with the container may be a path of the host under another name
        options = _object(_object(_object(mount, "VolumeOptions"), "DriverConfig"), "Options")
        if _text(options, "device").startswith("/"):
            yield _clean(_text(options, "device")), _text(mount, "Target"), mount.get("ReadOnly") is not True


def _holds_socket(path: str, socket: str) -> bool:
    """Return whether the path is an engine's socket or a parent directory of one; `socket` is that of the queried engine."""
    path, own = _run(path), _run(socket)
    if path.rpartition("/")[2] in _SOCKET_NAMES or _is_of_users(path):
        return True
    return any(known == path or known.startswith(path.rstrip("/") + "/") for known in (*_SOCKETS, own))


def _is_of_users(path: str) -> bool:
    """Return whether the path is /run/user, /run/user/NUMBER or /run/user/NUMBER/podman: engines of users have their sockets there."""
    user = path.removeprefix(_USER_SOCKETS).removeprefix("/").partition("/")[0]
    is_number = user.isascii() and user.isdigit()
    return path == _USER_SOCKETS or (path in {f"{_USER_SOCKETS}/{user}", f"{_USER_SOCKETS}/{user}/podman"} and is_number)


def _run(path: str) -> str:
    # /var/run is /run
    return path.removeprefix("/var") if path == "/var/run" or path.startswith("/var/run/") else path


def _clean(path: str) -> str:
    # engines normalise the paths of mounts, but not those in a volume's options
    return "/" + posixpath.normpath(path).lstrip("/")


def _devices(host: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for device in _objects(host, "Devices"):
        if _text(device, "PathOnHost"):
            yield _clean(_text(device, "PathOnHost")), _text(device, "PathInContainer")
    for rule in _texts(host, "DeviceCgroupRules"):  # with mknod such a rule gives access to the device
        yield rule, ""


def _security(host: dict[str, Any]) -> Iterable[str]:
    for option in _texts(host, "SecurityOpt"):
        name, separator, value = option.partition("=") if "=" in option else option.partition(":")
        # the client sends the whole profile
        yield f"{name}=custom" if value.startswith("{") else f"{name}={value}" if separator else name
    if host.get("MaskedPaths") == []:  # as the client sends it; null in privileged containers
        yield "systempaths=unconfined"


def _capability(name: str) -> str:
    return name.upper().removeprefix("CAP_")


def _object(holder: dict[str, Any], name: str) -> dict[str, Any]:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def _objects(holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = holder.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _texts(holder: dict[str, Any], name: str) -> list[str]:
    found = holder.get(name)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def _text(holder: dict[str, Any], name: str) -> str:
    found = holder.get(name)
    return found[:_LONGEST_TEXT] if isinstance(found, str) else ""


def _drop_empty(texts: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}


def _word(holder: dict[str, Any], name: str) -> str:
    return _text(holder, name)[:_LONGEST_WORD]


def _truth(holder: dict[str, Any], name: str) -> str:
    return "true" if holder.get(name) is True else "false"
