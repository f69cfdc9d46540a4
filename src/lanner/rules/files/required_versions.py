"""Version requirements of rules: for the rules language and for plugins.

The input are requirements as loaded, and the available versions. A function returns the reason of a failure or raises `ItemError`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lanner.rules import findings
from lanner.rules.files.scalars import ItemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanner.rules.files.items import PluginVersion

# The engine that has this language: that of Falco 0.44.1
ENGINE_VERSION: Final = (0, 62, 0)

_VERSION: Final = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?", re.ASCII)


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Return the three numbers of a version `x.y.z`, or None if it is invalid."""
    found = _VERSION.fullmatch(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def check_requirement(required: PluginVersion) -> None:
    """Check that the alternatives are different plugins and have versions. Raises `ItemError`."""
    names = set()
    for name, version in required.alternatives:
        if parse_version(version) is None:
            raise ItemError(f"Invalid required version '{version}' for plugin '{name}'", required.context, code=findings.VALIDATE)
        if name in names:
            message = f"Defined multiple alternative version requirements for plugin '{name}'"
            raise ItemError(message, required.context, code=findings.VALIDATE)
        names.add(name)


def find_unmet(required: PluginVersion, plugins: Mapping[str, str]) -> str:
    """Return why no alternative is available (with the same major version, and not older), or "" if one is.

    `plugins` contains the versions of the plugins by name.
    """
    for name, version in required.alternatives:
        there, wanted = parse_version(plugins.get(name, "")), parse_version(version)
        if there is None or wanted is None:
            continue
        if there[0] == wanted[0] and there >= wanted:
            return ""
        return f"Plugin '{name}' version '{plugins[name]}' is not compatible with required plugin version '{version}'"
    asked = ", ".join(f"{name} (>= {version})" for name, version in required.alternatives)
    return f"Plugin requirement not satisfied, must load one of: {asked}"
