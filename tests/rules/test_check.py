"""Checks of a condition: the typed tree, the errors, and their places."""

import pytest

from lanner.rules.check.checker import check, check_operand
from lanner.rules.condition.ast import Field
from lanner.rules.condition.parser import parse
from lanner.rules.findings import ConditionError
from lanner.rules.language.catalog import Catalog, FieldError
from lanner.rules.language.typed import All, FieldTable, Kind, Negation, Net, Slot, Test, Transformation
from lanner.sdk.types import Argument, FieldInfo, FieldType

# not a test of pytest's
Test.__test__ = False

CATALOG = Catalog(
    [
        FieldInfo("x.name", FieldType.STRING, ""),
        FieldInfo("x.count", FieldType.UINT64, ""),
        FieldInfo("x.on", FieldType.BOOL, ""),
        FieldInfo("x.address", FieldType.IPADDR, ""),
        FieldInfo("x.net", FieldType.IPNET, ""),
        FieldInfo("x.names", FieldType.STRING, "", is_list=True),
        FieldInfo("x.map", FieldType.STRING, "", argument=Argument(key=True, required=True)),
        FieldInfo("x.item", FieldType.STRING, "", argument=Argument(index=True)),
        FieldInfo("x.either", FieldType.STRING, "", argument=Argument(index=True, key=True)),
    ],
    "x",
)
NAME = Slot(0, Kind(FieldType.STRING))


def tree(text):
    return check(parse(text), CATALOG, FieldTable()).tree


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x.name exists", Test(NAME, "exists")),
        ("x.name == a", Test(NAME, "=", ("a",))),
        ("x.name in (a, b)", Test(NAME, "in", ("a", "b"))),
        ("x.name startswith anyof (a, b)", Test(NAME, "startswith", ("a", "b"), "anyof")),
        ("x.count = 007", Test(Slot(0, Kind(FieldType.UINT64)), "=", (7,))),
        ("x.count = -1", Test(Slot(0, Kind(FieldType.UINT64)), "=", (2**64 - 1,))),
        ("x.count > 99999999999999999999", Test(Slot(0, Kind(FieldType.UINT64)), ">", (2**64 - 1,))),
        ("x.on = true", Test(Slot(0, Kind(FieldType.BOOL)), "=", (True,))),
        ("x.address = 1.2.3.4", Test(Slot(0, Kind(FieldType.IPADDR)), "=", (b"\1\2\3\4",))),
        ("x.address = ::1", Test(Slot(0, Kind(FieldType.IPADDR)), "=", (bytes(15) + b"\1",))),
        ("x.net = 10.0.0.0/8", Test(Slot(0, Kind(FieldType.IPNET)), "=", (Net(b"\n\0\0\0", 8),))),
        ("not x.name = a", Negation(Test(NAME, "=", ("a",)))),
        ("x.name = a and x.name = b", All((Test(NAME, "=", ("a",)), Test(NAME, "=", ("b",))))),
        (
            "len(x.names) = 2",
            Test(Transformation("len", (Slot(0, Kind(FieldType.STRING, is_list=True)),), Kind(FieldType.UINT64)), "=", (2,)),
        ),
    ],
)
def test_conditions_become_trees_over_numbers_with_constants_of_the_fields_types(text, expected):
    assert tree(text) == expected


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("x.name exists and x.nope exists", "filter_check called with nonexistent field x.nope", "x.nope exists"),
        ("x.map = a", "filter 'x.map': x.map requires an argument but none provided", "x.map = a"),
        ("x.name[a] = a", "filter 'x.name[a]': x.name does not allow nor require an argument but one is provided: a", "x.name[a] = a"),
        ("x.item[01] = a", "filter x.item[01] x.item has an invalid index argument starting with 0: 01", "x.item[01] = a"),
        ("x.count = abc", "abc is not a valid number", "x.count = abc"),
        ("not x.on = maybe", "filter error: unrecognized boolean value maybe", "x.on = maybe"),
        ("x.address = 1.2.3", "unrecognized IPv4 address 1.2.3", "x.address = 1.2.3"),
        ("x.names = a", "filter error: '=' operator not supported list filters", "x.names = a"),
        ("x.count contains 1", "filter error: 'contains' operator not supported for numeric filters", "x.count contains 1"),
        ("x.name regex '('", "invalid regex pattern: missing ): (", "x.name regex '('"),
        ("x.name = val(x.names)", "(list)", "x.name = val(x.names)"),
        ("concat(x.name) = a", "unknown field transfomer 'concat'", "concat(x.name) = a"),
        ("tolower(x.name, x.name) = a", "transformer 'tolower' takes one argument, not 2", "tolower(x.name, x.name) = a"),
        (
            "tolower(x.count) = a",
            "can't add field transformer: type 'UINT64' is not supported by 'tolower' transformer applied on field 'x.count'",
            "tolower(x.count) = a",
        ),
    ],
)
def test_a_wrong_check_is_refused_where_it_stands(text, message, place):
    with pytest.raises(ConditionError) as caught:
        tree(text)
    error = caught.value
    assert message in error.message
    assert text[error.offset :][: error.length].strip() == place


def test_a_constant_may_have_255_bytes():
    assert tree("x.name = " + "é" * 127 + "a")
    with pytest.raises(ConditionError, match=r"filter parameter too long \(used=257, available=256\)"):
        tree("x.name = " + "é" * 128)


@pytest.mark.parametrize(
    ("text", "argument"),
    [
        ("x.name", None),
        ("x.map[a.b/c]", "a.b/c"),
        ("x.map[]", ""),
        ("x.item[3]", 3),
        ("x.item", None),
        ("x.either[3]", "3"),
        ("x.either[k]", "k"),
    ],
)
def test_a_text_asks_for_one_value(text, argument):
    request = CATALOG.request(text)
    assert (request.name, request.argument) == (text.partition("[")[0], argument)


@pytest.mark.parametrize(
    "text",
    ["", "x", "x.names2", "x.map[a", "x.map[", "x.map[a]b]", "x.map[a b]", "evt.num[1]", "evt.nothing", "x.item[99999999999999999999]"],
)
def test_a_text_that_asks_for_no_value_is_refused(text):
    with pytest.raises(FieldError):
        CATALOG.request(text)


def test_the_same_value_has_one_number_in_all_conditions_and_outputs():
    fields = FieldTable()
    check(parse("x.name = a or x.map[k] = b"), CATALOG, fields)
    check(parse("x.map[k] = c and x.map[l] = c"), CATALOG, fields)
    operand = check_operand(Field("x.map", "k"), CATALOG, fields)
    assert operand == Slot(1, Kind(FieldType.STRING))
    assert [(request.name, request.argument) for request in fields.requests] == [("x.name", None), ("x.map", "k"), ("x.map", "l")]


def test_a_field_that_stands_as_a_text_is_worth_a_warning():
    text = "x.name = x.count"
    (warning,) = check(parse(text), CATALOG, FieldTable()).warnings
    assert warning.message == "'x.count' may be a valid field misused as a const string value"
    assert text[slice(*warning.span)] == "x.count"
