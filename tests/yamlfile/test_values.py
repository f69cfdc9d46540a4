"""Options and tests: plain scalars are numbers, truth values and strings; mappings merge."""

import math

import pytest

from lanner.yamlfile.placed_values import line_of, load
from lanner.yamlfile.reader import YamlError

pytestmark = pytest.mark.native


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("yes", True), ("Off", False), ("12", 12), ("-0x1F", -31), ("010", 8), ("0b11", 3), ("1_000", 1000), ("0", 0), ("09", "09"),
        ("1.5", 1.5), ("-1.5e+3", -1500.0), (".5", 0.5), ("-.inf", -math.inf), ("1e3", "1e3"), ("1:30", "1:30"), ("2026-01-01", "2026-01-01"), ("'12'", "12"),
        ("!!str 12", "12"), ("!!int 12", 12), ("|\n 12\n", "12\n"), ("[a, 1]", ["a", 1]), ("{1: 2}", {1: 2}), ("y", "y"), ("+7", 7), ("0x", "0x"), ("_", "_"),
    ],
)  # fmt: skip
def test_values(text, value):
    assert load(text, "f.yaml")[0] == value


@pytest.mark.parametrize("number", ["1" * 5000, "-0x" + "f" * 5000, "0b" + "1" * 20_000, "1." + "0" * 5000])
def test_a_number_of_thousands_of_digits_is_an_error_with_its_place(number):
    with pytest.raises(YamlError, match=r"f\.yaml:2:4: a number has at most 1,000 digits: write it in quotes"):
        load(f"a: 1\nb: {number}\n", "f.yaml")
    assert load(f"'{number}'", "f.yaml")[0] == number


def test_merges():
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: *a, y: 5}\nd: {<<: [*a, *b]}\n"
    found, _ = load(text, "f.yaml")
    assert (found["c"], found["d"]) == ({"x": 1, "y": 5}, {"x": 1, "y": 2, "z": 4})
    assert math.isnan(load(".nan", "f.yaml")[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!binary x", "f.yaml:1:4: the tag tag:yaml.org,2002:binary means nothing here"),
        ("- [a]: b", "f.yaml:1:3: a key must be a string or a number"),
        ("<<: 1", "f.yaml:1:5: `<<` takes a mapping or a list of mappings"),
        ("a\n---\nb", "f.yaml:3:1: a second document begins here, but only one is read"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(YamlError) as caught:
        load(text, "f.yaml")
    assert str(caught.value) == message


def test_lines_of_paths():
    _, node = load("a:\n- b: 1\n  c: 2\n", "f.yaml")
    assert [line_of(node, path, key) for path, key in ((["a", 0, "c"], ""), (["a", 0], "c"), (["a", 5], ""), ([], "z"))] == [3, 3, 2, 1]


@pytest.mark.parametrize(
    "text", ["a: *secret", '"\\secret"', "%YAML secret\n---\n", "&secret [*secret]", "a: !secret x", "a: s: secret", "a: 'secret"]
)
def test_an_error_can_be_told_without_the_text(text):
    with pytest.raises(YamlError) as caught:
        load(text, "f.yaml")
    assert "secret" not in caught.value.without_text()
    assert caught.value.without_text().startswith("f.yaml:1:")
