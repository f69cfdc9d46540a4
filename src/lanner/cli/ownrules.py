"""Advice for rules files that change a plugin's own rules without loading these first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lanner.rules.files.load import OWN_RULES
from lanner.rules.resolve.collect import NO_EARLIER_ITEM
from lanner.yamlfile import values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.rules import Finding
    from lanner.sdk.plugin import PluginInfo


def advise_own_rules(findings: Sequence[Finding], info: PluginInfo) -> tuple[Finding, ...]:
    """Return the findings; those about a missing item that the plugin ships say how its rules are loaded first."""
    if info.rules is None or not any(finding.message in NO_EARLIER_ITEM for finding in findings):
        return tuple(findings)
    shipped = values.load(Path(info.rules).read_text("utf-8"), info.rules)[0]
    names = {str(item.get(kind)) for item in shipped if isinstance(item, dict) for kind in ("rule", "macro", "list") if kind in item}
    advice = (
        f"It is among the rules that {info.name} ships: name these first by the word `{OWN_RULES}`, "
        f"as in `-r {OWN_RULES} -r FILE` or `rules_files: [{OWN_RULES}, FILE]`."
    )
    return tuple(
        replace(finding, advice=advice)
        if finding.message in NO_EARLIER_ITEM and any(place.name in names for place in finding.places)
        else finding
        for finding in findings
    )
