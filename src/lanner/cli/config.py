"""The text of --config to what a plugin's configuration class reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lanner.sdk.errors import ConfigError
from lanner.sdk.host import init_plugin
from lanner.sdk.plugin import plugin_info

if TYPE_CHECKING:
    import yaml

    from lanner.sdk.plugin import Plugin

_MAX_DEPTH: Final = 100


def make_plugin(cls: type[Plugin], config: str, host: str | None = None) -> Plugin:
    """An instance with this configuration (JSON, YAML or @FILE); `host` takes the place of the option of that name."""
    values = read_config(config)
    if host is not None:
        info = plugin_info(cls)
        if info.config is None or "host" not in info.config.__struct_fields__:
            raise ConfigError(f"the plugin {info.name} has no option `host`: leave out --host")
        values = {**values, "host": host}
    return init_plugin(cls, values)


def read_config(text: str) -> dict[str, Any]:
    """What the text of --config (JSON, YAML or @FILE) says. Raises `ConfigError`."""
    shown = "the configuration"
    if text.startswith("@"):
        shown = f"the configuration in {text[1:]}"
        try:
            text = Path(text[1:]).read_text("utf-8")
        except OSError as error:
            raise ConfigError(f"cannot read {shown}: {error.strerror}") from None
        except ValueError as error:
            raise ConfigError(f"cannot read {shown}: {error}") from None
    if not text.strip():
        return {}
    values = _decode(text, shown)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{shown} is {text[:60]!r}; write options with their values, such as 'flushInterval: 30', or @FILE")
    return values


def _decode(text: str, shown: str) -> Any:
    problem = ""
    if text.lstrip().startswith("{"):
        import msgspec

        try:
            return msgspec.json.decode(text)
        except (ValueError, RecursionError) as error:
            # YAML's own words would only confuse whoever meant JSON
            problem = f"{shown} is not JSON: {error}"
    import yaml

    class Loader(yaml.SafeLoader):
        """Leaves a time as the text that it is: an option is a text or a number, never a date."""

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        if _depth(text, Loader) > _MAX_DEPTH:
            problem = problem or f"{shown} is neither JSON nor YAML: it is nested too deep"
        else:
            return yaml.load(text, Loader)  # noqa: S506 - a kind of SafeLoader
    except (yaml.YAMLError, ValueError) as error:
        problem = problem or f"{shown} is neither JSON nor YAML: {error}"
    raise ConfigError(problem)


def _depth(text: str, loader: type[yaml.SafeLoader]) -> int:
    """How deep the text is nested, as far as that is allowed: the loader itself recurses."""
    import yaml

    deepest = depth = 0
    for event in yaml.parse(text, loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        deepest = max(deepest, depth)
        if deepest > _MAX_DEPTH:
            break
    return deepest
