"""A private Docker engine for tests, measurements and recordings: started in a temporary directory and removed afterwards.

Needs root, dockerd, its client and a static busybox (Debian: docker.io, busybox-static). Provides a running
engine that no other program uses, its socket, its command line, and its events as its own client prints them. No registry, network or
system-wide socket is used; the image `busy:1` is made from busybox.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

IMAGE = "busy:1"
APPLETS = ("sh", "ash", "cat", "echo", "false", "id", "ls", "nc", "ps", "sleep", "tail", "touch", "true", "wget")
_CAP_SYS_ADMIN = 21
_START_TIMEOUT = 120.0
_STOP_TIMEOUT = 30.0


def _program(name: str) -> str | None:
    # Debian's paths first: PATH may contain another client of that name
    for directory in ("/usr/bin", "/usr/sbin", "/bin", "/sbin"):
        if os.access(f"{directory}/{name}", os.X_OK):
            return f"{directory}/{name}"
    return shutil.which(name)


def _may_administer() -> bool:
    status = Path("/proc/self/status").read_text("ascii", "replace")
    return bool(int(status.partition("CapEff:")[2].split()[0], 16) >> _CAP_SYS_ADMIN & 1)


def why_not() -> str | None:
    """Return why no engine can be started on this machine, or None."""
    if os.geteuid() != 0:
        return "starting a dockerd takes root"
    if not _may_administer():
        return "starting a dockerd takes the capability CAP_SYS_ADMIN, which this container lacks"
    missing = [name for name in ("dockerd", "docker", "containerd", "runc", "busybox") if _program(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: apt-get install docker.io busybox-static)"
    return None


class Dockerd:
    """A private engine, as a context manager.

    `host` is its address for DOCKER_HOST and `-H`, `socket` the path of its socket. `options` are further dockerd options, such as another
    `-H`. Raises RuntimeError, with the end of the engine's log, if it does not start.
    """

    def __init__(self, *options: str) -> None:
        self._options = options
        self.root: Path = Path(tempfile.mkdtemp(prefix="lanner-dockerd-", dir="/tmp"))  # not $TMPDIR: a socket's path must be short
        self.socket: Path = self.root / "docker.sock"
        self.host: str = f"unix://{self.socket}"
        self.log: Path = self.root / "dockerd.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
            self._make_image()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    @property
    def running(self) -> bool:
        """Whether the engine is started."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """The process of the running engine."""
        assert self._process is not None, "the engine is stopped"
        return self._process.pid

    def start(self) -> None:
        """Start the engine with the state of an earlier run, and wait until it responds."""
        if why := why_not():
            raise RuntimeError(f"no Docker engine can be started: {why}")
        options = ("--iptables=false", "--bridge=none", "--storage-driver=vfs", "--shutdown-timeout=1")
        configuration = self.root / "daemon.json"  # otherwise dockerd reads /etc/docker
        configuration.write_text("{}")
        places = (
            "--data-root",
            self.root / "data",
            "--exec-root",
            self.root / "exec",
            "-p",
            self.root / "pid",
            "--config-file",
            configuration,
        )
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin:" + os.environ.get("PATH", ""), "HOME": str(self.root)}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the programs of this module's own choice, here and below
                [str(_program("dockerd")), *options, "-H", self.host, *map(str, places), *self._options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,  # the tests handle Ctrl-C and then stop the engine
            )
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"dockerd did not start:\n{self._log_end()}")
            time.sleep(0.05)

    def stop(self, *, kill: bool = False) -> None:
        """Stop the engine, with SIGKILL if `kill`. Its state is kept for `start`."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if kill:  # also stops containerd; an unreaped one would block the next dockerd
            (self.root / "exec/containerd/containerd.pid").unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)

    def reload(self) -> None:
        """Have the engine reload its configuration."""
        os.kill(self.pid, signal.SIGHUP)

    def docker(self, *arguments: str, check: bool = True, stdin: str | bytes = b"") -> str:
        """Run `docker ARGUMENTS` against this engine and return its output.

        Raises RuntimeError with docker's message if it fails, unless `check` is false.
        """
        text = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(self.command(*arguments), input=text, capture_output=True, check=False, timeout=90)  # noqa: S603
        if check and done.returncode:
            raise RuntimeError(f"docker {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode(errors="replace").strip()

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of `docker ARGUMENTS` against this engine."""
        return [str(_program("docker")), "-H", self.host, *arguments]

    def recorded(self) -> Recording:
        """Return a recording of the engine's events from now on."""
        return Recording(self)

    def swarm_init(self) -> int:
        """Make the engine a swarm of one manager. Return the port for joining."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        here = f"127.0.0.1:{port}"
        self.docker("swarm", "init", "--advertise-addr", here, "--listen-addr", here, "--dispatcher-heartbeat", "1s")
        return port

    def clear(self) -> None:
        """Remove containers, services, the swarm, networks and volumes; images stay."""
        self.docker("swarm", "leave", "--force", check=False)
        if containers := self.docker("ps", "-aq").split():
            self.docker("rm", "-fv", *containers, check=False)
        own = [name for name in self.docker("network", "ls", "--format", "{{.Name}}").split() if name not in {"host", "none"}]
        for kind, names in (("network", own), ("volume", self.docker("volume", "ls", "-q").split())):
            if names:
                self.docker(kind, "rm", *names, check=False)

    def close(self) -> None:
        """Stop the engine and all its processes, and remove its state. May be called again."""
        if self._process is not None:
            with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
                self.clear()
            self.stop()
        if self.root.exists():
            self._kill_leftovers()
            self._unmount()
            shutil.rmtree(self.root, ignore_errors=True)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as link:
            try:
                link.connect(str(self.socket))
                link.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b" 200 " in link.recv(100)
            except OSError:
                return False

    def _make_image(self) -> None:
        rootfs = self.root / "rootfs"
        (rootfs / "bin").mkdir(parents=True)
        for directory in ("etc", "tmp"):
            (rootfs / directory).mkdir()
        shutil.copy(str(_program("busybox")), rootfs / "bin/busybox")
        for applet in APPLETS:
            (rootfs / "bin" / applet).symlink_to("busybox")
        tar = subprocess.run(["tar", "-C", str(rootfs), "-c", "."], capture_output=True, check=True).stdout  # noqa: S603, S607
        self.docker("import", "-", IMAGE, stdin=tar)

    def _log_end(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])

    def _kill_leftovers(self) -> None:
        """Kill processes left by a killed engine: containerd, shims, and their containers."""
        for _ in range(50):
            alive = [pid for pid in _processes() if _names(pid, str(self.root))]
            if not alive:
                return
            for pid in alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)

    def _unmount(self) -> None:
        mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        for mount in sorted((m for m in mounts if m.startswith(f"{self.root}/")), reverse=True):
            subprocess.run(["umount", "-l", mount], check=False, capture_output=True)  # noqa: S603, S607


class Recording:
    """Output of `docker events --format '{{json .}}'` while its context is active: `lines`, one event each, as strings."""

    def __init__(self, engine: Dockerd) -> None:
        # since: events before the client is ready are not lost
        since = f"{time.time_ns() / 1e9:.9f}"
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(  # noqa: S603
            engine.command("events", "--since", since, "--format", "{{json .}}"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with self._news:
                    self.lines.append(line.rstrip("\n"))
                    self._news.notify_all()

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], timeout: float = 30.0) -> dict[str, Any]:
        """Return the first event that satisfies `wanted`. Raises TimeoutError after `timeout` seconds."""
        seen = 0

        def found() -> dict[str, Any] | None:
            nonlocal seen
            while seen < len(self.lines):
                event: dict[str, Any] = json.loads(self.lines[seen])
                seen += 1
                if wanted(event):
                    return event
            return None

        with self._news:
            event = self._news.wait_for(found, timeout)
        if event is None:
            raise TimeoutError(f"none of {many(seen, 'event')} was the expected one")
        return event

    def wait_for_action(self, kind: str, action: str, **attributes: str) -> dict[str, Any]:
        """Return the first event with this type, action (without the part after its colon) and attributes (`_` stands for `.`)."""
        wanted = {key.replace("_", "."): value for key, value in attributes.items()}
        return self.wait_for(
            lambda event: (
                event["Type"] == kind
                and event["Action"].partition(":")[0] == action
                and wanted.items() <= event["Actor"]["Attributes"].items()
            )
        )


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and int(entry.name) != os.getpid()]


def _names(pid: int, directory: str) -> bool:
    """Return whether the engine of `directory` started the process, or the process runs in one of its containers."""
    with contextlib.suppress(OSError):
        if f"{directory}/".encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            return True
        return Path(f"/proc/{pid}/mountinfo").read_text().splitlines()[0].split()[3].startswith(directory)
    return False
