"""An exception for an alert: an item for a rules file that silences the rule for what fired, and for nothing else.

It compares the fields that identify the alert's subject and its action. It is offered only after `rules check` has accepted it and the
rule has been tried with it: silent for this event, but not for another one.
"""

from __future__ import annotations

import re
import shlex
import time
from typing import TYPE_CHECKING, Any, Final

from lanner.alerts.subject import SUBJECT_FIELDS
from lanner.inquiry import yaml_text
from lanner.inquiry.memory_files import open_memory_file
from lanner.rules.files.load import OWN_RULES
from lanner.rules.lint import check_files
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import many
from lanner.sdk.text.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lanner.host.trial import LoadedRules
    from lanner.inquiry.loaded import LoadedCase
    from lanner.inquiry.process_messages import Question
    from lanner.rules.report.explanation import Explanation

_ACTIONS: Final = ("cmdline", "command", "commandline", "args", "exepath", "exe", "action", "image", "from", "path", "uri", "user")
"""Last words of the names of fields that describe an action, the most specific first."""
_FIXED: Final = re.compile(r"^\S+ (=|==|exists|!=)( |$)")
"""Tests whose value is the same in all alerts of the rule."""
_LONGEST: Final = 1000
_PATIENCE: Final = 2.0
"""Seconds after which recent alerts are no longer counted."""
_AT_ONCE: Final = 100
_MOST_FIELDS: Final = 3
_MOST_NAMED: Final = 5
"""Rules files of a run that the comment names."""
_BARE: Final = re.compile(r"[A-Za-z0-9_./:@%+-]+")


def make_exception(loaded: LoadedCase, question: Question, found: Explanation) -> dict[str, Any]:
    """Return {"text": YAML, "checked": True, "tried": number of other events that still fire, "notes": warnings of `rules check`}.

    "silenced" is a sentence: how many of the recent alerts it would have silenced. Raises `LannerError` if no exception passes the checks.
    """
    until = time.monotonic() + _PATIENCE
    reason = "no field of the event has a value that an exception can compare"
    second = None
    for names in _choices(loaded, question, found):
        own, *others = loaded.values(names, [(question.event, question.timestamp), *question.others])
        different = [event for event, values in zip(question.others, others, strict=True) if values != own]
        plain, quoted = ({name: form(_text(own[name])) for name in names} for form in (_strip_quotes, _in_quotes))
        for values in (plain, quoted) if plain != quoted else (plain,):
            try:
                answer = _try(loaded, question, _write(loaded, question.rule, values), different, until)
            except LannerError as error:
                reason = loaded.restore_names(str(error))
                continue
            if not answer["notes"]:
                return answer
            second = second or answer
            break
    if second is None:
        raise LannerError(f"no exception for this alert passes its checks: {reason}")
    return second


def _choices(loaded: LoadedCase, question: Question, found: Explanation) -> Iterator[list[str]]:
    """Yield lists of fields to compare, the most particular first."""
    tests = [part for _, part in found.part.find_deciding()]
    varying = [name for part in tests if part.holds and not _FIXED.match(part.text) for name, _ in part.values]
    others = sorted(question.fields, key=_rank)
    names = list(dict.fromkeys(name for name in (*SUBJECT_FIELDS, *varying, *others) if _is_plain_field(loaded, name)))
    if not names:
        return
    (values,) = loaded.values(names, [(question.event, question.timestamp)])
    usable = [name for name in names if _is_usable(values[name])]
    subject = [name for name in usable if name in SUBJECT_FIELDS][:1]
    telling = [name for name in others if _rank(name) < len(_ACTIONS)]
    did = [name for name in dict.fromkeys((*varying, *telling)) if name in usable and name not in SUBJECT_FIELDS]
    full = [*subject, *sorted(did, key=_rank)][:_MOST_FIELDS]
    rest = [name for name in usable if name not in SUBJECT_FIELDS][:_MOST_FIELDS]
    seen: list[list[str]] = []
    for chosen in (full, subject, full[len(subject) :], rest):
        if chosen and chosen not in seen:
            seen.append(chosen)
            yield chosen


def _rank(name: str) -> int:
    last = re.split(r"[.\[]", name)[-1].rstrip("]")
    return _ACTIONS.index(last) if last in _ACTIONS else len(_ACTIONS)


def _is_plain_field(loaded: LoadedCase, name: str) -> bool:
    if name.startswith("evt."):  # numbers and times of events
        return False
    return loaded.rules.catalog.lookup(name) is not None


def _is_usable(value: object) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= _LONGEST and yaml_text.is_writable(value)
    return isinstance(value, int | bool)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _strip_quotes(text: str) -> str:
    """Return a value for a condition, without quotes if possible: Falco quotes a value with a blank itself, and escapes nothing."""
    return text if _BARE.fullmatch(text) or (" " in text and not set(text) & set("\"'\\")) else _in_quotes(text)


