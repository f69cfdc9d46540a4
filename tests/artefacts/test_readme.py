"""The table of fields in a README."""

import pytest

from .conftest import lanner

pytestmark = pytest.mark.slow

BEGIN, END = "<!-- README-PLUGIN-FIELDS -->", "<!-- /README-PLUGIN-FIELDS -->"


def test_the_table_is_written_between_the_comments(small):
    (small / "small.py").write_text(
        (small / "small.py").read_text()
        + "    @lanner.field('small.any', 'By <key> |\\nof any')\n    def any(self, event, key: str) -> str:\n        return ''\n"
    )
    readme = small / "README.md"
    readme.write_text(f"# Small\n\n{BEGIN}\nold\n{END}\n\nEnd.\n")
    for _ in range(2):  # again is the same
        done = lanner("package", "small.py", "--readme", "README.md", cwd=small)
        assert done.returncode == 0, done.stderr
        lines = readme.read_text().splitlines()
        assert lines[:5] == ["# Small", "", BEGIN, "| NAME | TYPE | ARG | DESCRIPTION |", "| --- | --- | --- | --- |"]
        assert lines[5:-3] == [
            "| `small.text` | `string` | None | A string |",
            "| `small.list` | `string (list)` | None | Texts |",
            "| `small.any` | `string` | Key, Required | By &lt;key> \\|<br/>of any |",
        ]
        assert lines[-3:] == [END, "", "End."]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("# Small\n", "README.md has no place for the table of fields: add the two lines"),
        (f"{BEGIN}\n", f"README.md has {BEGIN} once and {END} 0 times"),
        (f"{END}\n{BEGIN}\n", "must be on its own line with"),
    ],
)
def test_a_readme_without_the_comments_is_left_alone_and_told(small, text, says):
    (small / "README.md").write_text(text)
    done = lanner("package", "small.py", "--readme", "README.md", cwd=small)
    assert done.returncode == 1
    assert says in done.stderr
    assert (small / "README.md").read_text() == text
    assert not (small / "dist").exists()
