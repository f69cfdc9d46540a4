"""Conditions become trees, or are rejected with Falco's message at the position of Falco's parser."""

import pytest

from lanner.rules.condition.ast import (
    MAX_DEPTH,
    And,
    Check,
    Constant,
    ConstantList,
    Field,
    Macro,
    Not,
    OperandList,
    Or,
    Transform,
    find,
    find_operands,
    walk,
)
from lanner.rules.condition.comparisons import MAX_TRANSFORMERS
from lanner.rules.condition.parser import MAX_GROUPS, parse, parse_operand
from lanner.rules.findings import ConditionError

A, B, C = Macro("a"), Macro("b"), Macro("c")
X = Field("x.y")


def bare(text):
    return Constant(text)


def quoted(text):
    return Constant(text, quoted=True)


def equals(right):
    return Check(X, "=", right)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", A),
        (" \t\b\r\n a \n", A),
        ("a and b and c", And((A, B, C))),
        ("a or b and c", Or((A, And((B, C))))),
        ("(a or b) and c", And((Or((A, B)), C))),
        ("a and (b and c)", And((A, And((B, C))))),
        ("not a", Not(A)),
        ("not not a", A),
        ("not not not a", Not(A)),
        ("not(not(a))", Not(Not(A))),
        ("not not(a)", A),
        ("a and not b or c", Or((And((A, Not(B))), C))),
        ("a or(b)", Or((A, B))),
        ("a and(b) and c", And((A, B, C))),
        ("not(a)and b", And((Not(A), B))),
        ("and and or", And((Macro("and"), Macro("or")))),
        ("nothing or android", Or((Macro("nothing"), Macro("android")))),
    ],
)
def test_logic(text, tree):
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("x.y exists", Check(X, "exists")),
        ("x.y=1", equals(bare("1"))),
        ("x.y = 'a b'", equals(quoted("a b"))),
        ("x.y == a-b:c/*", Check(X, "==", bare("a-b:c/*"))),
        ("x.y != [a]", Check(X, "!=", bare("[a]"))),
        ("x.y >= -1.5e+3", Check(X, ">=", bare("-1.5e+3"))),
        ("x.y<0x1F", Check(X, "<", bare("0x1F"))),
        ("x.y startswith /etc", Check(X, "startswith", bare("/etc"))),
        ("x.y in (a, 'b c',d)", Check(X, "in", ConstantList((bare("a"), quoted("b c"), bare("d"))))),
        ("x.y in()", Check(X, "in", ConstantList(()))),
        ("x.y in shells", Check(X, "in", bare("shells"))),
        ("x.y pmatch (/a/*)", Check(X, "pmatch", ConstantList((bare("/a/*"),)))),
        ("x.y contains oneof (a,b)", Check(X, "contains", ConstantList((bare("a"), bare("b"))), "oneof")),
        ("x.y = allof shells", Check(X, "=", bare("shells"), "allof")),
        ("x.y = oneof", equals(bare("oneof"))),
        ("x.y = oneof and a", And((equals(bare("oneof")), A))),
        ("x.y= oneof(a)", None),
        ("x.y = val(z.w[1])", equals(Transform("val", (Field("z.w", "1"),)))),
        ("x.y > len(z.w)", Check(X, ">", Transform("len", (Field("z.w"),)))),
        ("x.y in tolower(z.w)", Check(X, "in", Transform("tolower", (Field("z.w"),)))),
        ("x.y[a.b/c] = 1", Check(Field("x.y", "a.b/c"), "=", bare("1"))),
        ("x.y['a ] b'] exists", Check(Field("x.y", "a ] b"), "exists")),
        ("tolower( toupper(x.y) ) = a", Check(Transform("tolower", (Transform("toupper", (X,)),)), "=", bare("a"))),
        ("join(', ', x.y) = a", Check(Transform("join", (quoted(", "), X)), "=", bare("a"))),
        ("join(1, (x.y, 'a', 2, len(x.y))) exists", Check(Transform("join", (bare("1"), OperandList((X, quoted("a"), bare("2"), Transform("len", (X,)))))), "exists")),
        ("concat(x.y, ()) exists", Check(Transform("concat", (X, OperandList(()))), "exists")),
        ("getopt(x.y, 'ab:')[b] = 1", Check(Transform("getopt", (X, quoted("ab:")), "b"), "=", bare("1"))),
        ("x.y = tolower", equals(bare("tolower"))),
    ],
)  # fmt: skip
def test_checks(text, tree):
    if tree is None:
        with pytest.raises(ConditionError):
            parse(text)
    else:
        assert parse(text) == tree


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"'\b\f\n\r\t\\x\/'", "\b\f\n\r\t\\x/"),
        (r"'it\'s'", "it's"),
        (r'"say \"so\""', 'say "so"'),
        (r"'a\ b'", "a\\b"),
        ("'a\nb'", "a\nb"),
        ("''", ""),
        (r"'a\ '", "a\\"),
    ],
)
def test_escapes_in_quotes(written, text):
    assert parse(f"x.y = {written}") == equals(quoted(text))


