"""Format strings of other programs as log lines: without secrets, line feeds and terminal escapes."""

from __future__ import annotations

from lanner.sdk.options.secrets import mask_message
from lanner.sdk.text.printable import message_line

TYPE_CHECKING = False  # `lanner --version` imports next to nothing
if TYPE_CHECKING:
    import logging


def log_line(text: str) -> str:
    """Return `text` as one line of a message (see `message_line`), with `***` for secrets."""
    return message_line(mask_message(text))


def log_lines(text: str) -> str:
    """Return a string with Lanner's own line layout, treated as in `log_line`."""
    return "\n".join(map(message_line, mask_message(text).split("\n")))


def record_text(record: logging.LogRecord) -> str:
    """Return the message of a log record as one line, with its traceback indented below."""
    lines = [log_line(record.getMessage())]
    if record.exc_info and record.exc_info[1]:
        lines += [f"    {message_line(line)}" for line in mask_message(traceback_text(record.exc_info[1])).splitlines()]
    return "\n".join(lines)


def traceback_text(error: BaseException) -> str:
    """Return the traceback of an exception without a line feed at the end."""
    import traceback

    return "".join(traceback.format_exception(error)).rstrip("\n")
