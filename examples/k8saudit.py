"""The 100 fields of Falco's official plugin k8saudit 0.18, as a declaration.

All fields but one are data. `ka.req.volume.hostpath` is a method, because it compares the paths with its argument, which may end with
`*` for a prefix.

The values differ from those of the official plugin only in events that no API server sends. If an object has two members of the same
name, the last one counts. An object instead of an array is not treated as the array's only item. Items of another type are left out,
whereas the official plugin drops the whole list.

`ka.sourceips` reads the rules of a role, as the official plugin does, and not the member `sourceIPs` of the event.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lanner
from lanner import EACH, INDEX, KEY, Value, concat, field, gate, item, payload, text

request, spec = payload["requestObject"], payload["requestObject", "spec"]
target, annotations = payload["objectRef"], payload["annotations"]
subjects, rules, volumes = request["subjects", EACH], request["rules", INDEX | EACH], spec["volumes", INDEX | EACH]


def shown(place: lanner.Path) -> Value:
    """Return the text at a place, and other values as JSON."""
    return place | place.raw()


def shown_each(places: lanner.Path) -> Value:
    """Return the same for each of several places. Items without the place are left out."""
    return places.each(shown(item))


service_ports = shown(spec["ports"]).listed()


def repository(image: Value) -> Value:
    """Return an image without its tag and digest."""
    return image.before(":").before("@")


def or_pod(member: str) -> Value:
    """Return a member of a container, or else that of the pod, or else 0. With an index only the container counts."""
    return shown(item[member]) | (shown(spec[member]) | text("0")).unless(INDEX)


def of_containers(kind: str, of: str) -> Iterator[tuple[str, Value, str]]:
    """Yield name, value and description of the fields of one list of containers."""
    each = spec[kind, INDEX | EACH]
    context = each["securityContext"]
    port = shown(item["hostPort"]) | shown(item["containerPort"])
    values = {
        "name": (shown_each(each["name"]).every(), "Names"),
        "image": (shown_each(each["image"]).every(), "Images"),
        "image.repository": (repository(shown_each(each["image"]).every()), "Images without tag and digest"),
        "command": (each.where("command").each(item["command", EACH].every().join(" ")).every(), "Commands"),
        "args": (each.where("args").each(item["args", EACH].every().join(" ")).every(), "Arguments of the commands"),
        "privileged": (shown_each(context["privileged"]), "Whether they are privileged"),
        "allow_privilege_escalation": (shown_each(context["allowPrivilegeEscalation"]), "Whether they may gain privileges"),
        "read_only_fs": (shown_each(context["readOnlyRootFilesystem"]), "Whether the root file system is read-only"),
        "run_as_user": (shown_each(context["runAsUser"]), "User ids in the security context"),
        "run_as_group": (shown_each(context["runAsGroup"]), "Group ids in the security context"),
        "eff_run_as_user": (each.each(or_pod("runAsUser")), "User ids, by default that of the pod or 0"),
        "eff_run_as_group": (each.each(or_pod("runAsGroup")), "Group ids, by default that of the pod or 0"),
        "proc_mount": (shown_each(context["procMount"]), "Kinds of the mount of /proc"),
        "add_capabilities": (shown_each(context["capabilities", "add"]), "Added capabilities, as JSON"),
        "host_port": (each.each(item["ports", EACH].each(port)), "Ports of the host, or else of the container"),
    }
    if kind == "ephemeralContainers":
        del values["host_port"]  # they have no ports
    for name, (value, description) in values.items():
        yield f"ka.req.pod.{kind}.{name}", value, f"{description} of the {of}"


def payload_volumes(event: Any) -> list[Any] | None:
    """Return the volumes of the pod in an event."""
    try:
        found = event["requestObject"]["spec"]["volumes"]
    except (KeyError, TypeError, IndexError):
        return None
    return found if isinstance(found, list) and "auditID" in event else None


class K8sAudit(lanner.Plugin):
    """Kubernetes audit events, with the fields of the official plugin k8saudit."""

    id, name, version, event_source = 1, "k8saudit", "0.18.0", "k8s_audit"
    contact = "github.com/you/k8saudit"
    timestamp = payload["stageTimestamp"].time("rfc3339")
    fields = gate(
        payload["auditID"].exists(),
        field("ka.auditid", shown(payload["auditID"]), "ID of the event"),
        field("ka.stage", shown(payload["stage"]), "Stage of the request, such as ResponseComplete"),
        field("ka.auth.decision", shown(annotations["authorization.k8s.io/decision"]), "Decision of the authorization"),
        field("ka.auth.reason", shown(annotations["authorization.k8s.io/reason"]), "Reason of that decision"),
        field(
            "ka.auth.openshift.decision",
            shown(annotations["authentication.openshift.io/decision"]),
            "Decision of OpenShift's authentication",
        ),
        field(
            "ka.auth.openshift.username", shown(annotations["authentication.openshift.io/username"]), "User of OpenShift's authentication"
        ),
        field(
            "ka.validations.admission.policy.failure",
            shown(annotations["validation.policy.admission.k8s.io/validation_failure"]),
            "Failure of a validating admission policy",
        ),
        field(
            "ka.security.pod.violations", shown(annotations["pod-security.kubernetes.io/audit-violations"]), "Violations of pod security"
        ),
        field("ka.user.name", shown(payload["user", "username"]), "User of the request"),
        field("ka.user.groups", shown_each(payload["user", "groups", EACH]), "Groups of that user"),
        field("ka.impuser.name", shown(payload["impersonatedUser", "username"]), "Impersonated user"),
        field("ka.verb", shown(payload["verb"]), "Verb of the request"),
        field("ka.uri", shown(payload["requestURI"]), "URI of the request"),
        field("ka.uri.param", shown(payload["requestURI"]).query(KEY), "A parameter in the query of the URI"),
        field("ka.target.name", shown(target["name"]), "Name of the object"),
        field("ka.target.namespace", shown(target["namespace"]), "Namespace of the object"),
        field("ka.target.resource", shown(target["resource"]), "Resource of the object"),
        field("ka.target.subresource", shown(target["subresource"]), "Subresource of the object"),
        field(
            "ka.target.pod.name",
            shown(payload["responseObject", "metadata", "name"])
            .when(target["resource"], "pods")
            .when(target["subresource"] | text(""), ""),
            "Name of the pod, in a request for a pod itself",
        ),
        field("ka.req.binding.subjects", shown_each(subjects), "Subjects of a binding, as JSON"),
        field("ka.req.binding.subjects.user_names", subjects.where("kind", "User").each(shown(item["name"])), "Users of a binding"),
        field(
            "ka.req.binding.subjects.serviceaccount_names",
            subjects.where("kind", "ServiceAccount").each(shown(item["name"])),
            "Service accounts of a binding",
        ),
        field(
            "ka.req.binding.subjects.serviceaccount_ns_names",
            subjects.where("kind", "ServiceAccount").each(concat(shown(item["namespace"]), ":", shown(item["name"]))),
            "Service accounts of a binding, as namespace:name",
        ),
        field("ka.req.binding.subjects.group_names", subjects.where("kind", "Group").each(shown(item["name"])), "Groups of a binding"),
        field("ka.req.binding.role", shown(request["roleRef", "name"]), "Role of a binding"),
        field("ka.req.binding.subject.has_name", text("true").when(KEY), "true, as in the official plugin"),
        field("ka.req.configmap.name", shown(target["name"]), "Name of the object, for config maps"),
        field("ka.req.configmap.obj", shown(request["data"]), "Content of a config map, as JSON"),
        field("ka.req.container.image", shown(spec["containers", 0, "image"]), "Image of the first container"),
        field("ka.req.container.image.repository", repository(shown(spec["containers", 0, "image"])), "The same without tag and digest"),
        field("ka.req.pod.host_ipc", shown(spec["hostIPC"]), "Whether the pod uses the host's IPC"),
        field("ka.req.pod.host_network", shown(spec["hostNetwork"]), "Whether the pod uses the host's network"),
        field("ka.req.container.host_network", shown(spec["hostNetwork"]), "The same"),
        field("ka.req.pod.host_pid", shown(spec["hostPID"]), "Whether the pod uses the host's process ids"),
        field(
            "ka.req.container.privileged",
            spec["containers", EACH, "securityContext", "privileged"].boolean().any().text(),
            "Whether one of the containers is privileged",
        ),
        field("ka.req.pod.run_as_user", shown(spec["securityContext", "runAsUser"]), "User id of the pod"),
        field("ka.req.pod.run_as_group", shown(spec["securityContext", "runAsGroup"]), "Group id of the pod"),
        field("ka.req.pod.fs_group", shown(spec["securityContext", "fsGroup"]), "Group id of the pod's files"),
        field("ka.req.pod.supplemental_groups", shown_each(spec["securityContext", "supplementalGroups", EACH]), "Further group ids"),
        field("ka.req.role.rules", shown_each(request["rules", EACH]), "Rules of a role, as JSON"),
        *(
            field(f"ka.req.role.rules.{member}", shown_each(rules[member, EACH]), f"{what} in the rules of a role")
            for member, what in (
                ("apiGroups", "API groups"),
                ("nonResourceURLs", "URLs that are not resources"),
                ("verbs", "Verbs"),
                ("resources", "Resources"),
            )
        ),
        field("ka.req.service.type", shown(spec["type"]), "Type of a service"),
        field(
            "ka.req.service.ports", service_ports.when(INDEX) | service_ports, "All ports of a service as JSON, with and without an index"
        ),
        field("ka.req.pod.volumes.hostpath", shown_each(volumes["hostPath", "path"]), "Paths of the host in volumes"),
        field("ka.req.pod.volumes.flexvolume_driver", shown_each(volumes["flexVolume", "driver"]), "Drivers of flex volumes"),
        field("ka.req.pod.volumes.volume_type", volumes.keys().without("name"), "Types of volumes"),
        field("ka.resp.name", shown(payload["responseObject", "metadata", "name"]), "Name of the object in the response"),
        field("ka.response.code", shown(payload["responseStatus", "code"]), "Code of the response"),
        field("ka.response.reason", shown(payload["responseStatus", "reason"]), "Reason of that code"),
        field("ka.useragent", shown(payload["userAgent"]), "User agent of the client"),
        field("ka.sourceips", shown_each(rules["sourceIPs", EACH]), "Source addresses in the rules of a role"),
        field("ka.cluster.name", shown(annotations["cluster_name"]), "Name of the cluster"),
        *(field(*each) for each in of_containers("containers", "containers")),
        *(field(*each) for each in of_containers("initContainers", "init containers")),
        *(field(*each) for each in of_containers("ephemeralContainers", "ephemeral containers")),
    )

    def open(self, params: str) -> Iterator[bytes]:
        """Read the events of a file, one a line."""
        with Path(params).open("rb") as lines:
            for line in lines:
                yield line.rstrip(b"\n")

    @field("ka.req.volume.hostpath", "true or false: whether a volume has this path of the host; x* asks for a path that begins with x")
    def hostpath(self, event: lanner.Event, key: str) -> str | None:
        found = payload_volumes(event.json)
        if found is None:
            return None
        paths = [each["hostPath"].get("path") for each in found if isinstance(each, dict) and isinstance(each.get("hostPath"), dict)]
        is_found = any(path == key or (key.endswith("*") and isinstance(path, str) and path.startswith(key[:-1])) for path in paths)
        return "true" if is_found else "false"
