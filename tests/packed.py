"""Parts of bundles, compressed once in a run of the tests: that takes half of the time of `lanner build --bundle`."""

import hashlib
import os
from pathlib import Path

from lanner.bundle import python_runtime

FOLDER = "LANNER_TESTS_PACKED"
"""The variable that names the directory of compressed parts."""
_pack = python_runtime._pack


def pack(content):
    """Return what `python_runtime._pack` returned when a process of this run first called it with this content."""
    path = Path(os.environ[FOLDER], hashlib.blake2b(content, digest_size=20).hexdigest())
    if not path.exists():
        mine = path.with_suffix(f".{os.getpid()}")
        mine.write_bytes(_pack(content))
        mine.rename(path)
    return path.read_bytes()


def share():
    """Let commands in this process use `pack`, if a session of tests has started it."""
    if FOLDER in os.environ:
        python_runtime._pack = pack
