"""Create the state of a plugin: validate its configuration and make the instance. `lanner run` and a native .so both use it."""

from __future__ import annotations

from functools import partial

from lanner.sdk.authoring.plugin import Plugin, plugin_info
from lanner.sdk.errors import ConfigError, LannerError, UsageError
from lanner.sdk.hosting.failures import plugin_failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeVar

    from lanner.sdk.authoring.plugin import PluginInfo

    _P = TypeVar("_P", bound=Plugin)

BY_ARGUMENT: Final = "in `config`, as in `{}`"
"""How to set an option in a test, for `lanner.sdk.options.option_errors.advise_required`."""


def init_plugin(
    cls: type[_P],
    config: str | bytes | dict[str, Any] = "",
    *,
    warn: Callable[[str], object] | None = None,
    embedded: bool = False,
    way: str = "",
    plain: str = "",
) -> _P:
    """Return the plugin's state: an instance whose `config` is validated.

    `config` is JSON text (empty: the defaults) or its decoded value. `warn` is called with each warning about it; the default
    logs it. `embedded` is the value of the instance's attribute with that name. `way` is how the caller's user sets options, for
    `lanner.sdk.options.option_errors.advise_required`; messages then name the plugin.
    `plain` describes the options of a late configuration class, for a .so (`lanner.sdk.options.plain`).
    Raise `ConfigError` for an invalid configuration, `LannerError` for an error in the class's own `__init__`.
    """
    info = plugin_info(cls)
    try:
        loaded = _load_config(info, config, warn or partial(_log_warning, info.name), plain)
        return _create(cls, info, loaded, embedded=embedded)
    except ConfigError as error:
        if not way:
            raise
        from lanner.sdk.options.option_errors import advise_required  # rare

        raise ConfigError(advise_required(f"plugin {info.name}: {error}", way)) from None


def _load_config(info: PluginInfo, config: str | bytes | dict[str, Any], warn: Callable[[str], object], plain: str) -> Any:
    """Return the validated configuration; None for a plugin without one."""
    if plain and info.has_late_config and isinstance(config, str):
        from lanner.sdk.options.plain import read_plain  # only in a .so

        if (found := read_plain(plain, config)) is not None:
            return found
    if info.find_config is None:
        if not _is_empty(config):
            raise ConfigError(f"the plugin {info.name} takes no configuration: remove it")
        return None
    from lanner.sdk.options.config import convert_config, load_config  # msgspec only if there is a configuration

    kind = info.find_config()
    return convert_config(kind, config, warn) if isinstance(config, dict) else load_config(kind, config, warn)


def _create(cls: type[_P], info: PluginInfo, loaded: Any, *, embedded: bool) -> _P:
    instance = cls.__new__(cls)
    if embedded:
        instance.embedded = True
    if loaded is not None:
        instance.config = loaded  # type: ignore[attr-defined]
    try:
        instance.__init__()  # type: ignore[misc]
    except UsageError as error:  # for arguments of the command, or of `open`
        raise ConfigError(str(error)) from error
    except LannerError:
        raise
    except (Exception, SystemExit) as error:
        raise plugin_failure(info.name, "__init__", error) from error
    return instance


def _log_warning(plugin: str, text: str) -> None:
    import logging  # rare

    logging.getLogger(f"lanner.plugin.{plugin}").warning("%s", text)


def _is_empty(config: str | bytes | dict[str, Any]) -> bool:
    if isinstance(config, dict):
        return not config
    text = config if isinstance(config, str) else config.decode("utf-8", "replace")
    return "".join(text.split()) in {"", "{}", "null"}
