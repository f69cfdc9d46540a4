"""A narrow page shows all without scrolling sideways."""

import pytest

from .pages import open_newest, until

pytestmark = [pytest.mark.slow, pytest.mark.browser]

LONG = "Rule-with-a-name-that-has-no-space-at-which-a-browser-could-break-it-" * 2
WIDER_THAN_THEY_SHOW = """
[document.documentElement, ...document.querySelectorAll('header, main, #page, .scroll, table, td, .card, #time, #legend, #detail')]
  .filter((one) => one.getClientRects().length && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline')
  .map((one) => `${one.localName}#${one.id}.${one.className}: ${one.scrollWidth} > ${one.clientWidth}`)
"""


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize("view", ["live", "history", "rules", "status"])
def test_no_view_scrolls_sideways(open_page, site, view, width):
    site.add(rule=LONG, subject="s" * 200, text="t" * 300)
    page = open_page(f"view={view}", viewport={"width": width, "height": 800})
    page.wait_for_selector("#window [role=row]:visible, #page td:visible")
    assert page.evaluate(WIDER_THAN_THEY_SHOW) == []


def test_a_detail_does_not_scroll_sideways(open_page, site):
    site.add(rule=LONG, subject="s" * 200, text="t" * 300)
    page = open_page(viewport={"width": 390, "height": 800})
    page.wait_for_selector("#window [role=row]")
    open_newest(page)
    page.wait_for_selector(".deciding li")
    assert page.evaluate(WIDER_THAN_THEY_SHOW) == []


def test_a_row_of_a_table_is_a_card_with_the_names_of_its_columns(open_page):
    page = open_page("view=rules", viewport={"width": 390, "height": 800})
    table = page.get_by_role("table", name="Rules with alerts")
    table.wait_for()
    heads = table.get_by_role("columnheader").all_text_contents()
    assert heads == ["Rule", "Priority", "Alerts", "Per hour", "Last", "File"]
    cells = table.get_by_role("row").nth(1).get_by_role("cell")
    assert cells.count() == len(heads)
    names = cells.evaluate_all("(cells) => cells.map((cell) => getComputedStyle(cell, '::before').content)")
    assert names == ["none", *(f'"{head}"' for head in heads[1:])]
    boxes = [cells.nth(number).bounding_box() for number in range(4)]
    assert [box["y"] for box in boxes] == sorted({box["y"] for box in boxes})
    until(page, "document.querySelector('#page').scrollHeight > document.querySelector('#page').clientHeight")


def test_a_table_of_a_wide_page_has_its_columns_side_by_side(open_page):
    page = open_page("view=rules")
    cells = page.get_by_role("table", name="Rules with alerts").get_by_role("row").nth(1).get_by_role("cell")
    cells.first.wait_for()
    assert len({cells.nth(number).bounding_box()["y"] for number in range(6)}) == 1
