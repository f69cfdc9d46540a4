"""Decodes a tree of strings to the typed configuration, as Falco does.

A value that Falco rejects raises `ConfigError` with the path and the allowed values. A value that Falco only reports in its log, as a
mismatch with its schema, is a warning with the same words, and the default applies. Under `lanner`, which Falco does not know, an invalid
value always raises `ConfigError`.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from lanner.config.falco import Falco, Include
from lanner.config.path_values import look_at_paths
from lanner.config.plain_values import UnfitError, describe_actual, describe_odd, is_off, one_of, refuse_null_byte
from lanner.sdk.errors import ConfigError
from lanner.sdk.options.blocks import COMMAND, PATH, REQUIRED, WHOLE, WITHOUT_EFFECT, Block, annotations_of, find_schema_limit, has
from lanner.yamlfile.advice import advise_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from msgspec import Meta

    from lanner.config.tree import Tree

_S = TypeVar("_S", bound=msgspec.Struct)
Special: TypeAlias = "tuple[tuple[Any, Callable[[Decoder, Tree, str], Any]], ...]"


class Decoder:
    """Decoder of one configuration. `warnings` are sentences, `unused` names of keys that request unsupported functions."""

    def __init__(self, special: Special) -> None:
        """`special` maps the types that need their own decoder (all but blocks, lists and scalars) to it."""
        self._special = special
        self.warnings: list[str] = []
        self.unused: list[str] = []

    def falco(self, tree: dict[str, Tree]) -> Falco:
        """Return the whole configuration. Raises `ConfigError`."""
        return self.struct(Falco, tree, "$", lenient=True)

    def includes(self, tree: Tree) -> tuple[Include, ...]:
        """Return only `config_files`; warnings about it are added when the whole configuration is decoded. Raises `ConfigError`."""
        return () if tree is None or isinstance(tree, dict) else tuple(self._list(Include, tree, "$.config_files"))

    def struct(self, cls: type[_S], tree: dict[str, Tree], path: str, *, lenient: bool) -> _S:
        """Return an instance of `cls`. Raises `ConfigError`; if `lenient`, an unfit value of Falco's keys is a warning."""
        kinds, values = get_type_hints(cls, include_extras=True), {}
        self.look_for_unknown(tree, kinds, path)
        if issubclass(cls, Block) and not tree:
            self.warnings.append(f"{path} is empty: it takes at least one of {', '.join(kinds)}")
        for field in msgspec.structs.fields(cls):
            about = annotations_of(kinds[field.name])
            if field.name not in tree:
                if field.required:
                    raise ConfigError(f"{path} has no {field.name}")
                if has(about, REQUIRED):
                    self.warnings.append(f"{path} has no {field.name}, which Falco's schema requires")
                continue
            given, inner = tree[field.name], f"{path}.{field.name}"
            try:
                values[field.name] = self.value(kinds[field.name], given, inner)
            except UnfitError as error:
                if not lenient or (_is_own(inner) and not _is_empty_block(kinds[field.name], given)):
                    raise ConfigError(str(error)) from None
                self.warnings.append(f"{error}; the default applies{'' if _is_own(inner) else ', as in Falco'}")
                continue
            if has(about, WITHOUT_EFFECT) and values[field.name] != field.default and not is_off(given):
                self.unused.append(inner.removeprefix("$."))
        return cls(**values)

    def look_for_unknown(self, tree: dict[str, Tree], known: Iterable[str], path: str) -> None:
        """Warn of unknown keys."""
        for key in tree:
            if key not in known:
                self.warnings.append(f"{path}.{key} is not a key of falco.yaml{_key_advice(key, known)}")

    def value(self, kind: Any, tree: Tree, path: str) -> Any:
        """Return a value of any kind. Raises `ConfigError`, `UnfitError`."""
        if get_origin(kind) is Annotated:
            kind, *about = get_args(kind)
            value = self.value(kind, tree, path)
            if isinstance(value, int | float):
                _look_at_bounds(value, about, path)
                self._look_at_schema(value, tuple(about), tree, path)
            elif has(tuple(about), PATH):
                self.warnings.extend(look_at_paths(value, path))
            elif has(tuple(about), COMMAND):
                refuse_null_byte(value, path)
            return value
        if get_origin(kind) is Literal:
            return one_of(get_args(kind), tree, path)
        if type(None) in get_args(kind):
            kind = get_args(kind)[0]
        if get_origin(kind) is tuple:
            return tuple(self._list(get_args(kind)[0], tree, path))
        for special, decode in self._special:
            if kind == special:
                if kind is str and _is_own(path) and (tree is None or "\0" in tree):
                    what = f", {describe_actual(tree)}: write one, or leave the key out" if tree is None else " without a null byte"
                    raise UnfitError(f"{path} takes a string{what}")
                value = decode(self, tree, path)
                if oddity := describe_odd(kind, tree):
                    self.warnings.append(f"{path} {oddity}")
                return value
        return self.block(kind, tree, path)

    def _look_at_schema(self, value: float, about: tuple[Meta, ...], tree: Tree, path: str) -> None:
        """Warn of a number that Falco reads but its schema rejects."""
        limit = find_schema_limit(about)
        if limit is not None and value > limit:
            self.warnings.append(f"{path} is {value}: Falco's schema takes a number <= {limit}")
        if has(about, WHOLE) and (oddity := describe_odd(int, tree)):
            self.warnings.append(f"{path} {oddity}")

    def _list(self, kind: Any, tree: Tree, path: str) -> list[Any]:
        """Return the items. As in Falco, a single value is a list of one item, and a mapping is not a list."""
        if tree is None or isinstance(tree, dict):
            raise UnfitError(f"{path} takes a list, {describe_actual(tree)}")
        if isinstance(tree, str):
            self.warnings.append(f"{path} takes a list, {describe_actual(tree)}; it is read as a list of one item, as in Falco")
        items = tree if isinstance(tree, list) else [tree]
        try:
            return [self.value(kind, item, f"{path}[{place}]") for place, item in enumerate(items)]
        except UnfitError as error:
            raise ConfigError(str(error)) from None

    def block(self, kind: type[_S], tree: Tree, path: str) -> _S:
        """Return a block of keys. Raises `ConfigError` for a string, `UnfitError` for what Falco ignores."""
        if isinstance(tree, dict):
            return self.struct(kind, tree, path, lenient=True)
        advice = advise_line(tree.partition("\n")[0]) if isinstance(tree, str) else ""
        keys = ", ".join(get_type_hints(kind))
        message = f"{path} takes keys with their values ({keys}), {describe_actual(tree)}" + (advice and f": {advice}")
        # Falco rejects a string as a block, and its schema's validator stops at an empty list
        raise ConfigError(message) if isinstance(tree, str) or tree == [] else UnfitError(message)


def _key_advice(key: str, known: Iterable[str]) -> str:
    """Return advice for an unknown key, with the words before it, or "" without a similar key."""
    name = re.split(r"[\s:]", key, maxsplit=1)[0]
    if name != key and name in known:
        return f": {advise_line(key)}"
    near = get_close_matches(key, [*known], 1)
    return f": did you mean {near[0]}?" if near else ""


def _look_at_bounds(value: float, about: Iterable[Meta], path: str) -> None:
    """Raise `UnfitError` for a number out of range."""
    for each in about:
        words = []
        if each.ge is not None and value < each.ge:
            words.append(f">= {each.ge}")
        if each.le is not None and value > each.le:
            words.append(f"<= {each.le}")
        if words:
            message = f"{path} takes a number {' and '.join(words)}, not {value}"
            raise UnfitError(message)


def _is_own(path: str) -> bool:
    """Return whether only Lanner has this key: a warning would leave a limit or a place for files other than the user meant."""
    return path == "$.lanner" or path.startswith("$.lanner.")


def _is_empty_block(kind: Any, tree: Tree) -> bool:
    """Return whether a block has a name and no keys, as when all are comments."""
    return tree is None and isinstance(kind, type) and issubclass(kind, msgspec.Struct)
