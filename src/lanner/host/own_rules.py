"""The rules files of a run: the named ones, and a plugin's own, which are the default and have a word in the list of files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lanner.rules.files.load import OWN_RULES
from lanner.rules.resolve.collect import NO_EARLIER_ITEM
from lanner.sdk.errors import ConfigError
from lanner.yamlfile import placed_values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from lanner.rules import Finding
    from lanner.sdk.authoring.plugin import PluginInfo


def rules_files(named: Sequence[str | PathLike[str]] | None, *infos: PluginInfo, advice: str = "name a rules file") -> tuple[str, ...]:
    """Return the named files, with the word for the plugins' own files replaced by their paths; without names, the plugins' own.

    Raise `ConfigError` if they are needed and a plugin ships none; `advice` says what to do without names.
    """
    files = [str(file) for file in named or (OWN_RULES,)]
    own = [str(info.rules) for info in infos if info.rules is not None]
    if OWN_RULES in files and len(own) < len(infos):
        name = next(info.name for info in infos if info.rules is None)
        if not named:
            raise ConfigError(f"the plugin {name} ships no rules: {advice}")
        raise ConfigError(f"`{OWN_RULES}` means the plugin's own rules, and {name} ships none: remove the word from the rules files")
    return tuple(path for file in files for path in (own if file == OWN_RULES else [file]))


def advise_own_rules(findings: Sequence[Finding], info: PluginInfo) -> tuple[Finding, ...]:
    """Return the findings; those about a missing item that the plugin ships say how its rules are loaded first."""
    if info.rules is None or not any(finding.message in NO_EARLIER_ITEM for finding in findings):
        return tuple(findings)
    shipped = placed_values.load(Path(info.rules).read_text("utf-8"), info.rules)[0]
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
