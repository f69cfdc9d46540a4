"""The logger of the Docker plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


def log() -> logging.Logger:
    """Return the plugin's logger. A .so that logs nothing starts without `logging`."""
    import logging

    return logging.getLogger("lanner.plugin.docker")
