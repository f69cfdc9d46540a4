"""`lanner rules check`: errors and warnings in rules files."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lanner.cli.messages import FAILED, OK
from lanner.cli.show import print_text
from lanner.config.read import list_files
from lanner.host.own_rules import advise_own_rules, rules_files
from lanner.host.plugin_loader import load_plugin
from lanner.rules.language.catalog import Catalog
from lanner.rules.lint import check_files
from lanner.rules.lint.hints import NO_RULE_CHECKED
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import many
from lanner.sdk.text.printable import printable_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.rules.findings import Finding
    from lanner.yamlfile.source import Place


def check_rules(files: Sequence[str], plugins: Sequence[str], *, as_json: bool, strict: bool) -> int:
    """Print all findings of these files (none: the plugin's own) and return the exit code. Raises `LannerError`."""
    infos = [plugin_info(load_plugin(plugin)) for plugin in dict.fromkeys(plugins)]
    paths = rules_files(list_files(files), *infos)
    sources = dict.fromkeys(source for info in infos for source in ([info.event_source] if info.event_source else info.read_sources))
    if not sources:
        names = ", ".join(info.name for info in infos)
        raise LannerError(f"{names} extracts from all sources: also name the plugin of the rules' source, such as --plugin docker")
    catalogs = [Catalog([each.info for info in infos if info.reads(source) for each in info.fields], source) for source in sources]
    own = [info.rules for info in infos if info.rules is not None]
    checked = check_files(paths, *catalogs, plugins={info.name: info.version for info in infos}, own=own)
    found: tuple[Finding, ...] = checked
    for info in infos:
        found = advise_own_rules(found, info)
    count: Counter[str] = Counter(finding.severity for finding in found)
    if as_json:
        document = {"errors": count["error"], "warnings": count["warning"], "findings": list(map(_as_dict, found))}
        print_text(printable_json(document, indent=2))
    else:
        print_text("\n\n".join([*(finding.render() for finding in found), _sum(count) or _summarise(len(paths), checked.rules)]))
    unchecked = any(finding.code == NO_RULE_CHECKED for finding in found)
    return FAILED if count["error"] or unchecked or (strict and found) else OK


def _sum(count: Counter[str]) -> str:
    return ", ".join(many(count[word], word) for word in ("error", "warning") if count[word])


def _summarise(files: int, rules: int) -> str:
    return f"{many(files, 'file')}, {many(rules, 'rule')}: no findings"


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
