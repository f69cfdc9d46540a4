"""Growing pauses between attempts."""

from __future__ import annotations


class Backoff:
    """Pauses in seconds: each is twice the one before, up to `longest`, with jitter.

    Jitter keeps many hosts that lost one server from reconnecting at the same moment.
    """

    def __init__(self, first: float = 0.1, longest: float = 10.0) -> None:
        self._first, self._longest = first, longest
        self.pause: float = first
        """The pause that `next` returns."""

    def next(self) -> float:
        """Return the pause before the next attempt, and make the one after it longer."""
        import random  # only after a failure

        pause = self.pause
        self.pause = min(pause * 2, self._longest) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        return pause

    def reset(self) -> None:
        """Begin with the first pause again: the last attempt was successful."""
        self.pause = self._first
