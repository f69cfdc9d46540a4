"""What readers of Falco expect: names as Falco makes them, and versions in the form of its /versions.

`falcoctl` compares those with what artefacts require.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lanner.rules.files.versions import ENGINE_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanner.operating.snapshot import Snapshot

_FALCO: Final = "0.44.1"
"""The Falco whose rules language and outputs these are."""
_PLUGIN_API: Final = "3.12.0"
"""Of that Falco; Lanner's plugins are written against what stands before it."""


_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9]+")


def in_a_name(text: str) -> str:
    """What Falco makes of a text in the name of a metric or a label."""
    return _NOT_IN_NAMES.sub("_", text)


def falco_version(lanner: str) -> str:
    """For those who compare it with Falco's, and for those who look at it: a semantic version with Lanner's behind the plus sign."""
    return f"{_FALCO}+lanner-{lanner}"


def versions(snapshot: Snapshot) -> dict[str, object]:
    """The members of Falco's answer to /versions."""
    return version_members(snapshot.version, {snapshot.plugin: snapshot.plugin_version})


def version_members(lanner: str, plugins: Mapping[str, str]) -> dict[str, object]:
    """Versions by Falco's names but those of drivers, which are not there, and `lanner_version`."""
    return {
        "engine_version": str(ENGINE_VERSION[1]),
        "engine_version_semver": ".".join(map(str, ENGINE_VERSION)),
        "falco_version": falco_version(lanner),
        "lanner_version": lanner,
        "plugin_api_version": _PLUGIN_API,
        "plugin_versions": dict(plugins),
    }
