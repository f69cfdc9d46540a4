"""Split received bytes into payloads: one payload per line, regardless of the boundaries of chunks."""

from __future__ import annotations

from lanner.native import Framer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# an endless line must not exhaust the memory
MAX_LINE: Final = 65 * 1024 * 1024


def new_framer() -> Framer:
    """Return a framer for the lines of one stream. It drops and counts lines longer than `MAX_LINE`."""
    return Framer(MAX_LINE)


def warn_too_long(plugin: str) -> None:
    """Warn that a line of the plugin's source was dropped."""
    import logging  # rare

    logging.getLogger(f"lanner.plugin.{plugin}").warning("dropped a line of more than %d MiB", MAX_LINE >> 20)
