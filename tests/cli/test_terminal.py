"""Foreign text on a terminal can neither end a line nor control the terminal; a pipe gets the unchanged bytes."""

import os
import pty
import subprocess

import pytest

from .conftest import ENVIRONMENT, LANNER, read_terminal

EVIL = "a\\x1b]0;title\\x07\\nforged line\\u202e"
"""A hostile name of a rule, with escapes of YAML and Python."""
RULES = f"""\
- rule: "{EVIL}"
  desc: "{EVIL}"
  condition: docker.type = container and docker.id != "{EVIL.replace(chr(92), chr(92) * 2)}"
  output: "x {EVIL}"
  priority: INFO
  source: docker
"""
PLUGIN = f"""
import lanner

class Evil(lanner.Plugin):
    \"\"\"Do evil.\"\"\"

    name = "evil"
    version = "0.1.0"
    description = "{EVIL}"
    contact = "{EVIL}"
    id = 999
    event_source = "evil"

    def open(self, params: str):
        yield b"{{}}"

    @lanner.field("evil.x", "{EVIL}")
    def x(self, event: lanner.Event) -> str:
        return "{EVIL}"
"""


def on_terminal(*arguments, cwd):
    """The lines that a command prints to a terminal, on both of its outputs."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [LANNER, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=follower, stderr=follower, cwd=cwd,
        env=ENVIRONMENT | {"COLUMNS": "500", "TERM": "dumb"},
    ):  # fmt: skip
        os.close(follower)
        data = read_terminal(leader)
    return data.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")


@pytest.fixture
def files(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "bad.yaml").write_text(RULES + RULES.replace("docker.type", "docker.nope"))
    (tmp_path / "odd.yaml").write_text(RULES + f'- list: "{EVIL}"\n  items: []\n')
    (tmp_path / "test.yaml").write_text(
        f'rules: [rules.yaml]\ntests:\n  - name: "{EVIL}"\n    events: [{{Type: container, Action: die}}]\n    alerts: ["{EVIL} other"]\n'
    )
    (tmp_path / "evil.py").write_text(PLUGIN)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "docker", "-V", "bad.yaml"),
        ("run", "docker", "-V", "odd.yaml"),
        ("run", "docker", "-L", "-r", "rules.yaml"),
        ("run", "docker", "-L", "-r", "bad.yaml"),
        ("rules", "check", "bad.yaml"),
        ("rules", "check", "odd.yaml", "--json"),
        ("rules", "test", "test.yaml"),
        ("rules", "test", "test.yaml", "--json"),
        ("rules", "explain", EVIL.encode().decode("unicode_escape"), "--replay", "example", "-r", "rules.yaml"),
        ("fields", "evil.py"),
        ("plugin", "evil.py"),
        ("run", "evil.py", "--list=evil"),
        ("run", "evil.py", "--list-plugins"),
        ("run", "docker", "--support", "-r", "rules.yaml"),
    ],
    ids=lambda arguments: " ".join(arguments[:4]).encode("unicode_escape").decode(),
)
def test_on_a_terminal_nothing_forges_a_line(files, arguments):
    lines = on_terminal(*arguments, cwd=files)
    assert any("forged line" in line for line in lines)
    assert not [line for line in lines if line.lstrip().startswith("forged") or not line.isprintable()]


@pytest.mark.parametrize("arguments", [("run", "docker", "-V", "bad.yaml"), ("run", "docker", "-L", "-r", "rules.yaml")])
def test_through_a_pipe_the_bytes_are_falcos(lanner, files, arguments):
    assert EVIL.encode().decode("unicode_escape").encode() in lanner(*arguments, cwd=files).out


def test_build_inspect_and_package_escape_names_of_files(lanner, tmp_path):
    folder = tmp_path / "a\x1b[2J\nforged"
    folder.mkdir()
    (folder / "evil.py").write_text(PLUGIN.replace(EVIL, "a"))
    for arguments in (("build", "evil.py"), ("inspect", folder / "libevil.so"), ("package", "evil.py", "-o", folder / "out")):
        done = lanner(*arguments, cwd=folder)
        assert done.code == 0, done.err
        lines = (done.out.decode() + done.err).split("\n")
        assert not [line for line in lines if line.startswith("forged") or not line.isprintable()]
    (folder / "libbad.so").write_bytes((folder / "libevil.so").read_bytes()[:-1] + b"x")
    done = lanner("inspect", folder / "libbad.so")
    assert done.code != 0
    assert "\x1b" not in done.err
    assert "\nforged" not in done.err
