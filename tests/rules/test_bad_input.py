"""Any rules file is loaded, or rejected with a `RulesError` whose findings show the place. Never a traceback."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lanner.rules import Catalog, RulesError, compile_rules, load_rules
from lanner.rules.condition.parser import parse
from lanner.rules.findings import ConditionError
from lanner.rules.lint import check_files
from lanner.rules.report.validator import Validator
from lanner.sdk.types import Argument, FieldInfo, FieldType

CATALOG = Catalog(
    [
        FieldInfo("x.a", FieldType.STRING, "d"),
        FieldInfo("x.n", FieldType.UINT64, "d"),
        FieldInfo("x.map", FieldType.STRING, "d", argument=Argument(key=True)),
    ],
    "x",
)
GOOD = """\
- required_engine_version: 0.31.0
- list: names
  items: [a, "b c", &anchor 'd']
- list: more
  items: [names, *anchor]
- macro: named
  condition: (x.a in (names) or not x.map[k] = "é")
- rule: First
  desc: >
    It happened
  condition: named and x.n > 5 and x.a regex "[a-z]+" and x.a in (more)
  output: "got %x.a %x.map[k] %10x.n %tolower(x.a)"
  priority: WARNING
  source: x
  tags: [t, u]
  exceptions:
    - name: some
      fields: [x.a, x.n]
      comps: [=, in]
      values: [[a, [1, 2]], [b, [3]]]
- rule: First
  condition: and x.a != q
  override: {condition: append}
