"""Names and versions in the forms that Falco's tools expect.

`falcoctl` compares these versions with the requirements of artifacts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lanner.rules.files.required_versions import ENGINE_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanner.operating.snapshot import Snapshot

_FALCO: Final = "0.44.1"
"""The Falco version whose rules language and outputs Lanner implements."""
_PLUGIN_API: Final = "3.12.0"
"""The plugin API version of that Falco."""


_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9]+")


def in_a_name(text: str) -> str:
    """Return `text` as Falco writes it in the name of a metric or label."""
    return _NOT_IN_NAMES.sub("_", text)


def falco_version(lanner: str) -> str:
    """Return a semantic version: Falco's, with Lanner's after the plus sign as build metadata."""
    return f"{_FALCO}+lanner-{lanner}"


def versions(snapshot: Snapshot) -> dict[str, object]:
    """Return the members of Falco's response to /versions."""
    return version_members(snapshot.version, {snapshot.plugin: snapshot.plugin_version})


def version_members(lanner: str, plugins: Mapping[str, str]) -> dict[str, object]:
    """Return versions under Falco's names, and `lanner_version`. Driver versions are omitted: Lanner has no driver."""
    return {
        "engine_version": str(ENGINE_VERSION[1]),
        "engine_version_semver": ".".join(map(str, ENGINE_VERSION)),
        "falco_version": falco_version(lanner),
        "lanner_version": lanner,
        "plugin_api_version": _PLUGIN_API,
        "plugin_versions": dict(plugins),
    }
