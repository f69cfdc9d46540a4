"""Options of `lanner run` that others leave without effect are refused, or reported if Falco accepts them."""

import pytest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--replay", "example", "--host", "unix:///x.sock"], "opens no event source: leave out --host"),
        (["--replay", "example", "--open", "since=1m"], "opens no event source: leave out --open"),
        (["--jobs", "2", "--dry-run"], "--jobs is for recorded events: add --replay"),
        (["--duration", "2", "-M", "3", "--dry-run"], "--duration and -M exclude each other"),
    ],
)
def test_an_option_without_effect_is_refused(lanner, options, message):
    done = lanner("run", "docker", *options)
    assert (done.code, done.out) == (2, b"")
    assert message in done.err


@pytest.mark.parametrize(
    ("options", "warning"),
    [
        (["--replay", "example", "--disable-source", "docker"], "no effect on a replay: --disable-source"),
        (["--replay", "example", "-o", "webserver.enabled=true"], "no effect on a replay: -o webserver.enabled"),
        (["--replay", "example", "-o", "lanner.spool.path=/x"], "no effect on a replay: -o lanner.spool.path"),
        (["--replay", "example", "--executor", "python", "--jobs", "2"], "no effect with --executor python: --jobs"),
        (["--dry-run", "-N"], "no effect without --list: -N"),
        (["--dry-run", "--markdown"], "no effect without --list: --markdown"),
        (["--list", "--replay", "example", "-M", "5"], "no effect with --list: --replay, -M"),
        (["-L", "-V", "/dev/null"], "no effect with --validate: -L"),
    ],
)
def test_an_option_that_falco_accepts_is_reported(lanner, options, warning):
    assert f"lanner: warning: {warning}\n" in lanner("run", "docker", *options).err


@pytest.mark.parametrize(
    "options",
    [
        ["--replay", "example", "--jobs", "2", "--executor", "native", "--max-events", "1"],
        ["--replay", "example", "-o", "json_output=true", "--max-events", "1"],
        ["--dry-run", "--host", "unix:///x.sock", "--open", "since=1m"],
        ["--list", "-N", "--markdown"],
    ],
)
def test_options_with_an_effect_are_not_reported(lanner, options):
    assert "no effect" not in lanner("run", "docker", *options).err