"""


def outcome(path):
    """Return the error findings of a file, in every way of loading it. All of them agree on whether any exist."""
    found = [each for each in check_files([path], CATALOG) if each.severity == "error"]
    try:
        compile_rules(load_rules([path], CATALOG), CATALOG)
        refused = []
    except RulesError as error:
        refused = [each for each in error.findings if each.severity == "error"]
        assert refused
    assert bool(found) == bool(refused)
    for finding in [*found, *refused]:
        assert finding.message
        assert finding.code.startswith("LOAD_ERR_")
        assert finding.place
        assert finding.place.file == str(path)
        assert finding.render().startswith(f"{path}:{finding.place.line}:{finding.place.column}: error: ")
    return found


def rule(**changes):
    keys = {"rule": "r", "desc": "d", "condition": "x.a = a", "output": "o", "priority": "INFO", "source": "x"} | changes
    return "- " + "\n  ".join(f"{key}: {value}" for key, value in keys.items()) + "\n"


@pytest.mark.parametrize(
    ("data", "place", "marked", "words"),
    [
        ("- rule: a: b\n", (1, 10), ":", "illegal map value"),
        ("- rule: [a\n- b\n", (3, 1), None, "end of sequence flow not found"),
        ("- rule: r\n\tdesc: d\n", (2, 1), " ", "tab"),
        (b"\x7fELF\x02\x01\x01\0\0\0", (1, 10), None, "unknown escape character"),
        (b"\x1f\x8b\x08\0\xff\xfe", (1, 6), None, "unknown escape character"),
        (b"- rule: \xc3\x28\n", (1, 3), None, "no mapping for key 'enabled'"),
        (b"\xff\xfe-\0 \0a\0", (1, 3), None, "Unexpected element type"),
        ("- rule: 'open\n", (1, 3), None, "no mapping for key 'enabled'"),
        ("- rule: 'open", (1, 14), None, "illegal EOF in scalar"),
        ("- *missing\n", (1, 3), "*missing", "anchor is not defined: missing"),
        ("- &a [x, *a]\n", (1, 10), "*a", "is inside the node that it names"),
        ("\ufeff" + rule(condition="x.nope = 1"), (3, 14), "x.nope = 1", "nonexistent field"),
        (rule(condition="x.nope = 1").replace("\n", "\r\n"), (3, 14), "x.nope = 1", "nonexistent field"),
        (rule(desc="日本語 ü", condition="x.a = é and x.nope = 1"), (3, 26), "x.nope = 1", "nonexistent field"),
        (rule(condition="x.a = '\U0001f40b' and"), (3, 27), None, "expected blank or '('"),
        (rule(condition='x.a = "open'), (3, 20), '"open', "expected a string value"),
        (rule(condition='x.a = "a\\zb"'), (3, 22), "\\z", "unsupported string escape sequence: \\z"),
        (rule(condition="(x.a = a or (x.a = b)"), (3, 35), None, "expected a ')' token"),
        (rule(condition="x.a in (a, b"), (3, 26), None, "expected a ')' token"),
        (rule(condition="x.a = a) or x.a = b"), (3, 21), ")", "unexpected token"),
        (rule(condition="x.map[k = a"), (3, 21), None, "expected a ']' token"),
        (rule(condition="x.a regex '(a'"), (3, 14), "x.a regex '(a'", "invalid regex pattern"),
        (rule(condition="x.n = 0x1f"), (3, 14), "x.n = 0x1f", "not a valid number"),
        (rule(condition="named"), (3, 14), "named", "Undefined macro"),
        ("- macro: m\n  condition: n\n- macro: n\n  condition: m\n- macro: m\n  condition: n\n" + rule(condition="m"), None, None, "reference loop in macro"),
        (rule(condition="[a, b]"), (3, 14), "[", "not a scalar"),
        (rule(output="'got %x.nope1'").replace("x.n", "y.n"), (4, 16), "%y.nope1", "unknown filter"),
        (rule(output="'100%'"), (4, 15), "%", "formatting cannot end"),
        (rule(priority="urgent"), (5, 13), "urgent", "Invalid priority"),
        (rule(enabled="maybe"), (7, 12), "maybe", "Can't decode"),
        (rule(exceptions="5"), (7, 15), "5", "must be a sequence"),
        ("rule: r\n", (1, 1), None, "not yaml array"),
        ("- required_engine_version: 99.0.0\n", (1, 3), None, "Rules require engine version"),
        ("- list: l\n  items: {a: b}\n", (2, 10), None, "not a sequence"),
    ],
)  # fmt: skip
def test_each_finding_shows_its_place(tmp_path, data, place, marked, words):
    path = tmp_path / "rules.yaml"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    finding = outcome(path)[0]
    assert words in finding.message
    if place:
        assert (finding.place.line, finding.place.column) == place
    if marked:
        shown, carets = finding.snippet.splitlines()
        assert shown[carets.index("^") : len(carets)].startswith(marked)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD + "---\n" + GOOD,
        rule(desc="d\n  desc: e"),
        rule(condition="'x.a = \"\U0001f40b\\t\"'"),
        "\n" * 1000 + GOOD,
    ],
)
def test_what_is_unusual_but_right(tmp_path, text):
    path = tmp_path / "rules.yaml"
    path.write_bytes(text.encode())
    assert outcome(path) == []


SCRAPS = [
    *"\0\t\n\r\"'()[]{}%&*!|>@`\\,:#-~. ", "\ufeff", "é", "\u2028", "\ud7ff", "---\n", "...\n", "<<: *anchor", "!!binary x", "&anchor ", "*anchor",
    "not ", " and ", " or ", "or(", "x.a", "x.map[", "exists", " in (", "tolower(", "val(", "%", "- macro: named\n  condition: named\n",
    "- list: names\n  items: [names]\n", "append: true\n", "  override: {items: replace}\n", "99999999999999999999999", "~", "null", "- - - ", "? ", "|2-\n", "0x1F",
]  # fmt: skip


def mutated(seed):
    """The good file with some of its pieces removed, duplicated, moved, or replaced by scraps and bytes."""
    chance = random.Random(seed)
    data = bytearray(GOOD.encode())
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice([0, 1, 1, 2, 5, 20, 100]))
        new = chance.choice([chance.choice(SCRAPS).encode(), bytes(data[at:end]) * 2, b"", chance.randbytes(2)])
        data[at:end] = new
    return bytes(data)


def survives(path, data):
    path.write_bytes(data)
    outcome(path)
    text = data.decode("utf-8", "replace")
    Validator([CATALOG], {}).load("rules.yaml", text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200) | st.lists(st.sampled_from(SCRAPS)).map(lambda parts: "".join(parts).encode()))
def test_any_bytes(tmp_path, data):
    survives(tmp_path / "rules.yaml", data)


@pytest.mark.slow
@settings(max_examples=3 * settings.default.max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 40))
def test_mutated_files(tmp_path, seed):
    survives(tmp_path / "rules.yaml", mutated(seed))


@settings(max_examples=3 * settings.default.max_examples)
@given(st.lists(st.sampled_from(SCRAPS) | st.text(max_size=3)).map("".join))
def test_any_condition(text):
    try:
        parse(text)
    except ConditionError as error:
        offset = error.offset
    else:
        offset = 0
    assert 0 <= offset <= len(text)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("start", range(4))
def test_mutated_files_at_length(tmp_path, start):
    for seed in range(start * 10_000, (start + 1) * 10_000):
        survives(tmp_path / "rules.yaml", mutated(seed))
