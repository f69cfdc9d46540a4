"""Generates the configuration reference in Markdown from the typed classes: `python -m lanner.config.reference` prints the page."""

from __future__ import annotations

import inspect
import sys
from enum import Enum
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

from lanner.config.falco import Falco
from lanner.config.monitoring import Duration
from lanner.sdk.options.blocks import WITHOUT_EFFECT, has
from lanner.sdk.text.tables import markdown

_HEAD: Final = """# Configuration reference

`python -m lanner.config.reference` generates this page from the configuration classes. [falco.yaml](falco-yaml.md) describes how to use such a file. [Outputs](outputs.md) and [operating](operating.md)
describe its keys in detail. Each plugin defines its own options (`init_config`): `lanner plugin NAME` prints them. [Docker's options](docker.md#configuration) are on the page of that plugin.
"""  # noqa: E501 - a paragraph of the page
_UNUSED: Final = (
    "Falco's keys for system calls, and others that Lanner does not use. Lanner checks them as Falco does, "
    "and prints a warning if they request something: "
)
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
        elif _is_block(kind):
            found += unused_keys(kind, f"{prefix}{name}.")
    return found


def _is_unused(kind: Any) -> bool:
    return get_origin(kind) is Annotated and has(get_args(kind)[1:], WITHOUT_EFFECT)


def _blocks(cls: type[msgspec.Struct], prefix: str) -> list[str]:
    """Return a section for each block below a class, each followed by its nested blocks."""
    parts = []
    for name, kind in get_type_hints(cls, include_extras=True).items():
        if _is_block(kind):
            path = f"{prefix}{name}"
            parts += [f"## `{path}`\n", f"{inspect.getdoc(kind)}\n", _table(kind, f"{path}."), *_blocks(kind, f"{path}.")]
    return parts


def _table(cls: type[msgspec.Struct], prefix: str) -> str:
    rows = []
    kinds = get_type_hints(cls, include_extras=True)
    for field in sorted(msgspec.structs.fields(cls), key=lambda field: _is_block(kinds[field.name])):  # plain keys first
        kind, meaning = kinds[field.name], ""
        if _is_unused(kind):
            continue
        if get_origin(kind) is Annotated:
            kind, *about = get_args(kind)
            meaning = next((each.description for each in about if each.description), "")
        if _is_block(kind):
            meaning, shown, default = f"{inspect.getdoc(kind)} [More](#{_anchor(prefix + field.name)})", "keys", ""
        else:
            shown, default = _type_text(kind), _default(field.default, field.default_factory)
        rows.append((f"`{prefix}{field.name}`", shown, default, meaning or "Enable it"))
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
