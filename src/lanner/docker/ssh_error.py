"""The error of a link over ssh, and its timeout: for code that does not need ssh itself."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

SSH_TIMEOUT: Final = 10
"""Timeout of ssh to connect and log in, in seconds, before the request's own timeout begins."""


class SshError(OSError):
    """ssh or the remote command failed: one sentence with the reason, and `advice`.

    `is_away`: the machine or its engine did not answer now, and nothing indicates an invalid configuration.
    """

    def __init__(self, message: str, advice: str, *, is_away: bool = False) -> None:
        super().__init__(message)
        self.advice = advice
        self.is_away = is_away
