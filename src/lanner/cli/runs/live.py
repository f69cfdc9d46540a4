"""Services around a live run: hot-reload of rules and configuration, metrics, web server, service manager.

`operate` starts and stops them and returns the handled signals. The run itself is `lanner.host.runner`.
"""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lanner.alerts.alert_record import make_record
from lanner.cli.messages import say
from lanner.cli.runs.compiling import compile_settings, make_pump, make_writer, show_findings, wrong_rules
from lanner.cli.runs.run_outputs import check_inputs, check_written, deliver_on, make_sinks, outputs_of
from lanner.cli.runs.status import Status
from lanner.config.start_keys import find_late_changes
from lanner.host.own_rules import advise_own_rules
from lanner.host.reload import Reloader
from lanner.operating.notify import Notifier
from lanner.outputs.base import Alert
from lanner.rules import Priority, RulesError
from lanner.rules.files.load import OWN_RULES
from lanner.rules.output.internal import METRICS, RELOAD_FAILED, SOURCE, internal_line
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import LannerError
from lanner.sdk.options.secrets import mask_message
from lanner.sdk.text.encoding import many
from lanner.sdk.text.printable import join_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lanner.cli.runs.develop import Development
    from lanner.cli.runs.history import History
    from lanner.cli.runs.settings import Settings
    from lanner.config.falco import Falco
    from lanner.host.runner import Runner
    from lanner.rules import CompiledRules
    from lanner.sdk.authoring.plugin import Plugin, PluginInfo
    from lanner.sdk.hosting.event_source import Source
    from lanner.sdk.hosting.inputs import Inputs


@dataclass(frozen=True, slots=True)
class LiveRun:
    """The parts of a live run. `again` creates its settings again.

    With `development`, `source` is a `SwitchingSource`, and changed files of the plugins are reloaded.
    """

    plugins: Sequence[Plugin]
    infos: Sequence[PluginInfo]
    settings: Settings
    runner: Runner
    source: Source
    inputs: Inputs
    again: Callable[[], Settings]
    history: History
    development: Development | None = None


@contextmanager
def operate(run: LiveRun, compiled: CompiledRules) -> Iterator[Operation]:
    """Context manager: operate the run of the first of its plugins. Raises `LannerError` if a service cannot start."""
    settings, runner = run.settings, run.runner
    status = Status(run.infos[0], runner, run.source)
    status.note_load(settings, compiled)
    with ExitStack() as stack:
        notifier = Notifier(status.is_alive)
        stack.callback(notifier.close)
        loading = _ReloadJob(run, status, notifier)
        with settings.origins.place_errors():
            _show_status(settings.falco, status, loading, stack)
        run.history.announce(runner, lambda: status)
        stack.callback(run.history.close)
        watched = settings.falco.watch_config_files or run.development is not None
        status.reloader = Reloader(loading.load, loading.report_failure, loading.find_watched if watched else None)
        stack.callback(status.reloader.close)
        yield Operation(status, notifier, {signal.SIGHUP: status.reloader.ask, signal.SIGUSR1: runner.reopen})


class Operation:
    """A run in operation: the signals it handles, and its notifications."""

    def __init__(self, status: Status, notifier: Notifier, signals: dict[int, Callable[[], None]]) -> None:
        self._status, self._notifier = status, notifier
        self.signals = signals

    def note_begin(self, text: str) -> None:
        """Events are being watched."""
        self._status.running = True
        self._notifier.tell_ready(text)

    def note_end(self) -> None:
        """The source has ended, and the remaining alerts are being delivered."""
        self._status.running = False
        self._notifier.tell_stopping()


def _show_status(falco: Falco, status: Status, loading: _ReloadJob, stack: ExitStack) -> None:
    """Start the configured services that report the run's state."""
    metrics, web = falco.metrics, falco.webserver
    switches = {"rules": metrics.rules_counters_enabled, "resource_utilization": metrics.resource_utilization_enabled}
    if web.enabled:
        from lanner.operating.metrics import render
        from lanner.operating.webserver import WebServer

        server = WebServer(
            web.listen_address,
            web.listen_port,
            status.snapshot,
            healthz=web.k8s_healthz_endpoint,
            metrics=(lambda snapshot: render(snapshot, **switches)) if metrics.enabled and web.prometheus_metrics_enabled else None,
            hosts=falco.lanner.webserver_hosts,
            certificate=web.ssl_certificate if web.ssl_enabled else "",
        )
        stack.callback(server.close)
        say(f"listening on http{'s' if web.ssl_enabled else ''}://{join_port(web.listen_address, server.port)}")
    if metrics.enabled and (metrics.output_rule or metrics.output_file):
        from lanner.operating.periodic import Periodic

        emit = loading.tell_figures if metrics.output_rule else None
        stack.callback(Periodic(metrics.interval, status.snapshot, emit, metrics.output_file, **switches).close)


