"""A count in a message has the right form of its noun: `many` and the console's `plural` write both."""

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "lanner"
NOUNS = (
    *("field", "rule", "alert", "event", "file", "line", "plugin", "problem", "warning", "error", "byte", "payload", "test", "item"),
    *("alternative", "character", "finding", "record", "message", "engine", "tag", "thread", "module", "librar", "time", "day", "more"),
    *("option", "process", "output", "source", "macro", "list", "package", "position", "condition", "container", "run", "group", "node"),
)
COUNTED = re.compile(rf"\{{([^{{}}]+)\}} (?:more )?(?:{'|'.join(NOUNS)})(?:ie|e)?s\b")
CONSTANT = re.compile(r"_?[A-Z][A-Z_]+")
ELSEWHERE = {
    *(
        "len(watched)",
        "names",
        "len(names)",
        "len(points)",
        "count",
        "len(rules)",
        "len(files)",
        "whole.count(chr(10)) + 1",
    ),  # more than one
    *("os.sysconf('SC_PAGE_SIZE')", "len(text) - limit"),
    *("where", "whose"),  # no counts
}


def _find_counts(paths):
    for path in paths:
        for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
            for found in COUNTED.finditer(text):
                yield f"{path.relative_to(PACKAGE)}:{number}", found[1].partition(":")[0]


@pytest.mark.parametrize(("ending", "least"), [("*.py", 5), ("*.js", 0)])
def test_a_counted_noun_has_both_forms(ending, least):
    found = list(_find_counts(PACKAGE.rglob(ending)))
    assert len(found) >= least
    assert [(where, what) for where, what in found if not CONSTANT.fullmatch(what) and what not in ELSEWHERE] == []
