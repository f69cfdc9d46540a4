"""The logger of the Docker plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


def log() -> logging.Logger:
    """Where the plugin says what went wrong. A .so that has nothing to say starts without `logging`."""
    import logging

    return logging.getLogger("lanner.plugin.docker")
