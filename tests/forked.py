"""The command `lanner` in forks of a process that has imported its modules: four fifths of the time of a short command are imports.

`run` is for what a command prints, writes and answers. Tests of the process itself (its start, signals, terminals, closed streams,
users) start the installed command.
"""

import array
import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

LANNER = str(Path(sys.executable).with_name("lanner"))
_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "ASAN_", "UBSAN_")
"""Beginnings of the names of variables that a process reads only when it starts."""
_PIPE = 65536
"""Bytes that a pipe takes without a reader."""
_MESSAGE = 100_000
_servers: dict[tuple[int, str], "_Server"] = {}
_starting = threading.Lock()


def run_text(arguments, *, env=None, cwd=None, timeout=290):
    """Run `lanner` with these arguments to its end; what it says, as text."""
    done = run(arguments, env=env, cwd=cwd, timeout=timeout)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def run(arguments, *, stdin=b"", env=None, cwd=None, timeout=120):
    """Run `lanner` with these arguments to its end, like `subprocess.run` with captured output."""
    environment = dict(os.environ if env is None else env)
    request = json.dumps([list(map(str, arguments)), environment, str(cwd or Path.cwd()), os.umask(os.umask(0))]).encode()
    if len(stdin) > _PIPE or len(request) > _MESSAGE:
        return subprocess.run(
            [LANNER, *map(str, arguments)], input=stdin, capture_output=True, env=env, cwd=cwd, timeout=timeout, check=False
        )
    at_start = {name: value for name, value in environment.items() if name.startswith(_AT_START)}
    key = os.getpid(), json.dumps(at_start, sort_keys=True)
    with _starting:
        if key not in _servers:
            _servers[key] = _Server(at_start)
    return _servers[key].run(request, arguments, stdin, timeout)


class _Server:
    """A process that forks for each request. It ends when the process that started it does."""

    def __init__(self, environment):
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # streams of the kinds that a command is given, as Python reads them when it starts
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with theirs:
            command = [sys.executable, __file__, str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment, **streams)
        atexit.register(self._end)

    def _end(self):
        self._socket.close()
        self._process.communicate()

    def run(self, request, arguments, stdin, timeout):
        mine, theirs = socket.socketpair()
        reader, writer = os.pipe()
        os.write(writer, stdin)
        os.close(writer)
        out, err = os.pipe(), os.pipe()
        with mine:
            with theirs:
                socket.send_fds(self._socket, [request], [reader, out[1], err[1], theirs.fileno()])
            for number in (reader, out[1], err[1]):
                os.close(number)
            pid = int.from_bytes(mine.recv(4), "little")
            if not pid:
                raise RuntimeError(f"the server of commands has ended: {self._process.communicate()[1].decode()}")
            texts = _read_to_the_end((out[0], err[0]), time.monotonic() + timeout)
            if texts is None:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired([LANNER, *arguments], timeout)
            code = int.from_bytes(mine.recv(4), "little", signed=True)
        return subprocess.CompletedProcess([LANNER, *arguments], code, *texts)


def _read_to_the_end(numbers, deadline):
    texts = {number: [] for number in numbers}
    with contextlib.ExitStack() as stack:
        waiting = stack.enter_context(selectors.DefaultSelector())
        for number in numbers:
            stack.callback(os.close, number)
            waiting.register(number, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(max(deadline - time.monotonic(), 0))
            if not ready:
                return None
            for key, _ in ready:
                if part := os.read(key.fd, _PIPE):
                    texts[key.fd].append(part)
                else:
                    waiting.unregister(key.fd)
    return [b"".join(parts) for parts in texts.values()]


def _serve(requests):
    """Fork for each request, and report each child's number and exit status to its asker."""
    _import_all()
    running = {}
    poll = select.poll()
    poll.register(requests, select.POLLIN)
    while True:
        for number, _ in poll.poll():
            if number in running:
                pid, answers = running.pop(number)
                poll.unregister(number)
                os.close(number)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                with answers, contextlib.suppress(OSError):
                    answers.sendall(code.to_bytes(4, "little", signed=True))
                continue
            request, descriptors = _receive(requests)
            if not request:
                return None
            pid = os.fork()
            if not pid:
                return request, descriptors
            for each in descriptors[:3]:
                os.close(each)
            answers = socket.socket(fileno=descriptors[3])
            answers.sendall(pid.to_bytes(4, "little"))
            waiter = os.pidfd_open(pid)
            running[waiter] = pid, answers
            poll.register(waiter, select.POLLIN)


def _receive(requests):
    numbers = array.array("i")
    request, ancillary, _, _ = requests.recvmsg(2 * _MESSAGE, socket.CMSG_SPACE(4 * numbers.itemsize))
    for _, _, data in ancillary:
        numbers.frombytes(data)
    return request, list(numbers)


def _import_all():
    """Import what commands use. A module that needs a package that is not installed tells so when a command uses it."""
    import lanner

    for package in pkgutil.iter_modules(lanner.__path__, "lanner."):
        if package.ispkg and package.name not in {"lanner.embedded", "lanner.testing"}:
            for module in pkgutil.walk_packages(importlib.import_module(package.name).__path__, f"{package.name}."):
                with contextlib.suppress(ImportError):
                    importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


def _become(request, descriptors):
    """Be the command that the request describes, as far as a process can change into another."""
    arguments, environment, directory, umask = json.loads(request)
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(directory)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv[:] = [LANNER, *arguments]
    sys.path[0] = str(Path(LANNER).parent)


def _finish(code):
    """End as Python does, but for the modules: to free all of them takes longer than a short command."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    import packed

    if asked := _serve(socket.socket(fileno=int(sys.argv[1]))):
        _become(*asked)
        packed.share()
        from lanner.cli.main import main

        try:
            main()
        except SystemExit as ended:
            _finish(ended.code)
