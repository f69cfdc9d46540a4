"""A tree of texts to the typed configuration, as Falco takes it.

What Falco refuses is a `ConfigError` with the path and what is allowed there. What Falco ignores, with a line in its log about its
schema, is a warning with the same words, and the default holds.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from lanner.config.falco import AS_IT_IS, UNUSED, Falco, Include
from lanner.config.values import UnfitError, but, is_off, one_of
from lanner.sdk.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lanner.config.tree import Tree

_S = TypeVar("_S", bound=msgspec.Struct)
Special: TypeAlias = "tuple[tuple[Any, Callable[[Decoder, Tree, str], Any]], ...]"


class Decoder:
    """Decodes one configuration. `warnings` are sentences, `unused` names of keys that ask for what Lanner does not do."""

    def __init__(self, special: Special) -> None:
        """`special` are the kinds of values that are more than blocks, lists and their parts, each with who decodes it."""
        self._special = special
        self.warnings: list[str] = []
        self.unused: list[str] = []

    def falco(self, tree: dict[str, Tree]) -> Falco:
        """The whole configuration. Raises `ConfigError`."""
        known = dict(tree)
        for key in sorted(UNUSED & known.keys()):
            value = known.pop(key)
            if not is_off(value) and value != AS_IT_IS.get(key):
                self.unused.append(key)
        return self.struct(Falco, known, "$", lenient=True)

    def includes(self, tree: Tree) -> tuple[Include, ...]:
        """`config_files` alone; what is odd in it is told when all of the configuration is decoded. Raises `ConfigError`."""
        return () if isinstance(tree, dict) else tuple(self._list(Include, tree, "$.config_files"))

    def struct(self, cls: type[_S], tree: dict[str, Tree], path: str, *, lenient: bool) -> _S:
        """An instance of `cls`. Raises `ConfigError`; with `lenient` what does not fit is a warning."""
        kinds, values = get_type_hints(cls, include_extras=True), {}
        self.look_for_unknown(tree, kinds, path)
        for field in msgspec.structs.fields(cls):
            if field.name not in tree:
                if field.required:
                    raise ConfigError(f"{path} has no {field.name}")
                continue
            try:
                values[field.name] = self._value(kinds[field.name], tree[field.name], f"{path}.{field.name}")
            except UnfitError as error:
                if not lenient:
                    raise ConfigError(str(error)) from None
                self.warnings.append(f"{error}; the default holds, as in Falco")
        return cls(**values)

    def look_for_unknown(self, tree: dict[str, Tree], known: Iterable[str], path: str) -> None:
        """Warn of keys that there are not."""
        for key in tree:
            if key not in known:
                near = get_close_matches(key, [*known, *(UNUSED if path == "$" else ())], 1)
                self.warnings.append(f"{path}.{key} is no key of falco.yaml" + (f": did you mean {near[0]}?" if near else ""))

    def _value(self, kind: Any, tree: Tree, path: str) -> Any:
        if get_origin(kind) is Annotated:
            return self._within(kind, self._value(get_args(kind)[0], tree, path), path)
        if get_origin(kind) is Literal:
            return one_of(get_args(kind), tree, path)
        if type(None) in get_args(kind):
            kind = get_args(kind)[0]
        if get_origin(kind) is tuple:
            return tuple(self._list(get_args(kind)[0], tree, path))
        for special, decode in self._special:
            if kind == special:
                return decode(self, tree, path)
        return self._block(kind, tree, path)

    def _within(self, kind: Any, value: Any, path: str) -> Any:
        """The value, if it keeps to the bounds that its kind has."""
        if type(value) in {int, float}:
            try:
                msgspec.convert(value, kind)
            except msgspec.ValidationError as error:
                raise ConfigError(f"{path}: {str(error).replace('`', '')}, not {value}") from None
        return value

    def _list(self, kind: Any, tree: Tree, path: str) -> list[Any]:
        """As in Falco, one value is a list of one, and a mapping is none."""
        if tree is None:
            return []
        if isinstance(tree, dict):
            raise UnfitError(f"{path} takes a list, {but(tree)}")
        items = tree if isinstance(tree, list) else [tree]
        try:
            return [self._value(kind, item, f"{path}[{place}]") for place, item in enumerate(items)]
        except UnfitError as error:
            raise ConfigError(str(error)) from None

    def _block(self, kind: type[_S], tree: Tree, path: str) -> _S:
        message = f"{path} takes keys with their values ({', '.join(get_type_hints(kind))}), {but(tree)}"
        if isinstance(tree, str):
            raise ConfigError(message)
        if isinstance(tree, list):
            raise UnfitError(message)
        return self.struct(kind, tree or {}, path, lenient=True)
