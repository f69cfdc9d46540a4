"""What is kept on disk: whether the cursor and the spool can be written, and whether there is room for them and for alerts."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.sdk.diagnosis import ok, problem, warning
from lanner.sinks.registry import configured_sinks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.config.falco import Falco
    from lanner.sdk.diagnosis import Finding

_MIB: Final = 1 << 20
_SCARCE: Final = 64 * _MIB


def look_at_cursor(path: str) -> Iterator[Finding]:
    """Whether the cursor can be kept."""
    folder = Path(path).expanduser().absolute().parent
    if not folder.is_dir():
        yield problem(
            f"the directory of the cursor {path} is not there", f"mkdir -p -m 700 {folder}, owned by the user that Lanner runs as"
        )
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield problem(f"the cursor {path} cannot be written", f"Let the user that Lanner runs as write to {folder}")
    else:
        yield from _room(folder, _MIB, f"of the cursor {path}")


def look_at_disk(falco: Falco) -> Iterator[Finding]:
    """Room for what is kept on disk."""
    for sink in configured_sinks(falco):
        if sink.file and (folder := _existing(Path(sink.file).parent)):
            yield from _room(folder, 0, "of alerts")
    spool = falco.lanner.spool
    if not spool.path:
        return
    folder = _existing(Path(spool.path))
    if folder is None or not os.access(folder, os.W_OK | os.X_OK):
        yield problem(f"the spool {spool.path} cannot be written", f"mkdir -p -m 700 {spool.path}, owned by the user that Lanner runs as")
    else:
        yield from _room(folder, spool.max_size_mb * _MIB, f"of the spool {spool.path}")


def _existing(path: Path) -> Path | None:
    """The directory, or the nearest one above it that is there."""
    return next((each for each in (path, *path.parents) if each.is_dir()), None)


def _room(folder: Path, wanted: int, what: str) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    text = f"{free // _MIB:,} MiB are free on the disk {what}"
    if free < _SCARCE:
        yield problem(text, "Make room: what cannot be written is lost")
    elif free < wanted:
        yield warning(f"{text}, and {wanted // _MIB:,} may be used", "Make room, or lower $.lanner.spool.max_size_mb")
    else:
        yield ok(text)
