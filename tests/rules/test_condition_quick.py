"""The fast paths of the parser have the results of reading word by word: trees with their spans, and errors with their places."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from lanner.rules.condition import lexer
from lanner.rules.condition.ast import Check, ConstantList, Not
from lanner.rules.condition.parser import parse
from lanner.rules.findings import ConditionError

from .test_condition_show import conditions, show

PIECES = [
    *(
        "x.y",
        "x.",
        "x(",
        "x.y[a]",
        "x.y['a b']",
        "x.y[",
        "x.y = a",
        "not x.y in (a)",
        "x",
        "(",
        ")",
        "()",
        ",",
        " ",
        "\t",
        "\v",
        "=",
        "!=",
        "<",
        "in",
        "exists",
        "glob",
        "oneof",
    ),
    *(
        "anyof",
        "not",
        "not(",
        "and",
        " and ",
        "or",
        " or ",
        "a",
        "'a'",
        '"b c"',
        "'\\z'",
        '"',
        "tolower(x.y)",
        "val(x.y)",
        "tolower",
        "1",
        "0x1f",
        "é",
        "\0",
    ),
]


def outcome(text, base=0, shared=None):
    """Return the tree of a string with all spans, or the error."""
    try:
        return repr_with_spans(parse(text, base, shared))
    except ConditionError as error:
        return str(error), error.offset, error.length, error.falco_offset, error.advice


def repr_with_spans(node):
    if isinstance(node, str | int | bool | None):
        return node
    if isinstance(node, tuple):
        return [repr_with_spans(each) for each in node]
    return type(node).__name__, [repr_with_spans(getattr(node, name)) for name in node.__struct_fields__]


def slowly(text):
    """Return the result without the fast paths, by patterns that never match."""
    quick = lexer.OPERAND, lexer.CONNECTIVE
    lexer.OPERAND = lexer.CONNECTIVE = re.compile("(?!)")
    try:
        return outcome(text)
    finally:
        lexer.OPERAND, lexer.CONNECTIVE = quick


@settings(max_examples=10 * settings.default.max_examples)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join))
def test_any_text_is_read_as_word_by_word(text):
    assert outcome(text) == slowly(text)


@given(st.lists(conditions, min_size=1, max_size=4))
def test_conditions_that_share_their_lists_are_what_they_are_alone(trees):
    shared = {}
    for tree in [*trees, *trees]:
        text = show(tree)
        assert outcome(text, 7, shared) == outcome(text, 7)


def test_every_condition_that_falco_parses_is_read_as_word_by_word(corpus):
    shared = {}
    texts = [case["condition"] for case in corpus.cases("conditions.jsonl")]
    assert len(texts) > 2000
    for text in texts:
        assert outcome(text) == slowly(text)
        assert outcome(text, 0, shared) == outcome(text)


def test_equal_lists_share_their_items_after_any_text():
    shared = {}
    first, second = (parse(text, 0, shared) for text in ('x.y in (a, "b)", c)', 'not x.longer in (a, "b)", c)'))
    assert isinstance(first, Check)
    assert isinstance(second, Not)
    assert isinstance(second.child, Check)
    lists = [node.right for node in (first, second.child)]
    assert all(isinstance(each, ConstantList) for each in lists)
    assert [item.text for item in lists[1].items] == ["a", "b)", "c"]
    plain = [parse(text, 0, shared).right.items for text in ("x.y in (a, b)", "  x.y in (a, b)")]
    assert plain[0] is plain[1]
    assert [item.span for item in plain[0]] == [(1, 2), (4, 5)]
