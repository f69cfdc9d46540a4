"""An option that the docker plugin does not know is a warning that names the nearest one."""

SAYS = "unknown option `$.inspct`, which has no effect; did you mean `inspect`?"


def test_run_says_so_and_continues(lanner):
    done = lanner("run", "docker", "--config", '{"inspct": true}', "--dry-run")
    assert done.code == 0
    assert f"warning: plugin docker: {SAYS}" in done.err


def test_doctor_says_so_as_a_warning(lanner):
    done = lanner("doctor", "docker", "--config", '{"inspct": true}')
    assert SAYS in str(done.out)
