"""Parse the text of --config for a plugin's configuration class."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from lanner.cli.messages import say
from lanner.config.option_places import ConfigPlace, place_option
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import ConfigError, UsageError
from lanner.sdk.files import read_whole
from lanner.sdk.hosting.plugin_init import init_plugin
from lanner.sdk.options.option_errors import advise_required, path_in_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.config.plugin_entries import PluginSetup
    from lanner.sdk.authoring.plugin import Plugin

_MOST_BYTES: Final = 16 << 20
_HOST: Final = "--host"
BY_OPTION: Final = "with --config '{}'"
"""How to set an option on the command line, for `advise_required`."""


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

    way = BY_OPTION if place is None else "in init_config, as in `{}`" if steps else "in this file, as in `{}`"

    def place_message(text: str) -> str:
        if host is not None and path_in_message(text)[:1] == ["host"]:
            return f"{_HOST}: plugin {name}: {text}"
        return place_option(text, name, place, [*steps, *path_in_message(text)])

    values = config if isinstance(config, dict) else read_config(config, cls)
    if host is not None:
        info = plugin_info(cls)
        if info.config is None or "host" not in info.config.__struct_fields__:
            raise UsageError(f"the plugin {info.name} has no option `host`: leave out --host")
        values = {**values, "host": host}
    try:
        plugin = init_plugin(cls, values, warn=lambda text: warn(place_message(text)))
    except ConfigError as error:
        raise ConfigError(advise_required(place_message(str(error)), way)) from None
    if host is not None:
        plugin.set_by = {"host": _HOST}
    return plugin


def read_config(text: str, cls: type[Plugin]) -> dict[str, Any]:
    """Parse the text of --config (JSON, YAML or @FILE) for this class, which has the options of examples. Raises `ConfigError`."""
    shown = "the configuration"
    if text.startswith("@"):
        shown = f"the configuration in {text[1:]}"
        try:
            text = read_whole(text[1:], _MOST_BYTES).decode("utf-8")
        except OSError as error:
            raise ConfigError(f"cannot read {shown}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise ConfigError(f"{shown} is not UTF-8: byte {error.object[error.start]:#04x} at offset {error.start}") from None
    if not text.strip():
        return {}
    values = _decode(text, shown)
    if values is None:
        return {}
    if not isinstance(values, dict):
        kind = "a list" if isinstance(values, list) else "a single value"
        raise ConfigError(f"{shown} is {kind}; write options with their values{_example(cls)}, or @FILE")
    return values


def _example(cls: type[Plugin]) -> str:
    """Return an example with an option of the plugin: a required one, else the first. "" if it has none."""
    config = plugin_info(cls).config
    if config is None:
        return ""
    from lanner.sdk.options.config import config_table, required_options

    names = [*required_options(config), *(name for name, *_ in config_table(config))]
    return f", such as '{names[0]}: ...'" if names else ""


def _decode(text: str, shown: str) -> Any:
    if text.lstrip().startswith("{"):
        import msgspec

        with suppress(ValueError, RecursionError):  # YAML has such strings, too
            return msgspec.json.decode(text)
    from lanner.yamlfile import placed_values
    from lanner.yamlfile.reader import YamlError

    try:
        return placed_values.load(text, shown)[0]
    except YamlError as error:
        place = error.spot.place()
        where = f"line {place.line}, column {place.column}"
        raise ConfigError(f"{shown} is neither JSON nor YAML, see {where}: {error.masked_reason()}") from None
