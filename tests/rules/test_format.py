"""Outputs of rules: their placeholders, the strings of values, and the fields of an alert."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanner.rules.check.checker import check_operand
from lanner.rules.condition.parser import parse_operand
from lanner.rules.findings import COMPILE_OUTPUT, ConditionError
from lanner.rules.language.catalog import Catalog
from lanner.rules.language.typed import FieldTable
from lanner.rules.output.alert import AlertRule, AlertWriter
from lanner.rules.output.message import OperandTable, compile_message
from lanner.rules.output.template import FormatError, parse_output
from lanner.rules.plan.executor import compile_values
from lanner.sdk.types import Argument, FieldInfo, FieldType

CATALOG = Catalog(
    [
        FieldInfo("kv.str", FieldType.STRING, "text"),
        FieldInfo("kv.string", FieldType.STRING, "another text, whose name begins like the first"),
        FieldInfo("kv.num", FieldType.UINT64, "number"),
        FieldInfo("kv.bool", FieldType.BOOL, "truth"),
        FieldInfo("kv.ip", FieldType.IPADDR, "address"),
        FieldInfo("kv.net", FieldType.IPNET, "network"),
        FieldInfo("kv.strs", FieldType.STRING, "texts", is_list=True),
        FieldInfo("kv.nums", FieldType.UINT64, "numbers", is_list=True),
        FieldInfo("kv.ips", FieldType.IPADDR, "addresses", is_list=True),
        FieldInfo("kv.map", FieldType.STRING, "by key", argument=Argument(key=True, required=True)),
    ],
    "kv",
)
TIMESTAMP = 1_700_000_000_000_000_015


def prepared(text, values):
    table = FieldTable()
    parsed = parse_output(text, CATALOG, table)

    def value(slot):
        request = table.requests[slot]
        return values.get(request.name if request.argument is None else f"{request.name}[{request.argument}]")

    return parsed, value


def rendered(text, values):
    parsed, value = prepared(text, values)
    wanted = OperandTable()
    render = compile_message(parsed, wanted)
    return render(compile_values(wanted.operands, value)())


def message(text, **values):
    return rendered(text, {f"kv.{name}": each for name, each in values.items()})


def fields(text, values):
    """Return the alert's fields in JSON, except for its own time."""
    parsed, value = prepared(text, values)
    alert = AlertWriter("json", iso8601=True).compile(AlertRule("r", "Notice", "kv"), parsed)
    line = alert.line(TIMESTAMP, compile_values(alert.operands, value)())
    shown = line[line.index('"output_fields":{') + len('"output_fields":{') : line.index('},"priority":')]
    return [each for each in re.split(r',(?="[a-z]+\.)', shown) if not each.startswith('"evt.time.iso8601":')]


def members(expected):
    return [f"{json.dumps(key)}:{text}" for key, text in sorted(expected.items())]


