"""The filter language: every text is a filter, and each term compares what its documentation says."""

import contextlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lanner.alerts.filters import ALL_PRIORITIES, Filter, FilterError, parse_filter, quote_value
from lanner.rules.files.items import Priority

from ..growth import grows_linearly
from .stores import START, alert

HOUR = 3600 * 10**9
NOW = START + 10 * HOUR
SHELL = alert(
    rule="Shell in a container",
    priority=Priority.WARNING,
    subject="web-1",
    message="Shell /bin/sh in web-1 by root",
    fields={
        "proc.name": "sh",
        "proc.pid": 4321,
        "proc.size": 2**53 + 1,
        "proc.sizes": [1, "3"],
        "proc.args": ["-c", "Run it"],
        "container.image": "example.com:443/web",
        "user": None,
    },
    tags=("container", "T1059"),
    arrived=NOW - HOUR,
)


def matches(text, found=SHELL):
    return parse_filter(text, NOW).matches(found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "-",
        '"',
        '""',
        "shell",
        "SHELL container",
        "web-1",
        '"shell /bin/sh in"',
        '"in web-1',
        "4321",
        "Run it",
        "example.com:443",
        "example.com:443/web",
        'rule:"Shell in a container"',
        "rule:shell*",
        'rule:"shell in*"',
        'rule:"*in a*"',
        "rule:*CONTAINER",
        "rule=*in*container",
        "Rule:*",
        "rule: shell*",
        "container:web-1",
        "subject:WEB-*",
        "source:docker",
        "tag:t1059",
        "tags:container",
        "priority:warning",
        "priority>=warning",
        "priority >= Warning",
        "priority<=Warning",
        "priority>notice",
        "priority<ERROR",
        "priority!=info",
        "-priority:informational",
        "proc.name:sh",
        "proc.name = sh",
        "proc.name!=bash",
        "proc.pid:4321",
        "proc.args:-c",
        'proc.args:"run it"',
        "container.image:*/web",
        "since:2h until:30m",
        "-until:2h -since:30m",
        "since:2024-10-04T09:00:00Z",
        "proc.pid>4320",
        "proc.pid >= 4321",
        "proc.pid<4321.5 proc.pid<=4321",
        "proc.pid>-1",
        'proc.pid>"4e3"',
        "-proc.pid>4321",
        "-proc.name>5",
        "proc.size>9007199254740992",
        "proc.sizes>2",
        "rule in (other, Shell*)",
        'rule in ("Shell in a container")',
        'rule in ("a \\" b","shell in*" , c)',
        "container in(web-1,db)",
        "tag in (t1059, x)",
        "source in (k8s, docker) and priority in (error, warning)",
        "priority in (WARNING)",
        "-priority in (error, notice)",
        "proc.name in (bash, sh)",
        "proc.args in (-c)",
        "-proc.name in (bash, zsh)",
        "proc.pid in (1, 4321)",
        "-bash -rule:other -container:db -tag:x -proc.name:bash",
        'rule:shell* priority>=warning container:web-1 "bin sh" -other',
        "shell and root",
        "*",
        "---",
        "shell*",
        "she* conta*",
        '"shell bin s*"',
        "SHELL*",
        "web-*",
        "* shell *",
        "rule:",
        "priority>=",
        "\0",
        "\ud800",
        "🦊",
    ],
)
def test_filters_that_match(text):
    assert matches(text)


