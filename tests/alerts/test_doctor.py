"""`lanner doctor` on an alert store: path, permissions, disk space, and the process that writes it."""

import os

import pytest

from lanner.alerts.store_format import APPLICATION, DAY, day_name
from lanner.alerts.writer import StoreWriter
from lanner.config.read import read_configuration
from lanner.doctor.output_checks import look_at_outputs

from ..outputs.standins import small_file_system
from .reading import MOMENT, raised
from .test_writer import sql


def look(path, *options):
    flags = ("stdout_output.enabled=false", "lanner.store_output.enabled=true", f"lanner.store_output.path={path}", *options)
    return [(str(each.level), each.text, each.fix) for each in look_at_outputs(read_configuration(None, {}, flags).falco)]


def test_a_store_that_does_not_exist_yet_is_fine_and_is_not_created(tmp_path):
    found = look(tmp_path / "a/store")
    assert found[0] == ("ok", f"the alert store {tmp_path}/a/store, which does not exist yet", "")
    assert f"of the alert store {tmp_path}/a/store" in found[1][1]
    assert not (tmp_path / "a").exists()


def test_a_store_in_use_names_its_writer_and_size(tmp_path):
    writer = StoreWriter(tmp_path / "store", wait=0)
    writer.write([raised(1)])
    level, text, _ = look(tmp_path / "store")[0]
    assert (level, f"1 file, 0 of 4,096 MiB, written by process {os.getpid()} (" in text) == ("ok", True), text
    writer.close()
    assert "written by" not in look(tmp_path / "store")[0][1]


def test_other_users_must_not_read_it(tmp_path):
    writer = StoreWriter(tmp_path / "store", wait=0)
    writer.write([raised(1)])
    writer.close()
    (tmp_path / "store").chmod(0o750)
    assert (
        "warning",
        f"other users can read the alert store ({tmp_path}/store), and alerts contain command lines",
        f"chmod -R go= {tmp_path}/store",
    ) in look(tmp_path / "store")


def test_a_small_disk_is_a_problem(tmp_path):
    with small_file_system(tmp_path):
        assert [level for level, *_ in look(tmp_path)] == ["ok", "warning", "problem"]


@pytest.mark.parametrize("kind", ["file", "foreign"])
def test_an_unusable_path_is_a_problem(tmp_path, kind):
    if kind == "file":
        (tmp_path / "store").touch()
    else:
        (tmp_path / "store").mkdir()
        sql(tmp_path / "store" / day_name(MOMENT // DAY), f"PRAGMA application_id = {APPLICATION + 1}", "CREATE TABLE x (y)")
    ((level, text, fix),) = look(tmp_path / "store")
    assert level == "problem"
    assert f"{tmp_path}/store" in text
    assert fix.startswith("$.lanner.store_output.path")


def test_a_damaged_file_and_a_killed_run_are_warnings(tmp_path):
    writer = StoreWriter(tmp_path / "store", wait=0)
    writer.write([raised(1), raised(2, arrived=MOMENT + DAY)])
    writer.close()
    (tmp_path / "store/run.json").write_text('{"run": "0badcafe", "pid": 12}')
    path = tmp_path / "store" / day_name(MOMENT // DAY)
    path.write_bytes(b"no database")
    warnings = [text for level, text, _ in look(tmp_path / "store") if level == "warning"]
    assert f"the alert store {path} is damaged (file is not a database)" in warnings[0]
    assert "the last run (process 12) was killed: alerts of its last moment may be missing in the alert store" in warnings[1]


def test_alerts_of_the_future_are_a_warning(tmp_path):
    writer = StoreWriter(tmp_path, wait=0)
    writer.write([raised(1, arrived=4_102_444_800 * 10**9), raised(2)])
    writer.close()
    tmp_path.chmod(0o700)
    warnings = [text for level, text, _ in look(tmp_path) if level == "warning"]
    assert warnings == [f"the alert store {tmp_path} has alerts that arrived in the future (2100-01-01): a clock was wrong"]
