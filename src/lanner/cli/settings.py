"""What a run is made of: here the command line's options and falco.yaml meet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import structs

from lanner.cli.messages import say
from lanner.config.includes import files_of
from lanner.config.plugin_entries import PluginSetup, select_plugins, split_plugins
from lanner.config.read import read_configuration, rules_paths
from lanner.host.plugin_loader import load_plugin
from lanner.rules.output.append import Append
from lanner.sdk.plugin import plugin_info

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.config.falco import Falco
    from lanner.sdk.plugin import PluginInfo


_CONTAINER_DETAILS: Final = ("c", "container", "k", "kubernetes")
"""What -p took for the fields of containers; Falco takes it and does nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the command line alone has to say of a run. `replay` shows what `recordings` are, None where the source is opened."""

    host: str | None = None
    replay: str | None = None
    max_events: int | None = None
    duration: float | None = None
    dry_run: bool = False
    executor: str = "native"
    recordings: tuple[str, ...] = ()
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """A run: what falco.yaml and the options make together. `rules` are files, None for the plugin's own.

    `sources` are the files and directories that all this comes from, `config_files` those of falco.yaml among them.
    """

    falco: Falco
    plugins: tuple[PluginSetup, ...]
    rules: tuple[str, ...] | None
    limits: Limits
    sources: tuple[str, ...] = ()
    config_files: tuple[str, ...] = ()

    @property
    def plugin(self) -> PluginSetup:
        """The plugin whose events are watched. Raises `ConfigError` if that is not clear."""
        return split_plugins(self.plugins)[0]

    @property
    def beside(self) -> tuple[PluginSetup, ...]:
        """The plugins that extract fields of those events. Raises `ConfigError` as `plugin` does."""
        return split_plugins(self.plugins)[1]

    def all_infos(self) -> list[PluginInfo]:
        """What all loaded plugins declare, in order. Raises `LannerError`."""
        if len(self.plugins) < 2:
            return self.infos()
        return [plugin_info(load_plugin(each.target)) for each in self.plugins]

    def infos(self) -> list[PluginInfo]:
        """What these plugins declare, the watched one first. Raises `LannerError`."""
        return [plugin_info(load_plugin(each.target)) for each in (self.plugin, *self.beside)]


def settle(
    plugin: str | None,
    *,
    file: str | None,
    options: Sequence[str],
    rules: Sequence[str],
    params: str | None,
    config: str | None,
    layout: str | None,
    iso8601: bool,
    all_matches: bool,
    output: str | None,
    limits: Limits,
    needs_rules: bool,
    added: str | None = None,
) -> Settings:
    """The settings of these options, each on top of what the file says; warns of what is odd. Raises `ConfigError`.

    Without `needs_rules` nobody looks for rules files.
    """
    flags: dict[str, str] = {}
    if layout is not None:
        flags["json_output"] = "true" if layout == "json" else "false"
    if iso8601:
        flags["time_format_iso_8601"] = "true"
    if all_matches:
        flags["rule_matching"] = "all"
    if output is not None:
        flags |= {"file_output.enabled": "true", "file_output.filename": output, "stdout_output.enabled": "false"}
    read = read_configuration(file, flags, options)
    if added is not None:
        say("warning: -p is Falco's old word for append_output: use -o 'append_output[]={extra_output: ...}'")
        if added not in _CONTAINER_DETAILS:
            read = replace(read, falco=structs.replace(read.falco, append_output=(*read.falco.append_output, Append(output=added))))
    paths = rules_paths(rules, read) if needs_rules else None
    for warning in read.warnings:
        say(f"warning: {warning}")
    if read.unused:
        say(f"warning: without effect here, where plugins alone run: {', '.join(read.unused)}")
    plugins = tuple(each.given(config, params) for each in select_plugins(read.falco, plugin, read.places))
    if limits.host is not None:  # it replaces an option of the file
        plugins = tuple(replace(each, config_place=None) for each in plugins)
    named = [*rules] or [*(read.falco.rules_files or ()), *(read.falco.rules_file or ())]
    included = [include.path for include in read.falco.config_files]
    own = [] if file is None else [file, *(each for path in included for each in files_of(path) if Path(each).exists())]
    return Settings(read.falco, plugins, paths, limits, (*own, *included, *named), tuple(own))
