"""Connections that the host's thread reads itself, without Python: `lanner.native.HostReader` describes how.

A watch lends its connection while it would only wait. It is the owner again as soon as something happens that needs more than a copy.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from lanner.docker.client import Connection
    from lanner.docker.intake import Intake
    from lanner.native import HostReader, Loan
    from lanner.sources import Flag

_LONGEST: Final = 10.0
"""Seconds after which a watch checks for an incomplete event."""


class Borrower:
    """The borrower of an instance's connections: `reader` is None until the host asks for it, and after the end."""

    def __init__(self) -> None:
        self.reader: HostReader | None = None


class Lender:
    """Lends the connections of one engine, whose number is `engine`. For the watch's thread."""

    def __init__(self, borrower: Borrower, engine: int, intake: Intake, closing: Flag) -> None:
        self._borrower, self._engine, self._intake, self._closing = borrower, engine, intake, closing
        self._connection: Connection | None = None
        self._loan: Loan | None = None

    def lend(self, connection: Connection, seconds: float) -> float | None:
        """Wait for the connection's next bytes while the host may read them. Return when it did last, by the monotonic clock, or 0.0.

        None: the connection cannot be lent now. Raises `OSError`, and `ValueError` for an invalid body.
        """
        reader = self._borrower.reader
        if reader is None or not self._intake.is_idle:
            return None
        if self._connection is not connection:
            self._connection, self._loan = connection, self._intake.make_loan(connection, self._engine)
        loan = self._loan
        if loan is None:
            return None
        lines = None
        try:
            lines = reader.lend(loan, self._closing.fileno(), min(seconds, _LONGEST))
        finally:
            self._intake.catch_up(loan, lines)
        return loan.heard

    def end(self) -> None:
        """Forget the connection."""
        self._connection = self._loan = None
