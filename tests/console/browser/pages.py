"""Queries and waits that several tests of the page use."""

import time

COLUMNS = {"time": 0, "priority": 1, "rule": 2, "subject": 3, "text": 4}


def until(page, expression, arg=None, seconds=60):
    """Wait until JavaScript is true. Playwright's own waiting evaluates text later, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression, arg):
        shown = "document.querySelector('#trouble').textContent + ' / ' + document.querySelector('#note').textContent"
        assert time.monotonic() < end, f"never true: {expression} {arg or ''}; the page shows: {page.evaluate(shown)}"
        page.wait_for_timeout(50)


def rows(page):
    """The rows in sight."""
    return page.locator("#window [role=row]:visible")


def until_column(page, column, test):
    """Wait until there are rows, and `test`, an expression of `text`, is true for the column of each."""
    cells = (
        f"[...document.querySelectorAll('#window [role=row]:not([hidden]) > :nth-child({COLUMNS[column] + 1})')].map((c) => c.textContent)"
    )
    until(page, f"(() => {{ const texts = {cells}; return texts.length > 0 && texts.every((text) => {test}); }})()")


def row_count(page):
    """The number of rows of the list, including those out of sight."""
    return page.evaluate("Number(document.querySelector('#rows').getAttribute('aria-rowcount')) - 1")


def until_rows(page, test):
    """Wait until the number of rows `n` satisfies an expression."""
    until(page, f"((n) => {test})(Number(document.querySelector('#rows').getAttribute('aria-rowcount')) - 1)")


def open_newest(page):
    """Click the last row and wait for its detail."""
    rows(page).last.click()
    page.wait_for_selector("#detail .fields")


def focused(page):
    """The id of the element with the focus, or its tag."""
    return page.evaluate("document.activeElement.id || document.activeElement.tagName.toLowerCase()")
