"""The logger of the Docker plugin."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging


def log() -> logging.Logger:
    """Return the plugin's logger. A .so that logs nothing starts without `logging`."""
    import logging

    return logging.getLogger("lanner.plugin.docker")