@pytest.mark.parametrize(
    ("output", "values", "text"),
    [
        ("plain", {}, "plain"),
        ("*%kv.str", {}, "<NA>"),
        ("**", {}, "*"),
        ("*", {}, ""),
        ("%kv.str", {"str": ""}, ""),
        ("%kv.str%kv.num.", {"str": "a", "num": 0}, "a0."),
        ("%kv.str = %kv.num", {"str": "100%", "num": 18446744073709551615}, "100% = 18446744073709551615"),
        ("%kv.bool %kv.bool", {"bool": False}, "false false"),
        ("%kv.ip", {"ip": b"\x0a\x00\x00\x01"}, "10.0.0.1"),
        ("%kv.ip", {"ip": bytes(10) + b"\xff\xff\x0a\x00\x00\x01"}, "::ffff:10.0.0.1"),
        ("%kv.net", {"net": b"\x0a\x00\x00\x00"}, "<IPNET>"),
        ("%kv.strs", {"strs": ("a", "", "b")}, "(a,,b)"),
        ("%kv.strs", {"strs": ("", "", "a", "")}, "(a,)"),
        ("%kv.strs", {"strs": ("", ",a")}, "(,a)"),
        ("%kv.strs", {"strs": ("", "")}, "()"),
        ("%kv.nums", {"nums": (1, 2)}, "(1,2)"),
        ("%kv.ips", {"ips": (b"\x01\x01\x01\x01", bytes(15) + b"\x01")}, "(1.1.1.1,::1)"),
        ("%toupper(kv.strs)", {"strs": ("a", "b")}, "(A,B)"),
        ("%len(kv.strs) %len(kv.str)", {"strs": ("a", "b"), "str": "é"}, "2 2"),
        ("%5len(kv.str)|", {"str": "é"}, "2    |"),
        ("%concat(kv.str, '-', kv.string)", {"str": "a", "string": "b"}, "a-b"),
        ("%concat(kv.str, '-', kv.string)", {"str": "a"}, "<NA>"),
        ("%b64(kv.str)|", {"str": "YQBi"}, "a|"),
        ('%getopt(tolower(kv.strs), "a:b")|', {"strs": ("-b", "-av")}, "(b,?,a,v)|"),
        ("%4join(tolower(kv.str), kv.strs)|", {"str": "X", "strs": ("a", "b")}, "ax  |"),
    ],
)
def test_values_have_falcos_texts(output, values, text):
    assert message(output, **values) == text


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("%kv.stringer", "Ser"),
        ("%kv.strin", "Tin"),
        ("%kv.str.x", "T.x"),
        ("%kv.str[x]", "T[x]"),
        ("%kv.str[", "T["),
        ("%kv.map[a][b]", "M[b]"),
        ("%kv.map[a]]", "M]"),
        ("%kv.map['a']", "M"),
        ("%tolower(kv.str)%kv.num", "t1"),
        ("%tolower( kv.str )", "t"),
        ("%kv.str(x)", "T(x)"),
        ("%kv.num2", "12"),
    ],
)
def test_the_longest_piece_that_is_a_field_counts(output, text):
    assert rendered(output, {"kv.str": "T", "kv.string": "S", "kv.num": 1, "kv.map[a]": "M"}) == text


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("%3kv.str|", "abc|"),
        ("%8kv.str|", "abcdef  |"),
        ("%00kv.str|", "abcdef|"),
        ("%08kv.str|", "abcdef  |"),
        ("%2kv.num|", "<N|"),
        ("%6kv.string|", "éé  |"),
        ("%3toupper(kv.str)|", "ABC|"),
    ],
)
def test_a_width_cuts_and_fills_bytes(output, text):
    assert message(output, str="abcdef", string="éé") == text


def test_a_width_may_cut_a_character_which_the_next_text_may_complete():
    assert message("%1kv.str", str="é") == "\udcc3"
    assert message("%1kv.str%kv.string", str="é", string="\udca9").encode("utf-8", "surrogateescape").decode() == "é"


def test_the_text_of_a_list_is_cut_at_1023_bytes_and_that_of_a_string_is_not():
    assert message("%kv.strs", strs=("x" * 1021,)) == f"({'x' * 1021})"
    assert message("%kv.strs", strs=("x" * 1022,)) == f"({'x' * 1022}"
    assert message("%kv.strs", strs=("é" * 600,)) == f"({'é' * 511}"
    assert message("%kv.str", str="x" * 5000) == "x" * 5000


@pytest.mark.parametrize("output", ["%len('abc')", "%len(evt.source)", "%len(concat(kv.str, kv.str))"])
def test_lengths_that_falco_cannot_print_are_not_available(output):
    assert rendered(output, {"kv.str": "a", "evt.source": "kv"}) == "<NA>"


def test_fractions_of_times_have_nine_digits_in_texts_and_are_integers_in_fields():
    output = "%evt.rawtime.ns %evt.reltime %evt.reltime.ns %evt.reltime.s"
    values = {"evt.rawtime.ns": 15, "evt.reltime": 0, "evt.reltime.ns": 7, "evt.reltime.s": 3}
    assert rendered(output, values) == "000000015 000000000 000000007 3"
    assert fields(output, values) == members({"evt.rawtime.ns": "15", "evt.reltime": "0", "evt.reltime.ns": "7", "evt.reltime.s": "3"})


@pytest.mark.parametrize(
    ("output", "values", "expected"),
    [
        ("plain", {}, {}),
        ("%kv.str %kv.str", {}, {"kv.str": "null"}),
        ("%kv.str %kv.num", {"kv.str": 'a"\x01\x7f/é', "kv.num": 1}, {"kv.str": '"a\\"\\u0001\x7f/é"', "kv.num": "1"}),
        ("%kv.bool", {"kv.bool": True}, {"kv.bool": "true"}),
        ("%kv.ip %kv.net", {"kv.ip": bytes(4), "kv.net": bytes(4)}, {"kv.ip": '"0.0.0.0"', "kv.net": '"<IPNET>"'}),
        ("%kv.strs", {"kv.strs": ("", "a")}, {"kv.strs": '["","a"]'}),
        ("%kv.nums %kv.ips", {"kv.nums": (1, 2), "kv.ips": (bytes(4),)}, {"kv.nums": "[1,2]", "kv.ips": '["0.0.0.0"]'}),
        ("%toupper(kv.str)", {"kv.str": "a"}, {"kv.str": '"a"'}),
        ("%join(',', (kv.str, kv.string))", {"kv.str": "a"}, {"kv.str": '"a"', "kv.string": "null"}),
        ("%kv.map[a.b]", {"kv.map[a.b]": "x"}, {"kv.map[a.b]": '"x"'}),
        ("%kv.map[a=b]", {"kv.map[a=b]": "x"}, {'kv.map["a=b"]': '"x"'}),
        ("%kv.map['a\"b']", {'kv.map[a"b]': "x"}, {'kv.map["a\\"b"]': '"x"'}),
        ("%evt.time %evt.datetime.s", {}, {"evt.time": str(TIMESTAMP), "evt.datetime.s": str(TIMESTAMP)}),
    ],
)
def test_an_alert_carries_each_field_once_as_it_is(output, values, expected):
    assert fields(output, values) == members(expected)


