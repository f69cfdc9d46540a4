"""Suggestions for misspelt names, and detection of misspelt attributes of a plugin class."""

from __future__ import annotations

import os
from itertools import islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

_MOST_ENTRIES: Final = 10_000
"""Entries of one directory that are compared with a name."""
_LONGEST: Final = 200
"""Number of characters of a name that are compared, because the time grows quadratically."""
_LONG: Final = 6
"""Minimum length at which a name with one letter inserted, removed or changed counts as misspelt: `names` is an ordinary word."""


def find_near(written: str, known: Iterable[str]) -> str:
    """Return the known name most similar to `written`, ignoring case, or ""."""
    from difflib import get_close_matches  # rare

    if len(written) > _LONGEST:
        return ""
    folded = {name.casefold(): name for name in known if len(name) <= _LONGEST}
    near = get_close_matches(written.casefold(), folded, 1)
    return folded[near[0]] if near else ""


def suggest_name(written: str, known: Iterable[str]) -> str:
    """Return `: did you mean 'x'?` with the known name most similar to `written`, or ""."""
    near = find_near(written, known)
    return f": did you mean {near!r}?" if near else ""


def suggest_file(path: str, words: Iterable[str] = ()) -> str:
    """Return the same for a path that does not exist: one of `words`, or a file in the same directory."""
    folder, name = os.path.split(path)
    if not folder and (near := find_near(path, words)):
        return f": did you mean {near!r}?"
    try:
        with os.scandir(folder or ".") as entries:
            stems = {os.path.splitext(entry.name)[0]: entry.name for entry in islice(entries, _MOST_ENTRIES)}
    except (OSError, ValueError):
        return ""
    near = find_near(os.path.splitext(name)[0], stems)
    return f": did you mean {os.path.join(folder, stems[near])!r}?" if near else ""


def find_misspelt(written: str, known: Iterable[str]) -> str:
    """Return the known name that `written` misspells, or ""."""
    if written.startswith("_") or written.isupper():
        return ""
    return next((name for name in known if written != name and _is_slip(written, name)), "")


def _is_slip(written: str, known: str) -> bool:
    if len(known) >= _LONG and written.lower().replace("_", "") == known.replace("_", ""):
        return True
    if len(written) == len(known):
        differing = [place for place, pair in enumerate(zip(written, known, strict=True)) if pair[0] != pair[1]]
        if len(differing) == 2:
            first, second = differing
            return second == first + 1 and written[first] == known[second] and written[second] == known[first]
        return len(differing) == 1 and len(known) >= _LONG
    short, long = sorted((written, known), key=len)
    if len(long) - len(short) != 1 or len(known) < _LONG or written == f"{known}s":
        return False
    return any(long[:place] + long[place + 1 :] == short for place in range(len(long)))
