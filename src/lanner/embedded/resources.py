"""Data files of packages in a plugin with a bundled Python, for importlib.resources; see importlib.resources.abc.Traversable."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO, Any


class Reader:
    """The resources of one package."""

    def __init__(self, files: Mapping[str, memoryview], folder: str) -> None:
        self._root = Entry(files, folder)

    def files(self) -> Entry:
        """Return the package's folder."""
        return self._root


class Entry:
    """A file or folder of the archive, by its path in the archive."""

    def __init__(self, files: Mapping[str, memoryview], path: str) -> None:
        self._files = files
        self._path = path
        self.name = path.rpartition("/")[2]

    def is_file(self) -> bool:
        """Return whether this is an existing file."""
        return self._path in self._files

    def is_dir(self) -> bool:
        """Return whether this is a folder with content."""
        return any(file.startswith(f"{self._path}/") for file in self._files)

    def iterdir(self) -> Iterator[Entry]:
        """Yield the folder's entries."""
        before = f"{self._path}/"
        names = {file.removeprefix(before).partition("/")[0] for file in self._files if file.startswith(before)}
        return (Entry(self._files, before + name) for name in sorted(names))

    def joinpath(self, *descendants: str) -> Entry:
        """Return the entry at this path, existing or not."""
        parts = [part for each in descendants for part in str(each).split("/") if part not in {"", "."}]
        return Entry(self._files, "/".join([self._path, *parts]))

    def __truediv__(self, child: str) -> Entry:
        return self.joinpath(child)

    def read_bytes(self) -> bytes:
        """Return the content. Raises `FileNotFoundError`."""
        if not self.is_file():
            raise FileNotFoundError(self._path)
        return bytes(self._files[self._path])

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """Return the content as a string, UTF-8 by default."""
        return str(self.read_bytes(), encoding or "utf-8", errors or "strict")

    def open(self, mode: str = "r", *args: Any, **kwargs: Any) -> IO[Any]:
        """Return the content as a readable file."""
        binary = io.BytesIO(self.read_bytes())
        return binary if "b" in mode else io.TextIOWrapper(binary, *args, **kwargs)
