"""A shown condition parses to an equal tree: for any tree, and for every condition that Falco accepts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanner.rules.condition.ast import And, Check, Constant, ConstantList, Field, Macro, Not, OperandList, Or, Transform
from lanner.rules.condition.parser import parse
from lanner.rules.condition.unparse import show
from lanner.rules.findings import ConditionError
from lanner.rules.language.vocabulary import MODIFIERS, TRANSFORMERS, Side, operators_of

identifiers = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,6}", fullmatch=True) | st.sampled_from(
    ["not", "and", "or", "in", "exists", "val", "oneof"]
)
names = st.lists(identifiers, min_size=2, max_size=3).map(".".join)
any_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
arguments = st.none() | any_text.filter(bool) | st.sampled_from(["1", "a.b", "a]b", "\\", 'a"', "é ü"])
fields = st.builds(Field, names, arguments)
quoted = st.builds(Constant, any_text | st.sampled_from(["\\", "a\\", '\\"', "'", " \\ "]), st.just(True))
bare = st.builds(Constant, st.from_regex(r"""[^()"'\s=,\x00-\x1f]{1,6}""", fullmatch=True).filter(lambda text: text.isascii()))
numbers = st.builds(Constant, st.from_regex(r"[+-]?[0-9]{1,5}(\.[0-9]{0,3})?([eE][+-][0-9]{1,2})?|0[xX][0-9a-fA-F]{1,4}", fullmatch=True))
lists = st.builds(ConstantList, st.lists(quoted | bare, max_size=4).map(tuple))


def transforms(inner):
    item = fields | quoted | numbers | inner
    argument = item | st.builds(OperandList, st.lists(item, max_size=3).map(tuple))
    kinds = st.sampled_from([row.name for row in TRANSFORMERS if not row.only_right])
    return st.builds(Transform, kinds, st.lists(argument, min_size=1, max_size=3).map(tuple), arguments)


transformers = st.recursive(st.builds(Transform, st.just("len"), st.tuples(fields), arguments), transforms, max_leaves=4)
values = st.builds(Transform, st.just("val"), st.tuples(fields), arguments)
lefts = fields | transformers
text_operators = st.sampled_from(operators_of(Side.TEXT))
# A list may be a name, except after a modifier, which is then a string and not a modifier
list_names = st.builds(Constant, identifiers)
checks = st.one_of(
    st.builds(Check, lefts, st.just("exists")),
    st.builds(Check, lefts, st.sampled_from(operators_of(Side.NUMBER)), numbers | values | transformers),
    st.builds(Check, lefts, text_operators, quoted | bare | values | transformers),
    st.builds(Check, lefts, text_operators, lists | st.builds(Constant, st.just("shells")), st.sampled_from(MODIFIERS)),
    st.builds(Check, lefts, st.sampled_from(operators_of(Side.LIST)), lists | list_names | values | transformers),
)


def logic(inner):
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.builds(Not, inner) | st.builds(And, several) | st.builds(Or, several)


conditions = st.recursive(checks | st.builds(Macro, identifiers), logic, max_leaves=12)


@given(conditions)
def test_any_tree_comes_back(tree):
    assert parse(show(tree)) == tree


def test_every_condition_that_falco_parses_comes_back(corpus):
    parsed = 0
    for case in corpus.cases("conditions.jsonl"):
        try:
            tree = parse(case["condition"])
        except ConditionError:
            continue
        assert parse(show(tree)) == tree
        parsed += 1
    assert parsed > 2000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a   and(b or c)", "a and (b or c)"),
        ("not(not(a))", "not (not a)"),
        ("x.y in('a',b)", 'x.y in ("a", b)'),
        ("x.y[ 'a' ] exists", None),
        ("x.y['a'] = oneof (b)", "x.y[a] = oneof (b)"),
    ],
)
def test_conditions_are_shown_plainly(text, shown):
    if shown is None:
        with pytest.raises(ConditionError):
            parse(text)
    else:
        assert show(parse(text)) == shown
