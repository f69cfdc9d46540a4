"""A plugin that logs from everywhere: from its own logger, the root logger, another package's, and a thread of its own."""

import logging
import threading
from collections.abc import Iterator

import lanner

logging.getLogger(__name__).info("imported")


class Says(lanner.Plugin):
    """Says."""

    id, name, version, event_source = 4248, "says", "0.1.0", "says"
    contact = "github.com/you/says"

    def open(self, params: str) -> Iterator[str]:
        logging.debug("root debug of says")  # noqa: LOG015
        logging.getLogger("a.library").info("library of says")
        logging.getLogger(__name__).warning("opened by says")
        thread = threading.Thread(target=self._work)
        thread.start()
        thread.join()
        yield params

    def _work(self) -> None:
        logging.getLogger("a.library").error("thread of says")

    @lanner.field("says.text", "The payload")
    def text(self, event: lanner.Event) -> str:
        return event.payload.decode()