TRANSFORMERS = "'val', 'tolower', 'toupper', 'b64', 'basename', 'len', 'join', 'concat', 'getopt'"


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("", "filter input string is empty", 0),
        ("  ", "expected a '(' token, a field check, or an identifier", 2),
        ("a and", "expected blank or '(' after 'and'", 5),
        ("a orb", "expected blank or '(' after 'or'", 4),
        ("a or(b) and c", "unexpected token after ')', expecting 'or', 'and'", 8),
        ("a b", "unexpected token after 'a', expecting 'or', 'and'", 2),
        ("(a", "expected a ')' token", 2),
        ("x.y", "expected a valid check operator: one of 'exists', '<=', '<', '>=', '>', '==', '=', '!=', 'glob', 'iglob', 'contains', 'icontains', 'bcontains', 'startswith', 'bstartswith', 'endswith', 'regex', 'intersects', 'in', 'pmatch'", 3),
        ("x.y < a", f"expected a number value or a field with a valid transformer: {TRANSFORMERS}", 6),
        ("x.y = (a)", f"expected a string value or a field with a valid transformer: {TRANSFORMERS}", 6),
        ("x.y = 'a", f"expected a string value or a field with a valid transformer: {TRANSFORMERS}", 6),
        (r"x.y = 'a\\'", f"expected a string value or a field with a valid transformer: {TRANSFORMERS}", 6),
        ("x.y in 1", f"expected a list, an identifier, or a field with a valid transformer: {TRANSFORMERS}", 7),
        ("x.y in (a,)", "expected a string value", 10),
        ("x.y in (a b)", "expected a ')' token", 10),
        ("x.y[] = 1", "expected a valid field argument: a quoted string or a bare string", 4),
        ("x.y[a = 1", "expected a ']' token", 5),
        ("tolower(x.y = 1", "expected a ')' token closing the transformer", 12),
        ("tolower() = 1", "expected field transformer argument: field, transformer, quoted string, number, or transformer list", 8),
        ("x.y = val('a')", "expected a field within 'val' transformer", 10),
        (r"x.y = '\z'", r"unsupported string escape sequence: \z", 7),
        (r"""x.y = '\"'""", r"""invalid \" escape in '-quoted string""", 7),
    ],
)  # fmt: skip
def test_refusals(text, message, offset):
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert (caught.value.message, caught.value.offset) == (message, offset)


def test_a_wrong_escape_is_shown_where_it_stands_and_known_where_falco_sees_it():
    with pytest.raises(ConditionError) as caught:
        parse(r"x.y = 'a\z' and b")
    assert (caught.value.offset, caught.value.length, caught.value.falco_offset) == (8, 2, 11)


def test_a_list_whose_first_text_has_a_wrong_escape_counts_as_empty():
    assert parse(r"x.y in ('\z')") == parse("x.y in ()")


def test_a_nul_ends_what_falco_sees_of_a_quoted_text():
    with pytest.raises(ConditionError):
        parse("x.y = 'a\0b'")


def test_spans_are_counted_from_a_base():
    tree = parse("a and x.y = 'é' or not(b)", 100)
    spans = [
        (node.span, part)
        for node, part in zip(
            (tree.children[0].children[0], tree.children[0].children[1], tree.children[1]), ("a", "x.y = 'é'", "not(b)"), strict=True
        )
    ]
    assert [("a and x.y = 'é' or not(b)")[begin - 100 : end - 100] for (begin, end), _ in spans] == [part for _, part in spans]
    with pytest.raises(ConditionError) as caught:
        parse("a b", 100)
    assert caught.value.offset == 102


def test_nodes_at_other_places_are_equal():
    assert parse("a and b") == parse("  a   and ( b )")


@pytest.mark.parametrize(
    ("text", "operand", "length"),
    [
        ("x.y and more", X, 3),
        ("x.y[a] more", Field("x.y", "a"), 6),
        ("tolower(x.y)%", Transform("tolower", (X,)), 12),
    ],
)
def test_an_operand_alone(text, operand, length):
    assert parse_operand(text) == (operand, length)


