"""Checks of the setup: configuration, plugin and rules, as `lanner run` would load them. No event source is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanner.config.plugin_entries import advise_source, check_params, select_plugins, split_plugins
from lanner.config.read import read_configuration, rules_paths
from lanner.doctor.results import ok, problem, warning
from lanner.host.beside import join_fields
from lanner.host.own_rules import rules_files
from lanner.host.plugin_loader import load_plugin
from lanner.rules import load_rules
from lanner.rules.lint.silent import find_silent_rules, tell_silent
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import ConfigError, LannerError
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lanner.config.plugin_entries import PluginSetup
    from lanner.config.read import Configuration
    from lanner.rules import Catalog
    from lanner.sdk.authoring.checks import Finding
    from lanner.sdk.authoring.plugin import Plugin, PluginInfo

    Make = Callable[[type[Plugin], PluginSetup, Callable[[str], object]], Plugin]

_SHOWN = 5


class SetupChecks:
    """Checks that keep what they read for other checks: `read`, `info` and `plugin` are None until then, and if that is invalid.

    `target` is the plugin's name for the command line. `make` creates a plugin from its class and its configuration, and calls its
    last argument with each warning about that.
    """

    def __init__(self, name: str | None, file: str | None, rules: Sequence[str], make: Make) -> None:
        self._name, self._file, self._rules, self._make = name, file, rules, make
        self.read: Configuration | None = None
        self.target = ""
        self.info: PluginInfo | None = None
        self.plugin: Plugin | None = None
        self._versions: dict[str, str] = {}

    def look_at_configuration(self) -> Iterator[Finding]:
        """Check the file of -c."""
        try:
            self.read = read_configuration(self._file, {}, ())
        except ConfigError as error:
            yield problem(str(error), f"Correct {self._file}; docs/configuration.md has every key")
            return
        for text in self.read.place_warnings():
            yield warning(text, f"Correct {self._file}; docs/configuration.md has every key")
        if self.read.unused:
            yield warning(f"without effect here: {', '.join(self.read.unused)}", "Keep them if Falco reads the same file, else remove them")
        elif not self.read.warnings:
            yield ok("no file: the defaults" if self._file is None else f"{self._file} is valid")

    def look_at_plugin(self) -> Iterator[Finding]:
        """Check the plugin that would be watched, and its configuration."""
        if self.read is None:
            return
        fix = f"Correct $.plugins or $.load_plugins in {self._file}, or name a plugin, as in `lanner doctor docker`"
        try:
            entry, beside = self._entries(self.read)
            fix = "Name a plugin that exists and can be imported" + (f", on the command line or in {self._file}" if self._file else "")
            classes = [load_plugin(each.target) for each in (entry, *beside)]
            infos = [plugin_info(cls) for cls in classes]
            self._versions = {info.name: info.version for info in infos}
            self.target, self.info = entry.target, join_fields(infos) if beside else infos[0]
            fix = f"Correct its configuration; `lanner plugin {entry.target}` shows its options"
            odd: list[str] = []
            self.plugin, *_ = [self._make(cls, each, odd.append) for cls, each in zip(classes, (entry, *beside), strict=True)]
            fix = f"Correct its configuration or open parameters; `lanner plugin {entry.target}` shows its options"
            if self.info.has_source:
                check_params(self.plugin, entry)
        except LannerError as error:
            yield problem(str(error), fix)
            return
        for text in odd:
            yield warning(text, fix)
        info = self.info
        if info.event_source is None:
            yield problem(f"{info.name} {info.version} has no event source, so there is nothing to run", advise_source(info))
        else:
            yield ok(f"{info.name} {info.version}, event source {info.event_source}, {many(len(info.fields), 'field')}")

    def look_at_rules(self) -> Iterator[Finding]:
        """Check the rules as `lanner rules check` does, and summarise its findings."""
        if self.read is None or self.info is None:
            return
        from lanner.rules.language.catalog import Catalog
        from lanner.rules.lint import check_files
        from lanner.rules.lint.hints import NO_RULE_CHECKED

        info = self.info
        try:
            with self.read.origins.place_errors():
                paths = rules_paths(self._rules, self.read)
            files = rules_files(paths, info, advice="there will be no alerts")
        except ConfigError as error:
            yield problem(str(error), "Name rules files: -r FILE, or $.rules_files")
            return
        catalog = Catalog([declaration.info for declaration in info.fields], info.event_source or "", self.read.falco.static_fields)
        found = check_files(files, catalog, plugins=self._versions)
        errors = [each for each in found if each.severity == "error"]
        fix = f"lanner rules check --plugin {self.target} {' '.join(files)}"
        for each in errors[:_SHOWN]:
            where = f"{each.place.file}:{each.place.line}: " if each.place else ""
            yield problem(f"{where}{each.message}", each.advice or f"See it in place: {fix}")
        if len(errors) > _SHOWN:
            yield problem(many(len(errors) - _SHOWN, "more error"), f"See them all: {fix}")
        unchecked = [each for each in found if each.code == NO_RULE_CHECKED]
        if unchecked:
            yield problem(
                "None of the rules is about these events: there will be no alerts",
                f"Name rules files for {info.name}: -r FILE, or $.rules_files",
            )
        odd = len(found) - len(errors) - len(unchecked)
        if odd:
            yield warning(f"warnings about the rules: {odd}", f"See them: {fix}")
        silent = self._find_silent(files, catalog) if self.plugin and not errors else {}
        for advice, names in silent.items():
            yield warning(tell_silent(names), advice[:1].upper() + advice[1:])
        if not found and not silent:
            yield ok(f"no problems in {', '.join(files)}")

    def _find_silent(self, files: Sequence[str], catalog: Catalog) -> dict[str, list[str]]:
        assert self.plugin
        assert self.info
        without_values = self.plugin.fields_without_values()
        if not without_values:
            return {}
        return find_silent_rules(load_rules(files, catalog, plugins=self._versions).rules, without_values)

    def _entries(self, read: Configuration) -> tuple[PluginSetup, tuple[PluginSetup, ...]]:
        with read.origins.place_errors():
            entries = select_plugins(read.falco, self._name or ("docker" if self._file is None else None), read.places)
        if not entries:
            raise ConfigError(f"{self._file} loads no plugin: list one in $.plugins, or name one, as in `lanner doctor docker`")
        return split_plugins(entries)
