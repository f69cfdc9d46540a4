"""The files that open event sources read or keep, which the outputs of a host must not write to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

ListFiles: TypeAlias = Callable[[Sequence[str]], Iterable[tuple[str, str]]]
"""Returns the files of a source, and those of the given paths that it would read too, each with its use (see `check_apart`)."""


class Inputs:
    """The files of the open sources of a run. `check` is called before a source reads files, and raises `UsageError` to refuse them."""

    def __init__(self, check: Callable[[Inputs], object]) -> None:
        self.check = check
        self._lists: list[ListFiles] = []

    def add(self, list_files: ListFiles) -> None:
        """Add the files of a source. Raises the error of `check`."""
        self._lists = [*self._lists, list_files]
        try:
            self.check(self)
        except BaseException:
            self.remove(list_files)
            raise

    def remove(self, list_files: ListFiles) -> None:
        """Remove the files of a source that is closed."""
        self._lists = [each for each in self._lists if each != list_files]

    def list_files(self, written: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield the files, and those of the `written` paths that a source would read as well."""
        for list_files in self._lists:
            yield from list_files(written)
