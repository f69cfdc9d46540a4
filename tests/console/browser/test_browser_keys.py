"""The page by keyboard, and what a screen reader gets."""

import pytest

from .pages import focused, until, until_column

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def active_row(page):
    return page.evaluate(
        "document.getElementById(document.querySelector('#rows').getAttribute('aria-activedescendant'))?.textContent ?? ''"
    )


def test_a_whole_story_without_a_mouse(page, site):
    page.keyboard.press("/")
    assert focused(page) == "search"
    page.keyboard.type('rule:"Image pushed"')
    page.keyboard.press("Enter")
    assert focused(page) == "rows"
    until_column(page, "rule", "text === 'Image pushed'")
    page.keyboard.press("j")
    page.wait_for_selector("[aria-selected=true]")
    newest = active_row(page)
    page.keyboard.press("k")
    until(page, "text => document.querySelector('[aria-selected=true]').textContent !== text", newest)
    page.keyboard.press("Enter")
    page.wait_for_selector("#detail .fields")
    assert page.evaluate("document.querySelector('#detail').contains(document.activeElement)")
    page.keyboard.press("c")
    page.get_by_text("Link copied").wait_for()
    page.keyboard.press("j")
    until(page, "text => document.querySelector('[aria-selected=true]').textContent === text", newest)
    page.keyboard.press("Escape")
    assert focused(page) == "rows"
    page.keyboard.press("Escape")
    page.wait_for_selector("#detail", state="hidden")


def test_follow_and_pause(page):
    page.keyboard.press("p")
    assert page.get_attribute("#pause", "aria-pressed") == "true"
    page.keyboard.press("p")
    assert page.get_attribute("#pause", "aria-pressed") == "false"
    page.keyboard.press("k")
    assert page.get_attribute("#follow", "aria-pressed") == "false"
    page.keyboard.press("f")
    assert page.get_attribute("#follow", "aria-pressed") == "true"


def test_brackets_move_the_time_range(page):
    page.wait_for_selector("#chart rect.f6")
    page.keyboard.press("[")
    until(page, "location.hash.includes('from=')")
    earlier = page.url
    page.keyboard.press("]")
    until(page, "url => location.href !== url", earlier)


def test_keys_are_text_in_the_search_field(page):
    page.locator("#search").focus()
    page.keyboard.type("jpd?")
    assert page.input_value("#search") == "jpd?"
    assert page.get_attribute("#pause", "aria-pressed") == "false"
    page.keyboard.press("Escape")
    assert focused(page) == "rows"


def test_help_lists_the_keys_and_switches_them_off(page):
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    dialog.get_by_text("follow the newest alerts").wait_for()
    dialog.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.wait_for_selector("#keys", state="hidden")
    page.keyboard.press("d")
    assert page.evaluate("document.documentElement.dataset.theme") is None
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("d")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_tab_reaches_everything_and_focus_is_visible(page):
    page.wait_for_selector("#facets button")
    seen = []
    for _ in range(14):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", focused(page)
        seen.append(focused(page))
    assert {"skip", "search", "follow", "pause", "zone", "theme", "help"} <= set(seen)


def test_skip_link_leads_to_the_list(page):
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert focused(page) == "rows"


def test_grid_tells_its_size_and_position(page):
    grid = page.get_by_role("grid")
    assert grid.get_attribute("aria-rowcount") == "501"
    grid.focus()
    page.keyboard.press("End")
    until(page, "document.querySelector('#rows').getAttribute('aria-activedescendant') === 'row-499'")
    assert page.get_attribute("#row-499", "aria-rowindex") == "501"
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    until(page, "document.querySelector('#rows').getAttribute('aria-activedescendant') === 'row-0'")


@pytest.mark.parametrize("view", ["live", "history", "rules", "status"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_axe_finds_no_serious_fault(open_page, view, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(f"view={view}", color_scheme=scheme, viewport={"width": width, "height": 850}, bypass_csp=True)
    page.wait_for_selector("#window [role=row]:visible, #page h2")
    if view in {"live", "history"}:
        page.wait_for_selector("#facets button", state="attached")
        page.locator("#window [role=row]:visible").first.click()
        page.locator(".deciding li, :text('Unavailable:')").first.wait_for()  # each tenth alert has no explanation
    found = Axe().run(page).response["violations"]
    assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found if fault["impact"] in {"critical", "serious"}] == []
