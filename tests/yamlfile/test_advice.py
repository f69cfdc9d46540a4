"""Mistakes in YAML draw the same advice in rules files, in falco.yaml and in a plugin's options."""

import pytest

from lanner.cli.plugin_config import read_config
from lanner.config.read import read_configuration
from lanner.config.tree import read_tree
from lanner.docker import Docker
from lanner.rules import RulesError
from lanner.rules.files.load import load_text
from lanner.sdk.errors import ConfigError

COLON = "In the line above, write a colon between key and value, as in `key: value`."
BLANK = "In the line above, write a blank after the colon, as in `key: value`."

MISTAKES = [
    ("a: 1\n\tb: 2\n", "YAML is indented with spaces: replace the tab."),
    ('a: "b', "A quote is opened but never closed."),
    ("a: 'it's'\n", "Nothing may follow a closing quote on its line: put the whole text in quotes."),
    ("json_output true\nb: 2\n", COLON),
    ("a: 1\njson_output true\nb: 2\n", COLON),
    ("a:\n  b true\n  c: 1\n", COLON),
    ("- rule A rule\n  desc: d\n", COLON),
    ("a: 1\njson_output true\n\nb: 2\n", COLON),
    ("stdout_output\n  enabled: true\n", "In the line above, write a colon after the key, as in `key:`."),
    ("json_output:true\nb: 2\n", BLANK),
    ("a: b: c\n", "A string that contains ': ' needs quotes; keys of one item begin at the same column."),
    ("a: 1\n  b: 2\n", "A string that contains ': ' needs quotes; keys of one item begin at the same column."),
    ("a:\n  - b\n  c\n", "Keys of one item begin at the same column."),
    ("a:\n  b: 1\n c: 2\n", "Keys of one item begin at the same column."),
    ("a: [b, c\nd: 2\n", "A '[' is not closed, or a comma is missing."),
    ("a: {b: 1\nc: 2\n", "A '{' is not closed, or a comma is missing."),
    ("a: ]\n", "A bracket is closed here that was not opened."),
    ("a: %x\n", "A plain text cannot begin with this character. Put the text in quotes."),
    ('a: "C:\\q"\n', "In double quotes a backslash begins an escape: double the backslash, or take single quotes."),
    ("a: *x\n", "A `*` begins an alias. Put the text in quotes."),
    ("a: *\n", "A `*` begins an alias. Put the text in quotes."),
    ("a: & b\n", "A `&` begins an anchor. Put the text in quotes."),
    ("a: - b\n", "A list must begin on a new line after its key, or in brackets. Put the text in quotes."),
]


@pytest.mark.parametrize(("text", "advice"), MISTAKES)
def test_the_advice_is_the_same_everywhere(text, advice):
    with pytest.raises(RulesError) as rules:
        load_text(text, "f.yaml")
    assert rules.value.findings[0].advice == advice
    with pytest.raises(ConfigError) as configuration:
        read_tree(text, "f.yaml")
    assert str(configuration.value).startswith("f.yaml:")
    assert str(configuration.value).endswith(f". {advice}")
    with pytest.raises(ConfigError) as options:
        read_config(text, Docker)
    assert str(options.value).endswith(f". {advice}")


def test_a_quote_that_the_end_of_the_file_closes(tmp_path):
    file = tmp_path / "falco.yaml"
    file.write_text('json_output: "true\ntime_format_iso_8601: true\n')
    said = "This quote is never closed: all that follows is part of the text. Close the quote at the end of the text."
    assert f"{file}:1:14: {said}" in read_configuration(str(file), {}, ()).warnings
    (found,) = load_text(f"- rule: r\n  desc: {file.read_text()[13:]}", "f.yaml").items[0]
    assert f"{found.message} {found.advice}" == said


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("json_output true\n", "such as `json_output: true`; write a colon between key and value, as in `key: value`"),
        ("json_output:true\n", "such as `json_output: true`; write a blank after the colon, as in `key: value`"),
        ("stdout_output:\n  enabled true\n", "not 'enabled true': write a colon between key and value, as in `key: value`"),
        ("stdout_output:\n  enabled:true\n", "not 'enabled:true': write a blank after the colon, as in `key: value`"),
    ],
)
def test_a_text_that_was_meant_as_a_key(tmp_path, text, advice):
    file = tmp_path / "falco.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_configuration(str(file), {}, ())
    assert str(caught.value).endswith(advice)


def test_a_key_that_holds_its_value(tmp_path):
    file = tmp_path / "falco.yaml"
    file.write_text("priority: debug\njson_output true\n")
    assert read_configuration(str(file), {}, ()).warnings == [
        "$.json_output true is not a key of falco.yaml: write a colon between key and value, as in `key: value`"
    ]
