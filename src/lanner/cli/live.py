"""What a run has around it while it watches: rules and configuration are loaded again, and what the program does is told.

`operate` starts all that and ends it; it gives the signals that are heard. The run itself is `lanner.framework.runner`.
"""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lanner.cli.compiling import compile_settings, make_pump, make_writer, show_wrong_rules, wrong_rules
from lanner.cli.messages import many, say
from lanner.cli.outputs import deliver_live, make_sinks, outputs_of
from lanner.framework.reload import Reloader
from lanner.outputs.base import Alert
from lanner.rules import RulesError
from lanner.rules.internal import RELOAD_FAILED, SOURCE, internal_line
from lanner.sdk.errors import LannerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lanner.cli.settings import Settings
    from lanner.framework.runner import Runner
    from lanner.sdk.batches import Source
    from lanner.sdk.plugin import Plugin, PluginInfo


@contextmanager
def operate(
    plugin: Plugin, info: PluginInfo, settings: Settings, runner: Runner, source: Source, again: Callable[[], Settings]
) -> Iterator[dict[int, Callable[[], None]]]:
    """While in this context the run is looked after. `again` makes the settings anew."""
    loading = _Loading(plugin, info, settings, runner, source, again)
    watched = (lambda: loading.settings.sources) if settings.falco.watch_config_files else None
    reloader = Reloader(loading.load, loading.failed, watched)
    try:
        yield {signal.SIGHUP: reloader.ask, signal.SIGUSR1: runner.reopen}
    finally:
        reloader.close()


class _Loading:
    """Settings made anew, and what is made of them handed to the run."""

    def __init__(
        self, plugin: Plugin, info: PluginInfo, settings: Settings, runner: Runner, source: Source, again: Callable[[], Settings]
    ) -> None:
        self.settings = settings
        self._plugin, self._info, self._runner, self._source, self._again = plugin, info, runner, source, again

    def load(self) -> None:
        """Load again. Raises `LannerError`; the run then has what it had."""
        old, new = self.settings, self._again()
        try:
            compiled = compile_settings(self._info, new)
        except RulesError as error:
            show_wrong_rules(error)
            first = next(finding for finding in error.findings if finding.severity == "error")
            raise LannerError(f"{wrong_rules(error)}: {first.render().splitlines()[0]}") from None
        if new.plugin != old.plugin:
            say("warning: which plugin is loaded, its init_config and its open_params change with the next start alone")
        for key in ("webserver", "metrics", "log_level", "log_stderr", "log_syslog", "watch_config_files"):
            if getattr(new.falco, key) != getattr(old.falco, key):
                say(f"warning: $.{key} changes with the next start alone")
        make_delivery = None
        if outputs_of(new.falco) != outputs_of(old.falco):
            sinks = make_sinks(new.falco)
            make_delivery = lambda: deliver_live(new.falco, sinks, self._source.close)  # noqa: E731 - one of two
        self._runner.exchange(make_pump(self._plugin, compiled, new.falco), make_delivery)
        self.settings = new
        say(f"loaded again: {many(len(compiled.rules), 'rule')}")

    def failed(self, message: str) -> None:
        """Say so: to a person, and as an alert."""
        say(f"error: loading again failed, all stays as it was: {message}")
        now = time.time_ns()
        text = f"{RELOAD_FAILED}: {' '.join(message.split())}"
        line = internal_line(make_writer(self.settings.falco), RELOAD_FAILED, "Critical", text, {}, now)
        self._runner.emit(Alert(line, RELOAD_FAILED, "Critical", SOURCE, now))