def _in_quotes(text: str) -> str:
    quote = "'" if '"' in text and "'" not in text else '"'
    return f"{quote}{text.replace(quote, chr(92) + quote)}{quote}"


def _head(loaded: LoadedCase) -> str:
    """Return a comment that says where the exception is loaded: it changes a rule, which must be loaded before it."""
    names = [OWN_RULES if path == loaded.own_rules else path for path, _ in loaded.case.rules]
    after = "the rules file" if len(names) == 1 else f"the {len(names)} rules files"
    lines = [f"Save this as exceptions.yaml, and load it after {after} of the run:"]
    if len(names) <= _MOST_NAMED:
        files = list(map(shlex.quote, names))
        plugins = [f"--plugin {shlex.quote(each)}" for each in (loaded.case.plugin, *loaded.case.beside)]
        lines.append(f"  lanner run ... {' '.join(f'-r {file}' for file in files)} -r exceptions.yaml")
        lines.append(f"  lanner rules check {' '.join((*plugins, *files))} exceptions.yaml")
    return "".join(f"# {printable_line(line)}\n" for line in lines)


def _write(loaded: LoadedCase, rule: str, values: dict[str, str]) -> str:
    taken = {each.name for each in loaded.rules.definition(rule).exceptions}
    base = re.sub(r"\W+", "_", "_".join(values.values()), flags=re.ASCII).strip("_").lower()[:40].strip("_") or "exception"
    name = next(each for number in range(1, len(taken) + 2) if (each := base if number == 1 else f"{base}_{number}") not in taken)
    return "\n".join(
        (
            f"- rule: {yaml_text.scalar(rule)}",
            "  exceptions:",
            f"    - name: {yaml_text.scalar(name)}",
            f"      fields: [{', '.join(values)}]",
            f"      comps: [{', '.join('=' for _ in values)}]",
            "      values:",
            f"        - [{', '.join(map(yaml_text.quote, values.values()))}]",
            "  override:",
            "    exceptions: append",
            "",
        )
    )


def _try(loaded: LoadedCase, question: Question, text: str, different: Sequence[tuple[bytes, int]], until: float) -> dict[str, Any]:
    """Return the answer with this exception. Raises `LannerError` for an exception that fails its checks.

    `different` are events of the rule's other alerts with other values.
    """
    with open_memory_file(text) as file:
        files = [*loaded.files, file]
        rules = loaded.load(files)
        if loaded.holds(rules, question.rule, [(question.event, question.timestamp)]) != [False]:
            raise LannerError("the rule still fires with it")
        before = loaded.holds(loaded.rules, question.rule, different)
        if before != loaded.holds(rules, question.rule, different):
            raise LannerError("it also silences other alerts of the rule")
        notes = list(_check(loaded, files, file))
        silenced = _count(loaded, rules, question, until)
    return {"text": _head(loaded) + text, "checked": True, "tried": sum(before), "silenced": silenced, "notes": notes}


def _count(loaded: LoadedCase, rules: LoadedRules, question: Question, until: float) -> str:
    """Return how many of the recent alerts the exception would have silenced, as a sentence; "" without one that still fires."""
    fired = silenced = 0
    events = question.recent.events
    for begin in range(0, len(events), _AT_ONCE):
        part = events[begin : begin + _AT_ONCE]
        before, after = (loaded.holds(each, question.rule, part) for each in (loaded.rules, rules))
        fired += sum(before)
        silenced += sum(was and not still for was, still in zip(before, after, strict=True))
        if time.monotonic() > until:
            events = events[: begin + _AT_ONCE]
            break
    if not fired:
        return ""
    is_whole = question.recent.period and len(events) == len(question.recent.events)
    which = f"{many(fired, 'alert')} of this rule {question.recent.period}" if is_whole else f"newest {many(fired, 'alert')} of this rule"
    if fired == 1 and is_whole:
        return f"It would have silenced {'the only' if silenced else 'no'} alert of this rule {question.recent.period}."
    return f"It would have silenced {silenced:,} of the {which}."


def _check(loaded: LoadedCase, files: Sequence[str], file: str) -> Iterator[str]:
    """Yield the warnings of `rules check` about the file. Raises `LannerError` for an error."""
    infos = [plugin_info(each) for each in (loaded.plugin, *loaded.beside)]
    own = [info.rules for info in infos if info.rules is not None]
    for finding in check_files(files, loaded.rules.catalog, plugins={info.name: info.version for info in infos}, own=own):
        if finding.place is not None and finding.place.file == file:
            if finding.severity == "error":
                raise LannerError(finding.message)
            yield finding.message
