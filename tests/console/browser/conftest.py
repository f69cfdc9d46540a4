"""Chromium with the page. A test fails if its page violates the policy, a script raises an error, or a request goes to another host."""

import shutil

import pytest

from .site import Site


@pytest.fixture(scope="module")
def chromium():
    """Debian's Chromium, driven by Playwright: one for each file of tests."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: make browser installs it")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium: make browser installs it")
    with playwright.sync_playwright() as driver:
        # root may not use the sandbox; /dev/shm is small in containers
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def site():
    """A console's answers with 600 alerts of the last hour."""
    with Site() as site:
        site.fill(600)
        yield site


@pytest.fixture
def open_page(chromium, site):
    """`open_page(fragment="", **context)`: a page that is logged in. Faults of all pages are checked at the end."""
    contexts, faults = [], []

    def open_one(fragment="", *, login=True, **options):
        context = chromium.new_context(**{"viewport": {"width": 1400, "height": 850}, "timezone_id": "Europe/Berlin"} | options)
        contexts.append(context)
        context.set_default_timeout(60_000)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        # the page's own policy has no place for this listener's messages: they go over the console
        context.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => console.error('CSP ' + e.violatedDirective + ' ' + e.blockedURI));"
            "window.attacked = 0; window.alert = () => { window.attacked += 1; };"
        )
        page = context.new_page()
        watch(page, site, faults)
        token = f"token={site.token}&" if login else ""
        page.goto(f"{site.address}#{token}{fragment}")
        return page

    yield open_one
    faults += [f"alert() was called in {page.url}" for context in contexts for page in context.pages if page.evaluate("window.attacked")]
    for context in contexts:
        context.close()
    assert faults == []


def watch(page, site, faults):
    """Note errors of scripts, violations of the policy and requests to other hosts."""
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: note_console(message, faults))
    page.on(
        "request",
        lambda request: None if request.url.startswith((site.address, "data:")) else faults.append(f"foreign request {request.url}"),
    )


def note_console(message, faults):
    # Chromium logs each answer that is not 2xx; tests of faults expect those
    if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
        faults.append(message.text)


@pytest.fixture
def page(open_page):
    """The live view with alerts, in Chromium."""
    page = open_page()
    page.wait_for_selector("#window [role=row]")
    return page
