"""Hostile alerts are text: no markup, no script, nothing invisible, no endless field."""

import pytest

from .pages import open_newest, until

pytestmark = [pytest.mark.slow, pytest.mark.browser]

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script><b>bold</b> javascript:alert(3)"


def test_markup_and_scripts_are_text_everywhere(page, site):
    site.inquiry.why = lambda _: {"unavailable": MARKUP}
    site.inquiry.exception = lambda _: {"text": MARKUP, "checked": False}
    site.add(rule=MARKUP, subject=MARKUP, text=MARKUP, **{MARKUP: MARKUP})
    page.locator("#window").get_by_text(MARKUP).first.wait_for()
    open_newest(page)
    page.locator("#detail h2").get_by_text(MARKUP).wait_for()
    page.locator("summary", has_text="Exception").click()
    page.locator("pre").get_by_text(MARKUP).wait_for()
    page.get_by_text(f"Unavailable: {MARKUP}").wait_for()
    page.get_by_role("button", name=f"Only rule {MARKUP}"[:60]).first.wait_for()
    page.get_by_role("link", name="Rules").click()
    page.wait_for_selector("#page h2")
    assert page.evaluate("document.querySelectorAll('main img, main script, main b, #page b').length") == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202etxt.exe\u202c", "a⟨U+202E⟩txt.exe⟨U+202C⟩"),
        ("bell\x07esc\x1b[31m", "bell␇esc␛[31m"),
        ("line\nbreak\ttab", "line␊break␉tab"),
        ("zero\u200bwidth\u2066isolate\ufeff", "zero⟨U+200B⟩width⟨U+2066⟩isolate⟨U+FEFF⟩"),
        ("c1\x85\x9b nbsp\xa0end\u2028", "c1⟨U+0085⟩⟨U+009B⟩ nbsp⟨U+00A0⟩end⟨U+2028⟩"),
        ("tag\U000e0041 filler\u3164", "tag⟨U+E0041⟩ filler⟨U+3164⟩"),
        ("replaced \ufffd emoji \U0001f6a8 عربي", "replaced \ufffd emoji \U0001f6a8 عربي"),
    ],
)
def test_invisible_characters_are_visible(page, site, text, shown):
    site.add(subject="hostile", text=text, **{"docker.exec.command": text})
    row = page.locator("#window [role=row]").filter(has_text="hostile")
    row.wait_for()
    assert row.locator("span").nth(4).inner_text() == shown
    open_newest(page)
    assert shown in page.locator("#detail .fields").evaluate("e => e.textContent")
    assert page.locator("#detail .odd").count() == sum(shown.count(mark) for mark in ("⟨", "␇", "␛", "␊", "␉")) * 2


def test_lone_surrogates_do_not_break_the_page(page, site):
    site.add(subject="half", text="half \ud800 pair")
    page.locator("#window").get_by_text("half").first.wait_for()
    open_newest(page)
    assert "half" in page.locator("#detail").inner_text()


def test_a_field_of_a_megabyte_is_cut_until_asked_for(page, site):
    site.add(subject="large", text="large one", **{"docker.exec.command": "A" * 1_000_000})
    page.locator("#window").get_by_text("large one").wait_for()
    open_newest(page)
    assert len(page.locator("#detail").evaluate("e => e.textContent")) < 20_000
    page.get_by_role("button", name="Show all 1,000,000 characters").click()
    until(page, "document.querySelector('#detail .fields').textContent.length > 1000000")


def test_hostile_filters_are_searches(open_page):
    page = open_page("view=history")
    for text in ('"', "'; drop table", "a AND (", "*", "-", ":", "rule:", "😀 \u202e", "\\", '"a" NEAR b', "^x", "{}"):
        page.locator("#search").fill(text)
        page.keyboard.press("Enter")
        until(page, "text => new URLSearchParams(location.hash.slice(1)).get('filter') === text.trim()", text)
        until(page, "document.querySelector('#note').textContent.includes('alert')")
        page.locator("#search").focus()
    assert page.locator("#trouble").is_hidden()
