"""Settings of a run, from the command line's options and falco.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import structs

from lanner.cli.messages import say
from lanner.config.includes import files_of
from lanner.config.places import Origins
from lanner.config.plugin_entries import PluginSetup, select_plugins, split_plugins
from lanner.config.read import read_configuration, rules_paths
from lanner.host.plugin_loader import load_plugin
from lanner.rules.files.load import OWN_RULES
from lanner.rules.output.append import Append
from lanner.sdk.authoring.plugin import plugin_info

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.config.falco import Falco
    from lanner.sdk.authoring.plugin import PluginInfo


_CONTAINER_DETAILS: Final = ("c", "container", "k", "kubernetes")
"""Arguments of -p for container fields, which Falco accepts without effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Settings only of the command line. `replay` is the display name of `recordings`; None: the source is opened."""

    host: str | None = None
    replay: str | None = None
    max_events: int | None = None
    duration: float | None = None
    dry_run: bool = False
    executor: str = "native"
    recordings: tuple[str, ...] = ()
    jobs: int = 1
    from_start: bool = False
    reload: bool = False
    report: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a run, from falco.yaml and options. `rules` are files, or None for the plugin's own.

    `sources` are the files and directories of the settings, including falco.yaml's `config_files`, without the plugin's own rules.
    `origins` places warnings about values of falco.yaml.
    """

    falco: Falco
    plugins: tuple[PluginSetup, ...]
    rules: tuple[str, ...] | None
    limits: Limits
    sources: tuple[str, ...] = ()
    config_files: tuple[str, ...] = ()
    origins: Origins = field(default_factory=Origins)

    @property
    def plugin(self) -> PluginSetup:
        """The plugin whose events are watched. Raises `ConfigError` if it is ambiguous."""
        return split_plugins(self.plugins)[0]

    @property
    def beside(self) -> tuple[PluginSetup, ...]:
        """The plugins that extract fields of those events. Raises `ConfigError` as `plugin` does."""
        return split_plugins(self.plugins)[1]

    def all_infos(self) -> list[PluginInfo]:
        """The declarations of all loaded plugins, in order. Raises `LannerError`."""
        if len(self.plugins) < 2:
            return self.infos()
        return [plugin_info(load_plugin(each.target)) for each in self.plugins]

    def infos(self) -> list[PluginInfo]:
        """The declarations of these plugins, the watched one first. Raises `LannerError`."""
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
    watch: bool,
    limits: Limits,
    needs_rules: bool,
    added: str | None = None,
) -> Settings:
    """Return the settings: falco.yaml's, overridden by the options. Print warnings. Raises `ConfigError`.

    Without `needs_rules` rules files are not searched for.
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
    if watch:
        flags |= {"stdout_output.enabled": "true", "lanner.stdout.summary": "true"}
    read = read_configuration(file, flags, options)
    if added is not None:
        say("warning: -p is Falco's old name for append_output: use -o 'append_output[]={extra_output: ...}'")
        if added not in _CONTAINER_DETAILS:
            read = replace(read, falco=structs.replace(read.falco, append_output=(*read.falco.append_output, Append(output=added))))
    with read.origins.placing():
        paths = rules_paths(rules, read) if needs_rules else None
        selected = select_plugins(read.falco, plugin, read.places)
    for warning in read.placed_warnings():
        say(f"warning: {warning}")
    if read.unused:
        say(f"warning: no effect here, because Lanner runs only plugins: {', '.join(read.unused)}")
    plugins = tuple(each.given(config, params) for each in selected)
    if limits.host is not None:  # it overrides the file's option
        plugins = tuple(replace(each, config_place=None) for each in plugins)
    named = [*rules] or [*(read.falco.rules_files or ()), *(read.falco.rules_file or ())]
    included = [include.path for include in read.falco.config_files]
    own = [] if file is None else [file, *(each for path in included for each in files_of(path) if Path(each).exists())]
    files = [each for each in named if each != OWN_RULES]
    return Settings(read.falco, plugins, paths, limits, (*own, *included, *files), tuple(own), read.origins)
