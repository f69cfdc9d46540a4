"""Rules files become items. Every error in one has a place, and the rest is still checked."""

import pytest

from lanner.rules.files.items import ListItem, MacroItem, Priority, RuleItem
from lanner.rules.files.load import MAX_SIZE, load_files, load_text
from lanner.rules.files.scalars import unsigned_number
from lanner.rules.findings import Finding, RulesError
from lanner.yamlfile.reader import MAX_ALIASED, MAX_DEPTH

RULE = """\
- rule: r
  desc: d
  condition: x.y = 1
  output: "  o  "
  priority: WARNING
  source: kv
  tags: [b, a, b]
"""


def steps(text):
    return [step for item in load_text(text, "f.yaml").items for step in item]


def findings(text):
    return [(step.severity, step.code, step.message, str(step.place)) for step in steps(text) if isinstance(step, Finding)]


def refusal(text):
    with pytest.raises(RulesError) as caught:
        load_text(text, "f.yaml")
    (finding,) = caught.value.findings
    return finding


def test_an_empty_document_ends_the_file():
    item = "- list: l\n  items: []\n"
    (found, warning) = steps(item + "---\n~\n---\n" + item)
    assert isinstance(found, ListItem)
    assert (warning.message, warning.own) == ("A document is empty. The rest of the file is not read.", True)
    assert len(steps(item + "---\n# nothing\n---\n...\n")) == 1


def test_items_keep_their_order_over_documents():
    found = steps("- list: l\n  items: [a, 1, 'b c']\n-\n---\n- macro: m\n  condition: a\n" + RULE)
    assert [type(step) for step in found] == [ListItem, MacroItem, RuleItem]
    assert [item.value for item in found[0].items] == ["a", "1", "b c"]
    rule = found[2]
    assert (rule.name, rule.priority, rule.source, rule.tags, rule.enabled) == ("r", Priority.WARNING, "kv", ("a", "b"), True)
    assert (rule.condition.value, rule.output.value) == ("x.y = 1", "  o  ")


def test_a_rule_without_source_is_one_of_system_calls():
    assert steps(RULE.replace("  source: kv\n", ""))[0].source == "syscall"


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "~", "null\n---\n---\n", "-\n- ~\n"])
def test_files_without_items(text):
    assert steps(text) == []


@pytest.mark.parametrize("change", ["\ufeff{}", "{}\r\n"])
def test_marks_and_line_ends_of_other_systems(change):
    assert [type(step) for step in steps(change.format(RULE.replace("\n", "\r\n")))] == [RuleItem]


def test_a_test_file_among_rules_files_is_recognised():
    found = next(step for step in steps("rules: [r.yaml]\ntests:\n  - name: a\n") if isinstance(step, Finding))
    assert found.message == "Rules content is not yaml array of objects"
    assert found.advice == "This is a test file: run it with `lanner rules test`, and keep it outside directories of rules files."


@pytest.mark.parametrize(
    ("text", "code", "message", "place"),
    [
        ("hello", "LOAD_ERR_YAML_VALIDATE", "Rules content is not yaml", "f.yaml:1:1"),
        ("rule: r", "LOAD_ERR_YAML_VALIDATE", "Rules content is not yaml array of objects", "f.yaml:1:1"),
        ("- 5", "LOAD_ERR_YAML_VALIDATE", "Unexpected element type. Each element should be a yaml associative array.", "f.yaml:1:3"),
        ("- rule:\n", "LOAD_ERR_YAML_VALIDATE", "Mapping for key 'rule' is empty", "f.yaml:1:3"),
        ("- rule: ''\n", "LOAD_ERR_YAML_VALIDATE", "Value must be non-empty", "f.yaml:1:9"),
        ("- rule: [a]\n", "LOAD_ERR_YAML_VALIDATE", "Value is not a scalar value", "f.yaml:1:9"),
        ("- rule: r\n", "LOAD_ERR_YAML_VALIDATE", "Item has no mapping for key 'enabled'", "f.yaml:1:3"),
        ("- rule: r\n  output: o\n", "LOAD_ERR_YAML_VALIDATE", "Item has no mapping for key 'condition'", "f.yaml:1:3"),
        (RULE.replace("WARNING", "high"), "LOAD_ERR_YAML_VALIDATE", "Invalid priority", "f.yaml:5:13"),
        (RULE + "  enabled: 1\n", "LOAD_ERR_YAML_VALIDATE", "Can't decode YAML scalar value", "f.yaml:8:12"),
        (RULE.replace("[b, a, b]", "b"), "LOAD_ERR_YAML_VALIDATE", "Value is not a sequence", "f.yaml:7:9"),
        (RULE.replace("[b, a, b]", "[[b]]"), "LOAD_ERR_YAML_VALIDATE", "sequence value is not scalar", "f.yaml:7:10"),
        ("- macro: m\n", "LOAD_ERR_YAML_VALIDATE", "Item has no mapping for key 'condition'", "f.yaml:1:3"),
        ("- list: l\n", "LOAD_ERR_YAML_VALIDATE", "Item has no mapping for key 'items'", "f.yaml:1:3"),
        ("- list: l\n  items: [{a: b}]\n", "LOAD_ERR_YAML_VALIDATE", "sequence value is not scalar", "f.yaml:2:11"),
        (
            "- rule: r\n  enabled: true\n  [a]: b\n",
            "LOAD_ERR_VALIDATE",
            "yaml-cpp: error at line 3, column 3: bad conversion",
            "f.yaml:3:3",
        ),
    ],
)
def test_wrong_items(text, code, message, place):
    assert [each for each in findings(text) if each[0] == "error"] == [("error", code, message, place)]


