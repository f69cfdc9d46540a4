"""The page over a real store: the pictures of docs/console.md, and strings to copy. LANNER_PICTURES=docs/images writes the pictures there."""

import base64
import os
import shlex
import subprocess
from pathlib import Path

import pytest
from tests.console.generated import CHANGED, GeneratedStore, serving
from tests.forked import LANNER

from lanner.host.plugin_loader import load_plugin
from lanner.sdk.authoring.plugin import plugin_info

from .conftest import note_console
from .pages import until_rows

pytestmark = [pytest.mark.slow, pytest.mark.browser]

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    """A console over a real store with 3,000 alerts."""
    directory = tmp_path_factory.mktemp("store")
    generated = GeneratedStore(directory, 3000)
    generated.close()
    with serving(directory) as console:
        yield console


@pytest.fixture
def take(tmp_path):
    """`take(page, name)` writes a picture."""
    directory = Path(os.environ.get("LANNER_PICTURES") or tmp_path)

    def write(page, name):
        # Playwright has no WebP, which needs a fifth of PNG's bytes
        session = page.context.new_cdp_session(page)
        picture = session.send("Page.captureScreenshot", {"format": "webp", "quality": 70})["data"]
        file = directory / f"console-{name}.webp"
        file.write_bytes(base64.b64decode(picture))
        assert file.stat().st_size > 10_000
        assert f"(images/{file.name})" in (DOCS / "console.md").read_text()
        assert (DOCS / "images" / file.name).exists()

    return write


@pytest.fixture
def open_page(chromium, console):
    faults, contexts = [], []

    def open_one(fragment, **options):
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 760}, "reduced_motion": "reduce"} | options)
        contexts.append(context)
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: note_console(message, faults))
        page.goto(f"{console.link}&{fragment}")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert faults == []


def test_live_list_with_the_reason_of_an_alert(open_page, take):
    page = open_page("view=live")
    until_rows(page, "n === 500")
    page.locator("#facets button").first.wait_for()
    row = page.locator("#window [role=row]:visible").filter(has_text="in a container").last
    row.click()
    page.wait_for_selector(".deciding li", timeout=60_000)
    take(page, "live")


def test_history_with_a_filter_in_dark(open_page, take):
    page = open_page("view=history&filter=priority%3E%3Dwarning", color_scheme="dark")
    page.locator("#facets button").first.wait_for()
    page.wait_for_selector("#chart rect.f4")
    take(page, "history")


def test_rules_before_and_after_a_change(open_page, take):
    page = open_page("view=rules&range=1h")
    page.get_by_role("table", name="Rules with alerts").wait_for()
    take(page, "rules")


def test_narrow_page(open_page, take):
    page = open_page("view=live", viewport={"width": 390, "height": 760})
    until_rows(page, "n === 500")
    take(page, "narrow")


def test_rules_on_a_narrow_page(open_page, take):
    page = open_page("view=rules&range=1h", viewport={"width": 390, "height": 760})
    page.get_by_role("table", name="Rules with alerts").wait_for()
    take(page, "narrow-rules")


def test_a_copied_exception_passes_the_check_that_its_comment_names(open_page, tmp_path):
    page = open_page("view=live")
    until_rows(page, "n === 500")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#window [role=row]:visible").filter(has_text="in a container").last.click()
    page.locator("summary", has_text="Exception for alerts like this one").click()
    box = page.locator("details", has=page.locator("summary", has_text="Exception for alerts like this one"))
    box.get_by_text("checked by Lanner").wait_for()
    box.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_text("exception copied").wait_for()
    text = page.evaluate("navigator.clipboard.readText()")
    # the rules files as the store has them
    own = Path(plugin_info(load_plugin("docker")).rules)
    (tmp_path / "docker_rules.yaml").write_bytes(own.read_bytes())
    (tmp_path / "mine.yaml").write_bytes(CHANGED)
    (tmp_path / "exceptions.yaml").write_text(text)
    (command,) = (line.removeprefix("#   lanner ") for line in text.splitlines() if line.startswith("#   lanner rules check "))
    arguments = shlex.split(command.replace("/etc/lanner/rules.d/", ""))
    checked = subprocess.run([LANNER, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "3 files, " in checked.stdout
