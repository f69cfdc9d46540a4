"""`lanner rules check`: everything that is wrong or odd in rules files."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from lanner.cli.messages import FAILED, OK
from lanner.cli.validate import print_text
from lanner.config.read import given_files, with_own_rules
from lanner.framework.load import load_plugin
from lanner.rules.catalog import Catalog
from lanner.rules.lint import check_files
from lanner.rules.lint.hints import NO_RULE_CHECKED
from lanner.sdk.errors import LannerError
from lanner.sdk.plugin import plugin_info

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.rules.errors import Finding
    from lanner.yamlfile.source import Place


def check_rules(files: Sequence[str], plugin: str, *, as_json: bool, strict: bool) -> int:
    """Print all findings of these files (none: the plugin's own); gives the exit code. Raises `LannerError`."""
    info = plugin_info(load_plugin(plugin))
    if not files and info.rules is None:
        raise LannerError(f"the plugin {info.name} ships no rules: name a rules file")
    catalog = Catalog([declaration.info for declaration in info.fields], info.event_source or "")
    found = check_files(with_own_rules(given_files(files), info) or [str(info.rules)], catalog, plugins={info.name: info.version})
    count: Counter[str] = Counter(finding.severity for finding in found)
    if as_json:
        document = {"errors": count["error"], "warnings": count["warning"], "findings": list(map(_as_dict, found))}
        print_text(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        print_text("\n\n".join([*(finding.render() for finding in found), _sum(count)]))
    unchecked = any(finding.code == NO_RULE_CHECKED for finding in found)
    return FAILED if count["error"] or unchecked or (strict and found) else OK


def _sum(count: Counter[str]) -> str:
    if not count:
        return "Nothing found."
    return ", ".join(f"{count[word]} {word}{'' if count[word] == 1 else 's'}" for word in ("error", "warning") if count[word])


def _as_dict(finding: Finding) -> dict[str, Any]:
    return {
        "severity": finding.severity,
        "code": finding.code,
        "message": finding.message,
        "advice": finding.advice,
        "place": _place(finding.place) if finding.place else None,
        "inside": [_place(place) | {"kind": place.kind, "name": place.name} for place in finding.places[:-1]],
        "snippet": finding.snippet,
    }


def _place(place: Place) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column, "length": place.length}
