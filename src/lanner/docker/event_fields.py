"""The fields of Docker events, all as data: names and descriptions in, places in the engine's JSON out.

Source: the Docker Engine API reference (GET /events), the original Docker plugin for its names, and events of real engines. An
engine of API 1.52 and later sends no `status`, `id` and `from`; podman names some things differently. Rules need not care.

Lanner adds the member "lanner" to an event, as the last one. Of equal names the last counts, so an engine's own does not
(lanner.docker.gaps).
"""

from lanner import KEY, field, payload

kind = payload["Type"]
action = payload["Action"]
action_name = action.before(":")  # "exec_create: sh -c id", "health_status: healthy"
actor = payload["Actor", "ID"]
attributes = payload["Actor", "Attributes"]
gap = payload["lanner", "gap"]
inspected = payload["lanner", "inspect"]

_EXECS = ("exec_create", "exec_start", "exec_die", "exec_detach")
# podman puts containerExitCode on other events, too, where nothing ended
_exit_code = attributes["exitCode"] | attributes["containerExitCode"].when(action, "die", "died", "exec_die", "exec_died")
_command = action.after(": ").when(action_name, *_EXECS)
_signal = attributes["signal"]

FIELDS = [
    field(
        "docker.status",
        payload["status"] | action.when(kind, "container", "image"),
        "What happened to a container or image, in the words of older engines",
    ),
    field("docker.id", payload["id"] | actor.when(kind, "container", "image"), "ID of the container or image"),
    field("docker.from", payload["from"] | attributes["image"].when(kind, "container"), "Image of the container"),
    field(
        "docker.type",
        kind,
        "Kind of object: container, image, network, volume, service, node, secret, config, plugin, daemon, builder; "
        "lanner for Lanner's own events",
    ),
    field("docker.action", action, "What happened, with the text after its colon: start, die, exec_create: sh -c id"),
    field("docker.action.name", action_name, "What happened, without the text after its colon: start, die, exec_create"),
    field("docker.scope", payload["scope"], "local for an event of this engine, swarm for one of the cluster"),
    field("docker.time", payload["timeNano"].time("ns") | payload["time"].time("s"), "Time of the event, by the engine's clock"),
    field("docker.actor.id", actor, "ID of the object that the event is about"),
    field("docker.attributes", attributes[KEY], "Any attribute or label by its own name: docker.attributes[com.example.role]"),
    field("docker.attributes.keys", attributes.keys(), "Names of all attributes and labels"),
    field("docker.attributes.container", attributes["container"], "ID of the container that was connected to a network or mounts a volume"),
    field("docker.attributes.image", attributes["image"], "Image of the container"),
    field("docker.attributes.name", attributes["name"], "Name of the object: container, image, network, service, node"),
    field("docker.attributes.type", attributes["type"], "Type of the network: bridge, overlay, host, null"),
    field("docker.attributes.exitcode", attributes["exitCode"], "Exit code of the process that ended, as text", always_text=True),
    field("docker.attributes.signal", _signal, "Number of the signal that was sent, as text", always_text=True),
    field("docker.exitcode", _exit_code.integer(), "Exit code of the process that ended"),
    field("docker.signal", _signal.integer(), "Number of the signal that was sent"),
    field("docker.exec.command", _command, "Command line that is run in a container by exec"),
    field(
        "docker.exec.program",
        _command.before(" ").after_last("/"),
        "Program that is run in a container by exec: the last part of the command line's first word",
    ),
    field("docker.exec.id", attributes["execID"], "ID of the exec"),
    field(
        "docker.health.status",
        action.after(": ").when(action_name, "health_status")
        | payload["HealthStatus"].when(action_name, "health_status")  # podman's
        | attributes["health_status"].when(action_name, "health_status"),
        "Health of the container: healthy, unhealthy",
    ),
    field(
        "docker.network.name",
        attributes["network"].when(kind, "network") | attributes["name"].when(kind, "network"),
        "Name of the network; in podman's events docker.attributes.name is that of the container",
    ),
    field("docker.compose.project", attributes["com.docker.compose.project"], "Compose project"),
    field("docker.compose.service", attributes["com.docker.compose.service"], "Compose service"),
    field("docker.stack.namespace", attributes["com.docker.stack.namespace"], "Name of the stack"),
    field("docker.node.id", attributes["com.docker.swarm.node.id"], "ID of the swarm node that the container runs on"),
    field("docker.node.statenew", attributes["state.new"], "State of the node after the change: ready, down, disconnected"),
    field("docker.node.stateold", attributes["state.old"], "State of the node before the change"),
    field("docker.swarm.servicename", attributes["com.docker.swarm.service.name"], "Name of the swarm service"),
    field("docker.swarm.serviceid", attributes["com.docker.swarm.service.id"], "ID of the swarm service"),
    field("docker.swarm.task", attributes["com.docker.swarm.task"], "Swarm task"),
    field("docker.swarm.taskid", attributes["com.docker.swarm.task.id"], "ID of the swarm task"),
    field("docker.swarm.taskname", attributes["com.docker.swarm.task.name"], "Name of the swarm task"),
    field("docker.host", payload["lanner", "host"], "The engine that the event is from, as named in the configuration"),
    field("docker.gap.from", gap["from"].time("ns"), "Time since which events may be missing"),
    field("docker.gap.until", gap["until"].time("ns"), "Time until which events may be missing"),
    field("docker.gap.from.iso8601", gap["fromTime"], "The same as text, ISO 8601 in UTC: 2026-01-31T12:00:00.000000000Z"),
    field("docker.gap.until.iso8601", gap["untilTime"], "Time until which events may be missing, as text"),
    field(
        "docker.gap.reason",
        gap["reason"],
        "Why events may be missing: engine restarted or out of reach, Lanner was away, queue full, blocked, cursor unreadable, "
        "event too long",
    ),
    field(
        "docker.truncated",
        payload["lanner", "truncated"],
        "true for an event that was too long: it has only its identifying members, and no labels",
        always_text=True,
    ),
    field("docker.truncated.bytes", payload["lanner", "bytes"].integer(), "Size in bytes of such an event, as the engine sent it"),
    field("docker.container.privileged", inspected["privileged"], "Whether the container is privileged: true, false", always_text=True),
    field("docker.container.caps.added", inspected["caps", "added"].keys(), "Added capabilities: SYS_ADMIN, ALL"),
    field("docker.container.caps.dropped", inspected["caps", "dropped"].keys(), "Dropped capabilities: CHOWN, ALL"),
    field(
        "docker.container.network.mode", inspected["modes", "network"], "Network of the container: host, none, container:ID, bridge, a name"
    ),
    field(
        "docker.container.pid.mode",
        inspected["modes", "pid"],
        "Owner of the processes that the container sees: host, container:ID; no value for its own",
    ),
    field(
        "docker.container.ipc.mode",
        inspected["modes", "ipc"],
        "Owner of the shared memory that the container sees: host, container:ID, private",
    ),
    field("docker.container.uts.mode", inspected["modes", "uts"], "Owner of the container's host name: host; no value for its own"),
    field(
        "docker.container.userns.mode",
        inspected["modes", "userns"],
        "Owner of the container's users: host; no value for the engine's default",
    ),
    field("docker.container.cgroup.mode", inspected["modes", "cgroup"], "Owner of the cgroups that the container sees: host, private"),
    field("docker.container.mounts", inspected["mounts"].keys(), "Paths of the host that are mounted into the container"),
    field("docker.container.mounts.writable", inspected["writable"].keys(), "Paths of the host that are mounted writable"),
    field(
        "docker.container.mounts.socket",
        inspected["socket"],
        "Whether the socket of an engine, or a directory that holds one, is mounted into the container: true, false",
        always_text=True,
    ),
    field(
        "docker.container.devices",
        inspected["devices"].keys(),
        "Devices of the host in the container, and device rules: /dev/sda, b 8:* rwm",
    ),
    field(
        "docker.container.user",
        inspected["user"],
        'User that the container runs as: 1000, www-data:www-data; "" for root',
        always_text=True,
    ),
    field(
        "docker.container.readonly",
        inspected["readonly"],
        "Whether the root file system of the container is read-only: true, false",
        always_text=True,
    ),
    field("docker.container.image.id", inspected["image", "id"], "ID of the container's image: sha256:..."),
    field("docker.container.image.digest", inspected["image", "digest"], "Digest of the image's manifest, if the engine has it"),
    field(
        "docker.container.restart.policy",
        inspected["restart"],
        "When the engine restarts the container: no, always, on-failure, unless-stopped",
    ),
    field(
        "docker.container.security.options",
        inspected["security"].keys(),
        "Security options: seccomp=unconfined, apparmor=unconfined, no-new-privileges, systempaths=unconfined",
    ),
    field(
        "docker.container.inspect.error",
        inspected["error"],
        "Why the container's description is missing or incomplete: timeout, gone, refused, unreachable, skipped, answer, id, cut",
    ),
]

TIMESTAMP = payload["timeNano"].time("ns") | payload["time"].time("s")
