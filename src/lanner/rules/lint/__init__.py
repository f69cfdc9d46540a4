"""All errors of rules files at once, and lints that Falco does not have.

The input are paths and the catalog of an event source, the output are findings in the order of the files. An error in one rule does not
prevent the check of the others. docs/checking-rules.md describes each lint.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from lanner.rules.check.checker import Checker
from lanner.rules.files.items import MacroItem, RuleItem
from lanner.rules.files.load import load_files
from lanner.rules.findings import ConditionError, Finding, RulesError, finding
from lanner.rules.language.typed import FieldTable
from lanner.rules.lint.appends import risky_appends
from lanner.rules.lint.hints import (
    EMPTY_FILE,
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
from lanner.rules.lint.names import mistyped_fields, mistyped_names, one_letter_off, redefined, split_items
from lanner.rules.lint.shadow import shadowed
from lanner.rules.lint.thorough import ThoroughCollector, check_condition, check_output
from lanner.rules.lint.truth import Truth
from lanner.rules.lint.values import absent_fields, impossible_values, simple_regexes
from lanner.rules.plan.compile import is_field
from lanner.rules.resolve.rules import Compilation
from lanner.yamlfile.source import Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from os import PathLike

    from lanner.rules.language.catalog import Catalog
    from lanner.rules.resolve.collect import Collected
    from lanner.rules.resolve.rule import Rule

_UNKNOWN_SOURCE: Final = "LOAD_UNKNOWN_SOURCE"


def check_files(
    paths: Iterable[str | PathLike[str]],
    *catalogs: Catalog,
    plugins: Mapping[str, str] | None = None,
    own: Iterable[str | PathLike[str]] = (),
) -> tuple[Finding, ...]:
    """Return all findings of these files, which are read together in this order.

    Pass one catalog for each event source. `plugins` is as for `load_rules`. `own` are the rules files that the plugins ship: findings
    may suggest the names of their macros.
    """
    by_source = {catalog.source: catalog for catalog in catalogs}
    collector = ThoroughCollector(by_source, lambda source, text: is_field(text, by_source[source]), plugins)
    collected = collector.collected
    found: list[Finding] = []
    subjects: list[Subject] = []
    last: list[Finding] = []
    odd: list[Finding] = []
    unread: dict[str, frozenset[str]] = {}
    shipped = _macros(own)
    compilation = Compilation(collected, shipped)
    names = [str(path) for path in paths]
    for name in names:
        try:
            (file,) = load_files([name], thorough=True)
        except RulesError as error:
            found += error.findings
            continue
        if not file.items:
            message = "There is nothing in the file: no rule, no macro, no list."
            found.append(Finding("warning", EMPTY_FILE, message, (Place(name, 1, 1),), own=True))
        for steps in file.items:
            odd += [*risky_appends(steps, collected), *split_items(steps)]
            collector.take(steps)
            unread |= {step.name: step.unread for step in steps if isinstance(step, RuleItem)}
        odd += redefined(file)
        # Nothing can refer to a later file: what is wrong up to here stays wrong
        compilation = Compilation(collected, shipped)
        subjects = []
        last = [*compilation.findings, *_compile(compilation, collected, by_source, unread, subjects)]
        found += [each for each in last if each.severity == "error"]
    found += [*_by_source(collected.findings), *last, *odd, *_hints(subjects, collected), *_unchecked(collected, by_source)]
    if all(each.severity != "error" for each in found):  # what is wrong names macros and lists, too
        _use_in_others(compilation, collected)
        found += (_unused(each, {*collected.macros, *shipped}) for each in compilation.unused())
    return tuple(sorted(_distinct(found), key=partial(_order, names)))


def _macros(paths: Iterable[str | PathLike[str]]) -> frozenset[str]:
    steps = (step for file in load_files(paths) for steps in file.items for step in steps)
    return frozenset(step.name for step in steps if isinstance(step, MacroItem))


def _unused(found: Finding, macros: Collection[str]) -> Finding:
    """The finding, with the macro that a misspelt one was probably meant to replace."""
    if found.code != "LOAD_UNUSED_MACRO":
        return found
    near = next((name for name in sorted(macros) if one_letter_off(found.places[0].name, name)), "")
    return replace(found, advice=f"Did you mean `{near}`? A macro of another name replaces nothing.") if near else found


def _by_source(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, but of all rules of one unknown source only the first, with their number."""
    skipped: dict[str, list[Finding]] = {}
    for each in findings:
        if each.code == _UNKNOWN_SOURCE:
            skipped.setdefault(each.message, []).append(each)
        else:
            yield each
    for message, rules in skipped.items():
        count = f" {len(rules)} rules" if len(rules) > 1 else ""
        yield replace(rules[0], message=f"{message}{count}", snippet="")


