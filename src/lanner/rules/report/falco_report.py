"""Falco's -V report about rules files, as JSON and as text.

The input are `FileResult`s (validate.py), the output are strings without a final newline. Places are those of yaml-cpp and the condition
parser. Snippets are cut by bytes, as in Falco. A cut character remains in the text (as a surrogate escape), and becomes
U+FFFD in JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lanner.rules.findings import UNKNOWN_SOURCE, Sight
from lanner.rules.output.json_text import replace_invalid
from lanner.sdk.text.encoding import from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.rules.findings import Finding
    from lanner.rules.report.validator import FileResult

    Escape: TypeAlias = Callable[[str], str]

_WIDTH: Final = 160
_NO_CONTEXT: Final = "<No context available>\n"

_ERRORS: Final = {
    "LOAD_ERR_FILE_READ": "File read error",
    "LOAD_ERR_YAML_PARSE": "YAML parse error",
    "LOAD_ERR_YAML_VALIDATE": "Error validating internal structure of YAML file",
    "LOAD_ERR_COMPILE_CONDITION": "Error compiling condition",
    "LOAD_ERR_COMPILE_OUTPUT": "Error compiling output",
    "LOAD_ERR_VALIDATE": "Error validating rule/macro/list/exception objects",
    "LOAD_ERR_EXTENSION": "Error in extension item",
}
# Falco uses the first in text, the second in JSON
_WARNINGS: Final = {
    UNKNOWN_SOURCE: (
        "Unknown event source",
        (
            "A rule has a unknown event source. This can occur when reading rules content without having a corresponding plugin loaded, "
            "etc. The rule will be silently ignored."
        ),
    ),
    "LOAD_UNSAFE_NA_CHECK": (
        "Unsafe <NA> comparison in condition",
        (
            "Comparing a field value with <NA> is unsafe and can lead to unpredictable behavior of the rule condition. If you need to "
            "check for the existence of a field, consider using the 'exists' operator instead."
        ),
    ),
    "LOAD_NO_EVTTYPE": (
        "Condition has no event-type restriction",
        (
            "A rule condition matches too many evt.type values. This has a significant performance penalty. Make the condition more "
            "specific by adding an evt.type field or further restricting the number of evt.type values in the condition."
        ),
    ),
    "LOAD_UNKNOWN_FILTER": (
        "Unknown field or event-type in condition or output",
        (
            "A rule condition or output refers to a field or evt.type that does not exist. This is normally an error, but if a rule has a "
            "skip-if-unknown-filter property, the error is downgraded to a warning."
        ),
    ),
    "LOAD_UNUSED_MACRO": ("Unused macro", "A macro is defined in the rules content but is not used by any other macro or rule."),
    "LOAD_UNUSED_LIST": ("Unused list", "A list is defined in the rules content but is not used by any other list, macro, or rule."),
    "LOAD_UNKNOWN_ITEM": (
        "Unknown rules file item",
        "An unknown top-level object is in the rules content. It will be ignored.",
    ),
    "LOAD_DEPRECATED_ITEM": ("Used deprecated item", "A deprecated item is employed by lists, macros, or rules."),
    "LOAD_APPEND_NO_VALUES": (
        "Overriding/appending with no values",
        "A rule exception is overriding/appending with no values",
    ),
    "LOAD_EXCEPTION_NAME_NOT_UNIQUE": (
        "Multiple exceptions defined with the same name",
        "A rule is defining multiple exceptions with the same name",
    ),
    "LOAD_INVALID_MACRO_NAME": ("Invalid macro name", "A macro is defined with an invalid name"),
    "LOAD_INVALID_LIST_NAME": ("Invalid list name", "A list is defined with an invalid name"),
    "LOAD_COMPILE_CONDITION": ("Warning in rule condition", "A rule condition or output have been parsed with a warning"),
    "LOAD_UNKNOWN_KEY": (
        "Unknown key in item definition",
        (
            "An item in the rules content contains an unrecognized key. The key will be ignored. This may indicate a typo or a property "
            "placed on the wrong item type."
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Location:
    """One level of a finding's context. `name` is the file's, or the start of the condition that contains the place."""

    kind: str
    item: str
    name: str
    line: int = 0
    column: int = 0
    offset: int = 0


def as_json(results: Sequence[FileResult]) -> dict[str, Any]:
    """Return Falco's result with json_output, before serialization (see `dump`)."""
    return {"falco_load_results": [_file_json(result) for result in results]}


