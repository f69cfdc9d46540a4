"""The view of the run, over the stores that runs leave."""

import json

import pytest
from tests import forked
from tests.console.generated import serving

from lanner.alerts.store_format import STATE_FILE

pytestmark = [pytest.mark.slow, pytest.mark.browser]

NARROW = """
() => [...document.querySelectorAll("#page dd, #page td, #page dl, #page th")].filter((each) => each.checkVisibility())
  .filter((each) => each.clientWidth < 3 * parseFloat(getComputedStyle(each).fontSize)).map((each) => each.outerHTML)
"""


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """The store of a replay of the Docker plugin's recording."""
    store = tmp_path_factory.mktemp("replayed") / "store"
    options = ["-o", "lanner.store_output.enabled=true", "-o", f"lanner.store_output.path={store}"]
    done = forked.run_text(["run", "docker", "--replay", "example", *options])
    assert done.returncode == 0, done.stderr
    return store


@pytest.fixture
def site(replayed):
    """A console over that store."""
    with serving(replayed) as console:
        yield console


@pytest.mark.parametrize("width", [1400, 390])
def test_status_of_a_replay_is_readable(open_page, width):
    page = open_page("view=status", viewport={"width": width, "height": 850})
    page.get_by_role("heading", name="The last run, which has ended").wait_for()
    outputs = page.get_by_role("table", name="Outputs")
    assert outputs.locator("th").all_inner_texts() == ["Output", "Delivered", "Waiting", "Dropped", "Failures", "Last error"]
    assert outputs.get_by_text("store_output").count() == 1
    assert page.evaluate(NARROW) == []
    assert page.evaluate("document.querySelector('#page').scrollWidth <= document.querySelector('#page').clientWidth")
    text = page.locator("#page").inner_text()
    assert not any(name in text for name in ("durations", "ages", "matches", "not_json", "event_source"))
    neutral = page.get_by_text("No run writes to this store at present")
    assert neutral.get_attribute("class") == "quiet"


def test_a_run_without_an_end_was_killed_and_is_not_connected(open_page, replayed):
    file = replayed / STATE_FILE
    content = file.read_bytes()
    file.write_text(json.dumps(json.loads(content) | {"ended": None, "connected": {"unix:///var/run/docker.sock": True}}))
    try:
        page = open_page("view=status")
        page.get_by_role("heading", name="The last run, which was killed or crashed").wait_for()
        assert page.get_by_role("table", name="Engines").locator("th").all_inner_texts() == ["Engine"]
    finally:
        file.write_bytes(content)


def test_damaged_state_is_shown_as_far_as_it_can_be(open_page, replayed):
    file = replayed / STATE_FILE
    content = file.read_bytes()
    damage = {"started": "soon", "outputs": {"stdout_output": None, "x" * 900: {"delivered": []}}, "connected": 5, "counters": [1]}
    file.write_text(json.dumps(json.loads(content) | damage))
    try:
        page = open_page("view=status")
        page.get_by_role("list", name="Problems").get_by_text("the state of the run cannot be read").wait_for()
        page.get_by_role("heading", name="Store", exact=True).wait_for()
    finally:
        file.write_bytes(content)
