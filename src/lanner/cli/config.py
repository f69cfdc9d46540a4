"""The text of --config to what a plugin's configuration class reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanner.sdk.errors import ConfigError
from lanner.sdk.host import init_plugin
from lanner.sdk.plugin import plugin_info

if TYPE_CHECKING:
    from lanner.sdk.plugin import Plugin


def make_plugin(cls: type[Plugin], config: str, host: str | None = None) -> Plugin:
    """An instance with this configuration (JSON, YAML or @FILE); `host` takes the place of the option of that name."""
    if host is None and config.lstrip().startswith("{"):
        return init_plugin(cls, config)
    values = _read(config)
    if host is not None:
        info = plugin_info(cls)
        if info.config is None or "host" not in info.config.__struct_fields__:
            raise ConfigError(f"the plugin {info.name} has no option `host`: leave out --host")
        values = {**values, "host": host}
    return init_plugin(cls, values)


def _read(text: str) -> dict[str, Any]:
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read the configuration in {text[1:]}: {error}") from None
    if not text.strip():
        return {}
    import yaml

    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"the configuration is neither JSON nor YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"the configuration is {text[:60]!r}; write options with their values, such as 'flushInterval: 30', or @FILE")
    return values
