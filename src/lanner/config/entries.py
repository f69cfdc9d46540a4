"""Decoders of the values of falco.yaml with special rules.

Each takes the decoder, which collects warnings, the tree and its path, and raises `ConfigError` or `UnfitError`.
"""

from __future__ import annotations

from os.path import normpath
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import msgspec

from lanner.config.decode import Decoder
from lanner.config.falco import Include, MatchPolicy, PluginEntry, Strategy
from lanner.config.kernel import Capture, ContainerEngines, Cri, Engine, EngineSwitch, Kmod, ModernEbpf
from lanner.config.monitoring import Duration
from lanner.config.plain_values import UnfitError, as_json, describe_actual, duration, number, switch, text, whole_number
from lanner.rules.files.items import Priority
from lanner.rules.output.append import Append
from lanner.rules.resolve.select import Switch
from lanner.sdk.errors import ConfigError
from lanner.sdk.options.blocks import PATH

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.config.decode import Special
    from lanner.config.tree import Tree

_S = TypeVar("_S", bound=msgspec.Struct)
_USUAL_ENGINE: Final = "kmod"
"""The kind of engine whose block Falco reads if the kind is not configured."""


def priority(_: Decoder, tree: Tree, path: str) -> Priority:
    """Return `priority`, in any case; info is short for informational."""
    found = Priority.parse(text(tree, path))
    if found is None:
        raise ConfigError(f"{path} takes one of {', '.join(str(each).lower() for each in Priority)}, {describe_actual(tree)}")
    return found


def match_policy(_: Decoder, tree: Tree, path: str) -> MatchPolicy:
    """Return `rule_matching`, in any case."""
    found = text(tree, path).lower()
    if found not in set(MatchPolicy):
        raise ConfigError(f"{path} takes one of {', '.join(MatchPolicy)}, {describe_actual(tree)}")
    return MatchPolicy(found)


def strategy(decoder: Decoder, tree: Tree, path: str) -> Strategy:
    """Return the strategy for an included file; an unknown one means `append`."""
    found = text(tree, path)
    if found not in set(Strategy):
        decoder.warnings.append(f"{path} takes one of {', '.join(Strategy)}, {describe_actual(tree)}; append applies, as in Falco")
        return Strategy.APPEND
    return Strategy(found)


def engine(decoder: Decoder, tree: Tree, path: str) -> Engine:
    """Return `engine`. Falco reads only the block of its kind, so errors in the other blocks are ignored."""
    if isinstance(tree, dict):
        blocks: dict[str, type[msgspec.Struct]] = {"kmod": Kmod, "modern_ebpf": ModernEbpf, "replay": Capture}
        others = {key: value for key, value in tree.items() if key in blocks and key != tree.get("kind", _USUAL_ENGINE)}
        for key, value in others.items():
            make_lenient(blocks[key])(decoder, value, f"{path}.{key}")
        tree = {key: value for key, value in tree.items() if key not in others}
    return decoder.block(Engine, tree, path)


def make_lenient(kind: type[_S]) -> Callable[[Decoder, Tree, str], _S]:
    """Return the decoder of a block that only Falco's schema checks: it turns every error into a warning."""

    def decode(decoder: Decoder, tree: Tree, path: str) -> _S:
        try:
            return decoder.block(kind, tree, path)
        except (ConfigError, UnfitError) as error:
            decoder.warnings.append(f"{error}; it is ignored, as in Falco")
            return kind()

    return decode


def include(decoder: Decoder, tree: Tree, path: str) -> Include:
    """Return an entry of `config_files`: a path, or a mapping with one."""
    if isinstance(tree, dict):
        return decoder.struct(Include, tree, path, lenient=False)
    return Include(decoder.value(Annotated[str, PATH], tree, path))


def plugin(decoder: Decoder, tree: Tree, path: str) -> PluginEntry:
    """Return an entry of `plugins`."""
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} takes keys with their values ({', '.join(PluginEntry.__struct_fields__)}), {describe_actual(tree)}")
    given = {key: value for key, value in tree.items() if value is not None or key not in {"init_config", "open_params"}}
    if "open_params" in tree and tree["open_params"] is None:
        decoder.warnings.append(f"{path}.open_params takes a string, not nothing; it is empty, as in Falco")
    entry = decoder.struct(PluginEntry, given, path, lenient=False)
    _stay_in_directory(entry.library_path, f"{path}.library_path")
    return msgspec.structs.replace(entry, open_params=entry.open_params.strip())


def _stay_in_directory(library: str, path: str) -> None:
    """Raise `ConfigError` for a relative library outside Falco's plugins directory; Python files are relative to the working directory."""
    if library.endswith(".so") and normpath(library).split("/")[0] == "..":
        raise ConfigError(f"{path} is {library!r}, which is outside the plugins directory: write an absolute path")


def init_config(_: Decoder, tree: Tree, path: str) -> str | dict[str, Any]:
    """Return a plugin's configuration: a mapping is converted to JSON, a string is kept."""
    if isinstance(tree, list):
        raise UnfitError(f"{path} takes a string or a mapping, {describe_actual(tree)}")
    return as_json(tree) or {} if isinstance(tree, dict) else text(tree, path)