def test_what_is_no_operand_is_refused():
    with pytest.raises(ConditionError, match="unexpected token after '"):
        parse_operand("x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(" * 1_000_000, f"more than {MAX_GROUPS} parentheses are open here"),
        ("not(" * 250_000, f"more than {MAX_GROUPS} parentheses are open here"),
        ("a or(" * 200_000, f"more than {MAX_GROUPS} parentheses are open here"),
        ("(a or b and " * 150 + "a" + ")" * 150, f"the condition nests 'and', 'or' and 'not' more than {MAX_DEPTH} levels deep"),
        ("tolower(" * 125_000, f"more than {MAX_TRANSFORMERS} transformers are open here"),
        ("not " * 250_000, "expected a '(' token, a field check, or an identifier"),
        ("a." * 500_000, "expected a valid check operator"),
        ("x.y = '" + r"\'" * 500_000, "expected a string value or a field"),
        ("x.y = oneof " * 80_000, "unexpected token after 'x', expecting 'or', 'and'"),
    ],
)
def test_hostile_conditions_are_refused_in_clear_words(text, message):
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert caught.value.message.startswith(message)


def test_large_conditions_are_taken():
    assert parse("(" * MAX_GROUPS + "a" + ")" * MAX_GROUPS) == A
    assert len(parse(" or ".join(["x.y = 'some text'"] * 20_000)).children) == 20_000
    assert len(parse(f"x.y in ({','.join(['abc'] * 50_000)})").right.items) == 50_000


def test_a_walk_comes_to_every_node_in_the_order_of_the_text_and_to_a_shared_one_once():
    tree = parse("a.b = 1 and (m or not len(c.d) > val(e.f)) and a.b in (x, y)")
    assert [type(node).__name__ for node in walk(tree)] == ["And", "Check", "Or", "Macro", "Not", "Check", "Check"]
    assert [check.operator for check in find(Check, tree)] == ["=", ">", "in"]
    assert len(list(walk(And((tree, tree))))) == 8


def test_operands_are_found_in_the_order_of_the_text_and_those_in_lists_where_they_are_wanted():
    check = parse("join(a.b, (c.d, tolower(e.f))) in (x, y)")
    assert [field.name for field in find_operands(Field, check.left)] == ["a.b", "c.d", "e.f"]
    assert [field.name for field in find_operands(Field, check.left, lists=False)] == ["a.b"]
    assert [constant.text for constant in find_operands(Constant, check.left, check.right, None)] == ["x", "y"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("x.y contians a", "contains"),
        ("x.y startwith a", "startswith"),
        ("x.y exsts", "exists"),
        ("x.y IN (a)", "in"),
        ("tolower(x.y) endwith a", "endswith"),
        ("x.y matches a", "regex"),
        ("x.y = a adn x.y = b", "and"),
        ("x.y = a && x.y = b", "and"),
        ("x.y = a || x.y = b", "or"),
        ("x.y exists OR a", "or"),
        ("toloer(x.y) = a", "tolower"),
        ("x.y = touper(x.y)", "toupper"),
        ("x.y = onof (a)", "oneof"),
    ],
)
def test_a_misspelt_word_is_suggested_after_falcos_message(text, name):
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert caught.value.advice == f"Did you mean '{name}'?"
    assert caught.value.message.startswith(("expected a valid check operator: one of ", "unexpected token after '"))
    assert "Did you mean" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("x.n => 90", "Did you mean '>='?"),
        ("(x.n => 90)", "Did you mean '>='?"),
        ("x.n =< 90", "Did you mean '<='?"),
        ("x.n <> 90", "Did you mean '!='?"),
        ("x.a =~ b", "Did you mean 'regex'?"),
        ("x.a === b", "Did you mean '='?"),
        ("x.a !== b", "Did you mean '!='?"),
        ("x.a in error, fatal", "Write the list in parentheses, with commas between its values: `in (error, ...)`."),
        ("(x.a in error, fatal)", "Write the list in parentheses, with commas between its values: `in (error, ...)`."),
        ("x.a in error fatal", "Write the list in parentheses, with commas between its values: `in (error, ...)`."),
        ("x.a intersects a,b", "Write the list in parentheses, with commas between its values: `intersects (a, ...)`."),
        ("x.a in 5, 6", "Write the list in parentheses: `(a, b)`."),
        ("x.a in [a, b]", "Write the list in parentheses: `(a, b)`."),
        ("x.a = a, b", "`=` compares with one value. For several, write `in (a, ...)`."),
        ("x.a != a, b", "`!=` compares with one value. For several, write `not FIELD in (a, ...)`."),
        ("x.a startswith a, b", "`startswith` compares with one value. For several, join comparisons with `or`."),
        ("x.a not in (a)", "Write `not` before the field: `not FIELD in (a, b)`."),
    ],
)
def test_what_other_languages_write_has_advice(text, advice):
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert caught.value.advice == advice


@pytest.mark.parametrize("text", ["x.y foo a", "x.y = a b", "a b", "x.y in (a) (b)"])
def test_a_word_that_is_near_no_other_has_no_suggestion(text):
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert caught.value.advice == ""
