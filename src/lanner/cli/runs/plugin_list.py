"""`lanner run --list-plugins` and `--plugin-info`: Falco's descriptions of the loaded plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanner.cli.messages import OK
from lanner.cli.plugin_config import make_entry
from lanner.cli.show import make_escape, print_text
from lanner.host.plugin_loader import load_plugin
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import UsageError
from lanner.sdk.hosting.failures import plugin_failure

if TYPE_CHECKING:
    from lanner.cli.runs.settings import Settings
    from lanner.sdk.authoring.plugin import Plugin, PluginInfo


def list_all(settings: Settings) -> int:
    """Print all loaded plugins. Raises `LannerError`."""
    shown = [_describe_plugin(plugin_info(load_plugin(each.target))) for each in settings.plugins]
    print_text("\n\n".join([f"{len(shown)} Plugins Loaded:", *shown]) + "\n\n")
    return OK


def show_one(settings: Settings, name: str) -> int:
    """Describe the plugin with that name or library_path. Raises `LannerError`."""
    for each in settings.plugins:
        if name in {each.name, each.library_path}:
            cls = load_plugin(each.target)
            info = plugin_info(cls)
            texts = [_describe_plugin(info), _schema(info)]
            plugin = make_entry(cls, each, settings.limits.host)
            if info.has_source:
                texts.append(_open_params(plugin))
            print_text("\n\n".join(texts) + "\n")
            return OK
    loaded = ", ".join(each.name for each in settings.plugins) or "none"
    raise UsageError(f"no plugin named {name!r} is loaded; loaded: {loaded}")


def _describe_plugin(info: PluginInfo) -> str:
    escape = make_escape()
    lines = [f"Name: {escape(info.name)}", f"Description: {escape(info.description)}", f"Contact: {escape(info.contact)}"]
    lines.append(f"Version: {escape(info.version)}")
    lines.append("Capabilities: ")
    if info.has_source:
        lines.append(
            f"  - Event Sourcing (ID={info.id}, source='{info.event_source}')" if info.id else "  - Event Sourcing (system events)"
        )
    if info.fields:
        lines.append("  - Field Extraction")
    return "\n".join(lines)


def _schema(info: PluginInfo) -> str:
    if info.config is None:
        return "Init config schema type: Not available, plugin does not implement the init config schema functionality\n"
    import json

    from lanner.sdk.options.config import config_schema

    return "Init config schema type: JSON\n" + json.dumps(config_schema(info.config), ensure_ascii=False)


def _open_params(plugin: Plugin) -> str:
    try:
        escape = make_escape()
        params = [(escape(str(value)), escape(str(text))) for value, text in plugin.list_open_params()]
    except (Exception, SystemExit) as error:
        raise plugin_failure(plugin_info(type(plugin)).name, "list_open_params", error) from error
    if not params:
        return (
            "No suggested open params available: "
            "plugin has not been configured, or it does not implement the open params suggestion functionality"
        )
    return "\n".join(["Suggested open params:", *(f"{value}: {text}" if text else value for value, text in params)])
