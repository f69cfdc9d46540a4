"""All errors of rules files at once, and lints that Falco does not have. Private.

The input are paths and the catalog of an event source, the output are findings in the order of the files. An error in one rule does not
prevent the check of the others. docs/checking-rules.md describes each lint.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from lanner.rules.files.items import MacroItem
from lanner.rules.files.load import load_files
from lanner.rules.files.rule_items import DEFAULT_SOURCE
from lanner.rules.findings import UNKNOWN_SOURCE, ConditionError, Finding, RulesError, finish, make_finding
from lanner.rules.language.catalog import LINK
from lanner.rules.lint.appends import find_risky_appends
from lanner.rules.lint.hints import (
    EMPTY_FILE,
    FIELD_OF_LANNER,
    MISTYPED_FIELD,
    NO_DESCRIPTION,
    NO_RULE_CHECKED,
    NO_TAGS,
    OUTPUT_WITHOUT_FIELDS,
    SHADOWED_RULE,
    SIMPLE_REGEX,
    Hint,
    Subject,
)
from lanner.rules.lint.names import find_mistyped_fields, find_mistyped_names, find_redefined, one_letter_off, split_items
from lanner.rules.lint.shadow import find_shadowed
from lanner.rules.lint.single_comparisons import find_absent_fields, find_impossible_values, find_simple_regexes, find_text_orders
from lanner.rules.lint.thorough import ThoroughSession
from lanner.rules.lint.truth import Truth
from lanner.yamlfile.source import Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from os import PathLike

    from lanner.rules.language.catalog import Catalog
    from lanner.rules.resolve.collect import Definitions
    from lanner.rules.resolve.rule import Rule
    from lanner.rules.session import CompiledRule


class CheckResult(tuple["Finding", ...]):  # noqa: SLOT001 - slots of a tuple hold no values
    """The findings, in the order of the files."""

    rules: int
    """Number of rules in the files."""


def check_files(
    paths: Iterable[str | PathLike[str]],
    *catalogs: Catalog,
    plugins: Mapping[str, str] | None = None,
    own: Iterable[str | PathLike[str]] = (),
) -> CheckResult:
    """Return all findings of these files, which are read together in this order.

    Pass one catalog for each event source. `plugins` is as for `load_rules`. `own` are the rules files that the plugins ship: findings
    may suggest the names of their macros.
    """
    shipped = _macros(own)
    session = ThoroughSession(catalogs, plugins, shipped)
    collected = session.collected
    found: list[Finding] = []
    of_items: list[Finding] = []
    rules: list[CompiledRule] = []
    last: list[Finding] = []
    odd: list[Finding] = []
    names = [str(path) for path in paths]
    for name in names:
        try:
            (file,) = load_files([name], thorough=True)
        except RulesError as error:
            found += error.findings
            continue
        if not file.items:
            message = "The file is empty: no rule, no macro, no list."
            found.append(Finding("warning", EMPTY_FILE, message, (Place(name, 1, 1),), own=True))
        for steps in file.items:
            odd += [*find_risky_appends(steps, collected), *split_items(steps)]
            of_items += session.collect(steps)
        odd += find_redefined(file)
        # Nothing can refer to a later file: errors up to here are final
        last = list(session.expand())
        rules = finish(session.compile(), last)
        found += [each for each in last if each.severity == "error"]
    found += [*_group_by_source(of_items), *last, *odd, *_hints(rules, collected), *_find_unchecked(collected, session.catalogs)]
    if all(each.severity != "error" for each in found):  # invalid definitions use macros and lists, too
        _use_in_others(session)
        found += (_make_unused_finding(each, {*collected.macros, *shipped}) for each in session.compilation.find_unused())
    result = CheckResult(sorted(_drop_repeated(found), key=partial(_order, names)))
    result.rules = len(collected.rules)
    return result


def _macros(paths: Iterable[str | PathLike[str]]) -> frozenset[str]:
    steps = (step for file in load_files(paths) for steps in file.items for step in steps)
    return frozenset(step.name for step in steps if isinstance(step, MacroItem))


def _make_unused_finding(found: Finding, macros: Collection[str]) -> Finding:
    """Return the finding, with a suggestion of the macro that a misspelt one was probably meant to replace."""
    if found.code != "LOAD_UNUSED_MACRO":
        return found
    near = next((name for name in sorted(macros) if one_letter_off(found.places[0].name, name)), "")
    return replace(found, advice=f"Did you mean `{near}`? A macro of another name replaces nothing.") if near else found


def _group_by_source(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings, but for each unknown source only the first of its rules, with their number."""
    skipped: dict[str, list[Finding]] = {}
    for each in findings:
        if each.code == UNKNOWN_SOURCE:
            skipped.setdefault(each.message, []).append(each)
        else:
            yield each
    for message, rules in skipped.items():
        count = f" {len(rules)} rules" if len(rules) > 1 else ""
        yield replace(rules[0], message=f"{message}{count}", snippet="")


