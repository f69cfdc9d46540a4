"""Tables in the documentation have the values of the code: limits of rules, exit statuses."""

import re
from pathlib import Path

from lanner.cli import messages
from lanner.rules.check import checker
from lanner.rules.condition import ast, comparisons, parser
from lanner.rules.files import load
from lanner.rules.resolve import lists, macros
from lanner.yamlfile import reader

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def table(page, title):
    """The first two cells of each row below a title."""
    text = (DOCS / page).read_text("utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if line.startswith("|")]
    return {row[0].strip("`"): row[1] for row in rows[2:]}


def test_the_page_on_rules_has_the_limits():
    limits = {
        "size of a file": f"{load.MAX_SIZE >> 20} MiB",
        "levels of YAML": f"{reader.MAX_DEPTH}",
        "open parentheses in a condition": f"{parser.MAX_GROUPS:,}",
        "levels of and/or/not after macro expansion": f"{ast.MAX_DEPTH}",
        "nested transformers": f"{comparisons.MAX_TRANSFORMERS}",
        "nodes of a condition after macro expansion": f"{macros.MAX_SIZE:,}",
        "characters of a condition with its lists": f"{lists.MAX_TEXT:,}",
        "items of all lists after expansion": f"{lists.MAX_ITEMS:,}",
        "RE2 instructions of all regular expressions together (`MAX_PROGRAM`)": f"{checker.MAX_PROGRAM:,}",
    }
    assert table("rules.md", "Limits") == limits


def test_the_page_on_operating_has_the_exit_statuses():
    assert set(table("operating.md", "Exit status")) == {
        str(each) for each in (messages.OK, messages.FAILED, messages.USAGE, messages.UNREACHABLE)
    } | {"130, 143"}
