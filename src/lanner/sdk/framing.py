"""Bytes as they come to payloads: one payload a line, chunks and lines independent of each other."""

from __future__ import annotations

from typing import Final

from lanner.native import Framer

# an endless line must not eat the memory; no engine's event comes near
MAX_LINE: Final = 64 * 1024 * 1024


def new_framer() -> Framer:
    """For the lines of one stream: what is longer than `MAX_LINE` is dropped and counted."""
    return Framer(MAX_LINE)
