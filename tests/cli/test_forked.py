"""The forked command, with which other tests save time, is the installed one to all that reads it."""

import subprocess

import pytest

from .. import forked
from .conftest import ENVIRONMENT


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["--version"], b""),
        (["run", "docker", "--replay", "-", "--format", "json"], b'{"Type":"image","Action":"delete","timeNano":1}\n'),
        (["run", "nothing"], b""),
        (["rules", "check", "here.yaml"], b""),
    ],
)
def test_both_answer_alike(tmp_path, arguments, stdin):
    (tmp_path / "here.yaml").write_text("- macro: one\n  condition: evt.num = 1\n")
    environment = ENVIRONMENT | {"TZ": "Asia/Tokyo"}
    installed = subprocess.run([forked.LANNER, *arguments], input=stdin, capture_output=True, check=False, cwd=tmp_path, env=environment)
    done = forked.run(arguments, stdin=stdin, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stdout) == (installed.returncode, installed.stdout)
    assert done.stderr.partition(b" in ")[0] == installed.stderr.partition(b" in ")[0]


def test_a_command_that_does_not_end_is_killed(tmp_path, rules):
    (tmp_path / "idle.py").write_text(
        "import lanner\n\nclass Idle(lanner.Plugin):\n    '''Idle'''\n"
        "    id, name, version, event_source, contact = 999, 'idle', '1.0.0', 'idle', 'the tests'\n"
        "    def open(self, params):\n        while True:\n            yield lanner.NOTHING\n"
    )
    with pytest.raises(subprocess.TimeoutExpired):
        forked.run(["run", "idle.py", "-r", rules("idle", output="x")], cwd=tmp_path, env=ENVIRONMENT, timeout=1)
