"""The unit under a real systemd: booted in separate namespaces, with a temporary file system, beside a stand-in for an engine.

Everything that the sandbox removes is removed here; the rest must suffice to start, to raise alerts, to reload, to
rotate, to detect a stuck run, and to end. Only root can do this; elsewhere it is skipped, with the reason.
"""

import contextlib
import json
import os
import shutil
import socketserver
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import msgspec
import pytest

import lanner
from lanner.native import _native

pytestmark = pytest.mark.soak

PACKAGING = Path(__file__).parents[2] / "packaging"
SYSTEMD = next((path for path in ("/lib/systemd/systemd", "/usr/lib/systemd/systemd") if Path(path).exists()), None)
TOOLS = ("unshare", "systemd-analyze", "systemd-sysusers", "mount", "timeout")

# run as root in separate namespaces; its mounts end with them
BOOT = """
set -e
mount --make-rprivate /
umount -l -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t proc proc /proc
mount -t tmpfs tmpfs /run && mkdir /run/lock
mount -t tmpfs tmpfs "$WORK/layers" && mkdir "$WORK"/layers/{etc,etc.work,var,var.work}
for each in etc var; do
  mount -t overlay overlay -o "lowerdir=/$each,upperdir=$WORK/layers/$each,workdir=$WORK/layers/$each.work" /$each
done
mount -t tmpfs tmpfs /opt && mkdir -p /opt/base /opt/site /opt/lanner/bin
mount --bind "$BASE" /opt/base
mount --bind "$SITE" /opt/site
[ "$SOURCES" = "$BUILT" ] || mount -t overlay overlay -o "lowerdir=$SOURCES:$BUILT" /opt/site/lanner
cat > /opt/lanner/bin/lanner <<'SCRIPT'
#!/bin/sh
LD_LIBRARY_PATH=/opt/base/lib PYTHONPATH=/opt/site exec /opt/base/bin/PYTHON -c 'from lanner.cli.main import main; main()' "$@"
SCRIPT
sed -i "s/PYTHON -c/$PYTHON -c/" /opt/lanner/bin/lanner
chmod 755 /opt/lanner/bin/lanner
getent group docker >/dev/null || groupadd -r docker
touch /run/docker.sock && mount --bind "$WORK/docker.sock" /run/docker.sock && chown root:docker /run/docker.sock && chmod 660 /run/docker.sock

systemd-sysusers "$PACKAGING/systemd/lanner.sysusers.conf"
install -D -m 640 -g lanner "$PACKAGING/systemd/falco.yaml" /etc/lanner/falco.yaml
sed 's/^WatchdogSec=.*/WatchdogSec=3/; s/^RestartSec=.*/RestartSec=1/; s/^\\[Unit\\]/[Unit]\\nDefaultDependencies=no/' \
  "$PACKAGING/systemd/lanner.service" > /etc/systemd/system/lanner.service
sed 's/^\\[Unit\\]/[Unit]\\nDefaultDependencies=no/' "$PACKAGING/systemd/lanner-console.service" > /etc/systemd/system/lanner-console.service
cat > /etc/systemd/system/probe.service <<UNIT
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/bash $WORK/probe
ExecStopPost=/bin/systemctl exit 0
StandardOutput=file:$WORK/out
StandardError=file:$WORK/err
UNIT
printf '[Unit]\\nDefaultDependencies=no\\nWants=probe.service\\n' > /etc/systemd/system/trial.target
rm -f /etc/machine-id && echo 0123456789abcdef0123456789abcdef > /etc/machine-id
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=trial "$SYSTEMD" --system --unit=trial.target --log-target=null --show-status=no
"""

# run by that systemd; each line that it prints is a name and what was found
PROBE = """
alerts=/var/log/lanner/alerts.json
until_() { for _ in $(seq 600); do eval "$1" && return; sleep 0.1; done; echo "failed $1"; }
show() { systemctl show lanner --property="$1" --value; }
systemctl start lanner; echo "start $?"
echo "status $(show StatusText)"
main=$(show MainPID)
grep -E '^(Uid|Gid|CapBnd|NoNewPrivs|Seccomp):' /proc/$main/status | sed 's/:/ /'
until_ "[ -s $alerts ]"
echo "mode $(stat -c '%U %G %a' $alerts)"

mv $alerts $alerts.1
systemctl kill --kill-whom=main --signal=USR1 lanner
until_ "[ -s $alerts ]"
before=$(wc -l < $alerts.1); until_ "[ \\$(wc -l < $alerts) -ge 3 ]"; after=$(wc -l < $alerts.1)
echo "rotated $((after - before))"

systemctl reload lanner; echo "reload $?"
mkdir -p /etc/systemd/system/lanner.service.d
cp "$PACKAGING/systemd/network.conf" /etc/systemd/system/lanner.service.d/
sed -i 's/enabled: false/enabled: true/' /etc/lanner/falco.yaml
systemctl daemon-reload; systemctl restart lanner; echo "restart $?"
ask() { python3 -c "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8765/$1', timeout=60).read().decode())"; }
echo "healthz $(ask healthz)"
systemctl reload lanner
until_ "ask metrics | grep -q 'lanner_reloads_total{result=\\"ok\\"} [1-9]'"
echo "reloads $(ask metrics | grep -c 'lanner_reloads_total{result=\\"failed\\"} 0.0')"

systemctl start lanner-console; echo "console $?"
echo "token $(stat -c '%U %a' /var/lib/lanner-console/token)"
python3 "$WORK/ask" "$(cat /var/lib/lanner-console/token)"
echo "user $(stat -c '%U' /proc/$(systemctl show lanner-console --property=MainPID --value))"

kill -STOP $(show MainPID)
until_ "[ \\$(show NRestarts) = 1 ]"
until_ "[ \\$(show ActiveState) = active ]"
echo "stuck $(show NRestarts) $(show ActiveState)"
systemctl stop lanner
echo "stop $(show Result) $(show ExecMainStatus)"
python3 "$WORK/ask" "$(cat /var/lib/lanner-console/token)" later
systemctl stop lanner-console
echo "consoles $(systemctl show lanner-console --property=Result --value)"
"""

