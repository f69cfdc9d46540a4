"""Files are reloaded on request and when they change; failures are reported, and nothing leaks."""

import errno
import os
import threading

import pytest

from lanner.host.reload import Reloader, directories_of
from lanner.sdk.errors import LannerError

from ..waiting import PATIENCE, check_descriptors, count_descriptors, until


class Loads:
    """The functions that a reloader calls: they count calls, and can be awaited."""

    def __init__(self):
        self.count = 0
        self.messages = []
        self.failure = None
        self._changed = threading.Condition()

    def load(self):
        with self._changed:
            self.count += 1
            self._changed.notify_all()
        if self.failure is not None:
            raise self.failure

    def failed(self, message):
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def wait(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: self.count >= count, PATIENCE), f"{self.count} loads, not {count}"

    def wait_failed(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.messages) >= count, PATIENCE)


@pytest.fixture
def reloader():
    """`reloader(*paths)` is a reloader of these files, and its loads; without paths it watches nothing."""
    made = []

    def make(*paths):
        loads = Loads()
        made.append(Reloader(loads.load, loads.failed, (lambda: [str(path) for path in paths]) if paths else None))
        return made[-1], loads

    yield make
    for each in made:
        each.close()
    until(lambda: not [thread.name for thread in threading.enumerate() if thread.name == "lanner-reload"])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text("a")
    return path


def test_who_asks_is_answered_whether_or_not_a_file_has_changed(reloader, file):
    for paths in ([], [file]):
        reloading, loads = reloader(*paths)
        reloading.ask()
        loads.wait(1)
        reloading.ask()
        loads.wait(2)


def write(file):
    file.write_text("ab")


def replace(file):
    other = file.with_name("other")
    other.write_text("b")
    other.rename(file)


def remove(file):
    file.unlink()


def turn_link(file):
    # as Kubernetes does it for a volume of files: the file is a link into a directory that is itself a link
    link = file.parent / "..new"
    link.symlink_to("v2")
    link.rename(file.parent / "..data")


@pytest.mark.parametrize("change", [write, replace, remove])
def test_a_file_that_changes_is_loaded_again(reloader, file, change):
    _, loads = reloader(file)
    change(file)
    loads.wait(1)


def test_files_behind_links_that_are_turned_are_loaded_again(reloader, tmp_path):
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "rules.yaml").write_text(version)
    (tmp_path / "..data").symlink_to("v1")
    (tmp_path / "rules.yaml").symlink_to("..data/rules.yaml")
    _, loads = reloader(tmp_path / "rules.yaml")
    turn_link(tmp_path / "rules.yaml")
    loads.wait(1)


def test_a_new_file_in_a_watched_directory_is_loaded(reloader, tmp_path):
    _, loads = reloader(tmp_path)
    (tmp_path / "new.yaml").write_text("x")
    loads.wait(1)


def test_a_file_that_appears_where_it_was_missed_is_loaded(reloader, tmp_path):
    _, loads = reloader(tmp_path / "rules.yaml")
    (tmp_path / "rules.yaml").write_text("x")
    loads.wait(1)


def test_another_file_of_the_same_directory_is_none_of_its_business(reloader, file):
    _, loads = reloader(file)
    file.with_name("alerts.log").write_text("x" * 100)
    replace(file)
    loads.wait(1)
    file.with_name("alerts.log").write_text("y" * 1000)
    replace(file)
    loads.wait(2)
    assert loads.count == 2


def test_what_fails_is_reported_and_the_next_time_is_as_good_as_the_first(reloader):
    reloading, loads = reloader()
    loads.failure = LannerError("the rules have 1 error")
    reloading.ask()
    loads.wait_failed(1)
    loads.failure = ValueError("unforeseen")
    reloading.ask()
    loads.wait_failed(2)
    loads.failure = None
    reloading.ask()
    loads.wait(3)
    reloading.close()
    assert loads.messages == ["the rules have 1 error", "ValueError: unforeseen"]
    assert (reloading.succeeded, reloading.failures, reloading.last_error) == (1, 2, "")


def test_many_changes_at_once_are_one(reloader, file, monkeypatch):
    monkeypatch.setattr("lanner.host.reload._QUIET", 0.5)
    _, loads = reloader(file)
    for number in range(50):
        file.write_text("x" * number)
    loads.wait(1)
    file.write_text("end")
    loads.wait(2)
    assert loads.count < 10  # two, unless this machine stops ten times for half a second


def test_nothing_is_left_open(file):
    before = None
    for _ in range(20):
        loads = Loads()
        reloading = Reloader(loads.load, loads.failed, lambda: [str(file)])
        reloading.ask()
        loads.wait(1)
        reloading.close()
        reloading.ask()  # too late, and no error
        before = before or count_descriptors()
    check_descriptors(before)


def test_a_directory_that_is_not_there_is_not_watched(tmp_path):
    assert directories_of([str(tmp_path / "a" / "b.yaml"), str(tmp_path / "c.yaml")]) == {str(tmp_path)}
    assert directories_of([]) == set()
    assert directories_of([str(tmp_path / "a" / "b" / "x")]) == set()


def test_where_nothing_can_be_watched_it_says_so_and_reloads_on_request(reloader, file, monkeypatch, caplog):
    """The kernel limits the instances of inotify for each user."""
    import inotify_simple

    def refuse(**_):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(inotify_simple, "INotify", refuse)
    reloading, loads = reloader(file)
    assert "cannot watch files for changes: Too many open files; send SIGHUP to reload them" in caplog.text
    reloading.ask()
    loads.wait(1)


@pytest.mark.slow
def test_an_output_in_the_same_directory_does_not_delay_a_reload_for_ever(reloader, tmp_path):
    rules, output = tmp_path / "rules.yaml", tmp_path / "alerts.log"
    rules.write_text("a")
    each, loads = reloader(rules)
    ended = threading.Event()

    def write():
        while not ended.is_set():
            output.write_text("an alert")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        each.ask()
        loads.wait(1)
        rules.write_text("changed")
        loads.wait(2)
    finally:
        ended.set()
        writer.join()
