"""Plugins whose code a store may make this process run.

A store names the plugin of each run. A store from elsewhere could name any file, so only these are loaded: built-in and installed plugins,
those that the user names, and files of runs on this machine that only this user or root can write.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.alerts.machine_mark import MACHINE_ID, machine_mark
from lanner.host.plugin_loader import BUILT_IN, installed_target
from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.alerts.stored import Run

_WRITABLE: Final = stat.S_IWGRP | stat.S_IWOTH


def check_trust(targets: Sequence[str], allowed: Sequence[str], run: Run) -> None:
    """Raise `LannerError` for a plugin that must not be loaded."""
    names = {_absolute_target(name) for name in allowed}
    for target in targets:
        if target in BUILT_IN or target in names or _absolute_target(target) in names or installed_target(target):
            continue
        advice = f"to load it, add --plugin {target}"
        path = Path(target.partition(":")[0])
        if not path.is_absolute():
            raise LannerError(f"the run's plugin {target} is a module, which Lanner loads only on request: {advice}")
        mark = machine_mark(run.key)
        if not mark:
            raise LannerError(
                f"the run's plugin {target} is a file, and this machine has no valid {MACHINE_ID}, "
                f"so that Lanner cannot determine whether the run was on it: {advice}"
            )
        if not run.about.get("machine"):
            raise LannerError(
                f"the run's plugin {target} is a file, and the run was on a machine without a valid {MACHINE_ID}, "
                f"so that Lanner cannot determine whether it was this machine: {advice}"
            )
        if run.about["machine"] != mark:
            raise LannerError(f"the run's plugin {target} is a file, and the run was on another machine: {advice}")
        _check_owner(path, advice)


def _absolute_target(target: str) -> str:
    path, colon, name = target.partition(":")
    return f"{os.path.abspath(path)}{colon}{name}" if path.endswith(".py") else target  # noqa: PTH100 - links stay


def _check_owner(path: Path, advice: str) -> None:
    """Raise `LannerError` if another user than this one and root can change the file, or its directory."""
    for each in (path, path.parent):
        try:
            status = each.stat()
        except OSError as error:
            raise LannerError(f"the run's plugin {path} cannot be loaded: {error.strerror}") from None
        if status.st_uid not in {0, os.geteuid()} or (status.st_mode & _WRITABLE and not status.st_mode & stat.S_ISVTX):
            raise LannerError(f"the run's plugin {path} is not loaded, because others can write {each}: {advice}")
