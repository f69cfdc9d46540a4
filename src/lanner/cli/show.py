"""`lanner fields` and `lanner plugin`: a plugin's declarations as tables or JSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanner.host.plugin_loader import load_plugin
from lanner.outputs.base import OutputError
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import LannerError
from lanner.sdk.text.encoding import to_bytes_leniently
from lanner.sdk.text.printable import printable, printable_json, printable_line
from lanner.sdk.text.tables import columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lanner.sdk.types import FieldInfo


def show_fields(name: str, *, as_json: bool) -> None:
    """Print the fields of a plugin. Raises `LannerError`."""
    fields = [field_json(declaration.info) for declaration in plugin_info(load_plugin(name)).fields]
    if as_json:
        print_json(fields)
    else:
        print_fields(fields)


def show_plugin(name: str, *, as_json: bool) -> None:
    """Print the description of a plugin. Raises `LannerError`."""
    info = plugin_info(load_plugin(name))
    schema, table, required = None, [], []
    if info.config is not None:
        from lanner.sdk.options.config import config_schema, config_table, required_options

        schema, table, required = config_schema(info.config), config_table(info.config), required_options(info.config)
    facts: dict[str, Any] = {
        "name": info.name,
        "version": info.version,
        "description": info.description,
        "contact": info.contact,
        "id": info.id,
        "event_source": info.event_source,
        "extract_event_sources": list(info.shown_sources) if info.fields else [],
        "capabilities": list(info.capabilities),
        "fields": len(info.fields),
        "rules_file": info.rules,
        "recording": info.example,
    }
    if as_json:
        print_json({**facts, "required_options": required, "init_schema": schema})
        return
    texts = {key: ", ".join(value) if isinstance(value, list) else str(value) for key, value in facts.items() if value is not None}
    print_table(("", ""), [(key.replace("_", " "), text) for key, text in texts.items()])
    if table:
        print_text("")
        print_table(("OPTION", "TYPE", "DEFAULT", "DESCRIPTION"), table)


def show_rules(name: str) -> None:
    """Print the rules file that a plugin ships. Raise `LannerError` if it ships none or it cannot be read."""
    info = plugin_info(load_plugin(name))
    from lanner.host.own_rules import rules_files  # doctor prints tables even if the native part does not load

    (path,) = rules_files((), info, advice="nothing to show")
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        raise LannerError(f"cannot read the rules of {info.name}, {path}: {error.strerror}") from None
    print_text(text.removesuffix("\n"))


def field_json(field: FieldInfo) -> dict[str, Any]:
    """Return a field in the layout of the plugin API's get_fields."""
    shown: dict[str, Any] = {"name": field.name, "type": str(field.type), "isList": field.is_list, "desc": field.description}
    if field.add_output:
        shown["addOutput"] = True
    if field.argument:
        shown["arg"] = {"isRequired": field.argument.required, "isIndex": field.argument.index, "isKey": field.argument.key}
    return shown


def print_fields(fields: Iterable[Mapping[str, Any]]) -> None:
    """Return a table of fields, given in the layout of get_fields (`field_json`) of any API version."""
    rows = []
    for field in fields:
        kind = str(field.get("type", ""))
        rows.append((name_with_argument(field), f"list of {kind}" if field.get("isList") else kind, str(field.get("desc", ""))))
    print_table(("NAME", "TYPE", "DESCRIPTION"), rows)


def name_with_argument(field: Mapping[str, Any]) -> str:
    """Return a field's name with its argument, as rules write it."""
    name, argument = str(field.get("name", "")), field.get("arg") or {}
    if field.get("argRequired"):  # API 0.3 has this member
        return f"{name}[key]"
    if not (argument.get("isKey") or argument.get("isIndex")):  # the Go SDK writes the member for every field
        return name
    inside = " or ".join(word for word, is_so in (("key", argument.get("isKey")), ("index", argument.get("isIndex"))) if is_so)
    return f"{name}[{inside}]" if argument.get("isRequired") else f"{name}, {name}[{inside}]"


def print_json(value: Any) -> None:
    """Print JSON to standard output."""
    print_text(printable_json(value, indent=2))


def print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print columns to standard output. A header of empty strings is omitted."""
    rows = [tuple(map(printable_line, row)) for row in rows]
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table(*header, show_header=any(header), header_style="", box=None, pad_edge=False)
        for row in rows:
            table.add_row(*(_to_plain(cell) for cell in row))
        console = Console()
        with console.capture() as captured:
            console.print(table)
        print_text("\n".join(line.rstrip() for line in captured.get().splitlines()))
        return
    print_text("\n".join(columns([header, *rows] if any(header) else rows)))


def make_escape() -> Callable[[str], str]:
    """Escape text from outside for standard output: a terminal gets one printable line, a pipe all bytes."""
    return printable_line if sys.stdout.isatty() else str


def print_text(text: str) -> None:
    """Print a string and a line feed: bytes unchanged, but on a terminal unprintable characters except tabs are escaped."""
    if sys.stdout.isatty():
        text = printable(text.expandtabs())
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(to_bytes_leniently(text) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write to standard output: {error.strerror}") from None


def print_lines(lines: Iterable[str]) -> None:
    """Print lines with all unprintable characters escaped."""
    print_text("\n".join(map(printable_line, lines)))


def _to_plain(text: str) -> Any:
    from rich.text import Text

    return Text(text)