def _use_in_others(compilation: Compilation, collected: Collected) -> None:
    """Count the macros and lists that rules of other sources refer to as used."""
    known = len(compilation.findings)
    for definition in collected.rules.values():
        if not definition.known_source and (text := compilation.text(definition)):
            compilation.rule(definition, text)
    del compilation.findings[known:]


def _unchecked(collected: Collected, sources: Collection[str]) -> Iterator[Finding]:
    """Where none of the rules could be looked at."""
    rules = list(collected.rules.values())
    if rules and not any(rule.known_source for rule in rules):
        names = " or ".join(sorted(sources))
        advice = f"Name the plugin whose events they are about, --plugin PLUGIN; or write `source: {names}` in them."
        message = f"None of the rules is of event source {names}, so none was checked."
        yield finding("warning", NO_RULE_CHECKED, message, rules[0].context, advice, own=True)


def _compile(
    compilation: Compilation,
    collected: Collected,
    catalogs: Mapping[str, Catalog],
    unread: Mapping[str, frozenset[str]],
    subjects: list[Subject],
) -> list[Finding]:
    """What is wrong with rules; those that are right become subjects. `unread` are by rule the texts that could not be read."""
    found: list[Finding] = []
    tables = {source: FieldTable() for source in catalogs}
    checkers = {source: Checker(catalog, tables[source]) for source, catalog in catalogs.items()}
    known = len(compilation.findings)
    for definition in collected.rules.values():
        if not definition.known_source:
            continue
        catalog, fields, checker = catalogs[definition.source], tables[definition.source], checkers[definition.source]
        missing = unread.get(definition.name, frozenset())
        output = None if "output" in missing else check_output(definition, catalog, fields, found)
        if "condition" in missing:
            continue
        text = compilation.text(definition)
        rule = compilation.rule(definition, text or definition.condition)
        if rule and check_condition(rule, checker, found) and text and output:
            subjects.append(Subject(rule, checker, catalog))
            found += _plain_hints(rule, catalog, fields=bool(output.fields))
    found += compilation.findings[known:]
    del compilation.findings[known:]
    return found


def _plain_hints(rule: Rule, catalog: Catalog, *, fields: bool) -> Iterator[Finding]:
    if not rule.tags:
        message, advice = "The rule has no tags.", "Tags pick rules and sort alerts: `tags: [container, mitre_execution]`."
        yield replace(rule.warning(NO_TAGS, message), advice=advice, own=True)
    if not rule.desc.strip() or rule.desc.strip().casefold() == rule.name.strip().casefold():
        advice = "Say under `desc` what happened and why it matters, for whoever gets the alert."
        yield replace(rule.warning(NO_DESCRIPTION, "The rule has no description beyond its name."), advice=advice, own=True)
    for (begin, end), message, advice in mistyped_fields(rule.output, catalog):
        odd = ConditionError(message, begin, end - begin, advice=advice)
        yield replace(rule.output_finding(odd, "warning", MISTYPED_FIELD), own=True)
    if not fields:
        about = ConditionError(
            "The output names no field: its alerts do not tell what they are about.",
            0,
            len(rule.output),
            advice="Put fields of the event into it, each with a `%` before its name.",
        )
        yield replace(rule.output_finding(about, "warning", OUTPUT_WITHOUT_FIELDS), own=True)


def _hints(subjects: list[Subject], collected: Collected) -> Iterator[Finding]:
    truth = Truth()
    items = {item.value for definition in collected.lists.values() for item in definition.items}
    for subject in subjects:
        yield from (_finding(subject, hint) for hint in mistyped_names(subject, collected.lists, collected.macros, items))
        for lint in (truth.hints, impossible_values, absent_fields, simple_regexes):
            yield from (_finding(subject, hint) for hint in lint(subject))
    yield from (_finding(subject, hint) for subject, hint in shadowed(subjects))


def _finding(subject: Subject, hint: Hint) -> Finding:
    if hint.code == SHADOWED_RULE:
        return replace(subject.rule.warning(hint.code, hint.message), advice=hint.advice, own=True)
    begin, end = hint.span
    error = ConditionError(hint.message, begin, max(1, end - begin), advice=hint.advice)
    return replace(subject.rule.finding(error, "warning", hint.code), own=True)


def _distinct(found: list[Finding]) -> Iterator[Finding]:
    """Each once: a macro's are found in every rule that names it. Where a regex is told what to become, Falco's warning has its say."""
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
