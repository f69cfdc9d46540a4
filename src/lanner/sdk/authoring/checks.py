"""Checks of `lanner doctor` that a plugin declares: `Plugin.checks` returns them."""

from __future__ import annotations

import shutil
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

_MIB: Final = 1 << 20
_SCARCE: Final = 64 * _MIB


class Level(StrEnum):
    """The result of a check. A warning may be intended here, a problem prevents something from working."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Finding(NamedTuple):
    """A result of a check, with the fix for anything but `ok`."""

    level: Level
    text: str
    fix: str = ""

    @staticmethod
    def ok(text: str) -> Finding:
        """Return a finding for a part that works."""
        return Finding(Level.OK, text)

    @staticmethod
    def warning(text: str, fix: str) -> Finding:
        """Return a finding for a part that may be intended, but is unusual."""
        return Finding(Level.WARNING, text, fix)

    @staticmethod
    def problem(text: str, fix: str) -> Finding:
        """Return a finding for a part that does not work, with its fix."""
        return Finding(Level.PROBLEM, text, fix)


class Check(NamedTuple):
    """A named check for `lanner doctor`. `look` returns its findings, perhaps none. An exception that it raises is a problem."""

    name: str
    look: Callable[[], Iterable[Finding]]


def check_disk(folder: str | os.PathLike[str], needed: int, what: str, fix: str = "Make room") -> Finding:
    """Return a finding about the free space of a disk. `needed` is in bytes, `what` names the disk's purpose ("of alerts")."""
    free = shutil.disk_usage(folder).free
    text = f"{free // _MIB:,} MiB are free on the disk {what}"
    if free < _SCARCE:
        return Finding.problem(text, "Free some space: data that cannot be written is lost")
    if free < needed:
        return Finding.warning(f"{text}, and {needed // _MIB:,} may be used", fix)
    return Finding.ok(text)
