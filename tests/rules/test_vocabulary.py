"""The vocabulary is the only declaration of operators and transformers: all their users agree with it."""

import re
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from lanner.native import _executor
from lanner.rules.condition import ast, parser
from lanner.rules.findings import ConditionError
from lanner.rules.language import transformers, vocabulary
from lanner.rules.language.typed import Kind
from lanner.rules.language.vocabulary import BY_TRANSFORMER, MODIFIERS, OPERATORS, TRANSFORMERS, Group, Side
from lanner.sdk.types import FieldType

RIGHT = {Side.NOTHING: "", Side.NUMBER: " 1", Side.TEXT: " a", Side.LIST: " (a, b)"}
PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_types_of_names_are_those_of_the_rows():
    assert list(get_args(vocabulary.Operator)) == [row.name for row in OPERATORS]
    assert get_args(vocabulary.Modifier) == MODIFIERS
    assert list(get_args(vocabulary.TransformerName)) == [row.name for row in TRANSFORMERS]


@pytest.mark.parametrize("row", OPERATORS, ids=lambda row: row.name)
def test_an_operator_is_read_with_its_right_side_and_before_a_modifier_if_that_is_a_string(row):
    assert parser.parse(f"x.y {row.name}{RIGHT[row.side]}").operator == row.name
    modified = f"x.y {row.name} oneof (a, b)"
    if row.side is Side.TEXT:
        assert parser.parse(modified).modifier == "oneof"
    else:
        with pytest.raises(ConditionError):
            parser.parse(modified)


@pytest.mark.parametrize("row", TRANSFORMERS, ids=lambda row: row.name)
def test_a_transformer_is_read_on_the_right_and_unless_only_there_on_the_left(row):
    assert isinstance(parser.parse(f"x.y = {row.name}(x.z)").right, ast.Transform)
    if row.only_right:
        with pytest.raises(ConditionError):
            parser.parse(f"{row.name}(x.z) = a")
    else:
        assert isinstance(parser.parse(f"{row.name}(x.z) = a").left, ast.Transform)


def test_messages_of_the_parser_list_all_of_them():
    with pytest.raises(ConditionError, match=re.escape("one of 'exists', '<=', '<', '>=', '>', '==', '=', '!=', 'glob', 'iglob'")) as found:
        parser.parse("x.y is z")
    assert all(f"'{row.name}'" in str(found.value) for row in OPERATORS)
    with pytest.raises(ConditionError) as found:
        parser.parse("x.y > a")
    assert str(found.value).endswith(": " + ", ".join(f"'{row.name}'" for row in TRANSFORMERS))


def test_the_native_executor_has_the_operators_that_values_of_plugins_take():
    assert sorted([*_executor.OPERATORS, "exists"]) == sorted(
        row.name for row in OPERATORS if row.same_as is None and row.types != {vocabulary.Group.BUFFERS}
    )


def test_the_native_executor_has_the_transformers_with_their_numbers_of_operands():
    own = {"items", "decimal", "joined len"}  # lists of items, a number in concat, and `len` of getopt's result
    native = {name: (least, most) for name, least, most in _executor.TRANSFORMERS if name not in own}
    named = {row.name: (len(row.operands), None if row.repeats else len(row.operands)) for row in TRANSFORMERS if not row.only_right}
    assert native == named
    assert {name for name, *_ in _executor.TRANSFORMERS} - native.keys() == own


@pytest.mark.parametrize("row", [row for row in TRANSFORMERS if not row.only_right], ids=lambda row: row.name)
def test_a_transformer_takes_what_its_row_says(row):
    kinds = [Kind(kind, is_list) for kind in FieldType for is_list in (False, True)]
    for operands in product(kinds, repeat=len(row.operands)):
        if all((kind.type, kind.is_list) in takes for kind, takes in zip(operands, row.operands, strict=True)):
            assert _result(row, operands).type is (row.gives or operands[0].type)
        else:
            with pytest.raises(transformers.TransformError, match=r"."):
                _result(row, operands)


def _result(row, operands):
    return transformers.combine_kinds(row, operands, None) if row.is_combining else transformers.result(row, operands[0], "x.y")


@pytest.mark.parametrize("row", [row for row in TRANSFORMERS if row.lacks], ids=lambda row: row.name)
def test_a_result_never_has_in_it_what_the_row_says(row):
    change = transformers._STRINGS[row.name]
    assert not re.search(row.lacks[0], change("aZ/éÄ/Bc.D/eF"))
    assert re.search(row.lacks[0], "aZ/éÄ/Bc.D/eF")


def _table(*rows):
    head, *body = rows
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *body))


def _between(name):
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", PAGE.read_text("utf-8"), re.DOTALL)
    assert found, f"docs/rules.md has no part {name}"
    return found[1]


def _since(engine):
    return f"Falco {engine.falco}" if engine else ""


def test_the_table_of_operators_in_the_documentation_is_that_of_the_rows():
    rows = [
        (f"`{row.name}`", row.side.value, ", ".join(group.value for group in Group if group in row.types), _since(row.since))
        for row in OPERATORS
    ]
    assert _between("OPERATORS") == _table(("Operator", "Compares with", "Values", "Since"), *rows)


def _operands(row):
    names = {
        vocabulary.TEXT: "a string",
        vocabulary.TEXTS: "a list of strings",
        vocabulary.TEXT | vocabulary.TEXTS: "a string or a list of strings",
        vocabulary.VALUE: "a value",
        vocabulary.VALUES: "a list",
        vocabulary.VALUE | vocabulary.VALUES: "a field",
        vocabulary.TEXT | vocabulary.VALUES: "a string or a list",
    }
    words = [names[takes] for takes in row.operands]
    return ", ".join(words) + (", ..." if row.repeats else "")


def test_the_table_of_transformers_in_the_documentation_is_that_of_the_rows():
    rows = [
        (f"`{row.name}`", _operands(row), f"{row.gives.value if row.gives else 'its operand'}: {row.shape.value}", _since(row.since))
        for row in BY_TRANSFORMER.values()
    ]
    assert _between("TRANSFORMERS") == _table(("Transformer", "Operands", "Result", "Since"), *rows)
