"""Declaration of the sink `file_output`."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from lanner.sdk.authoring.checks import Finding
from lanner.sdk.options.blocks import PATH, Block
from lanner.sinks.declaration import CommonSettings, Declaration, NoAdditions, SinkBlock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.outputs.base import Sink


class FileBlock(SinkBlock, Block, frozen=True):
    """Append alerts to a file. A new file has mode 0600."""

    filename: Annotated[str, PATH, Meta(description="Path of the file")] = ""
    keep_alive: Annotated[bool, Meta(description="True: keep the file open until SIGUSR1; false: open it for each batch of alerts")] = False


def _make(block: FileBlock, _: NoAdditions, __: CommonSettings) -> Sink:
    from lanner.outputs.file_output import FileOutput

    return FileOutput(block.filename, keep_alive=block.keep_alive)


def _check(block: FileBlock) -> None:
    from lanner.outputs.file_output import check_file

    check_file(block.filename)


def _examine(block: FileBlock, _: NoAdditions) -> Iterator[Finding]:
    path = block.filename
    file, folder = Path(path), Path(path).parent
    if file.is_dir():
        yield Finding.problem(f"the file {path} is a directory", "$.file_output.filename: name a file")
    elif file.exists() and not os.access(file, os.W_OK):
        yield Finding.problem(f"the file {path} cannot be written by this user", f"Check its owner and mode: {_rights(file)}")
    elif not file.exists() and not folder.is_dir():
        yield Finding.problem(f"the directory of the file {path} does not exist", f"mkdir -p {folder}")
    elif not file.exists() and not os.access(folder, os.W_OK | os.X_OK):
        yield Finding.problem(f"this user cannot create a file in {folder}", f"Check its owner and mode: {_rights(folder)}")
    elif file.exists() and stat.S_IMODE(file.stat().st_mode) & stat.S_IROTH:
        yield Finding.warning(f"everybody can read the file {path}, and alerts contain command lines", f"chmod o-r {path}")
    else:
        yield Finding.ok(f"the file {path}")


def _rights(path: Path) -> str:
    found = path.stat()
    return f"it is {stat.S_IMODE(found.st_mode):04o} of {found.st_uid}:{found.st_gid}"


FILE: Final = Declaration(
    "file_output",
    FileBlock,
    _make,
    _examine,
    required={"filename": "the path of the file that alerts go to"},
    check=_check,
    file="filename",
)
