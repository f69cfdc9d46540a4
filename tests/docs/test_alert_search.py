"""docs/alert-search.md names each key of filters, and its filters are valid."""

import re
from pathlib import Path

from lanner.alerts.filters import KEYS, parse_filter
from lanner.alerts.subject import SUBJECT_FIELDS

PAGE = Path(__file__).parents[2].joinpath("docs/alert-search.md").read_text("utf-8")


def test_each_key_has_a_row():
    rows = " ".join(re.findall(r"^\| (`.*?`) \|", PAGE, re.MULTILINE))
    assert [key for key in KEYS if f"`{key}:" not in rows and f"`{key}>=" not in rows and key != "tags"] == []


def test_the_fields_of_subjects_are_those_of_the_store():
    row = next(line for line in PAGE.splitlines() if "The subject is the first" in line)
    assert re.findall(r"`([a-z0-9]+\.[a-z.]+)`", row) == list(SUBJECT_FIELDS)


def test_the_filters_of_the_examples_are_valid():
    filters = re.findall(r"^    lanner alerts search \S+ '(.*?)'", PAGE, re.MULTILINE)
    assert len(filters) == 3
    for text in filters:
        assert parse_filter(text, 0).terms
        assert parse_filter(text, 0).notes == ()
