"""`lanner inspect`: describe a plugin's .so, for people or as JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lanner.abi.versions import hosts
from lanner.bundle.inspection import inspect
from lanner.cli.messages import FAILED, OK, say
from lanner.cli.show import make_escape, print_fields, print_json, print_table, print_text
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from lanner.bundle.inspection import BuildFacts, Inspection

_SHOWN: Final = 8


def inspect_file(file: str, *, as_json: bool, licences: bool) -> int:
    """Describe the file, or print the licences of its contents, and return the exit code. Raises `LannerError`."""
    seen = inspect(Path(file))
    if seen.trouble:
        say(f"warning: {file}: {seen.trouble}")
    if licences:
        _show_licences(seen)
    elif as_json:
        print_json(_for_machines(seen))
    else:
        _show(seen)
    return FAILED if seen.trouble else OK


def _for_machines(seen: Inspection) -> dict[str, Any]:
    shown = asdict(seen)
    shown["bundled"] = seen.brought is not None and not seen.brought.executable
    if seen.brought:
        shown["brought"]["libraries"] = [
            {"name": name, "size": size, "unpacked_size": unpacked} for name, size, unpacked in seen.brought.libraries
        ]
        shown["brought"]["licences"] = sorted(seen.brought.licences)
    return shown


def _show(seen: Inspection) -> None:
    host = hosts(seen.api)
    rows = [
        ("plugin", f"{seen.name} {seen.version}".strip()),
        ("description", seen.description),
        ("contact", seen.contact),
        ("capabilities", ", ".join(seen.capabilities)),
        ("event source", f"{seen.event_source} (id {seen.id})" if seen.event_source else ""),
        ("fields for", ", ".join(seen.extract_sources) or "all event sources" if "extraction" in seen.capabilities else ""),
        ("plugin API", f"{seen.api}: {host}" if host else seen.api),
        ("SHA-256", seen.sha256),
        ("size", many(seen.size, "byte")),
        *(_content_lines(seen.brought) if seen.brought else [("made by", "not `lanner build`")]),
    ]
    print_table(("", ""), [(name, value) for name, value in rows if value])
    if seen.fields:
        print_text("")
        print_fields(seen.fields)


def _content_lines(brought: BuildFacts) -> list[tuple[str, str]]:
    rows = [("made by", f"lanner {brought.lanner}; unchanged since it was built")]
    if brought.executable:
        rows.append(("runs on", f"Python {brought.python}, {brought.executable}"))
    else:
        rows.append(("runs on", f"any Linux of this architecture with glibc {brought.glibc} or newer; it contains Python {brought.python}"))
    for place, (name, size, _) in enumerate(sorted(brought.libraries, key=lambda one: -one[1])):
        if place == _SHOWN:
            rows.append(("", f"{len(brought.libraries) - _SHOWN} smaller ones (--json names them)"))
            break
        rows.append(("" if place else "brings", f"{name}, {many(size, 'byte')}"))
    if brought.runtime:
        rows.append(("", f"{many(len(brought.runtime), 'module')} of Python and of packages"))
    rows.append(("own modules", ", ".join(brought.modules)))
    rows.append(("licences", f"{', '.join(sorted(brought.licences))} (--licences prints them)" if brought.licences else ""))
    return rows


def _show_licences(seen: Inspection) -> None:
    if seen.brought is None or not seen.brought.licences:
        say("it contains no licences: it was not made by `lanner build --bundle`")
    else:
        escape = make_escape()
        for name, text in sorted(seen.brought.licences.items()):
            print_text(f"==== {escape(name)} ====\n\n{text.rstrip()}\n")