class _ReloadJob:
    """Creates settings again and exchanges the run's rules and outputs."""

    def __init__(self, run: LiveRun, status: Status, notifier: Notifier) -> None:
        self.settings = run.settings
        self._plugins, self._infos = run.plugins, run.infos
        self._runner, self._source, self._again = run.runner, run.source, run.again
        self._inputs = run.inputs
        self._history, self._development = run.history, run.development
        self._status, self._notifier = status, notifier
        self._summary = ""
        """The failure without the findings of the rules, if these have been printed."""

    def find_watched(self) -> Sequence[str]:
        """Return the files whose changes are loaded."""
        configured = (*self.settings.sources, *self._own_rules()) if self.settings.falco.watch_config_files else ()
        return (*configured, *(self._development.paths() if self._development is not None else ()))

    def _own_rules(self) -> Sequence[str]:
        """Return the plugin's own rules file if the run uses it."""
        named, own = self.settings.rules, self._infos[0].rules
        return (str(own),) if own is not None and (named is None or OWN_RULES in named) else ()

    def load(self) -> None:
        """Reload. Raises `LannerError`; the run then keeps its current state."""
        self._notifier.tell_reloading()
        try:
            self._load()
        finally:
            self._notifier.tell_ready()

    def _load(self) -> None:
        development, new = self._development, self._again()
        if development is None or not (development.has_changed() or new.plugins != self.settings.plugins):
            say(f"reloaded: {self._take(self._plugins, new)}")
            return
        with development.load(new, self._plugins) as plugins:
            before = self._plugins, self.settings
            loaded = self._take(plugins, new)
        development.switch(partial(self._open, development, before))
        say(f"reloaded: the plugin {self._infos[0].name}, with {loaded}")

    def _open(self, development: Development, before: tuple[Sequence[Plugin], Settings]) -> Source:
        """Open the source of the new plugin; if that fails, return to the plugins before."""
        try:
            return development.open(self._plugins[0], self.settings)
        except LannerError as error:
            self.report_failure(str(error))
        self._take(*before)
        return development.open(self._plugins[0], self.settings)

    def _take(self, plugins: Sequence[Plugin], new: Settings) -> str:
        """Use these plugins and settings from the next event on, and return the number of rules in words. Raises `LannerError`."""
        old, infos = self.settings, [plugin_info(type(each)) for each in plugins]
        check_written(new, [type(each) for each in plugins])
        check_inputs(new, self._inputs)
        try:
            compiled = compile_settings(infos, new)
        except RulesError as error:
            show_findings(error, infos[0])
            self._summary = wrong_rules(error)
            told = advise_own_rules(error.findings, infos[0])
            first = next(finding for finding in told if finding.severity == "error")
            said = f"{self._summary}: {first.render().splitlines()[0]}"
            raise LannerError(f"{said} {first.advice}".rstrip()) from None
        if new.plugins != old.plugins and self._development is None:
            say("warning: a change of the plugin, its init_config or its open_params takes effect at the next start")
        for key in find_late_changes(old.falco, new.falco):
            say(f"warning: a change of $.{key} takes effect at the next start")
        make_delivery = None
        if outputs_of(new.falco) != outputs_of(old.falco):
            sinks = make_sinks(new.falco, new.origins)
            self._history.use(sinks)
            make_delivery = lambda: deliver_on(new.falco, sinks, self._source.close)  # noqa: E731 - one of two
        self._runner.exchange(make_pump(plugins, compiled, new, self._history.load(infos, new)), make_delivery)
        self._history.announce(self._runner, lambda: self._status)
        self._plugins, self._infos, self.settings = plugins, infos, new
        self._inputs.check = partial(check_inputs, new)
        self._status.note_load(new, compiled)
        return many(len(compiled.rules), "rule")

    def report_failure(self, message: str) -> None:
        """Report the failure on standard error and as an alert."""
        shown, self._summary = self._summary or message, ""
        say(f"error: reload failed, keeping the current configuration: {shown}")
        self._alert(RELOAD_FAILED, "Critical", f"{RELOAD_FAILED}: {mask_message(' '.join(message.split()))}", {}, time.time_ns())

    def tell_figures(self, figures: dict[str, str | float], now: int) -> None:
        """Raise an alert with the metrics, if alerts of that priority are enabled."""
        if self.settings.falco.priority >= Priority.INFORMATIONAL:
            self._alert(METRICS, "Informational", "Falco metrics snapshot", figures, now)

    def _alert(self, rule: str, priority: str, text: str, fields: dict[str, str | float], now: int) -> None:
        writer = make_writer(self.settings.falco)
        line = internal_line(writer, rule, priority, text, fields, now)
        alert = Alert(line, rule, priority, SOURCE, now)
        recording = self._history.current
        if recording is None or recording.load is None:
            self._runner.emit(alert)
            return
        whole = internal_line(writer.whole, rule, priority, text, fields, now)
        with recording.recorder.lock:
            self._runner.emit(alert._replace(record=make_record(whole, b"", recording.recorder.number(), recording.load)))
