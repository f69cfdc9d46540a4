"""Expected values of the Docker plugin's fields, read from the event's JSON by code that shares nothing with the plugin's."""

import re

EXECS = {"exec_create", "exec_start", "exec_die", "exec_detach"}
# podman says containerExitCode on other events, too, where nothing ended
ENDS = {"die", "died", "exec_die", "exec_died"}
BY_ATTRIBUTE = {
    "docker.attributes.container": "container",
    "docker.attributes.image": "image",
    "docker.attributes.name": "name",
    "docker.attributes.type": "type",
    "docker.attributes.exitcode": "exitCode",
    "docker.attributes.signal": "signal",
    "docker.exec.id": "execID",
    "docker.compose.project": "com.docker.compose.project",
    "docker.compose.service": "com.docker.compose.service",
    "docker.stack.namespace": "com.docker.stack.namespace",
    "docker.node.id": "com.docker.swarm.node.id",
    "docker.node.statenew": "state.new",
    "docker.node.stateold": "state.old",
    "docker.swarm.servicename": "com.docker.swarm.service.name",
    "docker.swarm.serviceid": "com.docker.swarm.service.id",
    "docker.swarm.task": "com.docker.swarm.task",
    "docker.swarm.taskid": "com.docker.swarm.task.id",
    "docker.swarm.taskname": "com.docker.swarm.task.name",
}

# Lanner's additions about the container: the place of each string, and of each list
OF_THE_CONTAINER = {
    "docker.container.privileged": "privileged",
    "docker.container.network.mode": "modes.network",
    "docker.container.pid.mode": "modes.pid",
    "docker.container.ipc.mode": "modes.ipc",
    "docker.container.uts.mode": "modes.uts",
    "docker.container.userns.mode": "modes.userns",
    "docker.container.cgroup.mode": "modes.cgroup",
    "docker.container.mounts.socket": "socket",
    "docker.container.user": "user",
    "docker.container.readonly": "readonly",
    "docker.container.image.id": "image.id",
    "docker.container.image.digest": "image.digest",
    "docker.container.restart.policy": "restart",
    "docker.container.inspect.error": "error",
}
LISTS_OF_THE_CONTAINER = {
    "docker.container.caps.added": "caps.added",
    "docker.container.caps.dropped": "caps.dropped",
    "docker.container.mounts": "mounts",
    "docker.container.mounts.writable": "writable",
    "docker.container.devices": "devices",
    "docker.container.security.options": "security",
}
LISTS = {"docker.attributes.keys", *LISTS_OF_THE_CONTAINER}


def at(value, place):
    """The value there; None for nothing."""
    for name in place.split("."):
        value = (of_type(dict, value) or {}).get(name)
    return value


def of_type(wanted, value):
    """The value if it has the type, else None; a bool is not a number."""
    return value if type(value) is wanted else None


def texts(members):
    """The members that are strings, up to their first NUL; none if this is not an object."""
    return {key: value.partition("\0")[0] for key, value in (of_type(dict, members) or {}).items() if type(value) is str}


def number(*values):
    """The first existing value, as an unsigned 64-bit integer, or as a string of its digits."""
    value = next((value for value in values if type(value) in {int, str}), None)
    if type(value) is str:
        value = int(value) if re.fullmatch("[0-9]+", value) else -1
    return value if value is not None and 0 <= value < 2**64 else None


def timestamp(event):
    """Nanoseconds since 1970; None where the event does not say."""
    nanoseconds, seconds = number(event.get("timeNano")), number(event.get("time"))
    if nanoseconds is not None:
        return nanoseconds
    return None if seconds is None else number(seconds * 10**9)


def reading(event):
    """The fields that take no argument; None for no value."""
    top, actor = texts(event), of_type(dict, event.get("Actor")) or {}
    who, attributes = texts(actor).get("ID"), texts(actor.get("Attributes"))
    raw = of_type(dict, actor.get("Attributes")) or {}
    kind, action = top.get("Type"), top.get("Action")
    name, colon, rest = (action or "").partition(":")
    said = rest.removeprefix(" ") if colon and rest.startswith(" ") else None
    has_status = kind in {"container", "image"}
    health = None
    if name == "health_status":
        health = said if said is not None else top.get("HealthStatus", attributes.get("health_status"))
    return {
        "docker.status": top.get("status", action if has_status else None),
        "docker.id": top.get("id", who if has_status else None),
        "docker.from": top.get("from", attributes.get("image") if kind == "container" else None),
        "docker.type": kind,
        "docker.action": action,
        "docker.action.name": None if action is None else name,
        "docker.scope": top.get("scope"),
        "docker.time": timestamp(event),
        "docker.actor.id": who,
        "docker.attributes.keys": sorted(raw) or None,
        "docker.exitcode": number(raw.get("exitCode"), raw.get("containerExitCode") if action in ENDS else None),
        "docker.signal": number(raw.get("signal")),
        "docker.exec.command": said if name in EXECS else None,
        "docker.exec.program": said.partition(" ")[0].rpartition("/")[2] if name in EXECS and said is not None else None,
        "docker.network.name": attributes.get("network", attributes.get("name")) if kind == "network" else None,
        "docker.health.status": health,
        **{field: attributes.get(key) for field, key in BY_ATTRIBUTE.items()},
        **added(of_type(dict, event.get("lanner")) or {}),
    }


def added(ours):
    """The fields of what Lanner adds to an event."""
    gap, container = of_type(dict, ours.get("gap")) or {}, ours.get("inspect")
    words = {field: of_type(str, at(container, place)) for field, place in OF_THE_CONTAINER.items()}
    lists = {field: sorted(of_type(dict, at(container, place)) or ()) or None for field, place in LISTS_OF_THE_CONTAINER.items()}
    return {
        "docker.host": texts(ours).get("host"),
        "docker.gap.from": number(gap.get("from")),
        "docker.gap.until": number(gap.get("until")),
        "docker.gap.from.iso8601": texts(gap).get("fromTime"),
        "docker.gap.until.iso8601": texts(gap).get("untilTime"),
        "docker.gap.reason": texts(gap).get("reason"),
        "docker.truncated": texts(ours).get("truncated"),
        "docker.truncated.bytes": number(ours.get("bytes")),
        **{field: word and word.partition("\0")[0] for field, word in words.items()},
        **lists,
    }
