"""`lanner inspect`: files of ours, as they were built and not, and libraries of others."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from lanner.abi.versions import hosts
from lanner.native import _native

from .conftest import PLUGINS, lanner

pytestmark = pytest.mark.slow


def inspected(so):
    done = lanner("inspect", so, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("api", ["3", "2", "1", "0.3"])
def test_it_says_what_the_host_sees(built, run_host, api):
    so = built("docker", api)
    host, seen = run_host(so, "--info")["info"], inspected(so)
    for name in ("api", "name", "version", "description", "contact", "id", "capabilities"):
        assert seen[name] == host[name], name
    assert seen["event_source"] == host["source"]
    assert seen["init_schema"] == json.loads(host["schema"])
    declared = json.loads(lanner("fields", "docker", "--json").stdout)
    assert [field["name"] for field in seen["fields"]] == [field["name"] for field in declared if api != "0.3" or not field["isList"]]
    assert seen["sha256"] == hashlib.sha256(so.read_bytes()).hexdigest()
    assert seen["capabilities"] == ["sourcing", "extraction"]


def test_a_bound_file_says_what_it_is_bound_to(bound):
    shown = lanner("inspect", bound("docker")).stdout
    assert "made by       lanner 0.1.0; unchanged since it was built" in shown
    assert f"Python {inspected(bound('docker'))['brought']['python']}, /" in shown
    assert "docker.id " in shown
    assert "it contains no licences" in lanner("inspect", bound("docker"), "--licences").stderr


def test_a_bundled_file_says_what_it_brings(bundled):
    seen = inspected(bundled("every"))
    assert seen["bundled"]
    assert {"every.py", "neighbour.py"} <= set(seen["brought"]["modules"])
    assert {library["name"] for library in seen["brought"]["libraries"]} >= {"libstdc++.so.6", "lanner-bridge.so"}
    assert "encodings/utf_8.code" in seen["brought"]["runtime"]
    shown = lanner("inspect", bundled("every")).stdout
    assert f"with glibc {seen['brought']['glibc']} or newer; it contains Python" in shown
    licences = lanner("inspect", bundled("every"), "--licences").stdout
    assert "==== python ====" in licences
    assert "PYTHON SOFTWARE FOUNDATION LICENSE" in licences
    assert "==== lanner ====" in licences


def test_nothing_of_ours_is_run(tmp_path):
    told = tmp_path / "told"
    plugin = tmp_path / "teller.py"
    plugin.write_text((PLUGINS / "recorded.py").read_text() + f"\nopen({str(told)!r}, 'a').close()\n")
    assert lanner("build", plugin, "-o", tmp_path / "lib.so").returncode == 0
    assert told.exists()
    told.unlink()
    assert inspected(tmp_path / "lib.so")["name"] == "docker"
    assert not told.exists()


def refused(so):
    done = lanner("inspect", so)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def test_what_was_altered_or_cut_is_refused(built, tmp_path):
    whole = built("every").read_bytes()
    so = tmp_path / "lib.so"
    so.write_bytes(
        whole[: len(whole) - 100_000] + b"?" + whole[len(whole) - 99_999 :] if len(whole) > 200_000 else whole.replace(b"every", b"never")
    )
    assert "was made by `lanner build`, but it was altered after it was built" in refused(so)
    so.write_bytes(whole[:-10])
    assert refused(so).endswith(
        "was made by `lanner build`, but its end is missing: it was truncated or stripped. Build or copy it again\n"
    )
    so.write_bytes(whole)
    subprocess.run(["strip", so], check=True)
    assert "truncated or stripped. Build or copy it again" in refused(so)
    so.write_bytes(whole[:2000])
    assert refused(so).endswith("lib.so is truncated: it has 2,000 bytes of a shared library with more. Copy it again\n")


def test_what_is_no_plugin_is_refused(tmp_path):
    assert "is a shared library but not a Falco plugin" in refused(_native.__file__)
    assert "is not a shared library for 64-bit Linux" in refused(__file__)
    assert "No such file or directory" in refused(tmp_path / "nowhere.so")
    assert "Is a directory" in refused(tmp_path)


@pytest.fixture
def foreign(tmp_path):
    def compile_it(*options):
        so = tmp_path / "libtick.so"
        source = Path(__file__).with_name("foreign.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-Werror", *options, "-o", so, source], check=True)
        return so

    return compile_it


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999])
def test_a_truncated_file_draws_one_error(bound, foreign, tmp_path, share):
    for so in (bound("every"), foreign()):
        whole, cut = so.read_bytes(), tmp_path / "cut.so"
        cut.write_bytes(whole[: int(len(whole) * share)])
        (line,) = refused(cut).splitlines()
        assert "truncated" in line
        assert "not made by" not in line
        assert "no shared library" not in line


def test_a_plugin_of_another_make_is_asked(foreign):
    seen = inspected(foreign())
    assert seen["brought"] is None
    assert (seen["name"], seen["version"], seen["id"], seen["event_source"]) == ("tick", "1.2.3", 999, "tick")
    assert seen["capabilities"] == ["sourcing", "extraction", "parsing"]
    assert [field["name"] for field in seen["fields"]] == ["tick.count"]
    assert seen["extract_sources"] == ["tick"]
    assert seen["init_schema"] == {"type": "object"}
    shown = lanner("inspect", foreign()).stdout
    assert "plugin API    3.1.0: Falco 0.36 and later" in shown
    assert "made by       not `lanner build`" in shown
    assert "tick.count[key]  uint64  How many" in shown


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-DBREAK=raise(SIGSEGV)"], "plugin_get_fields ended the process (signal 11)"),
        (["-DBREAK=_exit(0)"], "plugin_get_fields ended the process (exit status 0)"),
        (['-DFIELDS="[nonsense"'], "invalid JSON from plugin_get_fields"),
        (["-DBREAK=not_there()", "-Wno-implicit-function-declaration"], "it does not load here: "),
        (['-DVERSION=""'], "Falco refuses it: its version is '', not three numbers such as 0.1.0"),
        (['-DVERSION="1.2"'], "Falco refuses it: its version is '1.2'"),
        (['-DFIELDS="[{}]"'], "Falco refuses it: a field has no 'name'"),
    ],
    ids=["crashes", "ends", "no JSON", "does not load", "no version", "half a version", "no name"],
)  # fmt: skip
def test_what_goes_wrong_in_a_library_of_others_is_reported_and_the_rest_shown(foreign, options, said):
    done = lanner("inspect", foreign(*options))
    assert done.returncode == 1
    assert said in done.stderr
    assert "capabilities  sourcing, extraction, parsing" in done.stdout
    if "load" not in said and "version" not in said:
        assert "plugin        tick 1.2.3" in done.stdout


def test_a_field_without_an_argument_is_shown_without_one(foreign):
    """The Go SDK writes the member `arg` for every field."""
    none = '\\"arg\\": {\\"isRequired\\": false, \\"isKey\\": false, \\"isIndex\\": false}'
    fields = f'[{{\\"type\\": \\"string\\", \\"name\\": \\"tick.text\\", \\"desc\\": \\"Text\\", {none}}}]'
    assert "tick.text  string  Text" in lanner("inspect", foreign(f'-DFIELDS="{fields}"')).stdout


@pytest.mark.parametrize(
    ("api", "falco"),
    [("3.0.0", "0.35"), ("3.5.0", "0.38"), ("3.6.0", "0.38.1"), ("3.7.0", "0.39"), ("3.12.0", "0.42"), ("3.13.0", "")],
)
def test_the_first_falco_that_has_an_api(api, falco):
    assert hosts(api) == (f"Falco {falco} and later" if falco else "")