def _use_in_others(session: ThoroughSession) -> None:
    """Count the macros and lists that rules of other sources refer to as used."""
    for definition in session.collected.rules.values():
        if not definition.known_source:
            finish(session.compilation.rule(definition), [])


def _find_unchecked(collected: Definitions, sources: Collection[str]) -> Iterator[Finding]:
    """Yield a finding if none of the rules could be checked."""
    rules = list(collected.rules.values())
    if rules and not any(rule.known_source for rule in rules):
        names = " or ".join(sorted(sources))
        foreign = sorted({rule.source for rule in rules} - {"", DEFAULT_SOURCE})
        message = f"None of the rules is for the event source {names}, so none was checked."
        advice = "Name the plugin whose events they are for: --plugin PLUGIN."
        if foreign:
            message = f"The rules have the source {' or '.join(foreign)}, which no given plugin has, so none was checked."
        else:
            advice = f"Name the plugin whose events they are for (--plugin PLUGIN), or add `source: {names}` to them."
        yield make_finding("warning", NO_RULE_CHECKED, message, rules[0].context, advice, own=True)


def _plain_hints(rule: Rule, catalog: Catalog, *, fields: bool) -> Iterator[Finding]:
    if not rule.tags:
        message, advice = "The rule has no tags.", "Tags select rules and group alerts: `tags: [container, mitre_execution]`."
        yield replace(rule.warning(NO_TAGS, message), advice=advice, own=True)
    if not rule.desc.strip() or rule.desc.strip().casefold() == rule.name.strip().casefold():
        advice = "Describe in `desc` what happened and why it matters to the reader of the alert."
        yield replace(rule.warning(NO_DESCRIPTION, "The rule has no description beyond its name."), advice=advice, own=True)
    for (begin, end), message, advice in find_mistyped_fields(rule.output, catalog):
        odd = ConditionError(message, begin, end - begin, advice=advice)
        yield replace(rule.output_finding(odd, "warning", MISTYPED_FIELD), own=True)
    place = rule.output.find(f"%{LINK}")
    if place >= 0:
        advice = f"Write it for Lanner only, in falco.yaml: `append_output: [{{extra_output: '%{LINK}'}}]`."
        unknown = ConditionError(f"Falco has no field {LINK} and rejects the rule.", place, len(LINK) + 1, advice=advice)
        yield replace(rule.output_finding(unknown, "warning", FIELD_OF_LANNER), own=True)
    if not fields:
        about = ConditionError(
            "The output contains no field: all its alerts have the same text.",
            0,
            len(rule.output),
            advice="Add fields of the event, each with a `%` before its name.",
        )
        yield replace(rule.output_finding(about, "warning", OUTPUT_WITHOUT_FIELDS), own=True)


def _hints(rules: list[CompiledRule], collected: Definitions) -> Iterator[Finding]:
    truth = Truth()
    items = {item.value for definition in collected.lists.values() for item in definition.items}
    subjects = [Subject(each.rule, each.checker) for each in rules]
    for each, subject in zip(rules, subjects, strict=True):
        yield from _plain_hints(each.rule, each.checker.catalog, fields=bool(each.output.fields))
        yield from (_finding(subject, hint) for hint in find_mistyped_names(subject, collected.lists, collected.macros, items))
        for lint in (truth.hints, find_impossible_values, find_text_orders, find_absent_fields, find_simple_regexes):
            yield from (_finding(subject, hint) for hint in lint(subject))
    yield from (_finding(subject, hint) for subject, hint in find_shadowed(subjects))


def _finding(subject: Subject, hint: Hint) -> Finding:
    if hint.code == SHADOWED_RULE:
        return replace(subject.rule.warning(hint.code, hint.message), advice=hint.advice, own=True)
    begin, end = hint.span
    error = ConditionError(hint.message, begin, max(1, end - begin), advice=hint.advice)
    return replace(subject.rule.finding(error, "warning", hint.code), own=True)


def _drop_repeated(found: list[Finding]) -> Iterator[Finding]:
    """Yield each finding once: every rule that uses a macro repeats the macro's. Falco's warning is omitted for a regex with a lint."""
    regexes = {_line(each) for each in found if each.code == SIMPLE_REGEX}
    seen: set[tuple[object, ...]] = set()
    for each in found:
        key = (each.severity, each.code, each.message, each.place)
        if key not in seen and not (each.message.startswith("regex check with") and _line(each) in regexes):
            seen.add(key)
            yield each


def _line(finding: Finding) -> tuple[str, int] | None:
    return (finding.place.file, finding.place.line) if finding.place else None


def _order(names: list[str], finding: Finding) -> tuple[int, int, int]:
    place = finding.place
    return (names.index(place.file), place.line, place.column) if place else (0, 0, 0)
