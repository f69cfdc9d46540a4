"""Alerts to several outputs at once, or to none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.outputs.base import Output


class SeveralOutputs:
    """An `Output` that hands each alert to all of others. An error in one keeps the next from the alert, not from being closed."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._outputs = tuple(outputs)

    def write(self, line: str) -> None:
        """Take one alert."""
        for output in self._outputs:
            output.write(line)

    def flush(self) -> None:
        """Have all hand over what they took."""
        for output in self._outputs:
            output.flush()

    def close(self) -> None:
        """Close all, and raise what the first one raised that failed."""
        failed: Exception | None = None
        for output in self._outputs:
            try:
                output.close()
            except OSError as error:
                failed = failed or error
        if failed is not None:
            raise failed
