"""The page by mouse: what a user does with alerts, in Chromium."""

import re

import pytest

from .pages import open_newest, rows, until, until_column, until_rows

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_token_leaves_the_address_at_login(page):
    assert "token" not in page.url
    assert page.context.cookies()[0]["httpOnly"] is True


def test_live_list_shows_new_alerts_and_follows(page, site):
    site.add(rule="Shell in a container", subject="new-one")
    rows(page).filter(has_text="new-one").wait_for()
    assert page.get_by_role("button", name="Follow").get_attribute("aria-pressed") == "true"


def test_scrolling_up_ends_following_and_the_button_resumes_it(page, site):
    page.locator("#rows").hover()
    page.mouse.wheel(0, -2000)
    follow = page.get_by_role("button", name="Follow")
    until(page, "document.querySelector('#follow').ariaPressed === 'false'")
    site.add(subject="below")
    follow.click()
    rows(page).filter(has_text="below").wait_for()


def test_pause_holds_the_list_and_counts(page, site):
    page.get_by_role("button", name="Pause").click()
    for number in range(7):
        site.add(subject=f"waiting-{number}")
    page.get_by_text("Paused; 7 alerts waiting").wait_for()
    assert rows(page).filter(has_text="waiting-").count() == 0
    page.get_by_role("button", name="Pause").click()
    rows(page).filter(has_text="waiting-6").wait_for()


def test_history_loads_older_pages_on_scrolling(page, site):
    page.get_by_role("link", name="History").click()
    rows(page).first.filter(has_text=site.alerts[-1].subject).wait_for()  # Live has its oldest row there
    until_rows(page, "n === 500")
    page.locator("#rows").hover()
    page.mouse.wheel(0, 100_000)
    until_rows(page, "n === 600")
    page.get_by_text("600 alerts", exact=True).wait_for()


def test_search_narrows_the_list_and_is_in_the_address(page, site):
    site.add(rule="Image pushed", subject="shop-db-77")
    page.locator("#search").fill('rule:"Image pushed" shop-db-77')
    page.keyboard.press("Enter")
    until_rows(page, "n === 1")
    assert "filter=rule" in page.url
    page.go_back()
    until_rows(page, "n > 2")


def test_an_impossible_value_is_explained_at_the_field(page):
    page.locator("#search").fill("priority>=loud")
    error = page.locator("#search-error")
    until(page, "document.querySelector('#search-error').textContent !== ''")
    assert error.inner_text().count("loud") == 1
    assert page.locator("#search").get_attribute("aria-invalid") == "true"
    page.locator("#search").fill("priority>=warning")
    until(page, "document.querySelector('#search-error').textContent === ''")


def test_facets_filter_and_exclude(page):
    page.get_by_role("button", name="Only rule Image tagged").click()
    until_column(page, "rule", "text === 'Image tagged'")
    page.get_by_role("button", name="Exclude rule Image tagged").click()
    until(page, "location.hash.includes('filter=-rule')")
    until_column(page, "rule", "text !== 'Image tagged'")
    page.get_by_role("button", name='Remove -rule:"Image tagged"').click()
    until(page, "!location.hash.includes('filter')")


def test_brush_on_the_time_line_sets_the_range(page):
    page.wait_for_selector("#chart rect.f6")
    box = page.locator("#chart").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 30)
    page.mouse.up()
    until(page, "location.hash.includes('from=')")
    begin, end = map(int, re.search(r"from=(\d+)&to=(\d+)", page.url).groups())
    assert 10 * 60_000 < end - begin < 20 * 60_000
    until_rows(page, "0 < n && n < 400")
    page.get_by_label("Time range").select_option("all")
    until_rows(page, "n > 400")


def test_legend_filters_by_priority(page):
    page.locator("#legend button").filter(has_text="Critical").click()
    until_column(page, "priority", "text === 'Critical'")


def test_detail_explains_why_with_the_deciding_tests_first(page, site):
    site.add(rule="Shell in a container", subject="shop-web-1")
    page.wait_for_selector("text=shop-web-1 >> nth=0")
    open_newest(page)
    page.wait_for_selector(".deciding li")
    decided = page.locator(".deciding li").all_inner_texts()
    assert any("startswith" in line and "→" in line for line in decided)
    assert not any("bash" in line for line in decided)
    page.get_by_text("The whole condition").click()
    page.get_by_text("other alternatives").click()
    page.locator(".why").get_by_text('"bash "').wait_for()


def test_a_test_below_a_not_decides_by_being_false(page, site):
    site.inquiry.deciding = [[2, 0]]
    open_newest(page)
    page.wait_for_selector(".deciding li")
    assert page.locator(".deciding li .text").all_inner_texts() == ["docker.attributes.image in (trusted_images)"]
    assert page.locator(".deciding li").inner_text().split() == ["✓", "true:", "not", "docker.attributes.image", "in", "(trusted_images)"]
    page.get_by_text("have placeholders: token").wait_for()


