"""`lanner run --list`: the fields for rules in Falco's layouts, the plugin's and those that every event has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lanner.cli.messages import OK, say
from lanner.cli.show import print_text
from lanner.host.load import load_plugin
from lanner.rules.language.catalog import GENERIC_FIELDS
from lanner.sdk.errors import UsageError
from lanner.sdk.plugin import plugin_info
from lanner.sdk.tables import beside, wrap
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lanner.cli.settings import Settings
    from lanner.sdk.types import FieldInfo

_RIGHT: Final = 30
_WIDTH: Final = 120
_TYPES: Final = {FieldType.STRING: "CHARBUF"}
_EVERY: Final = "Fields that every event has"


def list_fields(settings: Settings, source: str, *, layout: str, verbose: bool, names_only: bool) -> int:
    """Print the fields of an event source ("": the plugin's), and return the exit code. Raises `LannerError`."""
    info = plugin_info(load_plugin(settings.plugin.target))
    sources = info.read_sources
    if source == "syscall" and source not in sources:
        raise UsageError("no fields of system calls are listed: Lanner reads no system calls; leave out `=syscall`")
    if source and sources and source not in sources:
        raise UsageError(f"there is no event source {source!r}: the plugin {info.name} has fields for {', '.join(sources)}")
    if not source:
        say("the fields of system calls are left out: Lanner reads no system calls")
    shown = [source] if source else sources
    classes = [
        ("evt", "All event types", _EVERY, GENERIC_FIELDS),
        (f"{info.name} (plugin)", "", "", [field.info for field in info.fields]),
    ]
    if names_only:
        names = [field.name for *_, fields in classes for field in fields]
        print_text(_json({"fieldnames": names}) if layout == "json" else "\n".join(names))
    elif layout == "json":
        print_text(_json({"fieldclasses": [_as_json(name, desc, fields, shown) for name, _, desc, fields in classes]}))
    elif layout == "markdown":
        print_text("\n\n".join(_as_markdown(name, desc, fields, shown) for name, _, desc, fields in classes))
    else:
        print_text("\n".join(_as_text(*each, shown, verbose=verbose) for each in classes))
    return OK


def _as_text(name: str, short: str, desc: str, fields: Iterable[FieldInfo], sources: Sequence[str], *, verbose: bool) -> str:
    lines = ["-" * 31, *beside("Field Class:", [f"{name} ({short})" if short else name], _RIGHT)]
    if desc:
        lines += _described("Description:", desc)
    lines += [*beside("Event Sources:", ["".join(f"{each} " for each in sources)], _RIGHT), ""]
    for field in fields:
        tags = _tags(field)
        kind = f"(Type: {_type(field)}) " if verbose else ""
        lines += _described(field.name, f"{kind}{_in_brackets(tags)}{field.description}")
    return "\n".join([*lines, ""])


def _described(name: str, text: str) -> list[str]:
    lines = wrap(text.split(), _WIDTH - _RIGHT)
    return beside(name, lines, _RIGHT) if len(name) <= _RIGHT else [name, *beside("", lines, _RIGHT)]


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


def _as_markdown(name: str, desc: str, fields: Iterable[FieldInfo], sources: Sequence[str]) -> str:
    lines = [f"## Field Class: {name}", "", *([desc, ""] if desc else []), f"Event Sources: {''.join(f'{each} ' for each in sources)}", ""]
    lines += ["Name | Type | Description", ":----|:-----|:-----------"]
    for field in fields:
        kind = f"LIST({_type(field)})" if field.is_list else _type(field)
        lines.append(f"`{field.name}` | {kind} | {field.description}")
    return "\n".join(lines)


def _as_json(name: str, desc: str, fields: Iterable[FieldInfo], sources: Sequence[str]) -> dict[str, Any]:
    shown = []
    for field in fields:
        argument = field.argument and {
            "required": field.argument.required,
            "type": [word for word, has in (("INDEX", field.argument.index), ("KEY", field.argument.key)) if has],
        }
        each = {"argument": argument, "desc": field.description, "is_list": field.is_list, "name": field.name, "type": _type(field)}
        shown.append(each)
    return {**({"desc": desc} if desc else {}), "event_sources": list(sources), "fields": shown, "name": name}


def _json(value: Any) -> str:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False)
