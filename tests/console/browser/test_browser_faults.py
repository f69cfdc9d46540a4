"""Faults are shown and retried: connection, login, server. Gaps are counted, seven tabs work."""

import json
import re

import pytest

from .pages import row_count, rows, until, until_rows

pytestmark = [pytest.mark.slow, pytest.mark.browser]

API = re.compile(r"/api/")


def test_lost_connection_is_shown_and_the_list_resumes(page, site):
    page.route(API, lambda route: route.abort())
    page.get_by_text("No connection to lanner console").wait_for()
    site.add(subject="meanwhile")
    page.unroute(API)
    rows(page).filter(has_text="meanwhile").wait_for()
    page.wait_for_selector("#trouble", state="hidden")


@pytest.mark.parametrize(
    ("status", "body", "shown"),
    [
        (503, '{"error": "the store is locked by another program", "place": null}', "the store is locked by another program"),
        (502, "<html>bad gateway", "lanner console answered 502 without JSON"),
        (500, '{"error": "internal error", "place": null}', "internal error"),
    ],
)
def test_errors_of_the_server_are_shown_and_retried(page, site, status, body, shown):
    page.route(API, lambda route: route.fulfill(status=status, body=body, content_type="application/json"))
    page.get_by_text(shown).wait_for()
    page.unroute(API)
    site.add(subject="after")
    rows(page).filter(has_text="after").wait_for()
    page.wait_for_selector("#trouble", state="hidden")


def test_a_page_without_login_says_how_to_get_one_and_works_after_it(open_page, site):
    page = open_page(login=False)
    page.get_by_text("Not logged in: open the address that lanner console printed").wait_for()
    # the login in another tab of the same browser is enough
    other = page.context.new_page()
    other.goto(f"{site.address}#token={site.token}")
    other.wait_for_selector("#window [role=row]")
    page.bring_to_front()
    page.wait_for_selector("#window [role=row]")
    page.wait_for_selector("#trouble", state="hidden")


def test_a_wrong_token_is_reported(open_page):
    page = open_page("token=wrong", login=False)
    page.get_by_text("This address's token is not valid").wait_for()
    assert "wrong" not in page.url


def test_a_jump_of_positions_is_a_row_that_leads_to_history(page, site):
    def jump(route):
        answer = route.fetch().json()
        # a position after the last alert would be that of another store
        answer["position"] = int(re.search("after=([0-9]+)", route.request.url)[1])
        for row in answer["alerts"]:
            row[0] += 12  # as if twelve alerts before this one were missing
            answer["position"] = row[0]
        route.fulfill(status=200, body=json.dumps(answer), content_type="application/json")

    page.route(re.compile(r"/api/alerts\?after="), jump)
    site.add(subject="after the gap")
    gap = rows(page).filter(has_text="12 alerts not shown here")
    gap.wait_for()
    page.get_by_text("12 alerts not shown, because they arrived faster than the page reads them").wait_for()
    gap.click()
    until(page, "location.hash.includes('view=history') && location.hash.includes('from=')")


def test_a_page_that_is_far_behind_continues_with_the_newest_and_says_how_many_it_left_out(page, site):
    page.get_by_role("button", name="Pause").click()
    for number in range(60_000):
        site.add(subject=f"many-{number}")
    page.get_by_text("Paused; 60,000 alerts waiting").wait_for(timeout=60_000)
    page.get_by_role("button", name="Pause").click()
    rows(page).filter(has_text="many-59999").wait_for()
    note = page.locator("#note").inner_text()
    left_out = int(re.search(r"([\d,]+) alerts not shown", note).group(1).replace(",", ""))
    shown = row_count(page)
    assert shown - 500 - 1 + left_out == 60_000


def test_seven_tabs_of_one_browser_all_show_new_alerts(page, site):
    tabs = [page, *(page.context.new_page() for _ in range(6))]
    for tab in tabs[1:]:
        tab.goto(site.address)
        tab.wait_for_selector("#window [role=row]")
    site.add(subject="for-all-seven")
    for tab in tabs:
        tab.bring_to_front()
        rows(tab).filter(has_text="for-all-seven").wait_for()


def test_an_empty_store_says_so(open_page, site):
    site.store._alerts.clear()
    site.store._positions.clear()
    page = open_page()
    page.get_by_text("No alert yet").wait_for()
    page.get_by_role("link", name="History").click()
    page.get_by_text("No alert matches the filter in this time range").wait_for()
    site.add(subject="the-first")
    page.get_by_role("link", name="Live").click()
    rows(page).filter(has_text="the-first").wait_for()


def test_a_link_opened_without_a_login_is_complete_after_it(open_page, site):
    page = open_page(f"alert={site.alerts[300].key}", login=False)
    page.locator("#trouble").get_by_text("After the login in any tab, this page continues").wait_for()
    page.get_by_text("Searching", exact=True).wait_for()
    other = page.context.new_page()
    other.goto(f"{site.address}#token={site.token}")
    other.wait_for_selector("#window [role=row]")
    page.bring_to_front()
    page.locator("#detail .fields").get_by_text(site.alerts[300].key).wait_for()
    page.locator("#facets button").first.wait_for()
    page.locator("#chart rect.f6").first.wait_for()
    page.wait_for_selector("#trouble", state="hidden")


def test_another_store_in_the_directory_begins_the_list_again(page, site):
    site.store._alerts.clear()
    site.store._positions.clear()
    site.add(subject="of-another-store")
    page.get_by_text("The store was replaced by another one").wait_for()
    until_rows(page, "n === 1")
    rows(page).filter(has_text="of-another-store").wait_for()
    site.add(subject="the-next")
    rows(page).filter(has_text="the-next").wait_for()


@pytest.mark.parametrize("view", ["rules", "status"])
def test_a_view_whose_first_requests_failed_appears_later(open_page, site, view):
    page = open_page(f"view={view}", login=False)
    page.get_by_text("Not logged in").wait_for()
    other = page.context.new_page()
    other.goto(f"{site.address}#token={site.token}")
    other.wait_for_selector("#window [role=row]")
    page.bring_to_front()
    page.get_by_role("heading", name=view.title(), exact=True).wait_for()
