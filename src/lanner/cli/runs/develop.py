"""`lanner run --reload`: reload the plugin when its files change, and reopen its source at the last position."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from lanner.cli.messages import say
from lanner.cli.plugin_config import make_entry
from lanner.config.plugin_entries import check_params
from lanner.host.plugin_files import PluginFiles
from lanner.host.reload import fingerprint
from lanner.host.switching import PositionTrack, SwitchingSource
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import LannerError, UsageError
from lanner.sdk.hosting.open_source import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lanner.cli.runs.settings import Settings
    from lanner.sdk.authoring.plugin import Plugin
    from lanner.sdk.authoring.positions import Positions
    from lanner.sdk.hosting.event_source import Source
    from lanner.sdk.hosting.inputs import Inputs


class Development:
    """The plugins of a run under development. Raises `UsageError` if they have no files that could change."""

    def __init__(self, settings: Settings, positions: Positions | None, inputs: Inputs) -> None:
        self._files = PluginFiles([each.target for each in (settings.plugin, *settings.beside)])
        if not self._files.paths():
            raise UsageError(f"--reload is for plugins under development, and {settings.plugin.name} has no files of yours: leave it out")
        self._seen = fingerprint(self._files.paths())
        self._track = PositionTrack(positions)
        self._inputs = inputs
        self._source: SwitchingSource | None = None

    def paths(self) -> list[str]:
        """Return the files to watch."""
        return self._files.paths()

    def has_changed(self) -> bool:
        """Return whether a file differs from the one that was loaded."""
        return fingerprint(self._files.paths()) != self._seen

    @contextmanager
    def load(self, settings: Settings, current: Sequence[Plugin]) -> Iterator[list[Plugin]]:
        """Load the files again, and yield the new plugins. If this or the context fails, the modules in use stay. Raises `LannerError`."""
        seen = fingerprint(self._files.paths())
        with self._files.reload_all() as classes:
            for cls, old in zip(classes, current, strict=True):
                before, after = plugin_info(type(old)), plugin_info(cls)
                if (before.name, before.event_source) != (after.name, after.event_source):
                    raise LannerError(f"the plugin {before.name} has another name or event source now, {after.name}: start the run again")
            entries = (settings.plugin, *settings.beside)
            hosts = (settings.limits.host, *[None] * len(settings.beside))
            plugins = [make_entry(cls, entry, host) for cls, entry, host in zip(classes, entries, hosts, strict=True)]
            check_params(plugins[0], settings.plugin)
            yield plugins
        self._seen = seen

    def start(self, plugin: Plugin, settings: Settings) -> Source:
        """Open the source of the first plugin, as one that `switch` can replace. Raises `LannerError`."""
        self._source = SwitchingSource(self.open(plugin, settings), say)
        return self._source

    def switch(self, make: Callable[[], Source]) -> None:
        """Replace the source by what `make` returns."""
        if self._source is not None:
            self._source.switch(make)

    def open(self, plugin: Plugin, settings: Settings) -> Source:
        """Open the source of the plugin at the last position. Raises `LannerError`."""
        resumes = plugin_info(type(plugin)).resumes
        return open_source(plugin, settings.plugin.open_params, self._track if resumes else None, self._inputs)
