"""Destinations of log records in a .so: the host's log (plugin API 3.3, `log_fn`), or standard error.

A process has one tree of loggers for all its plugins. `lanner.embedded.log_handler` handles its records from the first import of
`logging` on: a plugin that logs nothing starts without that module, which imports as much as a small plugin.
"""

from __future__ import annotations

from _weakref import ref  # `weakref` itself imports as much as a small plugin

from lanner.embedded.imports import after_import
from lanner.embedded.log_outlet import Outlet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_waiting: Final[list[tuple[Outlet, ref[object]]]] = []
"""Outlets without a handler, because nothing has imported `logging`."""


def send_records(plugin: str, log: object, state: object) -> Outlet:
    """Send the records of `plugin` (module:Class) to its host's log, or to standard error, for the lifetime of `state`.

    The caller updates the outlet once the class is known.
    """
    module, _, name = plugin.partition(":")
    outlet = Outlet(name or module, module, log)
    _waiting.append((outlet, ref(state, _forget)))
    after_import("logging", _handle_waiting)
    return outlet


def _forget(gone: ref[object]) -> None:
    _waiting[:] = [each for each in _waiting if each[1] is not gone]


def _handle_waiting() -> None:
    from lanner.embedded.log_handler import add_outlet  # imports logging

    while _waiting:
        outlet, reference = _waiting.pop(0)
        if (state := reference()) is not None:
            add_outlet(outlet, state)