def rule_switch(decoder: Decoder, tree: Tree, path: str) -> Switch:
    """Return an entry of `rules`."""
    if not isinstance(tree, dict) or not {"enable", "disable"} & tree.keys():
        raise ConfigError(f"{path} takes `enable:` or `disable:` with a rule or a tag")
    decoder.look_for_unknown(tree, ("enable", "disable"), path)
    if {"enable", "disable"} <= tree.keys():
        decoder.warnings.append(f"{path} has both enable and disable: only enable counts, as in Falco")
    which = "enable" if "enable" in tree else "disable"
    what, inner = tree[which], f"{path}.{which}"
    if not isinstance(what, dict):
        raise ConfigError(f"{inner} takes `rule:` or `tag:`, {describe_actual(what)}")
    decoder.look_for_unknown(what, ("rule", "tag"), inner)
    rule, tag = (decoder.value(str, what[key], f"{inner}.{key}") if key in what else "" for key in ("rule", "tag"))
    if not rule and not tag:
        raise ConfigError(f"{inner} names no rules: write `rule: NAME`, in which * matches any text, or `tag: TAG`")
    return Switch(which == "enable", rule, tag)


def append(decoder: Decoder, tree: Tree, path: str) -> Append:
    """Return an entry of `append_output`."""
    keys = ("match", "extra_output", "extra_fields", "suggested_output")
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} takes keys with their values ({', '.join(keys)}), {describe_actual(tree)}")
    decoder.look_for_unknown(tree, keys, path)
    match = tree.get("match", {})
    if match is None or (isinstance(match, list) and match):
        decoder.warnings.append(f"{path}.match takes rule, source and tags, {describe_actual(match)}; it is ignored, as in Falco")
        match = {}
    if not isinstance(match, dict):
        raise ConfigError(f"{path}.match takes rule, source and tags, {describe_actual(match)}")
    decoder.look_for_unknown(match, ("rule", "source", "tags"), f"{path}.match")
    rule, source = (decoder.value(str, match[key], f"{path}.match.{key}") if key in match else "" for key in ("rule", "source"))
    tags = match.get("tags", [])
    if not isinstance(tags, list):
        decoder.warnings.append(f"{path}.match.tags takes a list, {describe_actual(tags)}; it is ignored, as in Falco")
        tags = []
    formatted, raw = _extra_fields(decoder, tree.get("extra_fields", []), f"{path}.extra_fields")
    return Append(
        rule,
        source,
        frozenset(decoder.value(str, tag, f"{path}.match.tags[{place}]") for place, tag in enumerate(tags)),
        decoder.value(str, tree["extra_output"], f"{path}.extra_output") if "extra_output" in tree else "",
        formatted,
        raw,
        suggested="suggested_output" in tree and decoder.value(bool, tree["suggested_output"], f"{path}.suggested_output"),
    )


def _extra_fields(decoder: Decoder, tree: Tree, path: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return fields with their formats, and plain fields."""
    if not isinstance(tree, list):
        raise ConfigError(f"{path} takes a list of fields, {describe_actual(tree)}")
    formatted: dict[str, str] = {}
    raw: dict[str, None] = {}
    for place, item in enumerate(tree):
        inner = f"{path}[{place}]"
        if isinstance(item, dict) and len(item) == 1:
            ((key, value),) = item.items()
            twice = key in formatted or key in raw
            formatted[key] = decoder.value(str, value, inner)
        elif isinstance(item, str):
            key, twice = item, item in formatted
            raw[item] = None
        else:
            raise ConfigError(f"{inner} takes a field's name, or one name with its format, {describe_actual(item)}")
        if twice:
            raise ConfigError(f"{inner} is a duplicate of the name {key}")
    return formatted, tuple(raw)


def static_fields(decoder: Decoder, tree: Tree, path: str) -> dict[str, str]:
    """Return `static_fields`: strings by name."""
    if not isinstance(tree, dict):
        raise UnfitError(f"{path} takes names with their values, {describe_actual(tree)}")
    try:
        return {key: decoder.value(str, value, f"{path}.{key}") for key, value in tree.items()}
    except UnfitError as error:
        raise ConfigError(str(error)) from None


_SPECIAL: Final[Special] = (
    (bool, lambda _, tree, path: switch(tree, path)),
    (str, lambda _, tree, path: text(tree, path)),
    (int, lambda _, tree, path: whole_number(tree, path)),
    (float, lambda _, tree, path: number(tree, path)),
    (Duration, lambda _, tree, path: Duration(duration(tree, path))),
    (str | dict[str, Any], init_config),
    (dict[str, str], static_fields),
    (Include, include),
    (MatchPolicy, match_policy),
    (PluginEntry, plugin),
    (Strategy, strategy),
    (Append, append),
    (Priority, priority),
    (Engine, engine),
    *((kind, make_lenient(kind)) for kind in (ContainerEngines, EngineSwitch, Cri)),
    (Switch, rule_switch),
)


def new_decoder() -> Decoder:
    """Return a decoder for all entries of falco.yaml."""
    return Decoder(_SPECIAL)