@pytest.mark.parametrize(
    ("text", "code", "message", "place"),
    [
        ("- foo: 1\n", "LOAD_UNKNOWN_ITEM", "Unknown top level item", "f.yaml:1:3"),
        (RULE + "  zork: 5\n", "LOAD_UNKNOWN_KEY", "Unknown key 'zork'. The key will be ignored.", "f.yaml:8:3"),
        (RULE + "  desc: e\n", "LOAD_UNKNOWN_KEY", "Duplicate key 'desc'. The first one is used, this one is ignored.", "f.yaml:8:3"),
        ("- macro: a-b\n  condition: c\n", "LOAD_INVALID_MACRO_NAME", "Macro has an invalid name. Macro names should match a regular expression: ([a-zA-Z]+[a-zA-Z0-9_]*)", "f.yaml:1:3"),
        ("- list: a b\n  items: []\n", "LOAD_INVALID_LIST_NAME", "List has an invalid name. List names should match a regular expression: ([^()\"'[:space:]=,]+)", "f.yaml:1:3"),
    ],
)  # fmt: skip
def test_warnings(text, code, message, place):
    assert findings(text) == [("warning", code, message, place)]


def test_every_wrong_item_is_reported():
    text = "- rule: r\n- 5\n" + RULE + "- list: l\n"
    assert [finding[3] for finding in findings(text)] == ["f.yaml:1:3", "f.yaml:2:3", "f.yaml:10:3"]
    assert sum(isinstance(step, RuleItem) for step in steps(text)) == 1


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("- a: b: c\n", "yaml-cpp: error at line 1, column 7: illegal map value", "f.yaml:1:7"),
        ("- [1,\n", "yaml-cpp: error at line 2, column 1: end of sequence flow not found", "f.yaml:2:1"),
        ("- rule: r\n\tdesc: d\n", "tab", "f.yaml:2:1"),
        ("- *a\n", "the referenced anchor is not defined: a", "f.yaml:1:3"),
        ("- &a [*a]\n", "the alias '*a' is inside the node that it names", "f.yaml:1:7"),
        ("- &a 1\n---\n- *a\n", "the referenced anchor is not defined: a", "f.yaml:3:3"),
        ("[" * 500 + "]" * 500, f"nodes are nested more than {MAX_DEPTH} levels deep", f"f.yaml:1:{MAX_DEPTH + 1}"),
        ("- " * 100_000, f"nodes are nested more than {MAX_DEPTH} levels deep", f"f.yaml:1:{2 * MAX_DEPTH + 1}"),
        ("- é: [\n  日本 ]]", "illegal flow end", "f.yaml:2:7"),
    ],
)
def test_wrong_yaml(text, words, place):
    finding = refusal(text)
    assert (finding.code, str(finding.place)) == ("LOAD_ERR_YAML_PARSE", place)
    assert words in finding.message


def test_a_hundred_thousand_brackets_are_refused():
    finding = refusal("[" * 100_000)
    assert (finding.code, finding.message) == ("LOAD_ERR_YAML_PARSE", f"nodes are nested more than {MAX_DEPTH} levels deep")


def test_a_bomb_of_aliases_is_refused():
    bomb = "- &a [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"- &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(20))
    assert refusal(bomb).message == f"aliases expand to more than {MAX_ALIASED} nodes and characters up to here"


