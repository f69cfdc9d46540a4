"""Error messages about a plugin's options: they contain the option, its allowed values, and the most similar known option."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec.inspect

from lanner.sdk.options.option_types import parts_of
from lanner.sdk.text.misspelt import find_near

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_PLACED: Final = re.compile(r"(.*) - at `(\$.*)`", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_ENUM: Final = re.compile(r"Invalid enum value (.*)", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[([0-9]+|\.\.\.)\]")
_SHOWN: Final = re.compile(r"`\$([^`]*)`")
_MOST_SHOWN: Final = 100
REQUIRED: Final = "is required"
"""The words of each message about a required option that is missing."""
_REQUIRED_OPTION: Final = re.compile(rf"the option `\$\.([^`]+)` {REQUIRED}")
_NO_NAME: Final = re.compile(r"[^\w-].*", re.DOTALL)


def explain(error: str, cls: type[msgspec.Struct]) -> str:
    """Return msgspec's message about options of `cls` with the option's path and its allowed values."""
    found = _PLACED.fullmatch(error)
    message, path = found.groups() if found else (error, "$")
    kinds = list(_kinds_at(msgspec.inspect.type_info(cls), path))
    if missing := _MISSING.fullmatch(message):
        return _describe_missing(missing[1], path, kinds)
    if unknown := _UNKNOWN.fullmatch(message):
        names = [each.encode_name for kind in kinds if isinstance(kind, msgspec.inspect.StructType) for each in kind.fields]
        return describe_unknown(unknown[1], path, names)
    if given := _ENUM.fullmatch(message):
        allowed = [str(value) for kind in kinds for value in _values(kind)]
        return f"invalid value {given[1]} at `{path}`: it takes {_one_of(allowed)}"
    return f"{message} - at `{path}`"


def describe_unknown(name: str, path: str, names: Iterable[str], effect: str = "") -> str:
    """Return the message about an unknown option at `path`, with the most similar known one, or all of them."""
    known = sorted(names)
    near = find_near(_NO_NAME.sub("", name), known)
    advice = f"did you mean `{near}`?" if near else f"the options are: {', '.join(known)}"
    return f"unknown option `{path}.{printable_name(name)}`{effect}; {advice}"


def printable_name(name: str) -> str:
    """Return the printable form of an option's name: up to the first character that no name has, because a secret may follow it."""
    return _NO_NAME.sub("...", name)[:_MOST_SHOWN]


def advise_required(text: str, way: str) -> str:
    """Return a message, with advice if it is about a missing required option. `{}` in `way` is the option in YAML."""
    found = _REQUIRED_OPTION.search(text)
    if found is None:
        return text
    names = found[1].partition("[")[0].split(".")
    return f"{text}; set it {way.replace('{}', ': {'.join(names) + ': ...' + '}' * (len(names) - 1))}"


def _describe_missing(name: str, path: str, kinds: list[msgspec.inspect.Type]) -> str:
    """Return the message about a required option that is missing at `path`."""
    fields = [each for kind in kinds if isinstance(kind, msgspec.inspect.StructType) for each in kind.fields if each.encode_name == name]
    purpose = next((text for each in fields if (text := _description(each.type))), "")
    return f"the option `{path}.{name}` {REQUIRED}" + (f": {purpose}" if purpose else "")


def _description(kind: msgspec.inspect.Type) -> str:
    """Return the description in the annotation of an option, or ""."""
    schema = (kind.extra_json_schema or {}) if isinstance(kind, msgspec.inspect.Metadata) else {}
    return str(schema.get("description", ""))


def path_in_message(text: str) -> list[str | int]:
    """Return the steps of the path in a message about an option, none if it contains none."""
    found = _SHOWN.search(text)
    return list(_steps(found[1])) if found else []


def _steps(path: str) -> Iterator[str | int]:
    for key, place in _STEP.findall(path):
        yield key or (int(place) if place.isdigit() else place)


def _kinds_at(kind: msgspec.inspect.Type, path: str) -> Iterator[msgspec.inspect.Type]:
    kinds = list(_alternatives(kind))
    for step in _steps(path.removeprefix("$")):
        kinds = [inner for each in kinds for inner in _find_inner(each, step)]
    yield from kinds


def _alternatives(kind: msgspec.inspect.Type) -> Iterator[msgspec.inspect.Type]:
    if not isinstance(kind, (msgspec.inspect.Metadata, msgspec.inspect.UnionType)):
        yield kind
        return
    for part in parts_of(kind):
        yield from _alternatives(part)


def _find_inner(kind: msgspec.inspect.Type, step: str | int) -> Iterator[msgspec.inspect.Type]:
    match kind:
        case msgspec.inspect.StructType(fields=fields):
            for each in fields:
                if each.encode_name == step:
                    yield from _alternatives(each.type)
        case _:
            for part in parts_of(kind):
                yield from _alternatives(part)


def _values(kind: msgspec.inspect.Type) -> Iterator[Any]:
    match kind:
        case msgspec.inspect.LiteralType(values=values):
            yield from values
        case msgspec.inspect.EnumType(cls=cls):
            yield from (each.value for each in cls)


def _one_of(words: list[str]) -> str:
    return f"one of {', '.join(words)}" if len(words) > 1 else "".join(words)
