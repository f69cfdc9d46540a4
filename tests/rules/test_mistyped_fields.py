"""Names of fields in outputs that start with a known field: Falco shows that field, and the rest as text."""

import pytest

from lanner.rules import Catalog
from lanner.rules.lint import check_files
from lanner.sdk.types import Argument, FieldInfo, FieldType

FIELDS = [FieldInfo(f"door.{name}", FieldType.STRING, "") for name in ("id", "name", "name.long", "state")]
FIELDS.append(FieldInfo("door.labels", FieldType.STRING, "", argument=Argument(key=True, required=True)))
CATALOG = Catalog(FIELDS, "door")


@pytest.fixture
def lint(tmp_path):
    """`lint(condition, output)` returns (text at the place, message, advice) of the lint's findings."""

    def run(condition="door.id exists", output="%door.id"):
        rules = tmp_path / "rules.yaml"
        rules.write_text(
            f"- rule: R\n  desc: d\n  condition: {condition}\n  output: '{output}'\n  priority: INFO\n  source: door\n  tags: [a]\n"
        )
        found = check_files([rules], CATALOG)
        assert {each.code for each in found} <= {"LINT_MISTYPED_FIELD"}, found
        lines = rules.read_text().split("\n")
        return [(lines[each.place.line - 1][each.place.column - 1 :][: each.place.length], each.message, each.advice) for each in found]

    return run


@pytest.mark.parametrize(
    ("output", "place", "rest", "advice"),
    [
        ("a %door.idd b", "%door.idd", "d", "Write `%door.id`, or put a blank or a bracket after it if that is meant."),
        ("%10door.ids", "%10door.ids", "s", "Write `%door.id`, or put"),
        ("%door.name.lon", "%door.name.lon", ".lon", "Write `%door.name.long` if that is meant."),
        ("%door.names.", "%door.names", "s", "Write `%door.name`, or put"),
        ("%evt.times", "%evt.times", "s", "Write `%evt.time"),
    ],
)
def test_a_field_with_more_letters_is_shown_with_text_after_it(lint, output, place, rest, advice):
    ((at, message, told),) = lint(output=output)
    assert at == place
    assert f"with the text `{rest}` after it" in message
    assert told.startswith(advice)


@pytest.mark.parametrize(
    "output", ["%door.id.", "%door.id, %door.name-", "(%door.id)", "%door.labels[x]y %door.id:%door.name", "%evt.time.s %door.name.long"]
)
def test_ordinary_outputs_draw_none(lint, output):
    assert lint(output=output) == []
