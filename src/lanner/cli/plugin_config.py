"""Parse the text of --config for a plugin's configuration class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lanner.cli.messages import say
from lanner.config.places import ConfigPlace, place_option
from lanner.sdk.errors import ConfigError, UsageError
from lanner.sdk.files import read_whole
from lanner.sdk.hosting import init_plugin
from lanner.sdk.options import shown_path
from lanner.sdk.plugin import plugin_info

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.config.plugin_entries import PluginSetup
    from lanner.sdk.plugin import Plugin

_MOST_BYTES: Final = 16 << 20


def _warn(text: str) -> None:
    say(f"warning: {text}")


def make_entry(cls: type[Plugin], entry: PluginSetup, host: str | None = None, *, warn: Callable[[str], object] = _warn) -> Plugin:
    """Return a plugin instance for an entry of falco.yaml or the command line. The rest is as for `make_plugin`."""
    return make_plugin(cls, entry.init_config, host, warn=warn, place=entry.config_place)


def make_plugin(
    cls: type[Plugin],
    config: str | dict[str, Any],
    host: str | None = None,
    *,
    warn: Callable[[str], object] = _warn,
    place: ConfigPlace | None = None,
) -> Plugin:
    """Return an instance with this configuration (options, JSON, YAML or @FILE); `host` replaces the option of that name.

    `warn` is called with each warning about the configuration; by default it is printed to standard error. All
    messages begin with the place of the option, if the configuration is in a file, and the plugin. `place` is the place of an
    entry with this init_config.
    """
    name = plugin_info(cls).name
    steps: tuple[str, ...] = ("init_config",)
    if isinstance(config, str) and config.startswith("@"):
        place, steps = ConfigPlace(config[1:]), ()

    def placed(text: str) -> str:
        return place_option(text, name, place, [*steps, *shown_path(text)])

    values = config if isinstance(config, dict) else read_config(config)
    if host is not None:
        info = plugin_info(cls)
        if info.config is None or "host" not in info.config.__struct_fields__:
            raise UsageError(f"the plugin {info.name} has no option `host`: leave out --host")
        values = {**values, "host": host}
    try:
        return init_plugin(cls, values, warn=lambda text: warn(placed(text)))
    except ConfigError as error:
        raise ConfigError(placed(str(error))) from None


def read_config(text: str) -> dict[str, Any]:
    """Parse the text of --config (JSON, YAML or @FILE). Raises `ConfigError`."""
    shown = "the configuration"
    if text.startswith("@"):
        shown = f"the configuration in {text[1:]}"
        try:
            text = read_whole(text[1:], _MOST_BYTES).decode("utf-8")
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
        kind = "a list" if isinstance(values, list) else "a single value"
        raise ConfigError(f"{shown} is {kind}; write options with their values, such as 'flushInterval: 30', or @FILE")
    return values


def _decode(text: str, shown: str) -> Any:
    json = "JSON"
    if text.lstrip().startswith("{"):
        import msgspec

        try:
            return msgspec.json.decode(text)
        except (ValueError, RecursionError) as error:
            json = f"JSON ({error})"
    from lanner.yamlfile import placed_values
    from lanner.yamlfile.reader import YamlError

    try:
        return placed_values.load(text, shown)[0]
    except YamlError as error:
        raise ConfigError(f"{shown} is neither {json} nor YAML: {error.without_text()}") from None
