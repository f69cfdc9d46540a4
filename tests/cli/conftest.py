"""The command `lanner` as a process: run to its end, or started and talked to; and engines that are none."""

import base64
import contextlib
import json
import os
import socket
import subprocess
import threading
from pathlib import Path
from typing import NamedTuple

import pytest

from lanner.cli.commands import commands

from .. import forked
from .doctoring import Engine, checked

LANNER = forked.LANNER
PLUGINS = str(Path(__file__).with_name("plugins.py"))
_CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "LANNER_", "FALCO_", "PYTHON"))}
ENVIRONMENT = _CLEAN | {"TZ": "UTC", "FALCO_HOSTNAME": "host", "HOME": "/nonexistent"}


class Done(NamedTuple):
    """The result of a process."""

    code: int
    out: bytes
    err: str

    @property
    def lines(self):
        return self.out.decode("utf-8", "surrogateescape").splitlines()


def read_terminal(leader):
    """Return the output on a terminal up to its end, and close the terminal."""
    data = b""
    try:
        while piece := os.read(leader, 1 << 16):
            data += piece
    except OSError:  # the terminal is closed
        pass
    finally:
        os.close(leader)
    return data


@pytest.fixture(scope="session")
def lanner():
    """`lanner(*arguments, stdin=b"")` runs the command to its end. With a prefix or options of `subprocess.run` it is the installed one."""

    def run(*arguments, stdin=b"", env=(), prefix=(), cwd=None, **options):
        environment = ENVIRONMENT | dict(env)
        if prefix or options or stdin is None:
            streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
            command = [*prefix, LANNER, *map(str, arguments)]
            done = subprocess.run(command, input=stdin, env=environment, cwd=cwd, timeout=120, check=False, **streams)
        else:
            done = forked.run(arguments, stdin=stdin, env=environment, cwd=cwd)
        return Done(done.returncode, done.stdout or b"", (done.stderr or b"").decode("utf-8", "replace"))

    return run


@pytest.fixture
def start():
    """`start(*arguments)` starts the command, with stdin, stdout and stderr as pipes of bytes, on a terminal of this number of columns."""
    with contextlib.ExitStack() as stack:

        def run(*arguments, columns="200", env=(), **options):
            streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | options
            environment = ENVIRONMENT | {"COLUMNS": columns} | dict(env)
            process = stack.enter_context(subprocess.Popen([LANNER, *map(str, arguments)], env=environment, **streams))
            stack.callback(process.kill)
            return process

        yield run


@pytest.fixture(scope="session")
def plugin():
    """`plugin(name)` is the command line's name of a plugin of plugins.py."""
    return lambda name: f"{PLUGINS}:{name}"


@pytest.fixture(scope="session")
def words():
    """Payloads as the open parameters of the plugins of plugins.py."""
    return lambda *payloads: ",".join(base64.b64encode(payload).decode() for payload in payloads)


@pytest.fixture
def rules(tmp_path):
    """`rules(source, condition, output)` is a file with one rule."""

    def write(source, condition="evt.num > 0", output="%words.text"):
        path = tmp_path / f"{source}.yaml"
        path.write_text(
            f"- rule: Something\n  desc: It happened\n  condition: {condition}\n"
            f"  output: 'got {output}'\n  priority: NOTICE\n  source: {source}\n"
        )
        return path

    return write


@pytest.fixture
def listen(tmp_path):
    """`listen(*answers)` is the address of a server that reads each request, answers in turn (the last repeatedly) and hangs up."""
    with contextlib.ExitStack() as stack:

        def serve(*answers):
            path = str(tmp_path / "engine.sock")
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(path)
            server.listen()
            thread = threading.Thread(target=_serve, args=(server, answers))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown, socket.SHUT_RDWR)
            return f"unix://{path}"

        yield serve


def _serve(server, answers):
    pending = list(answers)
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(pending.pop(0) if len(pending) > 1 else pending[0])


@pytest.fixture(scope="session")
def example():
    """The recording that comes with the Docker plugin."""
    return Path(__file__).parents[2] / "src" / "lanner" / "docker" / "example.jsonl"


@pytest.fixture(scope="session")
def replayed(lanner, example):
    """Return the result of `lanner run` with it."""
    return lanner("run", "docker", "--replay", example)


@pytest.fixture
def engine(tmp_path):
    """An engine with which all is well."""
    running = Engine(tmp_path / "docker.sock")
    running.path.chmod(0o660)
    yield running
    running.stop()


@pytest.fixture
def path(tmp_path):
    """`path(falco="a shell script")` is a PATH with such programs and no others."""

    def make(**programs):
        folder = tmp_path / "programs"
        folder.mkdir(exist_ok=True)
        for name, script in programs.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        return {"PATH": str(folder)}

    return make


@pytest.fixture
def examine(engine, path, monkeypatch, capfd):
    """`examine(*options)` is (exit status, {check: [(level, text, fix)]}) of an engine with which all is well, if not told otherwise."""

    def run_it(*options, host=None, env=()):
        with monkeypatch.context() as patched:
            for name in [name for name in os.environ if name not in ENVIRONMENT]:
                patched.delenv(name)
            for name, value in (ENVIRONMENT | path() | dict(env)).items():
                patched.setenv(name, value)
            code = commands.main(["doctor", *map(str, options), "--json", "--host", host or engine.url], standalone_mode=False)
        out, err = capfd.readouterr()
        assert err == ""
        return checked(code, json.loads(out))

    return run_it


# configuration, rules, outputs


@pytest.fixture
def falco_yaml(tmp_path):
    """`falco_yaml(text)` is such a file, with the Docker plugin."""

    def write(text, init_config="{}"):
        file = tmp_path / "falco.yaml"
        file.write_text(f"plugins: [{{name: docker, library_path: libdocker.so, init_config: {init_config}}}]\n{text}\n")
        return str(file)

    return write
