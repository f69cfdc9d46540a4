"""Libraries are changed before they are compressed for a bundle. The loader gives them back byte by byte."""

import struct
import subprocess
import sys
from pathlib import Path

import lz4.block
import msgspec._core
import pytest

from lanner.bundle.images import prepare, strip_symbols
from lanner.bundle.libraries import find_needed, interpreter_of
from lanner.native import _native

SOURCES = Path(__file__).parents[2] / "src" / "lanner" / "native"
EXTENSIONS = [Path(_native.__file__), Path(msgspec._core.__file__)]


@pytest.fixture(scope="module")
def unpack(made_once):
    def make(program):
        sources = [Path(__file__).with_name("images.c"), SOURCES / "loader" / "image.c"]
        subprocess.run(["cc", "-O2", "-Wall", f"-I{SOURCES}", "-o", program, *sources, "-llz4", "-ldl"], check=True)

    program = made_once("images", make)

    def run(path, size):
        return subprocess.run([program, path, str(size)], capture_output=True, check=False)

    return run


def packed(changes, content):
    return changes + lz4.block.compress(content, store_size=False)


def test_every_library_is_restored_and_packs_better(unpack, tmp_path):
    needed = find_needed(EXTENSIONS, interpreter_of(sys.executable))
    before = after = 0
    for path in [*EXTENSIONS, *(library.path for library in needed.values())]:
        image = strip_symbols(path.read_bytes())
        file = tmp_path / path.name
        file.write_bytes(packed(*prepare(image)))
        done = unpack(file, len(image))
        assert done.returncode == 0, done.stderr
        assert done.stdout == image, path
        before, after = before + len(packed(b"\0", image)), after + file.stat().st_size
    assert after < 0.96 * before


@pytest.mark.parametrize(
    "changes",
    [
        b"",
        b"\xff",
        b"\x01" + struct.pack("<IIHH", 0, 4097, 0, 0),
        b"\x01" + struct.pack("<IIHH", 9, 8, 3, 8),
        b"\x01" + struct.pack("<IIHH", 0, 4096, 3, 7),
        b"\x01" + struct.pack("<IIHH", 0, 0xFFFFFFFF, 2, 4),
    ],
    ids=["no list", "a list that is cut off", "beyond the end", "an end before the beginning", "words of seven bytes", "a huge table"],
)
def test_an_invalid_list_of_changes_is_refused(unpack, tmp_path, changes):
    file = tmp_path / "damaged"
    file.write_bytes(packed(changes, bytes(4096)) if changes else b"")
    done = unpack(file, 4096)
    assert done.returncode == 1
    assert b"library in this plugin is damaged" in done.stderr


@pytest.mark.parametrize("end", range(12))
def test_tables_and_code_may_end_anywhere(unpack, tmp_path, end):
    content = b"\xe8" * 16
    for columns, width in ((3, 8), (2, 4), (0, 0), (65535, 8)):
        file = tmp_path / "library"
        file.write_bytes(packed(b"\x01" + struct.pack("<IIHH", 0, end, columns, width), content))
        done = unpack(file, len(content))
        assert done.returncode == 0
        assert done.stdout[end:] == content[end:]
