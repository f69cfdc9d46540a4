"""A report opened from disk: the page with its alerts, without a server."""

import pytest
from tests.console.generated import GeneratedStore

from lanner.alerts.alert_store import AlertStore
from lanner.console.report_file import write_report
from lanner.inquiry.questions import Inquiry

from .conftest import note_console
from .pages import until, until_column, until_rows

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report of 700 generated alerts, hostile ones among them."""
    directory = tmp_path_factory.mktemp("report")
    generated = GeneratedStore(directory / "store", 700)
    generated.close()
    inquiry = Inquiry()
    try:
        assert write_report(AlertStore(directory / "store"), directory / "out.html", "a <b>replay</b>", inquiry) == 700
    finally:
        inquiry.close()
    return directory / "out.html"


@pytest.fixture
def page(chromium, report):
    """The report in Chromium, offline."""
    context = chromium.new_context(viewport={"width": 1400, "height": 850}, offline=True)
    context.set_default_timeout(60_000)
    context.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => console.error('CSP ' + e.violatedDirective + ' ' + e.blockedURI));"
        "window.attacked = 0; window.alert = () => { window.attacked += 1; };"
    )
    faults = []
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: note_console(message, faults))
    page.on("request", lambda request: None if request.url.startswith(("file:", "data:", "blob:")) else faults.append(request.url))
    page.goto(report.as_uri())
    page.wait_for_selector("#window [role=row]:visible")
    yield page
    assert page.evaluate("window.attacked") == 0
    context.close()
    assert faults == []


def test_all_alerts_are_there_and_can_be_filtered(page):
    page.get_by_text("a <b>replay</b>: 700 alerts").wait_for()
    until_rows(page, "n === 500")
    page.locator("#search").fill('rule:"Image tagged"')
    until_column(page, "rule", "text === 'Image tagged'")
    page.locator("#search").fill('priority>=critical -rule:"Miner or malware by name"')
    until_column(page, "priority", "text === 'Critical' || text === 'Alert' || text === 'Emergency'")
    page.locator("#search").fill("priority>=loud")
    until(page, "document.querySelector('#search-error').textContent.includes('invalid priority')")
    page.locator("#search").fill('docker.type:"container"')
    until(page, "document.querySelector('#search-error').textContent.includes('fields of some alerts only')")


def test_detail_says_why_for_the_first_alerts_of_a_rule(page):
    page.locator("#rows").hover()
    page.mouse.wheel(0, 100_000)
    until_rows(page, "n === 700")
    page.locator("#rows").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.wait_for_selector(".deciding li")
    assert page.get_by_role("button", name="Only docker").count() == 0
    page.keyboard.press("Escape")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.get_by_text("this report has it only for the first alerts of each rule").wait_for()


def test_rules_and_facets_and_time_line_work_offline(page):
    page.wait_for_selector("#chart rect")
    page.get_by_role("button", name="Only rule Image tagged").click()
    until_column(page, "rule", "text === 'Image tagged'")
    page.get_by_role("link", name="Rules").click()
    page.get_by_role("table", name="Rules with alerts").wait_for()
    assert page.get_by_role("link", name="Live").count() == 0
