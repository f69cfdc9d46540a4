"""An SSH server on the loopback for tests: Debian's sshd, with separate keys, configuration and PATH, and no right that a test lacks."""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from ..waiting import PATIENCE

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
# what `docker system dial-stdio` does, for a machine without Docker: standard input and output to the socket, and back
DIAL = """#!{python} -IS
import os, select, socket, sys
with open({log!r}, "a") as log:
    print(os.getpid(), *sys.argv[1:], file=log)
engine = socket.socket(socket.AF_UNIX)
try:
    engine.connect({path!r})
except OSError as error:
    sys.exit("failed to open the raw stream connection: dial unix {path}: " + error.strerror)
poll = select.poll()
poll.register(0, select.POLLIN)
poll.register(engine, select.POLLIN)
while True:
    for descriptor, _ in poll.poll():
        data = os.read(descriptor, 65536)
        if not data:
            sys.exit()
        if descriptor == 0:
            engine.sendall(data)
        else:
            while data:
                data = data[os.write(1, data):]
"""


def why_not():
    """Say why no server can be started on this machine; None if one can."""
    missing = [
        name for name, found in (("sshd", SSHD), ("ssh", shutil.which("ssh")), ("ssh-keygen", shutil.which("ssh-keygen"))) if not found
    ]
    return f"not installed: {', '.join(missing)} (Debian: apt-get install openssh-server openssh-client)" if missing else None


def write_program(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def write_dial(folder, socket_path):
    """A `docker` in `folder` that knows `system dial-stdio` to that socket; the file that keeps how it was called is given back."""
    log = folder.parent / f"{folder.name}.log"
    log.touch()
    write_program(folder / "docker", DIAL.format(python=sys.executable, log=str(log), path=str(socket_path)))
    return log


class SshServer:
    """A context manager: the server runs inside its `with`. `ssh` in `programs` is the client that knows its key and ours.

    A user name is not needed in addresses, but `user` is the only one who can log in. `remote` is the first folder of the PATH there.
    """

    def __init__(self, root):
        self.root = Path(root)
        self.programs, self.remote = self.root / "programs", self.root / "remote"
        self.user = getpass.getuser()
        self.known_hosts, self.key = self.root / "known_hosts", self.root / "key"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"ssh://{self.user}@127.0.0.1:{self.port}"
        self._process = None

    def __enter__(self):
        for name in ("host", "key"):
            self._make_key(name)
        public = (self.root / "host.pub").read_text().split()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public[0]} {public[1]}\n")
        shutil.copy(self.root / "key.pub", self.root / "authorized_keys")
        self._write_configurations()
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where its package has systemd make it
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Listen; again, after `stop`, on the same port."""
        with (self.root / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(self.root / "sshd_config")], stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while True:
            assert self._process.poll() is None, (self.root / "sshd.log").read_text()
            assert time.monotonic() < deadline, "sshd does not listen"
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.02)
            else:
                return

    def stop(self):
        """Stop listening; connections stay open."""
        self._process.terminate()
        self._process.wait(PATIENCE)

    def _make_key(self, name):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.root / name)], check=True)

    def _write_configurations(self):
        self.remote.mkdir(exist_ok=True)
        (self.root / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {self.root}/host\nAuthorizedKeysFile {self.root}/authorized_keys\n"
            "PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication yes\nMaxStartups 100\n"
            f"SetEnv PATH={self.remote}:/usr/bin:/bin\n"
        )
        (self.root / "ssh_config").write_text(
            f"Host *\n  UserKnownHostsFile {self.known_hosts}\n  GlobalKnownHostsFile /dev/null\n  IdentityFile {self.key}\n"
            "  IdentitiesOnly yes\n  IdentityAgent none\n"
            f"Host engine\n  HostName 127.0.0.1\n  HostKeyAlias [127.0.0.1]:{self.port}\n  Port {self.port}\n  User {self.user}\n"
        )
        ssh = shutil.which("ssh")
        write_program(self.programs / "ssh", f'#!/bin/sh\necho $$ "$@" >>{self.root}/ssh.log\nexec {ssh} -F {self.root}/ssh_config "$@"\n')

    def started(self):
        """The processes of ssh that were started, each with its arguments."""
        return [(int(words[0]), words[1:]) for words in map(str.split, (self.root / "ssh.log").read_text().splitlines())]
