"""docs/packaging.md describes each engine as the code does."""

from pathlib import Path

import pytest

from lanner.package import requirements
from lanner.rules.language import vocabulary

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "packaging.md").read_text("utf-8")
KNOWN = {
    **{f"{row.name}()": row.since for row in vocabulary.TRANSFORMERS},
    **{row.name: row.since for row in vocabulary.OPERATORS if row.since},
    **{name: engine for name, engine in requirements._KEYS.items() if engine.version > (0, 11, 0)},
    **dict.fromkeys(vocabulary.MODIFIERS, vocabulary.MODIFIERS_SINCE),
}


@pytest.mark.parametrize("word", sorted(KNOWN))
def test_the_table_of_engines_has_it_where_it_belongs(word):
    engine = KNOWN[word]
    version = ".".join(map(str, engine.version))
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {version} |")]
    assert f"| {engine.falco} |" in row
    assert f"`{word}`" in row
