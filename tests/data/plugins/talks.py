"""A plugin that logs from everywhere: from its own logger, the root logger, another package's, and a thread of its own."""

import logging
import threading
from collections.abc import Iterator

import lanner

logging.getLogger(__name__).info("imported")


class Talks(lanner.Plugin):
    """Talks."""

    id, name, version, event_source = 4247, "talks", "0.1.0", "talks"
    contact = "github.com/you/talks"

    def open(self, params: str) -> Iterator[str]:
        logging.debug("root debug of talks")  # noqa: LOG015
        logging.getLogger("a.library").info("library of talks")
        logging.getLogger(__name__).warning("opened by talks")
        thread = threading.Thread(target=self._work)
        thread.start()
        thread.join()
        yield params

    def _work(self) -> None:
        logging.getLogger("a.library").error("thread of talks")

    @lanner.field("talks.text", "The payload")
    def text(self, event: lanner.Event) -> str:
        return event.payload.decode()
