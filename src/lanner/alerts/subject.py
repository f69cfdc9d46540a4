"""The subject of an alert: the container, pod, resource or process that it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lanner.alerts.store_format import SUBJECT_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

SUBJECT_FIELDS: Final = (
    "container.name",
    "docker.attributes.name",
    "docker.actor.id",
    "k8s.pod.name",
    "k8smeta.pod.name",
    "ka.target.name",
    "proc.name",
)
"""Fields that name a subject: the first one with a value counts."""


def find_subject(fields: Mapping[str, Any]) -> str:
    """Return the subject of an alert with these output_fields, cut to SUBJECT_CHARACTERS; "" without one."""
    for name in SUBJECT_FIELDS:
        value = fields.get(name)
        if value is not None and value != "":
            return str(value)[:SUBJECT_CHARACTERS]
    return ""
