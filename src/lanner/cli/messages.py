"""Messages of the command on standard error, and its exit status.

A run with machine-readable logging (`lanner.log_format: json`, `log_syslog`, `log_stderr: false`) sends the same messages to its log.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # `lanner --version` imports next to nothing
if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable
    from typing import Literal

    from lanner.config.falco import LogLevel
    from lanner.sdk.errors import LannerError

# exit statuses of the process
OK, FAILED, USAGE, UNREACHABLE = 0, 1, 2, 3

_log: logging.Logger | None = None
_KINDS = {"error", "warning"}


def talk(level: LogLevel, form: Literal["text", "json"], *, to_stderr: bool, to_syslog: bool) -> None:
    """Configure logging, and send messages there too, unless the log is for people."""
    import logging

    from lanner.operating.logs import setup_logs

    global _log  # noqa: PLW0603 - a process has one standard error
    setup_logs(level, form, to_stderr=to_stderr, to_syslog=to_syslog)
    _log = logging.getLogger("lanner.run") if form == "json" or to_syslog or not to_stderr else None


def say(text: str, *more: str) -> None:
    """Print a message with further lines below it to standard error. Unprintable characters are escaped."""
    if _log is not None:
        kind, _, rest = text.partition(": ")
        add("\n".join([rest if kind in _KINDS else text, *more]), kind)
        return
    from lanner.sdk.hosting.loglines import log_line

    _write("\n".join([log_line(f"lanner: {text}"), *map(log_line, more)]))


def add(lines: str, kind: str = "") -> None:
    """Return the printable lines of a message. `kind` is "error", "warning" or another word."""
    if _log is not None:
        {"error": _log.error, "warning": _log.warning}.get(kind, _log.info)("%s", lines)
    else:
        from lanner.sdk.hosting.loglines import log_lines

        _write(log_lines(lines))


def fail(message: str, code: int = FAILED, *, more: Iterable[str] = ()) -> int:
    """Print an error with further lines below it, and return the exit code."""
    say(f"error: {message}", *more)
    return code


def exit_code(error: LannerError) -> int:
    """Return the exit status of a command that ends with this error."""
    from lanner.sdk.errors import OpenError, UsageError

    return USAGE if isinstance(error, UsageError) else UNREACHABLE if isinstance(error, OpenError) else FAILED


def _write(lines: str) -> None:
    try:
        sys.stderr.write(lines + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # standard error is closed
