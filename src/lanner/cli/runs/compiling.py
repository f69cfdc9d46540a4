"""Compile the rules of a run from its settings, create their pump, and print their errors and warnings to standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.cli.messages import add, fail, say
from lanner.config.falco import MatchPolicy
from lanner.host.beside import join_fields
from lanner.host.own_rules import advise_own_rules, rules_files
from lanner.host.pump import Pump, host_name
from lanner.rules import AlertWriter, Catalog, compile_rules, load_rules
from lanner.rules.findings import FILE_READ, UNKNOWN_SOURCE, YAML_PARSE
from lanner.rules.resolve.select import select
from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import many
from lanner.sdk.text.misspelt import suggest_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.alerts.alert_record import Recording
    from lanner.cli.runs.settings import Settings
    from lanner.config.falco import Falco
    from lanner.rules import CompiledRules, Finding, RulesError
    from lanner.sdk.authoring.plugin import Plugin, PluginInfo

_SHOWN_FINDINGS: Final = 50
_SHOWN_FOREIGN: Final = 3


def compile_settings(infos: Sequence[PluginInfo], settings: Settings) -> CompiledRules:
    """Compile the rules for events of the first plugin, with the fields of all plugins. Print warnings.

    Raises `LannerError` (`RulesError` for invalid rules), even if no rule is left.
    """
    falco, info = settings.falco, join_fields(infos)
    paths = rules_files(settings.rules, info, advice="name a rules file with -r FILE")
    catalog = Catalog([declaration.info for declaration in info.fields], info.event_source or "", falco.static_fields)
    versions = {each.name: each.version for each in infos}
    ruleset = load_rules(paths, catalog, plugins=versions, appends=falco.append_output)
    for number, switch in enumerate(falco.rules):
        if not any(map(switch.concerns, ruleset.rules)):
            tags = {tag for rule in ruleset.rules for tag in rule.tags}
            near = suggest_name(switch.rule, [rule.name for rule in ruleset.rules]) if switch.rule else suggest_name(switch.tag, tags)
            _warn_of_value(settings, f"$.rules[{number}] concerns no rule of source {info.event_source}{near}")
    for number, append in enumerate(falco.append_output):
        from lanner.rules.lint.names import find_mistyped_fields  # most runs append nothing and need no lints

        if append.source not in {"", info.event_source}:
            continue
        texts = {"extra_output": append.output, **{f"extra_fields.{key}": form for key, form in append.formatted.items()}}
        for key, text in texts.items():
            for _, message, advice in find_mistyped_fields(text, catalog) if "%" in text else ():
                _warn_of_value(settings, f"$.append_output[{number}].{key}: {message} {advice}")
    compiled = compile_rules(ruleset, catalog, select(ruleset.rules, falco.rules, falco.priority), falco.append_output)
    _warn(compiled.findings, info.event_source or "")
    if not compiled.rules:
        why, advice = f"no rule is enabled for source {info.event_source}", "name rules files that have some (-r)"
        if not ruleset.rules and any(finding.code == UNKNOWN_SOURCE for finding in compiled.findings):
            why, advice = f"{why}, because the rules are for other event sources", f"run the plugin of their events, {advice}"
        elif any(rule.enabled for rule in ruleset.rules):
            why = f"priority {str(falco.priority).lower()} and `rules` of the configuration leave no rule"
        if not falco.lanner.allow_no_rules:
            raise LannerError(f"{why}: {advice}, or allow it with -o lanner.allow_no_rules=true")
        say(f"warning: {why}: no alerts will be raised")
    return compiled


def _warn_of_value(settings: Settings, text: str) -> None:
    say(f"warning: {settings.origins.place(text)}")


def make_pump(plugins: Sequence[Plugin], compiled: CompiledRules, settings: Settings, recording: Recording | None = None) -> Pump:
    """Return a pump for the first plugin's events, configured for alerts. The other plugins also extract fields.

    `recording` is as for `Pump`.
    """
    falco = settings.falco
    return Pump(
        plugins[0],
        compiled,
        make_writer(falco),
        first=falco.rule_matching is MatchPolicy.FIRST,
        hostname=None if falco.plugins_hostinfo else "",
        static=falco.static_fields,
        beside=plugins[1:],
        native=settings.limits.executor == "native",
        recording=recording,
    )


def make_writer(falco: Falco) -> AlertWriter:
    """Return the format of alerts."""
    return AlertWriter(
        "json" if falco.json_output else "text",
        falco.time_format_iso_8601,
        host_name(),
        falco.json_include_output_property,
        falco.json_include_tags_property,
        falco.json_include_message_property,
        falco.json_include_output_fields_property,
    )


def _warn(findings: Sequence[Finding], source: str) -> None:
    foreign = [finding for finding in findings if finding.code == UNKNOWN_SOURCE]
    for finding in findings:
        if finding not in foreign:
            add(finding.render(), finding.severity)
    if foreign:
        some = [f"    {finding.place}: {finding.message}" for finding in foreign[:_SHOWN_FOREIGN]]
        more = [f"    and {len(foreign) - len(some)} more"] if len(foreign) > len(some) else []
        left = f"{many(len(foreign), 'rule')} of other event sources left out"
        say(f"warning: {left}; rules for these events need `source: {source}`:", *some, *more)


def show_wrong_rules(error: RulesError, info: PluginInfo) -> int:
    """Print the errors of the rules and return the exit code."""
    left = show_findings(error, info)
    more = f" ({many(left, 'more finding')} not shown)" if left > 0 else ""
    is_readable = any(finding.code not in {FILE_READ, YAML_PARSE} for finding in error.findings)
    return fail(f"{wrong_rules(error)}{more}{'; `lanner rules check` shows all findings' if is_readable else ''}")


def show_findings(error: RulesError, info: PluginInfo) -> int:
    """Print the findings of the rules, and return the number of those left out, 0 or less for none."""
    foreign = [finding for finding in error.findings if finding.code == UNKNOWN_SOURCE]
    others = advise_own_rules([finding for finding in error.findings if finding.code != UNKNOWN_SOURCE], info)
    for finding in others[:_SHOWN_FINDINGS]:
        add(finding.render(), finding.severity)
    _warn(foreign, info.event_source or "")
    return len(others) - _SHOWN_FINDINGS


def wrong_rules(error: RulesError) -> str:
    """Return a summary of the errors."""
    return f"the rules have {many(sum(finding.severity == 'error' for finding in error.findings), 'error')}"
