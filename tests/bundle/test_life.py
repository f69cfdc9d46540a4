"""The life of a plugin in its host: reported failures, many instances, many starts, and what remains in a host's process."""

import subprocess
import sys

import pytest

from lanner.abi.versions import APIS
from lanner.bundle.builder import build, write
from lanner.bundle.environment import describe
from lanner.docker import Docker

from .conftest import PLUGINS, lanner

pytestmark = [pytest.mark.slow, pytest.mark.native]


@pytest.fixture(scope="session")
def environment():
    return describe()


@pytest.fixture
def docker_in(tmp_path, environment):
    """`docker_in(**changes)`: the Docker plugin bound to an environment that differs from this one."""

    def make(name="libdocker.so", **changes):
        from dataclasses import replace

        write(build(Docker, "lanner.docker:Docker", APIS["3"], replace(environment, **changes), {}).image, tmp_path / name)
        return tmp_path / name

    return make


def init_error(report):
    """Return the error of a failed init, if the host found no other problem."""
    init = report["runs"][0]["init"]
    assert init["rc"] == "failure"
    return init["error"]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("config", "says"),
    [
        ('{"flushInterval": 0}', "`$.flushInterval`"),
        ('{"nonsense": 1}', "unknown option `$.nonsense`"),
        ("{", "not JSON"),
        ('{"refuse": true}', "plugin every: __init__: RuntimeError: it will not"),
    ],
)
def test_a_failed_init_tells_why(built, run_host, api, config, says):
    assert says in init_error(run_host(built("every", api), "--init", config, "--no-schema"))


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("config", "says"),
    [
        ('{"flushInterval": 0}', "In <root>[flushInterval], Expected number greater than or equal to 1"),
        ('{"flushInterval": "x"}', "In <root>[flushInterval], Value type not permitted by 'type' constraint."),
        ('"{}"', "In <root>, Value type not permitted by 'type' constraint."),
        ("{", "init config is not a valid json"),
    ],
)
def test_a_host_that_asks_the_schema_refuses_what_init_would(bound, run_host, api, config, says):
    init = run_host(bound("every", api), "--init", config)["runs"][0]["init"]
    assert (init["rc"], says in init["error"]) == ("refused by the schema", True), init


@pytest.mark.parametrize("api", APIS)
def test_null_is_all_defaults(bound, run_host, api):
    """Falco writes an empty map of falco.yaml, `init_config: {}`, as null; an empty map or list in one as well."""
    for plugin, config in (("every", "null"), ("docker", "null"), ("docker", '{"hosts": null, "filters": {"type": null}}')):
        init = run_host(bound(plugin, api), "--init", config, "--open", "since=nonsense")["runs"][0]["init"]
        assert init == {"rc": "success"}, (plugin, config)


@pytest.mark.parametrize("config", ["", "{}", '{"flushInterval": 30}', '{"flushinterval": 30}'])
def test_the_originals_configurations_are_taken(built, run_host, config):
    report = run_host(built("docker"), "--init", config, "--open", "since=nonsense")
    assert report["runs"][0]["init"]["rc"] == "success"
    assert "`since` is 'nonsense'" in report["runs"][0]["open"]["error"]


@pytest.mark.parametrize("api", APIS)
def test_a_failed_open_tells_why(built, run_host, api):
    opened = run_host(built("every", api), "--open", "refuse")["runs"][0]["open"]
    assert opened["rc"] == "failure"
    assert "plugin every: open: ValueError: cannot open that" in opened["error"]


@pytest.mark.parametrize("api", APIS)
def test_a_source_that_fails_tells_why_after_the_events_before_it(built, run_host, api):
    report = run_host(built("every", api), "--open", '["{}", "{}", {"raise": "the cable is out"}]')
    run = report["runs"][0]
    assert run["count"] == 2
    assert run["end"] == "failure"
    assert "plugin every: open: OSError: the cable is out" in run["next_batch"]["error"]


def test_a_field_that_raises_is_no_value_and_the_host_lives(built, run_host):
    report = run_host(
        built("every"),
        *(
            "--open",
            '["{\\"raise\\": \\"a\\"}", "{\\"raise\\": \\"b\\"}", "{\\"exit\\": 1}", "{\\"wrong\\": \\"text\\"}", "{\\"text\\": \\"fine\\"}"]',
        ),
        *("--fields", "every.raises,every.exits,every.wrong,every.text"),
    )
    run = report["runs"][0]
    assert [event["fields"] for event in run["events"]] == [{}, {}, {}, {}, {"every.text": "fine"}]
    assert report["stderr"].count("KeyError: 'a'") == 1
    assert "KeyError: 'b'" not in report["stderr"], "logged once for each kind"
    assert "every.exits failed" in report["stderr"]
    assert "Every.wrong is declared to return int | None, but returned a str" in report["stderr"]


@pytest.mark.parametrize(
    "how",
    [(), ("--lazy",), ("--reload",), ("--threads", "4"), ("--deepbind", "--info")],
    ids=["plain", "lazy", "reload", "threads", "deepbind"],
)
def test_many_starts_and_many_at_a_time(built, run_host, how):
    cycles = () if "--info" in how else ("--cycles", "5", "--open", '["{\\"at\\": 1}"]', "--keep", "all")
    report = run_host(built("every"), *how, *cycles)
    assert report["violations"] == []
    assert len({run["digest"] for run in report.get("runs", [])}) <= 1
    assert all(run["count"] == 1 for run in report.get("runs", []))