def test_a_field_filters_and_excludes(page, site):
    open_newest(page)
    subject = site.alerts[-1].subject
    page.get_by_role("button", name=f"Exclude docker.attributes.name {subject}").click()
    until(page, "location.hash.includes('-docker.attributes.name')")
    page.get_by_role("button", name=f"Exclude docker.attributes.name {subject}").first.wait_for()


def test_detail_keeps_long_numbers_exact(page):
    open_newest(page)
    page.locator(".fields").get_by_text("1795000000123456789").wait_for()
    page.locator("summary", has_text="Event").click()
    page.locator("pre").get_by_text("1795000000123456789").wait_for()


def test_around_shows_the_same_subject_and_leads_on(page, site):
    for _ in range(3):
        site.add(rule="Image tagged", subject="busy")
    page.wait_for_selector("text=busy >> nth=2")
    open_newest(page)
    page.get_by_text("3 alerts about busy").wait_for()
    page.get_by_role("button", name="Show them in History").click()
    until_rows(page, "n === 3")


def test_exception_and_test_are_copied(page):
    open_newest(page)
    page.locator("summary", has_text="Exception").click()
    page.get_by_text("checked by Lanner").wait_for()
    page.get_by_role("button", name="Copy", exact=True).first.click()
    page.get_by_text("exception copied").wait_for()
    assert "exceptions:" in page.evaluate("navigator.clipboard.readText()")


def test_permanent_link_opens_the_alert(page, open_page, site):
    open_newest(page)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Link copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{site.address}#alert={site.alerts[-1].key}"
    other = open_page(link.partition("#")[2])
    other.wait_for_selector("#detail .fields")
    assert other.locator(".fields").get_by_text(site.alerts[-1].key).count() == 1


def test_link_to_a_removed_alert_says_so(open_page):
    page = open_page("alert=00000000-1")
    page.get_by_text("no alert of its run 00000000 is there. Retention has removed them").wait_for()


def test_rules_view_names_noisy_and_silent_rules_and_changes(page):
    page.get_by_role("link", name="Rules").click()
    page.get_by_role("table", name="Silent rules").get_by_text("Docker socket mounted").wait_for()
    page.get_by_text(re.compile("noisy: \\d+ % of all")).first.wait_for()
    changes = page.get_by_role("table", name=re.compile("Rules changed at"))
    assert re.search("▼ \N{MINUS SIGN}|▲ [+]", changes.inner_text())
    page.get_by_role("table", name="Rules with alerts").get_by_role("button", name="Image pushed").click()
    until(page, "location.hash.includes('view=history') && location.hash.includes('Image+pushed')")


@pytest.mark.parametrize("view", ["Rules", "Status"])
def test_views_without_a_filter_offer_none(page, view):
    page.locator("#search").fill("priority>=loud")
    until(page, "document.querySelector('#search-error').textContent !== ''")
    page.get_by_role("link", name=view).click()
    page.get_by_role("heading", name=view, exact=True).wait_for()
    assert not page.locator("#search").is_visible()
    page.get_by_role("link", name="History").click()
    until(page, "document.querySelector('#search-error').textContent !== ''")
    assert page.locator("#search").input_value() == "priority>=loud"


def test_a_short_range_has_no_rate_per_hour(open_page):
    page = open_page("view=rules&range=15m")
    table = page.get_by_role("table", name="Rules with alerts")
    table.wait_for()
    assert set(table.locator("tbody td:nth-child(4)").all_inner_texts()) == {"\N{EN DASH}"}


def test_note_of_a_noisy_rule_is_in_sight_on_a_narrow_page(open_page):
    page = open_page("view=rules", viewport={"width": 390, "height": 800})
    box = page.get_by_text(re.compile("noisy: \\d+ % of all")).first.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


def test_status_names_what_is_red(page):
    link = page.get_by_role("link", name="Status")
    page.get_by_text("▲ 2 problems").wait_for()
    link.click()
    problems = page.get_by_role("list", name="Problems")
    problems.get_by_text("the engine is unreachable").wait_for()
    assert "check the network" in problems.inner_text()


def test_zone_switch_changes_all_times(page):
    page.get_by_role("link", name="History").click()
    first = rows(page).first.locator("span").first
    utc = first.inner_text()
    page.get_by_role("button", name="UTC").click()
    until(page, "utc => document.querySelector('#window [role=row] span').textContent !== utc", utc)
    page.get_by_role("button", name="Local").wait_for()
    page.reload()
    page.get_by_role("button", name="Local").wait_for()


def test_theme_switch_is_kept(page):
    page.get_by_role("button", name="Dark or light").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    until(page, "document.documentElement.dataset.theme === 'dark'")