@pytest.mark.parametrize(
    "text",
    [
        "bash",
        "she",
        "*hell",
        "hell*",
        "she-*",
        '"bin* shell"',
        "-sh*",
        '"shell in web"',
        '"container shell"',
        "-shell",
        '-"in web-1"',
        'rule:"shell\\*"',
        "rule:shell\\*",
        "rule:shell",
        "-rule:shell*",
        "rule!=shell*",
        "container:web",
        "source:k8s",
        "tag:cont",
        "-tag:T1059",
        "priority:error",
        "priority>=error",
        "priority<warning",
        "priority>Warning",
        "-priority>=notice",
        "proc.name:bash",
        "-proc.name:sh",
        "proc.none:x",
        "proc.pid:432",
        "proc.pid>4321",
        "proc.pid < 4321",
        "-proc.pid<=4321",
        "proc.name>5",
        "proc.none>5",
        "user>0",
        "proc.size>9007199254740993",
        "proc.sizes>3",
        "rule in (other, shell)",
        "-rule in (other, shell*)",
        "container in (db)",
        "tag in (x)",
        "priority in (error)",
        "-priority in (error, warning)",
        "proc.name in (bash)",
        "-proc.name in (bash, sh)",
        'rule in ("shell\\*")',
        "since:30m",
        "until:1h",
        "until:2h",
        "-since:2h",
        'and"and"',
        "shell or root",
    ],
)
def test_filters_that_do_not_match(text):
    assert not matches(text)


@pytest.mark.parametrize(
    ("text", "says", "place"),
    [
        (
            "web priority>=loud",
            "invalid priority 'loud' at character 15 of the filter: use emergency, alert, critical, error, warning, notice, informational or debug",
            14,
        ),
        ("priority:warnin", "invalid priority 'warnin' at character 10 of the filter: did you mean 'warning'?: use emergency", 9),
        ('-priority = "a b"', "invalid priority 'a b' at character 13 of", 12),
        ("since:yesterday", "`since:yesterday` at character 7 of the filter is not a time: write seconds since 1970, 2026-01-31T20", 6),
        ("priority in (warning, loud)", "invalid priority 'loud' at character 23 of the filter", 22),
        ('priority in ("loud")', "invalid priority 'loud' at character 14 of the filter", 13),
        ("until:9999-99-99", "`until:9999-99-99` at character 7 of the filter is not a time", 6),
    ],
)
def test_an_impossible_value_of_a_known_key_is_an_error(text, says, place):
    with pytest.raises(FilterError) as caught:
        parse_filter(text, NOW)
    assert str(caught.value).startswith(says)
    assert caught.value.place == place


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("pririty>=warning", "'pririty' is not a key of filters and is searched as text: did you mean 'priority'?"),
        ("rules:x", "'rules' is not a key of filters and is searched as text: did you mean 'rule'?"),
        ("severity:warning", "'severity' is not a key of filters and is searched as text: did you mean 'priority'?"),
        ("Severity >= warning", "'Severity' is not a key of filters and is searched as text: did you mean 'priority'?"),
        ("severity in (a, b)", "'severity' is not a key of filters and is searched as text: did you mean 'priority'?"),
        ("pririty in (error)", "'pririty' is not a key of filters and is searched as text: did you mean 'priority'?"),
        ('rule:"Shell', "a quote is not closed: all that follows it is one value"),
        ('"', "a quote is not closed: all that follows it is one value"),
        ('rule:"Shell\\', "a quote is not closed: all that follows it is one value"),
        ('"Shell\\"', "a quote is not closed: all that follows it is one value"),
        ("rule:Volume destroyed", "'destroyed' is searched as a word: write rule:\"Volume destroyed\" if it belongs to the rule's name"),
        ("rule:Volume was gone", "'was' is searched as a word: write rule:\"Volume was\" if it belongs to the rule's name"),
        ("a or b", "the terms of a filter are joined by `and`: 'or' is searched as a word"),
        ("not a", "a `-` before a term excludes: 'not' is searched as a word"),
        ("rule>x", "'rule' is compared with `:`, and is searched as text here"),
        ("rule:", "'rule' has no value and is ignored"),
        ("proc.name>abc", "'proc.name' is compared by size only with a number, and is searched as text here"),
        ("proc.pid >", "'proc.pid' is compared by size only with a number, and is searched as text here"),
        ("rule='a", "`'` does not quote a value in a filter: use `\"` for 'rule'"),
        ("rule contains x", '`contains` is not an operator of filters: write rule:"*text*". It is searched as a word here'),
        ("a.b startswith x", '`startswith` is not an operator of filters: write a.b:"text*". It is searched as a word here'),
        ("a.b[0] exists", "`exists` is not an operator of filters: write a.b[0]:*. It is searched as a word here"),
        ("a.b regex x", "`regex` is not an operator of filters, which have no regular expressions. It is searched as a word here"),
        ("a.b in (x", "`in` is not an operator of filters: write a.b in (one, two). It is searched as a word here"),
        ("(rule:x)", "a filter has no parentheses, except after `in`: the terms in them are searched as text"),
        ("*hell", "a `*` in text has a meaning only at the end of a word: '*hell' is searched without it"),
        ("s*ell", "a `*` in text has a meaning only at the end of a word: 's*ell' is searched without it"),
    ],
)
def test_a_hint_is_a_note(text, note):
    assert parse_filter(text, NOW).notes == (note,)