def test_functions_of_atexit_run_once_when_the_process_ends(built, run_host):
    report = run_host(built("every"), "--cycles", "3", "--open", '["{}"]')
    assert report["stderr"].count("every: the process ends") == 1


def test_different_plugins_and_two_versions_of_one_live_side_by_side(built, run_host, tmp_path):
    source = tmp_path / "every.py"
    source.write_text((PLUGINS / "every.py").read_text("utf-8").replace('"1.2.3"', '"1.2.4"').replace('f"<{', 'f"[{'), "utf-8")
    for name in ("neighbour.py", "neighbours"):
        (tmp_path / name).symlink_to(PLUGINS / name)
    assert lanner("build", source, "-o", tmp_path / "libnewer.so").returncode == 0
    report = run_host(built("every"), "--open", '["{}"]', beside=[tmp_path / "libnewer.so"])
    assert report["violations"] == []
    assert {run["events"][0]["text"][0] for run in report["runs"]} == {"<", "["}


def test_a_file_that_replaced_another_is_the_newer_one_when_loaded_again(tmp_path, environment):
    """A loader that stays in the process would still be the old plugin; so would modules that Python keeps by name."""
    program = """
import ctypes, _ctypes, os, sys
for name in sys.argv[2:]:
    os.replace(name, sys.argv[1])
    library = ctypes.CDLL(sys.argv[1])
    library.plugin_get_version.restype = ctypes.c_char_p
    print(library.plugin_get_version().decode())
    _ctypes.dlclose(library._handle)
"""
    for version in ("1.0.0", "2.0.0"):
        plugin = type("It", (Docker,), {"__doc__": "It", "version": version, "__module__": Docker.__module__})
        write(build(plugin, "lanner.docker:Docker", APIS["3"], environment, {}).image, tmp_path / version)
    command = [sys.executable, "-c", program, tmp_path / "lib.so", tmp_path / "1.0.0", tmp_path / "2.0.0"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["1.0.0", "2.0.0"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"libpython": "/nowhere/libpython3.11.so"}, "its library /nowhere/libpython3.11.so is missing"),
        ({"bridge": "/nowhere/_native.so"}, "needs the package lanner at /nowhere/_native.so, but it is missing"),
        ({"stdlib": "/nowhere/lib"}, "needs Python's standard library at /nowhere/lib/os.py, but it is missing"),
        ({"search_path": ()}, "cannot start Python"),
    ],
)
def test_an_environment_that_has_gone_is_reported_and_the_infos_still_answer(docker_in, run_host, changes, says):
    so = docker_in(**changes)
    error = init_error(run_host(so))
    assert says in error
    assert run_host(so, "--info")["info"]["name"] == "docker"


def test_a_python_that_does_not_start_is_not_tried_again(docker_in, run_host):
    report = run_host(docker_in(search_path=()), "--cycles", "3")
    assert report["violations"] == []
    assert len({run["init"]["error"] for run in report["runs"]}) == 1


def test_another_environment_in_the_same_process_is_refused(docker_in, bound, run_host, environment):
    other = docker_in(prefix=environment.prefix + "-other")
    report = run_host(bound("every"), "--open", "[]", beside=[other])
    errors = [run["init"]["error"] for run in report["runs"] if run["init"]["rc"] == "failure"]
    assert len(errors) == 1
    assert "a plugin of another Python environment" in errors[0]
    assert "lanner build --python" in errors[0]


@pytest.mark.parametrize("cut", ["stripped", "cut off", "damaged"])
def test_a_file_that_lost_its_bundle_says_so(built, tmp_path, run_host, cut):
    image = built("docker").read_bytes()
    texts = int(image[-88:-72], 16)
    altered = bytes([image[texts + 40] ^ 1])
    so = tmp_path / "libdocker.so"
    so.write_bytes({"stripped": image[:texts], "cut off": image[:-10], "damaged": image[: texts + 40] + altered + image[texts + 41 :]}[cut])
    report = run_host(so)
    assert report["violations"]
    assert "ebuild it with `lanner build`" in report["stderr"]


def test_a_host_that_is_python_itself_can_load_a_plugin(built):
    program = """
import ctypes, sys
class Init(ctypes.Structure):
    _fields_ = [("config", ctypes.c_char_p), ("owner", ctypes.c_void_p), ("error", ctypes.c_void_p), ("tables", ctypes.c_void_p)]
library = ctypes.CDLL(sys.argv[1])
library.plugin_init.restype = ctypes.c_void_p
library.plugin_destroy.argtypes = [ctypes.c_void_p]
rc = ctypes.c_int32(99)
state = library.plugin_init(ctypes.byref(Init(b"{}")), ctypes.byref(rc))
print(rc.value)
library.plugin_destroy(state)
"""
    done = subprocess.run([sys.executable, "-c", program, built("every")], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["0"], done.stderr
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("every: the process ends") == 1
