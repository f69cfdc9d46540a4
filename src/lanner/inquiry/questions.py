"""`Inquiry`: questions about stored alerts, answered by a process that may fail without harm."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from lanner.inquiry.cases import make_case, make_question
from lanner.inquiry.process_messages import EndedError, receive, send
from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.alerts.alert_store import AlertStore
    from lanner.alerts.stored import Detail
    from lanner.inquiry.process_messages import Case, Kind, Question

Answer: TypeAlias = "dict[str, Any]"

_SECONDS: Final = 15.0
"""Time for an answer, with the start of the process."""
_REST: Final = 60.0
"""Seconds before a plugin that crashed or did not answer is retried."""


class Inquiry:
    """Questions about alerts of stores. Each answer has the member `unavailable`, with the reason, if it cannot be given.

    `plugins` are names of plugins, as for `lanner run`, that the user allows in addition to the built-in and installed ones. `config` is
    the configuration of the plugin. `counts`: an exception is tried on recent alerts. The process of the last run is kept for further
    questions. Threads take turns.
    """

    def __init__(self, plugins: Sequence[str] = (), config: str = "", *, seconds: float = _SECONDS, counts: bool = True) -> None:
        self._plugins, self._config, self._seconds, self._counts = plugins, config, seconds, counts
        self._lock = threading.Lock()
        self._case: Case | None = None
        self._process: _Process | None = None
        self._closed = False
        self._failed: dict[Case, tuple[float, str]] = {}

    def ask(self, kind: Kind, detail: Detail, store: AlertStore) -> Answer:
        """Answer a question about an alert: "why" it fired, an "exception" or a "test" for it."""
        try:
            case = make_case(detail, store, self._plugins, self._config)
            question = make_question(kind, detail, store, counts=self._counts)
        except LannerError as error:
            return {"unavailable": str(error)}
        with self._lock:
            answer = None if self._closed else self._ask(case, question)
        return answer if answer is not None and not self._closed else {"unavailable": "this process is ending"}

    def close(self) -> None:
        """End the process, even while it answers. Later questions have no answer."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()
        with self._lock:
            self._end()

    def _ask(self, case: Case, question: Question) -> Answer:
        since, reason = self._failed.get(case, (0.0, ""))
        if reason and time.monotonic() - since < _REST:
            return {"unavailable": reason}
        self._failed.pop(case, None)
        until, how = time.monotonic() + self._seconds, ""
        for _ in range(2):  # an idle process may end at any moment
            is_new = self._process is None or self._case != case
            if is_new:
                self._end()
                self._process, self._case = _Process(), case
            assert self._process is not None
            if self._closed:
                break
            try:
                return self._process.ask(case if is_new else None, question, until)
            except EndedError:
                how = self._process.how(until)
                self._end()
                if is_new or self._closed or time.monotonic() >= until:
                    break
        reason = f"the plugin {case.plugin} {how}: its code ran in a separate process. `lanner rules explain` shows more"
        self._failed = {case: (time.monotonic(), reason)}
        return {"unavailable": reason}

    def _end(self) -> None:
        if self._process is not None:
            self._process.close()
        self._process = self._case = None


class _Process:
    """One process of `lanner.inquiry.answers`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "lanner.inquiry.answers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout

    def ask(self, case: Case | None, question: Question, until: float) -> Answer:
        """Return the answer. Raises `EndedError` if the process ends, or does not answer in time."""
        if case is not None:
            send(self._to.fileno(), case)
        send(self._to.fileno(), question)
        found: Answer = msgspec.msgpack.decode(receive(self._from.fileno(), max(0.0, until - time.monotonic())))
        return found

    def how(self, until: float) -> str:
        """Return what happened to a process that did not answer."""
        if time.monotonic() >= until:
            return "did not answer in time"
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(1)
            if code < 0:
                return f"crashed ({signal.Signals(-code).name})"
        return "ended the process"

    def kill(self) -> None:
        """Kill the process, and processes that the plugin's code has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill the process and release it."""
        self.kill()
        self._to.close()
        self._from.close()
        self._process.wait()
