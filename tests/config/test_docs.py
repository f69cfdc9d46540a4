"""docs/configuration.md matches the classes; docs/falco-yaml.md names no unknown key."""

import re
from pathlib import Path

import msgspec

from lanner.config.falco import Falco
from lanner.config.reference import page, unused_keys

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_is_what_the_classes_say():
    assert (DOCS / "configuration.md").read_text() == page(), "regenerate it: python -m lanner.config.reference > docs/configuration.md"


def test_the_reference_names_every_key():
    text = page()
    unused = unused_keys(Falco, "")
    for field in msgspec.structs.fields(Falco):
        assert field.name in unused or f"| `{field.name}` |" in text
    for key in unused:
        assert f"`{key}`" in text


def test_the_page_names_keys_that_there_are():
    table = (DOCS / "falco-yaml.md").read_text().partition("## Keys")[2].partition("\n## ")[0]
    named = {key for line in table.splitlines() if line.startswith("| `") for key in re.findall("`([a-z_0-9]+)`", line.split(" | ")[0])}
    assert named
    assert named <= {field.name for field in msgspec.structs.fields(Falco)}
