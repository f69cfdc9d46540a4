"""Checks of the disk space for alerts and the spool, and of the directory for positions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.config.sink_blocks import configured_sinks
from lanner.doctor.results import ok, problem
from lanner.outputs.spool_place import find_parent, find_spool_problem
from lanner.sdk.authoring.checks import check_disk
from lanner.sdk.hosting.positionfile import NO_STATE, VARIABLE, state_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.config.falco import Falco
    from lanner.sdk.authoring.checks import Finding
    from lanner.sdk.authoring.plugin import PluginInfo

_MIB: Final = 1 << 20


def look_at_disk(falco: Falco) -> Iterator[Finding]:
    """Yield the findings about room for files of alerts and for the spool."""
    for sink in configured_sinks(falco):
        if sink.file and (folder := find_parent(Path(sink.file).parent)):
            yield check_disk(folder, 0, "of alerts")
    spool = falco.lanner.spool
    if not spool.path:
        return
    if reason := find_spool_problem(spool.path):
        fix = f"mkdir -p -m 700 {spool.path}, owned by the user that Lanner runs as"
        yield problem(f"the spool {spool.path} cannot be written: {reason}", fix)
    elif folder := find_parent(Path(spool.path)):
        yield check_disk(folder, spool.max_size_mb * _MIB, f"of the spool {spool.path}", "Make room, or lower $.lanner.spool.max_size_mb")


def look_at_state(falco: Falco, info: PluginInfo) -> Iterator[Finding]:
    """Yield the finding about the directory for the position of the plugin's event source."""
    directory = state_directory(falco.lanner.state_directory)
    if directory is None:
        yield ok(f"the position of {info.name} is not stored (`{NO_STATE}`)")
    elif reason := find_spool_problem(directory):
        fix = f"mkdir -p -m 700 {directory}, owned by the user that Lanner runs as; or set $.lanner.state_directory or {VARIABLE}"
        yield problem(f"the position of {info.name} cannot be written to {directory}: {reason}", fix)
    else:
        yield ok(f"the position of {info.name} is stored in {directory}")