# a client of the console: alerts of the store, on a read-only file system, and why the newest one fired
ASK = """
import json, sys, urllib.request
site, token, name = "http://127.0.0.1:8766", sys.argv[1], (sys.argv[2:] or ["alerts"])[0]
body = json.dumps({"token": token}).encode()
login = urllib.request.urlopen(urllib.request.Request(site + "/login", body, {"Content-Type": "application/json"}), timeout=60)
cookie = login.headers["Set-Cookie"].partition(";")[0]
def get(path):
    return json.load(urllib.request.urlopen(urllib.request.Request(f"{site}/api/{path}", headers={"Cookie": cookie}), timeout=60))
rows = get("alerts?limit=3")["alerts"]
status, why = get("status"), get(f"alert/{rows[0][1]}/why")
print(name, len(rows), rows[0][4], why.get("matches", why.get("unavailable")), status["is_running"])
"""


class Engine(BaseHTTPRequestHandler):
    """An engine of which a volume is removed ten times a second."""

    def do_GET(self):
        self.send_response_only(200)
        if "/events" not in self.path:
            body = json.dumps({"Version": "20.10.24", "ApiVersion": "1.41", "Components": [{"Name": "Engine", "Version": "20.10.24"}]})
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())
            return
        self.end_headers()
        with contextlib.suppress(OSError):  # the watching process has ended
            while not self.server.ended.wait(0.1):
                event = {"Type": "volume", "Action": "destroy", "Actor": {"ID": "v"}, "scope": "local", "timeNano": time.time_ns()}
                self.wfile.write(json.dumps(event).encode() + b"\n")
                self.wfile.flush()

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    ended = threading.Event()

    def handle_error(self, *_):
        pass


@pytest.fixture
def engine(tmp_path):
    """A stand-in engine at docker.sock in the test's directory."""
    server = Server(str(tmp_path / "docker.sock"), Engine)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield
    server.ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


def _remove(group, tries=100):
    """Whose processes may be on their way out."""
    for _ in range(tries):
        try:
            return group.rmdir()
        except OSError:
            time.sleep(0.05)
    return group.rmdir()


@pytest.fixture
def cgroup():
    """A group of cgroup 2 that the machine of the test does not leave."""
    missing = [name for name in TOOLS if shutil.which(name) is None]
    if os.geteuid() != 0 or SYSTEMD is None or missing:
        pytest.skip(f"booting a systemd takes root, systemd and {', '.join(missing or TOOLS)} (Debian: apt-get install systemd)")
    mounts = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    root = next((fields[1] for fields in mounts if fields[2] == "cgroup2"), None)
    if root is None:
        pytest.skip("booting a systemd takes cgroup 2, and none is mounted")
    group = Path(root) / f"lanner-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"booting a systemd takes its own cgroup: {error}")
    yield group
    (group / "cgroup.kill").write_text("1")
    for path, _, _ in os.walk(group, topdown=False):
        _remove(Path(path))


def test_the_unit_does_all_that_it_should_within_its_sandbox(engine, cgroup, tmp_path):
    (tmp_path / "boot").write_text(BOOT)
    (tmp_path / "probe").write_text(f"PACKAGING={PACKAGING}\nWORK={tmp_path}\n{PROBE}")
    (tmp_path / "ask").write_text(ASK)
    (tmp_path / "layers").mkdir()
    environment = os.environ | {
        "WORK": str(tmp_path),
        "PACKAGING": str(PACKAGING),
        "SYSTEMD": SYSTEMD,
        "BASE": sys.base_prefix,
        "SITE": str(Path(msgspec.__file__).parents[1]),
        "SOURCES": str(Path(lanner.__file__).parent),
        "BUILT": str(Path(_native.__file__).parents[1]),
        "PYTHON": f"python{sys.version_info.major}.{sys.version_info.minor}",
    }
    # moved before the namespace of groups is made, so that its root is this group
    enter = f'echo $$ > {cgroup}/cgroup.procs; exec unshare --mount --pid --fork --uts --ipc --net --cgroup --kill-child bash "$WORK/boot"'
    done = subprocess.run(["timeout", "-s", "KILL", "250", "bash", "-c", enter], env=environment, capture_output=True, check=False)
    if not (tmp_path / "out").exists():
        pytest.skip(f"no systemd can be booted here: {done.stderr.decode()[-300:]}")
    assert (tmp_path / "err").read_text() == ""
    found = dict(line.split(maxsplit=1) for line in (tmp_path / "out").read_text().splitlines())
    user = found["Uid"].split()[0]
    assert user != "0"
    assert found.pop("status").startswith("watching Docker Engine 20.10.24 (API 1.41) at unix:///var/run/docker.sock with ")
    assert found == {
        "start": "0",
        "Uid": "\t".join([user] * 4),
        "Gid": "\t".join([found["Gid"].split()[0]] * 4),
        "CapBnd": "0000000000000000",
        "NoNewPrivs": "1",
        "Seccomp": "2",
        "mode": "lanner lanner 600",
        "rotated": "0",
        "reload": "0",
        "restart": "0",
        "healthz": '{"status": "ok"}',
        "reloads": "1",
        "console": "0",
        "token": "lanner 600",
        "user": "lanner",
        "alerts": "3 Volume destroyed True True",
        "later": "3 Volume destroyed True False",
        "consoles": "success",
        "stuck": "1 active",
        "stop": "success 0",
    }
