"""The destination of the log records of one plugin state."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_OWN: Final = "lanner.plugin."
"""Prefix of the names of Lanner's own loggers for a plugin; the plugin's name follows."""


class Outlet:
    """Destination of one plugin state's records: `log` is the bridge's capsule of the host's function, or None for standard error."""

    def __init__(self, component: str, module: str, log: object) -> None:
        self.component = component
        self.module = module
        self.log = log

    def owns(self, name: str) -> bool:
        """Return whether a logger or module of this name belongs to the plugin."""
        return any(name == own or name.startswith(own + ".") for own in (_OWN + self.component, self.module))