@pytest.mark.parametrize(
    ("output", "problem", "offset", "length"),
    [
        ("", "empty formatting token", 0, 1),
        ("a %", "invalid formatting syntax: formatting cannot end with a %", 2, 1),
        ("a %12", "invalid formatting syntax: formatting cannot end with a number", 2, 3),
        ("a %kv.nope b", "unknown filter: unexpected token after '", 2, 8),
        ("%%kv.str", "unknown filter: unexpected token after '", 0, 1),
        ("%5%kv.str", "unknown filter: unexpected token after '", 0, 2),
        ("%kv.map", "unknown filter: unexpected token after '", 0, 7),
        ("%tolower(kv.num)", "unknown filter: unexpected token after '", 0, 16),
        ("%99999999kv.str", "the width of a value is limited to 1048576 bytes", 0, 9),
        (f"%{'9' * 5000}kv.str", "the width of a value is limited to 1048576 bytes", 0, 5001),
    ],
)
def test_what_is_wrong_in_an_output_is_said_with_its_place(output, problem, offset, length):
    with pytest.raises(FormatError) as caught:
        parse_output(output, CATALOG, FieldTable())
    error = caught.value
    assert (error.code, error.message, error.offset, error.length) == (COMPILE_OUTPUT, problem, offset, length)


def test_a_refused_output_asks_for_no_values():
    table = FieldTable()
    with pytest.raises(FormatError):
        parse_output("%concat(kv.str, kv.num)", CATALOG, table)
    assert table.requests == ()


PIECES = [
    "kv.str",
    "kv.num",
    "kv.map",
    "kv.strs",
    "kv.",
    "tolower(",
    "len(",
    "concat(",
    "join(",
    "(",
    ")",
    "[",
    "]",
    "'",
    '"',
    ",",
    " ",
    "a",
    "1",
    "%",
]


def longest_by_trying(text):
    for end in range(len(text), 0, -1):
        try:
            node, stop = parse_operand(text[:end])
            check_operand(node, CATALOG, FieldTable())
        except ConditionError:
            continue
        return text[stop:]
    return None


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=14).map("".join).filter(lambda text: not text[0].isdigit()))
def test_the_longest_piece_is_found_without_trying_all(text):
    try:
        parsed = parse_output(f"%{text.replace('%', '$')}", CATALOG, FieldTable())
    except FormatError:
        rest = None
    else:
        rest = "".join(parsed.parts[1:])
    assert rest == longest_by_trying(text.replace("%", "$"))


@pytest.mark.parametrize("text", ["%tolower(" * 20_000, "%kv.map[" * 5_000, "%concat(kv.str," * 5_000, "%kv.map['" + "x" * 100_000])
def test_hostile_outputs_are_refused(text):
    with pytest.raises(FormatError):
        parse_output(text, CATALOG, FieldTable())


def test_an_output_may_have_thousands_of_fields():
    parsed = parse_output("%kv.stri " * 5_000, CATALOG, FieldTable())
    assert len(parsed.parts) == 10_000
    assert [shown.key for shown in parsed.fields] == ["kv.str"]


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("(%kv.map)", "kv.map takes an argument in brackets: %kv.map[name]"),
        ("%kx.nope x", "`kx.nope` is not a field of source kv; all percent signs begin a field."),
        ("100% sure", "`` is not a field of source kv; all percent signs begin a field. Write 'percent' for a literal percent sign."),
    ],
)
def test_what_to_do_about_a_wrong_output_is_said(kv, output, advice):
    with pytest.raises(FormatError) as caught:
        parse_output(output, kv.catalog, FieldTable())
    assert advice in caught.value.advice
    assert ("is not a field" in caught.value.advice) == ("is not a field" in advice)
