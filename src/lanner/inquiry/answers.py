"""The process that answers questions about alerts: `python -P -m lanner.inquiry.answers`, started by `Inquiry`.

It loads the plugin and the rules of a case once. The kernel limits its memory and the processor time of each answer. It ends with its
parent, and if no question comes for some minutes.
"""

from __future__ import annotations

import os
import resource
import sys
from typing import Any, Final

import msgspec

from lanner.inquiry.process_messages import Case, EndedError, Question, receive, send
from lanner.sdk.errors import LannerError
from lanner.sdk.text.printable import escape_bytes_in, message_line

_MEMORY: Final = 2 << 30
_SECONDS: Final = 20
"""Processor time of an answer. The parent waits less; this ends a process whose parent has been killed."""
_IDLE: Final = 300.0


def main() -> None:
    """Answer until the parent closes the pipe."""
    incoming, outgoing = os.dup(0), os.dup(1)
    # output of the plugin must not be read as an answer
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, _MEMORY)
    try:
        case = msgspec.msgpack.decode(receive(incoming, _IDLE), type=Case)
        _limit_time()
        loaded, reason = _load(case)
        while True:
            question = msgspec.msgpack.decode(receive(incoming, _IDLE), type=Question)
            _limit_time()
            send(outgoing, {"unavailable": reason} if loaded is None else _answer(loaded, question))
    except EndedError:
        sys.exit(0)


def _limit_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + _SECONDS)


def _limit(kind: int, limit: int) -> None:
    """Set a limit, unless a service manager has set a lower one."""
    most = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))


def _load(case: Case) -> tuple[Any, str]:
    """Return the loaded case, or the reason why it cannot be loaded."""
    from lanner.inquiry.loaded import LoadedCase

    try:
        return LoadedCase(case), ""
    except Exception as error:  # noqa: BLE001 - plugin code may raise anything
        return None, _reason(error)


def _answer(loaded: Any, question: Question) -> dict[str, Any]:
    from lanner.inquiry.reply import make_reply

    try:
        answered: dict[str, Any] = escape_bytes_in(make_reply(loaded, question))
    except Exception as error:  # noqa: BLE001 - plugin code may raise anything
        return {"unavailable": _reason(error)}
    return answered


def _reason(error: Exception) -> str:
    text = str(error) if isinstance(error, LannerError) else f"{type(error).__name__}: {error}"
    return message_line(" ".join(text.split()))


if __name__ == "__main__":
    main()
