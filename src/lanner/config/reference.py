"""Generates the configuration reference in Markdown from the typed classes: `python -m lanner.config.reference` prints the page."""

from __future__ import annotations

import inspect
import sys
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

from lanner.config.falco import Falco
from lanner.config.monitoring import Duration
from lanner.sdk.options.blocks import AT_START, WITHOUT_EFFECT, annotations_of, has, without_annotations
from lanner.sdk.text.tables import markdown

_HEAD: Final = """# Configuration reference

`python -m lanner.config.reference` generates this page from the configuration classes. [falco.yaml](falco-yaml.md) describes how to use such a file. [Outputs](outputs.md) and [operating](operating.md)
describe its keys in detail. Each plugin defines its own options (`init_config`): `lanner plugin NAME` prints them. [Docker's options](docker.md#configuration) are on the page of that plugin.
A reload does not change keys that are read at the start. It prints a warning if their value has changed.
"""  # noqa: E501 - a paragraph of the page
_UNUSED: Final = (
    "Falco's keys for system calls, and others that Lanner does not use. Lanner checks them as Falco does, "
    "and prints a warning if they request something: "
)
_AT_START: Final = " (read at the start)"
_COLUMNS: Final = ("Key", "Takes", "Default", "Meaning")
_NAMES: Final = {bool: "true, false", int: "number", float: "number", str: "text", Duration: "duration"}


def page() -> str:
    """Return the whole page."""
    parts = [_HEAD, "## falco.yaml\n", _table(Falco, "")]
    parts += _blocks(Falco, "")
    unused = ", ".join(f"`{key}`" for key in sorted(unused_keys(Falco, "")))
    parts += [
        "## Without effect\n",
        f"{_UNUSED}{unused}.\n",
    ]
    return "\n".join(parts)


def unused_keys(cls: type[msgspec.Struct], prefix: str) -> list[str]:
    """Return the paths of the keys without effect; a block of them is one path."""
    found = []
    for name, kind in get_type_hints(cls, include_extras=True).items():
        if _is_unused(kind):
            found.append(f"{prefix}{name}")
        elif _is_block(block := without_annotations(kind)):
            found += unused_keys(block, f"{prefix}{name}.")
    return found


def _is_unused(kind: Any) -> bool:
    return has(annotations_of(kind), WITHOUT_EFFECT)


def _blocks(cls: type[msgspec.Struct], prefix: str) -> list[str]:
    """Return a section for each block below a class, each followed by its nested blocks."""
    parts = []
    for name, kind in get_type_hints(cls, include_extras=True).items():
        block = without_annotations(kind)
        if _is_block(block) and not _is_unused(kind):
            path = f"{prefix}{name}"
            parts += [f"## `{path}`\n", f"{inspect.getdoc(block)}\n", _table(block, f"{path}."), *_blocks(block, f"{path}.")]
    return parts


def _table(cls: type[msgspec.Struct], prefix: str) -> str:
    rows = []
    kinds = get_type_hints(cls, include_extras=True)
    fields = sorted(msgspec.structs.fields(cls), key=lambda field: _is_block(without_annotations(kinds[field.name])))  # plain keys first
    for field in fields:
        if _is_unused(kinds[field.name]):
            continue
        kind, about = without_annotations(kinds[field.name]), annotations_of(kinds[field.name])
        meaning = next((each.description for each in about if each.description), "")
        if _is_block(kind):
            meaning, shown, default = f"{inspect.getdoc(kind)} [More](#{_anchor(prefix + field.name)})", "keys", ""
        else:
            shown, default = _type_text(kind), _default(field.default, field.default_factory)
        rows.append((f"`{prefix}{field.name}`", shown, default, (meaning or "Enable it") + (_AT_START if has(about, AT_START) else "")))
    return markdown(_COLUMNS, rows)


def _anchor(path: str) -> str:
    return path.replace(".", "-").replace("_", "-")


def _is_block(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _type_text(kind: Any) -> str:
    if type(None) in get_args(kind):
        kind = get_args(kind)[0]
    if get_origin(kind) is tuple:
        return "list"
    if get_origin(kind) is dict:
        return "strings by name"
    if get_origin(kind) is Literal:
        return ", ".join(map(str, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(str(each).lower() for each in kind)
    return _NAMES[kind]


def _default(value: Any, factory: Any) -> str:
    if factory is not msgspec.NODEFAULT:
        value = factory()
    if value in (None, "", (), {}) or isinstance(value, Duration):
        return ""
    if isinstance(value, bool | Enum):
        return str(value).lower()
    return str(value)


if __name__ == "__main__":
    sys.stdout.write(page())
