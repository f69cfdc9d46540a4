"""Where yaml-cpp stops reading, in its words and at its places (read from its source; the corpus has some of them from Falco)."""

import time

import pytest

from lanner.rules.yamlcpp import syntax_error


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("- rule: r1\n   desc: d\n", (18, 1, 7), "illegal map value"),
        ("- rule: r1\n desc: d\n", (12, 1, 1), "end of sequence not found"),
        ("- rule: r1\n\tdesc: d\n", (11, 1, 0), "illegal tab when looking for indentation"),
        ("- desc: %d\n", (8, 0, 8), "unknown token"),
        ("- desc: @d\n", (8, 0, 8), "unknown token"),
        ("a: b: c", (4, 0, 4), "illegal map value"),
        ("a: - b", (3, 0, 3), "illegal block entry"),
        ('- "é" b', (7, 0, 7), "unexpected scalar"),
        ('- rule: "abc', (12, 0, 12), "illegal EOF in scalar"),
        ("- a: 'b\n---\n'", (8, 1, 0), "illegal document indicator in scalar"),
        ('- a: "\\q"', (8, 0, 8), "unknown escape character: q"),
        ('- a: "\\xg0"', (10, 0, 10), "bad character found while scanning hex number"),
        ('- a: "\\uD800"', (12, 0, 12), "invalid unicode: 55296"),
        ("- a: |0\n", (7, 0, 7), "cannot set zero indentation for a block scalar"),
        ("- a: | x\n", (7, 0, 7), "unexpected character in block scalar"),
        ("- rule: [a, b\n", (14, 1, 0), "end of sequence flow not found"),
        ("{a: b", (5, 0, 0), "end of map flow not found"),
        ("[a]]", (3, 0, 3), "illegal flow end"),
        ("[a}", (2, 0, 2), "illegal flow end"),
        ("a:\n  - b\n c: d\n", (10, 2, 1), "end of map not found"),
        ("- rule: *x\n", (8, 0, 8), "the referenced anchor is not defined: x"),
        ("- rule: *\n", (9, 0, 9), "alias not found after *"),
        ("- &a &b c", (5, 0, 5), "cannot assign multiple anchors to the same node"),
        ("x: !a !b c", (6, 0, 6), "cannot assign multiple tags to the same node"),
        ("%YAML 3.0\n---\n- a", (0, 0, 0), "YAML major version too large"),
        ("%YAML x\n---\n- a", (0, 0, 0), "bad YAML version: x"),
        ("%YAML 1.2\n%YAML 1.2\n---\n- a", (10, 1, 0), "repeated YAML directive"),
    ],
)
def test_what_stops_yaml_cpp(text, place, message):
    error = syntax_error(text)
    assert error is not None
    assert ((error.mark.offset, error.mark.line, error.mark.column), error.message) == (place, message)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "a: 'it''s'\nb: \"\\x41\\\n  c\"\nc: >-\n  folded\n   more\n\n  end\nd: |+2\n   kept\n",
        "- {a, b: c, ? d}\n- [a: b, c, {d: e}, ]\n- ? key\n  : value\n- - nested\n  - list\n",
        "- &a x\n- *a\n- !!str y\n- !t z\n- !<tag:x> w\n",
        "plain\n  goes on\n  # comment\n",
        "- http://a:80/b#c\n- a:b\n- -x\n- ?x\n- :x\n",
        "items:\n- a\n- b\nother: c\n",
        "--- a\n...\n--- b\n",
        "~\n---\n[",  # an empty document is the end
        "- a: \n  b:\n- \n",
        "a:\r\n  - b\r\n",
    ],
)
def test_what_yaml_cpp_takes(text):
    assert syntax_error(text) is None


def test_deep_and_long_texts_end():
    begin = time.monotonic()
    assert syntax_error("[" * 10_000) is None  # the loader refuses it
    assert syntax_error("- a: bcd efg\n" * 20_000) is None
    assert syntax_error("- '" + "x" * 1_000_000) is not None
    assert time.monotonic() - begin < 20
