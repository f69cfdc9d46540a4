"""`lanner run --list`: the plugin's fields and those of every event, in Falco's layouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lanner.cli.messages import OK, say
from lanner.cli.show import print_text
from lanner.rules.language.catalog import GENERIC_FIELDS
from lanner.sdk.errors import UsageError
from lanner.sdk.text.tables import put_beside, wrap
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.cli.runs.settings import Settings
    from lanner.sdk.types import FieldInfo

_RIGHT: Final = 30
_WIDTH: Final = 120
_TYPES: Final = {FieldType.STRING: "CHARBUF"}
_EVERY: Final = "Fields that every event has"


class _Class(NamedTuple):
    """A class of fields as Falco lists them, and the event sources that have them."""

    name: str
    sources: Sequence[str]
    fields: Sequence[FieldInfo]
    short: str = ""
    description: str = ""


def list_fields(settings: Settings, source: str, *, layout: str, verbose: bool, names_only: bool) -> int:
    """Print the fields of an event source ("": the plugin's), and return the exit code. Raises `LannerError`."""
    infos = settings.infos()
    sources = dict.fromkeys(each for info in infos for each in info.read_sources)
    has_any = not all(info.read_sources for info in infos)
    if source == "syscall" and source not in sources:
        raise UsageError("no fields of system calls are listed: Lanner reads no system calls; leave out `=syscall`")
    if source and source not in sources and not has_any:
        names = f"plugin {infos[0].name} has" if len(infos) == 1 else f"plugins {', '.join(info.name for info in infos)} have"
        raise UsageError(f"there is no event source {source!r}: the {names} fields for {', '.join(sources)}")
    if not source:
        say("the fields of system calls are left out: Lanner reads no system calls")
    every = [source] if source else [*sources] or [*infos[0].shown_sources]
    classes = [_Class("evt", every, GENERIC_FIELDS, "All event types", _EVERY)]
    for info in infos:
        if not source or info.reads(source):
            shown = every if source or not info.read_sources else info.read_sources
            classes.append(_Class(f"{info.name} (plugin)", shown, [field.info for field in info.fields]))
    if names_only:
        names_of_fields = [field.name for each in classes for field in each.fields]
        print_text(_json({"fieldnames": names_of_fields}) if layout == "json" else "\n".join(names_of_fields))
    elif layout == "json":
        print_text(_json({"fieldclasses": [_as_json(each) for each in classes]}))
    elif layout == "markdown":
        print_text("\n\n".join(map(_as_markdown, classes)))
    else:
        print_text("\n".join(_as_text(each, verbose=verbose) for each in classes))
    return OK


def _as_text(shown: _Class, *, verbose: bool) -> str:
    lines = ["-" * 31, *put_beside("Field Class:", [f"{shown.name} ({shown.short})" if shown.short else shown.name], _RIGHT)]
    if shown.description:
        lines += _describe_field("Description:", shown.description)
    lines += [*put_beside("Event Sources:", ["".join(f"{each} " for each in shown.sources)], _RIGHT), ""]
    for field in shown.fields:
        tags = _tags(field)
        kind = f"(Type: {_type(field)}) " if verbose else ""
        lines += _describe_field(field.name, f"{kind}{_in_brackets(tags)}{field.description}")
    return "\n".join([*lines, ""])


def _describe_field(name: str, text: str) -> list[str]:
    lines = wrap(text.split(), _WIDTH - _RIGHT)
    return put_beside(name, lines, _RIGHT) if len(name) <= _RIGHT else [name, *put_beside("", lines, _RIGHT)]


def _tags(field: FieldInfo) -> list[str]:
    argument = field.argument
    tags = ["EPF_IS_LIST"] if field.is_list else []
    if argument:
        tags.append("ARG_REQUIRED" if argument.required else "ARG_ALLOWED")
        tags += ["ARG_INDEX"] if argument.index else []
        tags += ["ARG_KEY"] if argument.key else []
    return sorted(tags)


def _in_brackets(tags: Sequence[str]) -> str:
    return f"({','.join(tags)}) " if tags else ""


def _type(field: FieldInfo) -> str:
    return _TYPES.get(field.type, field.type.upper())


def _as_markdown(shown: _Class) -> str:
    lines = [f"## Field Class: {shown.name}", "", *([shown.description, ""] if shown.description else [])]
    lines += [f"Event Sources: {''.join(f'{each} ' for each in shown.sources)}", ""]
    lines += ["Name | Type | Description", ":----|:-----|:-----------"]
    for field in shown.fields:
        kind = f"LIST({_type(field)})" if field.is_list else _type(field)
        lines.append(f"`{field.name}` | {kind} | {field.description}")
    return "\n".join(lines)


def _as_json(shown: _Class) -> dict[str, Any]:
    fields = []
    for field in shown.fields:
        argument = field.argument and {
            "required": field.argument.required,
            "type": [word for word, has in (("INDEX", field.argument.index), ("KEY", field.argument.key)) if has],
        }
        each = {"argument": argument, "desc": field.description, "is_list": field.is_list, "name": field.name, "type": _type(field)}
        fields.append(each)
    described = {"desc": shown.description} if shown.description else {}
    return {**described, "event_sources": list(shown.sources), "fields": fields, "name": shown.name}


def _json(value: Any) -> str:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False)
