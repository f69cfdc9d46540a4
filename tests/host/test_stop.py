"""Ends of a run from outside: the first signal or the time limit closes the source, once; a second signal ends the process."""

import os
import signal
import threading
import time

import pytest

from lanner.host.stop import close_on_signal

from ..waiting import PATIENCE, check_descriptors, count_descriptors


class Closed:
    """A close() that counts its calls and waits, if told so, before it returns."""

    def __init__(self):
        self.calls = 0
        self.called = threading.Event()
        self.release = threading.Event()
        self.release.set()

    def __call__(self):
        self.calls += 1
        self.called.set()
        self.release.wait()


@pytest.fixture
def close():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    closed = Closed()
    yield closed
    closed.release.set()
    for number, handler in before.items():
        signal.signal(number, handler)


def state():
    wakeup = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakeup)
    return wakeup, signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)


def join_watchers():
    """Wait for Lanner's threads to end: `close_on_signal` waits for them only a moment."""
    for thread in threading.enumerate():
        if thread.name.startswith("lanner-"):
            thread.join(PATIENCE)
            assert not thread.is_alive(), thread.name


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_source_and_does_not_interrupt(close, number):
    with close_on_signal(close):
        os.kill(os.getpid(), number)
        assert close.called.wait(PATIENCE)
    assert close.calls == 1


def test_more_signals_than_can_be_held_do_no_harm(close):
    begun, go_on = threading.Event(), threading.Event()

    def slow():
        begun.set()
        go_on.wait()

    before = signal.getsignal(signal.SIGUSR1)
    with close_on_signal(close, others={signal.SIGUSR1: slow}):
        signal.raise_signal(signal.SIGUSR1)
        assert begun.wait(PATIENCE)
        for _ in range(100_000):  # a pipe holds 65,536 bytes
            signal.raise_signal(signal.SIGINT)
    go_on.set()
    assert close.called.wait(PATIENCE)
    assert close.calls == 1
    assert signal.getsignal(signal.SIGUSR1) == before
    join_watchers()


def test_the_time_limit_closes_the_source_once(close):
    begin = time.monotonic()
    with close_on_signal(close, 0.05):
        assert close.called.wait(PATIENCE)
        assert time.monotonic() - begin >= 0.05
    assert close.calls == 1


@pytest.mark.parametrize("duration", [float("inf"), 1e300, 1e9])
def test_a_time_limit_beyond_all_clocks_leaves_signals_heard(close, duration):
    with close_on_signal(close, duration):
        os.kill(os.getpid(), signal.SIGINT)
        assert close.called.wait(PATIENCE)
    assert close.calls == 1


def test_a_long_time_limit_is_waited_for_in_parts(monkeypatch, close):
    monkeypatch.setattr("lanner.host.stop._LONGEST_WAIT", 0.01)
    begin = time.monotonic()
    with close_on_signal(close, 0.1):
        assert close.called.wait(PATIENCE)
        assert time.monotonic() - begin >= 0.1


def test_nothing_is_closed_where_the_run_ends_by_itself(close):
    with close_on_signal(close, 60):
        pass
    assert close.calls == 0
    join_watchers()


def test_all_is_as_before_afterwards_also_after_a_failure(close):
    before = state()
    with close_on_signal(close):
        assert state() != before
    assert state() == before
    with pytest.raises(KeyError), close_on_signal(close):
        raise KeyError
    assert state() == before
    join_watchers()


def test_no_descriptor_is_left_open(close):
    before = count_descriptors()
    for _ in range(5):
        with close_on_signal(close):
            pass
    check_descriptors(before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_process_while_close_hangs(monkeypatch, close, number):
    codes = []
    ended = threading.Event()

    def leave(code):
        codes.append(code)
        ended.set()
        raise SystemExit  # as the real one, it does not come back

    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr("lanner.sdk.signals.ONE_REQUEST", 0.0)
    close.release.clear()
    with close_on_signal(close):
        os.kill(os.getpid(), signal.SIGINT)
        assert close.called.wait(PATIENCE)
        assert codes == []
        os.kill(os.getpid(), number)
        assert ended.wait(PATIENCE)
    assert codes == [128 + number]
    assert close.calls == 1


def test_other_signals_are_left_to_their_handlers(close):
    heard = threading.Event()
    previous = signal.signal(signal.SIGUSR1, lambda *_: heard.set())
    try:
        with close_on_signal(close, 60):
            os.kill(os.getpid(), signal.SIGUSR1)
            assert heard.wait(PATIENCE)
            assert close.calls == 0
            os.kill(os.getpid(), signal.SIGTERM)
            assert close.called.wait(PATIENCE)
    finally:
        signal.signal(signal.SIGUSR1, previous)
    assert close.calls == 1


def test_a_signal_that_comes_twice_at_once_is_one(monkeypatch, close):
    monkeypatch.setattr(os, "_exit", lambda code: pytest.fail(f"the process would have ended with {code}"))
    monkeypatch.setattr("lanner.sdk.signals.ONE_REQUEST", 3600.0)
    with close_on_signal(close):
        os.kill(os.getpid(), signal.SIGINT)
        assert close.called.wait(PATIENCE)
        os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    assert close.calls == 1
    join_watchers()


def test_another_signal_has_its_function_called_and_ends_nothing(close):
    before = signal.getsignal(signal.SIGHUP)
    called = threading.Event()
    with close_on_signal(close, others={signal.SIGHUP: called.set}):
        os.kill(os.getpid(), signal.SIGHUP)
        assert called.wait(PATIENCE)
        assert close.calls == 0
    assert signal.getsignal(signal.SIGHUP) is before


def test_a_signal_that_is_ignored_stays_so(close):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with close_on_signal(close, others={signal.SIGHUP: pytest.fail}):
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
