"""The key `override` of an item: which of its other keys append to an earlier item of that name, and which replace.

The input is an item's mapping, the output are two sets of keys, or an `ItemError` with Falco's message. The collector applies them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from lanner.rules.files.scalars import ItemError, as_string, bad_conversion, bad_iteration
from lanner.sdk.text.misspelt import find_near
from lanner.yamlfile.reader import Mapping, Scalar

if TYPE_CHECKING:
    from lanner.yamlfile.source import Context

APPENDABLE: Final = frozenset({"condition", "output", "desc", "tags", "exceptions"})
REPLACEABLE: Final = APPENDABLE | {"priority", "capture", "capture_duration", "enabled", "warn_evttypes", "skip-if-unknown-filter"}


class Overrides(Struct, frozen=True, gc=False):
    """The keys that append and those that replace. False if both are empty."""

    append: frozenset[str] = frozenset()
    replace: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.append or self.replace)


def read_overrides(item: Mapping, context: Context, appendable: frozenset[str], replaceable: frozenset[str]) -> Overrides:
    """Return the overrides of the keys; empty without such a key."""
    node = item.values.get("override")
    if node is None or isinstance(node, Scalar):
        return Overrides()  # Falco finds no keys in a string either
    outer: Context = (*context, item.spot("overrides"))
    advice = "'override' takes a mapping of keys to append or replace."
    if not isinstance(node, Mapping):
        raise bad_iteration(node, advice)
    found: dict[str, set[str]] = {"append": set(), "replace": set()}
    for key, value in node.pairs:
        for each in (key, value):
            if not isinstance(each, Scalar):
                raise bad_conversion(each, advice)
        assert isinstance(key, Scalar)
        assert isinstance(value, Scalar)
        _check(key, value, outer, appendable, replaceable)
        found[value.value].add(key.value)
    return Overrides(frozenset(found["append"]), frozenset(found["replace"]))


def _check(key: Scalar, value: Scalar, outer: Context, appendable: frozenset[str], replaceable: frozenset[str]) -> None:
    name, operation = as_string(key), as_string(value)
    at_key: Context = (*outer, key.spot("overrides", name))
    if operation == "append":
        if name not in appendable:
            raise ItemError(f"Key '{name}' cannot be appended to, use 'replace' instead", at_key, _advise(name, replaceable))
    elif operation == "replace":
        if name not in replaceable:
            raise ItemError(f"Key '{name}' cannot be replaced", at_key, _advise(name, replaceable))
    else:
        allowed = ("append " if name in appendable else "") + ("replace " if name in replaceable else "")
        message = f"Invalid override operation for key '{name}': '{operation}'. Allowed values are: {allowed}"
        near = find_near(operation, allowed.split())
        advice = f"Did you mean '{near}'?" if near else "" if name in replaceable else _advise(name, replaceable)
        raise ItemError(message, (*outer, value.spot("value for", name)), advice)


def _advise(name: str, replaceable: frozenset[str]) -> str:
    """Return advice on a key without an override, or "" if it has one."""
    if name in replaceable:
        return ""
    near = find_near(name, replaceable)
    return f"Did you mean '{near}'?" if near else f"The keys are: {', '.join(sorted(replaceable))}."
