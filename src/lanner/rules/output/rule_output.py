"""The stage that compiles the output of a rule, with additions from `append_output`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from lanner.rules.check import deprecations
from lanner.rules.check.rule_condition import weigh
from lanner.rules.findings import ConditionError
from lanner.rules.output.append import NOTHING, Addition, parse_extra
from lanner.rules.output.template import Format, FormatError, drop_container_info, parse_output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.rules.check.checker import Checker
    from lanner.rules.findings import Finding, Stage
    from lanner.rules.resolve.rule import Output


def compile_output(printed: Output, checker: Checker, more: Addition = NOTHING, *, skip: bool) -> Stage[Format | None]:
    """Compile the output of a rule; return None for an invalid one. With `skip`, an unknown field in its text is only a warning."""
    text, warning = drop_container_info(printed.text.text + more.text)
    if warning:
        yield printed.remark(warning)
    try:
        output = parse_output(text, checker.catalog, checker.fields)
    except FormatError as error:
        yield printed.finding(_move_home(error, printed, more.text), *weigh(error, skip=skip))
        return None
    yield from _remarks(text, printed)
    extra = []
    for key, form in more.fields.items():
        try:
            extra.append(parse_extra(key, form, checker.catalog, checker.fields))
        except FormatError as error:
            begin = len(printed.text.text)
            shown = f"{key}: {form}" if form is not None else key
            yield printed.finding(_move_home(FormatError(error.message, begin, advice=error.advice), printed, shown))
            return None
        yield from _remarks(form or key, printed)
    return replace(output, extra=tuple(extra)) if extra else output


def _move_home(error: FormatError, printed: Output, text: str) -> FormatError:
    """Return the error; one in added text is moved to the end of the rule's own output and its advice names that text."""
    end = len(drop_container_info(printed.text.text)[0])
    if error.offset < end or not text:
        return error
    return FormatError(error.message, max(0, end - 1), advice=f"append_output adds `{text.strip()}` here; {error.advice}")


def _remarks(text: str, printed: Output) -> Iterator[Finding]:
    for remark in deprecations.of_output(text):
        begin = max(0, printed.text.text.find(remark.field))
        about = ConditionError(remark.message, begin, len(remark.field))
        yield printed.finding(about, "warning", remark.code, remark.field)
