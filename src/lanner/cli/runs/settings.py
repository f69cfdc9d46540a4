"""Settings of a run, from the command line's options and falco.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import structs

from lanner.cli.messages import say
from lanner.config.includes import files_of
from lanner.config.option_places import Origins
from lanner.config.plugin_entries import PluginSetup, select_plugins, split_plugins
from lanner.config.read import read_configuration, rules_paths
from lanner.host.plugin_loader import load_plugin
from lanner.rules.files.load import OWN_RULES
from lanner.rules.output.append import Append
from lanner.sdk.authoring.plugin import plugin_info

if TYPE_CHECKING:
    from lanner.config.falco import Falco
    from lanner.sdk.authoring.plugin import PluginInfo


_CONTAINER_DETAILS: Final = ("c", "container", "k", "kubernetes")
"""Arguments of -p for container fields, which Falco accepts without effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of `lanner run`, by the names of their parameters in `lanner.cli.commands`."""

    file: str | None
    options: tuple[str, ...]
    rules: tuple[str, ...]
    params: str | None
    config: str | None
    output: str | None
    layout: str | None
    iso8601: bool
    all_matches: bool
    watch: bool
    added: str | None
    validated: tuple[str, ...]
    describe: str | None
    describe_all: bool
    fields_of: str | None
    list_plugins: bool
    asked: str | None
    host: str | None
    replay: tuple[str, ...]
    jobs: int | None
    max_events: int | None
    duration: float | None
    dry_run: bool
    from_start: bool
    reload: bool
    report: str | None
    executor: str
    names_only: bool
    verbose: bool
    markdown: bool
    seconds: int
    pidfile: str | None
    unbuffered: bool
    """No effect: available alerts are written at once."""
    enabled: tuple[str, ...]
    disabled: tuple[str, ...]
    version: bool
    support: bool
    page_size: bool
    config_schema: bool
    rule_schema: bool
    ignored_events: bool
    list_events: bool

    @property
    def list_format(self) -> str | None:
        """The format of lists; None: by falco.yaml."""
        return "markdown" if self.markdown else self.layout

    @property
    def alert_format(self) -> str | None:
        """The format of alerts; None: by falco.yaml."""
        return None if self.layout == "markdown" else self.layout

    @property
    def asks(self) -> bool:
        """Whether a question about Lanner or the plugin is answered instead of a run."""
        return self.version or self.list_plugins or self.asked is not None or self.fields_of is not None


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
    output: str | None = None
    pidfile: str | None = None
    verbose: bool = False


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


def settle(plugin: str | None, options: Options, limits: Limits, *, needs_rules: bool) -> Settings:
    """Return the settings: falco.yaml's, overridden by the options. Print warnings. Raises `ConfigError`.

    Without `needs_rules` rules files are not searched for.
    """
    read = read_configuration(options.file, _flags(options), options.options)
    if options.added is not None:
        say("warning: -p is Falco's old name for append_output: use -o 'append_output[]={extra_output: ...}'")
        if options.added not in _CONTAINER_DETAILS:
            appended = (*read.falco.append_output, Append(output=options.added))
            read = replace(read, falco=structs.replace(read.falco, append_output=appended))
    with read.origins.place_errors():
        paths = rules_paths(options.rules, read) if needs_rules else None
        selected = select_plugins(read.falco, plugin, read.places)
    for warning in read.place_warnings():
        say(f"warning: {warning}")
    if read.unused:
        say(f"warning: no effect here, because Lanner runs only plugins: {', '.join(read.unused)}")
    plugins = tuple(each.with_values(options.config, options.params) for each in selected)
    if limits.host is not None:  # it overrides the file's option
        plugins = tuple(replace(each, config_place=None) for each in plugins)
    named = [*options.rules] or [*(read.falco.rules_files or ()), *(read.falco.rules_file or ())]
    included = [include.path for include in read.falco.config_files]
    own = [] if options.file is None else [options.file, *(each for path in included for each in files_of(path) if Path(each).exists())]
    files = [each for each in named if each != OWN_RULES]
    return Settings(read.falco, plugins, paths, limits, (*own, *included, *files), tuple(own), read.origins)


def _flags(options: Options) -> dict[str, str]:
    """Return the keys of falco.yaml that options set, with their values."""
    flags: dict[str, str] = {}
    if options.alert_format is not None:
        flags["json_output"] = "true" if options.alert_format == "json" else "false"
    if options.iso8601:
        flags["time_format_iso_8601"] = "true"
    if options.all_matches:
        flags["rule_matching"] = "all"
    if options.output is not None:
        flags |= {"file_output.enabled": "true", "file_output.filename": options.output, "stdout_output.enabled": "false"}
    if options.watch:
        flags |= {"stdout_output.enabled": "true", "lanner.stdout.summary": "true"}
    return flags
