"""Places in the code of a plugin's author, for messages: neither in Lanner nor in Python's own library."""

from __future__ import annotations

from typing import Final

_LANNER: Final = (lambda: None).__code__.co_filename.rpartition("/sdk/")[0] + "/"
_LIBRARIES: Final = ("click", "elftools", "lz4", "msgspec", "prometheus_client", "re2", "rich")
"""Packages that Lanner itself calls."""


def is_authors(filename: str) -> bool:
    """Return whether a file is neither Lanner's nor in Python's own library."""
    import traceback  # rare, and slow to import; `os` is frozen, without a file

    library = traceback.__file__.rpartition("/")[0] + "/"
    return not filename.startswith((_LANNER, "<frozen ")) and (not filename.startswith(library) or "-packages/" in filename)


def place_to_blame(error: BaseException) -> str:
    """Return the place in the author's code that failed, as `place_text`; "" if Lanner's code, or a library that it called, failed."""
    trace, frames = error.__traceback__, list[tuple[str, int]]()
    while trace is not None:
        frames.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    for filename, line in reversed(frames):
        if filename.startswith(_LANNER):
            return ""
        if is_authors(filename) and not any(f"-packages/{library}/" in filename for library in _LIBRARIES):
            return place_text(filename, line)
    return ""


def place_text(filename: str, line: int) -> str:
    """Return a place as it follows a message: ` (plugin.py, line 12)`."""
    return f" ({filename}, line {line})"