def test_an_alias_stands_for_its_anchor():
    rule = steps(RULE.replace("desc: d", "desc: &text some").replace('output: "  o  "', "output: *text"))[0]
    assert (rule.desc.value, rule.output.value) == ("some", "some")


def test_merge_keys_mean_nothing():
    assert ("warning", "LOAD_UNKNOWN_ITEM", "Unknown top level item", "f.yaml:3:3") in findings("- &a\n  foo: 1\n- <<: *a\n")


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (None, "LOAD_ERR_FILE_READ", "The file cannot be read: No such file or directory"),
        (b"#" * (MAX_SIZE + 1), "LOAD_ERR_FILE_READ", "The file is larger than 16 MiB."),
    ],
)
def test_files_that_cannot_be_read(tmp_path, data, code, words):
    path = tmp_path / "rules.yaml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(RulesError) as caught:
        load_files([path])
    (finding,) = caught.value.findings
    assert (finding.code, finding.message, finding.place.file) == (code, words, str(path))


def test_a_byte_that_is_not_utf_8_is_read_with_a_warning(tmp_path):
    (tmp_path / "r.yaml").write_bytes("- list: l\n  items: [é".encode() + b"\xff, b]\n")
    (file,) = load_files([tmp_path / "r.yaml"])
    (warning, found) = [step for item in file.items for step in item]
    assert (warning.severity, warning.own, str(warning.place)) == ("warning", True, f"{tmp_path / 'r.yaml'}:2:12")
    assert warning.message == "The byte 0xff is not UTF-8. It is read as U+FFFD."
    assert [item.value for item in found.items] == ["é\ufffd", "b"]


def test_a_quote_that_is_never_closed_has_a_warning_at_its_place():
    warning, error = findings("- rule: r\n  desc: !!str 'open\n  output: o\n")
    assert (warning[0], warning[3], error[2]) == ("warning", "f.yaml:2:15", "Item has no mapping for key 'condition'")
    assert refusal("- rule: r\n  desc: 'open").message.endswith("illegal EOF in scalar")  # without a line end


def test_a_directory_cannot_be_read(tmp_path):
    with pytest.raises(RulesError, match="Is a directory"):
        load_files([tmp_path])


@pytest.mark.parametrize(
    ("name", "priority"),
    [("info", 6), ("INFORMATIONAL", 6), ("Emergency", 0), ("dEbUg", 7), ("warn", None), ("", None), (" error", None), ("\u0131nfo", None)],
)
def test_priorities(name, priority):
    assert Priority.parse(name) == priority


def test_priorities_are_printed_as_falco_does():
    assert [str(priority) for priority in Priority] == [
        "Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug",
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("On", True), ("TRUE", True), ("'n'", False), ("off", False)])
def test_truth_values_are_those_of_old_yaml(text, value):
    assert steps(f"{RULE}  enabled: {text}\n")[0].enabled is value


@pytest.mark.parametrize("text", ["1", "oN", "tRue", "maybe", "''", "[]", "~"])
def test_what_is_no_truth_value(text):
    assert [severity for severity, *_ in findings(f"{RULE}  enabled: {text}\n")] == ["error"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("62", 62), ("010", 8), ("0x1f", 31), ("4294967295", 2**32 - 1), ("4294967296", None), ("9" * 100, None), ("-1", None), ("1.0", None), ("09", None)],
)  # fmt: skip
def test_numbers_are_read_as_yaml_cpp_does(text, number):
    assert unsigned_number(text) == number


def test_the_place_of_an_error_is_shown():
    text = RULE.replace("WARNING", "high")
    (finding,) = [step for step in steps(text) if isinstance(step, Finding)]
    assert finding.render() == (
        "f.yaml:5:13: error: Invalid priority (in rule 'r') [LOAD_ERR_YAML_VALIDATE]\n"
        "    priority: high\n"
        "              ^^^^\n"
        "  Use one of Emergency, Alert, Critical, Error, Warning, Notice, Informational, Debug."
    )


def test_a_finding_cannot_drive_the_terminal():
    finding = Finding("error", "C", "a\x1b[31m\x07")
    assert finding.render() == "error: a\\x1b[31m\\x07 [C]"


def test_long_lines_are_cut_around_the_place():
    text = f"- rule: {'x' * 1000}\n  priority: high\n  desc: d\n"
    finding = next(step for step in steps(text) if isinstance(step, Finding))
    assert max(map(len, finding.snippet.splitlines())) <= 126
