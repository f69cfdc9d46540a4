"""Bytes as they come to payloads: one payload a line, chunks and lines independent of each other."""

from __future__ import annotations

from typing import Final

from lanner.native import Framer

# an endless line must not eat the memory
MAX_LINE: Final = 65 * 1024 * 1024


def new_framer() -> Framer:
    """For the lines of one stream: what is longer than `MAX_LINE` is dropped and counted."""
    return Framer(MAX_LINE)


def warn_too_long(plugin: str) -> None:
    """Tell people that a line of the plugin's source was dropped."""
    import logging  # rare

    logging.getLogger(f"lanner.plugin.{plugin}").warning("dropped a line of more than %d MiB", MAX_LINE >> 20)
