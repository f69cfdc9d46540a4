"""Notifications of the service manager: their content on a real socket, and that no other process gets any."""

import os
import queue
import re
import socket
import subprocess
import sys
import threading
import time

import pytest

from lanner.operating.notify import Notifier

from ..waiting import PATIENCE, until


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """(the variable's value, a socket that hears): as systemd has them, in both kinds."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@lanner-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(address.replace("@", "\0", 1))
        server.settimeout(PATIENCE)
        yield address, server


def test_a_run_from_its_start_to_its_end(manager):
    address, server = manager
    notifier = Notifier(environ={"NOTIFY_SOCKET": address})
    notifier.tell_ready("watching Docker Engine 20.10.24")
    notifier.status("3 alerts")
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notifier.tell_reloading()
    notifier.tell_ready()
    notifier.tell_stopping()
    notifier.close()
    heard = [server.recv(4096).decode() for _ in range(5)]
    assert heard[:2] == ["READY=1\nSTATUS=watching Docker Engine 20.10.24", "STATUS=3 alerts"]
    assert heard[3:] == ["READY=1", "STOPPING=1"]
    reloading = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", heard[2])
    assert before <= int(reloading[1]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_a_status_cannot_say_more_than_a_status(manager):
    address, server = manager
    notifier = Notifier(environ={"NOTIFY_SOCKET": address})
    notifier.status("engine x\nSTOPPING=1\rMAINPID=1\udcff")
    notifier.close()
    assert server.recv(4096) == b"STATUS=engine x STOPPING=1 MAINPID=1\\xff"


def test_the_watchdog_hears_of_a_run_while_it_is_alive(manager):
    address, server = manager
    alive = queue.SimpleQueue()
    answers = iter([True, True, False, ZeroDivisionError, True])
    asked = threading.Event()

    def is_alive():
        answer = next(answers, None)
        if answer is None:
            asked.set()
            return False
        alive.put(answer)
        if answer is ZeroDivisionError:
            raise answer
        return answer

    notifier = Notifier(is_alive, {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": str(os.getpid())})
    assert asked.wait(PATIENCE)
    notifier.close()
    server.setblocking(False)
    heard = []
    while len(heard) < 10:
        try:
            heard.append(server.recv(4096))
        except BlockingIOError:
            break
    assert heard == [b"WATCHDOG=1"] * 3


def test_a_run_that_is_stuck_is_reported_once(manager, caplog):
    address, _ = manager
    times, seen = iter(range(5)), threading.Event()

    def is_alive():
        if next(times, None) is None:
            seen.set()
        return False

    notifier = Notifier(is_alive, {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "10000"})
    assert seen.wait(PATIENCE)
    notifier.close()
    assert [record.getMessage() for record in caplog.records] == ["the run is stuck: no watchdog notifications until it continues"]


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "-1"},
        {"WATCHDOG_USEC": "9" * 30},
        {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"},
    ],
)
def test_there_is_no_watchdog_where_none_is_meant_for_this_process(manager, variables):
    notifier = Notifier(environ={"NOTIFY_SOCKET": manager[0], **variables})
    until(lambda: "lanner-watchdog" not in {thread.name for thread in threading.enumerate()})  # that of another test may be ending
    notifier.close()


def test_without_a_manager_nothing_is_done():
    environ = {"WATCHDOG_USEC": "10000"}
    notifier = Notifier(environ=environ)
    notifier.tell_ready("x")
    notifier.tell_reloading()
    notifier.tell_stopping()
    notifier.close()
    assert environ == {}
    until(lambda: "lanner-watchdog" not in {thread.name for thread in threading.enumerate()})


def test_programs_that_are_started_from_here_do_not_speak_for_it(manager):
    code = (
        "import os, subprocess, sys; from lanner.operating.notify import Notifier; Notifier();"
        "print(subprocess.check_output([sys.executable, '-c', 'import os; print(sorted(os.environ))'], text=True))"
    )
    variables = {"NOTIFY_SOCKET": manager[0], "WATCHDOG_USEC": "9000000", "WATCHDOG_PID": "1"}
    found = subprocess.run([sys.executable, "-c", code], env=os.environ | variables, capture_output=True, text=True, check=True).stdout
    assert "'PATH'" in found
    assert not [name for name in variables if name in found]


@pytest.mark.parametrize("address", ["/nonexistent/notify", "vsock:2:1234", "relative"])
def test_a_manager_that_is_not_there_is_reported_and_no_more(address, caplog):
    notifier = Notifier(environ={"NOTIFY_SOCKET": address})
    notifier.tell_ready()
    notifier.close()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert f"NOTIFY_SOCKET={address}" in caplog.text


def test_a_manager_that_does_not_read_delays_no_notification(manager, caplog):
    notifier = Notifier(environ={"NOTIFY_SOCKET": manager[0]})
    for _ in range(1000):
        notifier.status("something")
    notifier.close()
    assert "cannot send STATUS=something" in caplog.text
