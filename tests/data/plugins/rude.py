"""A plugin that goes to the limits of what a host can take."""

import logging
from typing import ClassVar

from every import Every

import lanner


class Rude(Every):
    """Is rude."""

    id, name, version, event_source = 4246, "rude", "0.1.0", "rude"
    contact = "github.com/you/rude"
    host_logging = True
    _kept: ClassVar[list[object]] = []

    def progress(self) -> float:
        return float("nan")

    def list_open_params(self) -> list[tuple[str, str]]:
        logging.getLogger("rude").warning("asked")
        return [("[]", "no events")]

    @lanner.field("rude.leaks", "Loses a small object each time")
    def leaks(self, event: lanner.Event) -> int:
        self._kept.append(object())
        return event.number
