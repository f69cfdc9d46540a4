"""Everything that is wrong or odd in rules files, in one go, and what Falco does not look for.

In come paths and the catalog of an event source, out come findings in the order of the files. After an error in one rule the others are
still looked at. What each lint means is told in docs/checking-rules.md.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from lanner.rules.check import Checker
from lanner.rules.collect import Collector
from lanner.rules.compile import compile_condition, compile_output, is_field
from lanner.rules.errors import ConditionError, Finding, RulesError, finding
from lanner.rules.lint.hints import (
    EMPTY_FILE,
    NO_DESCRIPTION,
    NO_RULE_CHECKED,
    NO_TAGS,
    OUTPUT_WITHOUT_FIELDS,
    SHADOWED_RULE,
    SIMPLE_REGEX,
    Hint,
    Subject,
)
from lanner.rules.lint.names import mistyped_names, redefined
from lanner.rules.lint.shadow import shadowed
from lanner.rules.lint.truth import Truth
from lanner.rules.lint.values import absent_fields, impossible_values, simple_regexes
from lanner.rules.load import load_files
from lanner.rules.resolve import Compilation, output_of
from lanner.rules.typed import FieldTable
from lanner.yamlfile.source import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from os import PathLike

    from lanner.rules.catalog import Catalog
    from lanner.rules.collect import Collected
    from lanner.rules.rule import Rule


def check_files(paths: Iterable[str | PathLike[str]], catalog: Catalog, *, plugins: Mapping[str, str] | None = None) -> tuple[Finding, ...]:
    """All findings of these files, taken together in this order; `plugins` as for `load_rules`."""
    collector = Collector({catalog.source}, lambda _, text: is_field(text, catalog), plugins)
    collected = collector.collected
    found: list[Finding] = []
    subjects: list[Subject] = []
    last: list[Finding] = []
    twice: list[Finding] = []
    compilation = Compilation(collected)
    names = [str(path) for path in paths]
    for name in names:
        try:
            (file,) = load_files([name])
        except RulesError as error:
            found += error.findings
            continue
        if not file.items:
            message = "There is nothing in the file: no rule, no macro, no list."
            found.append(Finding("warning", EMPTY_FILE, message, (Place(name, 1, 1),), own=True))
        for steps in file.items:
            collector.take(steps)
        twice += redefined(file)
        # Nothing can refer to a later file: what is wrong up to here stays wrong
        compilation = Compilation(collected)
        subjects = []
        last = [*compilation.findings, *_compile(compilation, collected, catalog, subjects)]
        found += [each for each in last if each.severity == "error"]
    found += [*collected.findings, *last, *twice, *_hints(subjects, collected), *_unchecked(collected, catalog)]
    if all(each.severity != "error" for each in found):  # what is wrong names macros and lists, too
        found += compilation.unused()
    return tuple(sorted(_distinct(found), key=partial(_order, names)))


def _unchecked(collected: Collected, catalog: Catalog) -> Iterator[Finding]:
    """Where none of the rules could be looked at."""
    rules = list(collected.rules.values())
    if rules and not any(rule.known_source for rule in rules):
        advice = f"Name the plugin whose events they are about, --plugin PLUGIN; or write `source: {catalog.source}` in them."
        message = f"None of the rules is of event source {catalog.source}, so none was checked."
        yield finding("warning", NO_RULE_CHECKED, message, rules[0].context, advice, own=True)


def _compile(compilation: Compilation, collected: Collected, catalog: Catalog, subjects: list[Subject]) -> list[Finding]:
    """What is wrong with rules; those that are right become subjects."""
    found: list[Finding] = []
    fields = FieldTable()
    checker = Checker(catalog, fields)
    known = len(compilation.findings)
    for definition in collected.rules.values():
        if not definition.known_source:
            continue
        output = compile_output(output_of(definition), catalog, fields, found, skip=definition.skip_if_unknown_filter)
        text = compilation.text(definition)
        rule = compilation.rule(definition, text) if text else None
        if rule and compile_condition(rule, checker, found) and output:
            subjects.append(Subject(rule, checker, catalog))
            found += _plain_hints(rule, fields=bool(output.fields))
    found += compilation.findings[known:]
    del compilation.findings[known:]
    return found


def _plain_hints(rule: Rule, *, fields: bool) -> Iterator[Finding]:
    if not rule.tags:
        message, advice = "The rule has no tags.", "Tags pick rules and sort alerts: `tags: [container, mitre_execution]`."
        yield replace(rule.warning(NO_TAGS, message), advice=advice, own=True)
    if not rule.desc.strip() or rule.desc.strip().casefold() == rule.name.strip().casefold():
        advice = "Say under `desc` what happened and why it matters, for whoever gets the alert."
        yield replace(rule.warning(NO_DESCRIPTION, "The rule has no description beyond its name."), advice=advice, own=True)
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
