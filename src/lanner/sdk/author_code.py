"""Places in the code of a plugin's author, for messages: neither in Lanner nor in Python's own library."""

from __future__ import annotations

from typing import Final

_LANNER: Final = (lambda: None).__code__.co_filename.rpartition("/sdk/")[0] + "/"


def is_authors(filename: str) -> bool:
    """Return whether a file is neither Lanner's nor in Python's own library."""
    import traceback  # rare, and slow to import; `os` is frozen, without a file

    library = traceback.__file__.rpartition("/")[0] + "/"
    return not filename.startswith((_LANNER, "<frozen ")) and (not filename.startswith(library) or "-packages/" in filename)


def shown_place(filename: str, line: int) -> str:
    """Return a place as it follows a message: ` (plugin.py, line 12)`."""
    return f" ({filename}, line {line})"