def test_ordinary_texts_have_no_notes():
    texts = [
        "http://example.com/x",
        "12:30:00",
        "sha256:abc",
        "a:b",
        "web text",
        "10.0.0.1:80",
        "C:\\Windows",
        "shell in container",
        "(a)",
        "x > 5",
        '"closed" rule:"closed\\"" "\\\\"',
        "rule:miner and started",
        "rule:miner -started",
        "rule:miner source:docker",
        "rule:miner priority >= error",
        "rule:miner source in (docker)",
        "rule:miner* started",
        "container:web text",
    ]
    assert [text for text in texts if parse_filter(text, NOW).notes] == []


PIECES = (
    *[
        '":',
        "*",
        "-",
        "NEAR(",
        ")",
        "AND",
        "OR",
        "NOT",
        "\\",
        "'",
        "^",
        "+",
        "{",
        "}",
        ";",
        "--",
        "%",
        "<",
        ">",
        "!=",
        "rule:",
        "priority>=",
        "priority:warning",
        "container:",
        "since:",
        "1h",
        "a.b:",
        "a.b[0]=",
        "a.b>",
        "n.mod<=",
        "1",
        " in (",
        "rule in (Shell, ",
        "priority in (error,",
        ",",
    ],
    *(" ", "\0", "\ud800", "\udcff", "🦊", "x" * 300, "é", "İ", "…", "\u202e"),
)
ANY_TEXT = st.text(max_size=40) | st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=12).map("".join)


@settings(max_examples=5 * settings.default.max_examples)
@given(ANY_TEXT)
@example('priority "')
def test_any_text_is_a_filter(text):
    try:
        parse_filter(text, NOW).matches(SHELL)
    except FilterError as error:
        assert text[error.place - 1 :].strip()  # noqa: PT017 - most strings have no error


@given(st.text(), st.sampled_from(["rule", "subject", "source"]))
def test_a_quoted_value_is_literal(value, key):
    (term,) = parse_filter(f"{key}:{quote_value(value)}", NOW).terms
    assert term.pattern.fits(value)
    assert not term.pattern.fits(value + "x")
    assert term.pattern.literal is not None


@pytest.mark.parametrize(
    ("start", "unit"),
    [
        ("", "a in ("),
        ("a.b in (", "x,"),
        *(("", unit) for unit in ("a.b exists ", "a", "a:", '"', "a.b:", "-", "a\\", "[")),
    ],
)
def test_a_very_long_text_is_read_in_linear_time(start, unit):
    def run(size):
        with contextlib.suppress(FilterError):
            parse_filter(start + unit * (size // len(unit)), NOW)

    assert grows_linearly(run, 20_000)


def test_an_empty_filter_matches_everything():
    assert Filter().is_empty
    assert parse_filter(" and - ", NOW).is_empty
    assert parse_filter("  ", NOW).is_empty
    assert Filter().priorities == ALL_PRIORITIES
