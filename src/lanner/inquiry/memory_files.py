"""Files in memory: readers of rules and of tests take paths."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_DESCRIPTORS: Final = "/proc/self/fd/"


def memory_file(content: bytes) -> str:
    """Return the path of a new file in memory, which exists until this process ends."""
    descriptor = os.memfd_create("rules", os.MFD_CLOEXEC)
    while content:
        content = content[os.write(descriptor, content) :]
    return f"{_DESCRIPTORS}{descriptor}"


@contextmanager
def open_memory_file(text: str) -> Iterator[str]:
    """Yield the path of a file in memory that exists in this block."""
    path = memory_file(text.encode())
    try:
        yield path
    finally:
        os.close(int(path.removeprefix(_DESCRIPTORS)))
