"""A report selects the alerts that the filter language of all other views selects."""

import json
import re
from pathlib import Path

import pytest

import lanner.console
from lanner.alerts.filters import FilterError, parse_filter
from lanner.console.rows import row_of

from ...alerts.stores import START, alert

pytestmark = [pytest.mark.slow, pytest.mark.browser]

STATIC = Path(lanner.console.__file__).with_name("static")
PRIORITIES = ["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"]
HOUR = 3600 * 10**9
ALERTS = [
    alert(
        1,
        rule="Shell in a container",
        priority=4,
        subject="web-1",
        message="Shell /bin/sh in web-1",
        tags=("T1059", "shell"),
        arrived=START,
    ),
    alert(2, rule="shell*", priority=2, subject="WEB-2", message="exit code 137 or so: a=b 12:30", source="k8s", arrived=START + HOUR),
    alert(3, rule='Quotes "and" \\', priority=6, subject="db", message="Crème brûlée (café)", tags=("T1",), arrived=START + 2 * HOUR),
]
FILTERS = """
shell | SHELL | shel | shel* | "shell in a*" | -shell | "bin sh" | web-1 | web* | "" | - | -- | * | a and b | a or b | crème | (café) | 137
rule:shell* | rule:"shell*" | rule:"shell\\*" | rule="Shell in a container" | rule = "Shell in a container" | rule :x | rule: shell* | rule!=shell*
rule: | rule in (shell*) | rule in ("shell\\*", nothing) | -rule in ("Quotes*" , x) | rule in (shell | rule in () | rule in(db,x)
rule:"Quotes \\"and\\" \\\\" | container:web-1 | subject:WEB-1 | container in (web-1, db) | source:docker | source != docker | source in (docker)
tag:t1059 | tags:T1 | tag in (t1, shell) | -tag:shell | priority>=warning | priority <= notice | priority:critical | priority != info
priority in (critical, INFO) | -priority>critical | priority in ("warning") | 12:30 | a=b | x>5 | rule>x | since>1h
since:1728000000 | until:1728000000.5 | since:2024-10-04T00:30:00Z | -until:2024-10-04T01:30:00+00:00 | since:1h | until:1h30m | -since:5d
"open | \\ | rule:"open | :x | a : b | and | "and" | not shell | !shell
"""


def texts():
    return [text.strip() for line in FILTERS.strip().splitlines() for text in line.split(" | ")]


@pytest.fixture(scope="module")
def select(chromium):
    """`select(texts)`: for each filter the numbers of the rows that the report's script selects, or its error."""
    code = re.sub(r"^import .*$", "", (STATIC / "filter.js").read_text(), flags=re.MULTILINE).replace("export function", "function")
    page = chromium.new_page()
    script = f"""([texts, rows, tags, PRIORITIES]) => {{
      class ApiError extends Error {{}}
      {code}
      return texts.map((text) => {{
        try {{
          const test = parseFilter(text, tags);
          return rows.flatMap((row, place) => (test(row) ? [place] : []));
        }} catch (error) {{
          return error.message;
        }}
      }});
    }}"""
    rows = [row_of(each) for each in ALERTS]
    tags = {each.rule: json.loads(each.line)["tags"] for each in ALERTS}
    yield lambda texts: page.evaluate(script, [texts, rows, tags, PRIORITIES])
    page.close()


def test_a_report_selects_what_the_reference_selects(select):
    now = START + 200 * 24 * HOUR  # spans before now have all alerts before them
    for text, found in zip(texts(), select(texts()), strict=True):
        wanted = parse_filter(text, now)
        assert found == [place for place, each in enumerate(ALERTS) if wanted.matches(each)], text


def test_a_report_says_which_filters_it_cannot_answer(select):
    fields = select(["proc.name:sh", "docker.exitcode>5", "docker.exitcode > 5", "proc.name in (a, b)", "-a.b[0]=x"])
    assert all(error.startswith("a report keeps the fields of some alerts only") for error in fields)
    for text, error in zip(
        ("priority>=loud", "priority in (error, loud)", "since:soon"),
        select(["priority>=loud", "priority in (error, loud)", "since:soon"]),
        strict=True,
    ):
        assert error.startswith("invalid ")
        with pytest.raises(FilterError):
            parse_filter(text, START)
    assert select(["docker.exitcode>x"]) == [[]]  # text
