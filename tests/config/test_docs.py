"""docs/falco-yaml.md names every key that there is, and no other."""

import re
from pathlib import Path

import msgspec

from lanner.config.falco import UNUSED, Falco

TEXT = (Path(__file__).parents[2] / "docs" / "falco-yaml.md").read_text()


def test_the_table_names_every_key_once():
    table = TEXT.partition("## Keys")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[:2] for line in table.splitlines() if line.startswith("| `")]
    named = [(key, "without effect" in here) for keys, here in rows for key in re.findall("`([a-z_0-9]+)`", keys)]
    known = {field.name for field in msgspec.structs.fields(Falco)}
    assert sorted(named) == sorted([(key, False) for key in known] + [(key, True) for key in UNUSED])