def dump(report: dict[str, Any]) -> str:
    """Return the report on one line, as Falco writes it."""
    text = json.dumps(report, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return replace_invalid(text)


def as_text(results: Sequence[FileResult], escape: Escape = str) -> str:
    """Return Falco's text without json_output. It has warnings only if there is an error. `escape` escapes strings of files."""
    return "\n".join(_text(result, escape) for result in results)


def full_text(result: FileResult, escape: Escape = str) -> str:
    """Return everything about one file, including warnings: Falco's log message. `escape` escapes strings of files."""
    problems = [finding for finding in result.findings if finding.severity == "error"]
    warnings = [finding for finding in result.findings if finding.severity == "warning"]
    status = "Invalid" if problems else "Ok, with warnings" if warnings else "Ok"
    lines = [f"{escape(result.name)}: {status}"]
    if _schema_warnings(result):
        shown = "".join(f"------\n{escape(each)}\n" for each in result.schema)
        lines.append(f"{len(result.schema)} Schema warnings:\n{shown}------\n")
    for kind, findings in (("Errors", problems), ("Warnings", warnings)):
        if findings:
            lines.append(f"{len(findings)} {kind}:\n{''.join(_finding_text(result, each, escape) for each in findings)}")
    return "\n".join(lines)


def _text(result: FileResult, escape: Escape) -> str:
    if result.successful and result.findings:
        return f"{escape(result.name)}: Ok, with warnings"
    return full_text(result, escape)


def _finding_text(result: FileResult, finding: Finding, escape: Escape) -> str:
    places: list[str] = []
    for where in locations(result, finding):
        item = where.item and repr_item(escape(where.item))
        places.append(f"{'   ' if places else 'In'} {where.kind}{item}: ({escape(where.name)}:{where.line}:{where.column})\n")
    about = _ERRORS[finding.code] if finding.severity == "error" else _WARNINGS[finding.code][0]
    if finding.subject:
        about += f": field '{escape(finding.subject)}'"
    return f"{''.join(places)}------\n{snippet(result, finding)}------\n{finding.code} ({about}): {escape(finding.message)}\n"


def repr_item(name: str) -> str:
    """Return an item's name after its kind."""
    return f" '{name}'"


def _schema_warnings(result: FileResult) -> bool:
    return bool(result.schema) and result.schema[0] != "ok"


def _file_json(result: FileResult) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": result.name, "successful": result.successful}
    if result.schema:
        invalid = _schema_warnings(result)
        shown |= {"schema_valid": not invalid, "schema_warnings": list(result.schema) if invalid else []}
    for severity in ("error", "warning"):
        shown[f"{severity}s"] = [_finding_json(result, each) for each in result.findings if each.severity == severity]
    return shown


def _finding_json(result: FileResult, finding: Finding) -> dict[str, Any]:
    shown = {
        "code": finding.code,
        "codedesc": _ERRORS[finding.code] if finding.severity == "error" else _WARNINGS[finding.code][1],
        "context": {
            "locations": [
                {
                    "item_name": where.item,
                    "item_type": where.kind,
                    "position": {"name": where.name, "line": where.line, "column": where.column, "offset": where.offset},
                }
                for where in locations(result, finding)
            ],
            "snippet": snippet(result, finding),
        },
        "message": finding.message,
    }
    if finding.subject:
        shown["deprecated_field"] = finding.subject
    return shown


def locations(result: FileResult, finding: Finding) -> list[Location]:
    """Return a finding's context as in Falco, from the file inwards."""
    sight = _sight(finding)
    # the invalid item may be defined in an earlier file
    found = [Location("rules content", "", sight.context[0].file.name if sight.context else result.name)]
    for spot in sight.context:
        mark = spot.mark()
        found.append(Location(spot.kind, spot.name, spot.file.name, mark.line, mark.column, mark.offset))
    if sight.text is not None:
        outer, condition = found[-1], to_bytes(sight.text)
        shown = condition[:17] + b"..." if len(condition) > 20 else condition
        name = f'"{from_bytes(shown)}"'.replace("\n", " ").replace("\r", " ")
        place = outer.line + sight.line, outer.column + sight.column, outer.offset + sight.index
        found.append(Location("condition expression", "", name, *place))
    return found


def _sight(finding: Finding) -> Sight:
    return finding.sight or Sight(tuple(spot for spot in finding.context if spot.kind))


def snippet(result: FileResult, finding: Finding) -> str:
    """Return the line of a finding's innermost place and a caret below it, with newlines. A condition is quoted instead of the file."""
    text = _sight(finding).text
    content = to_bytes(text or _text_of(result, finding))
    return from_bytes(_snippet(content, locations(result, finding)[-1].offset))


def _text_of(result: FileResult, finding: Finding) -> str:
    """Return the content of the file that contains the finding, which may be an earlier one than the result's."""
    context = _sight(finding).context
    return context[0].file.text if context and context[0].file.name != result.name else result.content


def _snippet(content: bytes, offset: int) -> bytes:
    if not content:
        return _NO_CONTEXT.encode()
    feed = ord("\n")
    at, half = offset, _WIDTH // 2
    if at >= len(content):
        at = len(content) - 1
    while at > 0 and content[at] == feed:
        at -= 1
    begin = at
    while begin > 0 and content[begin] != feed and at - begin < half:
        begin -= 1
    end = at
    while end < len(content) - 1 and content[end] != feed and end - at < half:
        end += 1
    if content[begin] == feed:
        begin += 1
    if content[end] == feed:
        end -= 1
    if end < begin:
        return _NO_CONTEXT.encode()
    shown = content[begin : end + 1]
    if at - begin >= half:
        shown = b"..." + shown[3:]
    if end - at >= half:
        shown = shown[:-3] + b"..."
    shown += b"\n"
    return shown + b" " * (at - begin) + b"^\n" if at - begin <= len(shown) - 1 else shown
