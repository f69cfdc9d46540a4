"""The page about the Docker plugin says what the declarations and the rules file say."""

import re
from pathlib import Path

from lanner.docker import Docker
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.options.config import config_table
from lanner.sdk.types import FieldInfo
from lanner.yamlfile import placed_values

PAGE = Path(__file__).parents[2] / "docs" / "docker.md"
INFO = plugin_info(Docker)


def _table(*rows: tuple[str, ...]) -> str:
    head, *body = rows
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *body))


def _between(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", PAGE.read_text("utf-8"), re.DOTALL)
    assert found, f"docs/docker.md has no part {name}"
    return found[1]


def _argument(info: FieldInfo) -> str:
    if info.argument is None:
        return "-"
    return ("key" if info.argument.key else "index") + ("" if info.argument.required else ", optional")


def test_the_table_of_fields_is_that_of_the_declarations() -> None:
    rows = [
        (f"`{info.name}`", info.type.value + (" list" if info.is_list else ""), _argument(info), info.description)
        for info in (declaration.info for declaration in INFO.fields)
    ]
    assert _between("README-PLUGIN-FIELDS") == _table(("NAME", "TYPE", "ARG", "DESCRIPTION"), *rows)


def test_the_table_of_options_is_that_of_the_configuration_class() -> None:
    assert INFO.config is not None
    rows = [(f"`{name}`", f"`{default}`", description) for name, _, default, description in config_table(INFO.config)]
    assert _between("OPTIONS") == _table(("Option", "Default", "What"), *rows)


def test_the_table_of_rules_is_that_of_the_rules_file() -> None:
    assert INFO.rules is not None
    items = placed_values.load(Path(INFO.rules).read_text("utf-8"), "f.yaml")[0]
    rows = [
        (item["rule"], item["priority"].capitalize(), "yes" if item.get("enabled", True) else "no", item["desc"].strip())
        for item in items
        if "rule" in item
    ]
    assert _between("RULES") == _table(("Rule", "Priority", "Enabled", "What"), *rows)
