"""`lanner top`: find the store, and show it on the terminal."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lanner.alerts.alert_store import AlertStore
from lanner.alerts.filters import parse_filter
from lanner.cli.inquiry import make_inquiry
from lanner.config.read import read_configuration
from lanner.outputs.terminal import can_draw
from lanner.sdk.errors import LannerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONFIGURATION: Final = "/etc/lanner/falco.yaml"
_ADVICE: Final = (
    "`lanner run` stores alerts with -o lanner.store_output.enabled=true -o lanner.store_output.path=DIR, and `lanner top DIR` shows them"
)


def show_top(directory: str | None, file: str | None, text: str, plugins: Sequence[str], config: str) -> int:
    """Show the store until the user quits, and return the exit code. Raises `LannerError`."""
    wanted = parse_filter(text, time.time_ns())
    inquiry = make_inquiry(plugins, config)
    path = Path(directory) if directory is not None else _configured_store(file)
    AlertStore(path).close()  # raises its error
    run_top = _import()
    if not (sys.stdin.isatty() and sys.stdout.isatty() and can_draw()):
        raise UsageError(
            f"lanner top needs a terminal that can draw (TERM is {os.environ.get('TERM') or 'not set'}): "
            "for a pipe or a file, use `lanner alerts search`"
        )
    return run_top(path, inquiry.ask, inquiry.close, text, wanted) or 0


def _import() -> Any:
    """Return the function that shows a store. Raises `LannerError` without Textual."""
    try:
        from lanner.top.app import run_top
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "textual":
            raise
        raise LannerError("lanner top needs Textual 8 or later, which is not installed: pip install 'textual>=8'") from None
    return run_top


def _configured_store(file: str | None) -> Path:
    """Return the directory of the configuration's store. Raises `LannerError`."""
    if file is None:
        if not Path(_CONFIGURATION).exists():
            raise UsageError(f"no alert store is named, and there is no configuration {_CONFIGURATION}: name its directory. {_ADVICE}")
        file = _CONFIGURATION
    path = read_configuration(file, {}, ()).falco.lanner.store_output.path  # type: ignore[attr-defined] # defined for each sink
    if not path:
        raise UsageError(f"{file} configures no alert store ($.lanner.store_output.path): name its directory. {_ADVICE}")
    return Path(path)
