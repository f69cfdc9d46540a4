"""`lanner run`: events from a plugin's source or a recording through rules to outputs, with messages on standard error."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import time
from typing import TYPE_CHECKING, Final, NoReturn

from lanner.cli.messages import FAILED, OK, UNREACHABLE, add, exit_code, fail, say, talk
from lanner.cli.plugin_config import make_entry
from lanner.cli.runs.compiling import compile_settings, make_pump, show_wrong_rules
from lanner.cli.runs.history import History
from lanner.cli.runs.run_outputs import check_inputs, check_sinks, check_spool, check_written, deliver_directly, deliver_live, make_sinks
from lanner.cli.runs.status import Status
from lanner.config.plugin_entries import advise_source, check_params
from lanner.host.plugin_loader import load_plugin
from lanner.host.recording import check_recordings, no_recording, open_recording
from lanner.host.runner import Runner
from lanner.host.stop import close_on_signal
from lanner.outputs.base import OutputClosedError
from lanner.rules import RulesError
from lanner.sdk.errors import LannerError, SourceError, UsageError
from lanner.sdk.hosting.inputs import Inputs
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.positionfile import PositionFile, state_directory
from lanner.sdk.text.encoding import many
from lanner.sdk.text.printable import printable_line
from lanner.sinks.stdout import STDOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

    from lanner.cli.runs.live import Operation
    from lanner.cli.runs.replay_report import ReplayReport
    from lanner.cli.runs.settings import Settings
    from lanner.host.recording import Replay
    from lanner.rules import CompiledRules
    from lanner.sdk.authoring.plugin import Plugin, PluginInfo
    from lanner.sdk.hosting.batches import Batch
    from lanner.sdk.hosting.event_source import Source

_NUDGE_AFTER: Final = 2.0
"""Seconds without an event before suggesting a command that raises an alert."""


def run_plugin(settings: Settings, again: Callable[[], Settings]) -> int:
    """Run, and return the exit code. `again` creates the settings again from files that may have changed. Raises `LannerError`.

    Standard output is for alerts, so the plugin's own output goes to standard error.
    """
    with contextlib.redirect_stdout(sys.stderr):
        return _run(settings, again)


def _run(settings: Settings, again: Callable[[], Settings]) -> int:
    chosen, limits, falco = settings.plugin, settings.limits, settings.falco
    talk(falco.log_level, falco.lanner.log_format, to_stderr=falco.log_stderr, to_syslog=falco.log_syslog)
    infos = settings.infos()
    if infos[0].event_source is None:
        raise UsageError(f"the plugin {infos[0].name} has no event source, so there is nothing to run. {advise_source(infos[0])}")
    plugins = [make_entry(load_plugin(chosen.target), chosen, limits.host)]
    plugins += [make_entry(load_plugin(each.target), each) for each in settings.beside]
    check_written(settings, [type(each) for each in plugins])
    if limits.report is not None:
        _import_report().check_place(limits.report)
    if limits.pidfile and not limits.dry_run:
        from lanner.cli.runs.support import write_pid

        write_pid(limits.pidfile)
    try:
        compiled = compile_settings(infos, settings)
    except RulesError as error:
        return show_wrong_rules(error, infos[0])
    if limits.dry_run:
        check_params(plugins[0], chosen)
        if limits.replay is not None:
            check_recordings(limits.recordings, infos[0])
        check_sinks(falco, settings.origins)
        if limits.replay is None:  # a replay has no such services
            check_spool(falco)
            _check_webserver(settings)
        make_pump(plugins, compiled, settings)  # everything that a run creates from the rules
        say(f"{many(len(compiled.rules), 'rule')} ({_origin(settings)}) would run; no source was opened")
        return OK
    run = _replay if limits.replay is not None else _watch
    return run(plugins, infos, settings, compiled, again)


def _check_webserver(settings: Settings) -> None:
    web = settings.falco.webserver
    if not web.enabled:
        return
    from lanner.operating.webserver import check_webserver

    with settings.origins.place_errors():
        certificate = web.ssl_certificate if web.ssl_enabled else ""
        if text := check_webserver(web.listen_address, web.listen_port, certificate):
            say(f"warning: {text}")


def _replay(
    plugins: Sequence[Plugin], infos: Sequence[PluginInfo], settings: Settings, compiled: CompiledRules, _: Callable[[], Settings]
) -> int:
    limits = settings.limits
    reporting = contextlib.nullcontext() if limits.report is None else _import_report().ReplayReport(limits.report)
    with reporting as report:
        return _replay_to(report, plugins, infos, settings, compiled)


def _replay_to(
    report: ReplayReport | None, plugins: Sequence[Plugin], infos: Sequence[PluginInfo], settings: Settings, compiled: CompiledRules
) -> int:
    info, limits, path = infos[0], settings.limits, str(settings.limits.replay)
    sinks = make_sinks(settings.falco, settings.origins, is_replay=True)
    if report is not None:
        sinks.append(report.sink)
    delivery = deliver_directly(settings.falco, sinks)
    try:
        source = open_recording(limits.recordings, info)
    except SourceError as error:
        delivery.close()
        return fail(str(error), FAILED)
    history = History()
    history.use(sinks)
    pump = make_pump(plugins, compiled, settings, history.load(infos, settings))
    # recorded events have recorded times; an event without one gets the previous event's
    runner = Runner(source, pump, delivery, None, limits.max_events, limits.jobs)
    history.announce(runner, lambda: Status.of_replay(infos[0], runner, source, settings, compiled))
    with contextlib.closing(history), _progress(source, runner, prints=any(sink.name == STDOUT.name for sink in sinks)):
        code = _go_on(runner, source, limits.duration, f"replaying {path} with {_rules(settings, compiled)}")
    if report is not None:
        report.write(f"{path}, {_rules(settings, compiled)}", settings)
    counts = runner.pump.counts()
    if not code and counts.events > counts.not_json:
        from lanner.cli.runs.replay_fields import tell_empty_fields

        tell_empty_fields(runner.pump, compiled, settings, info)
    if code or (counts.events > counts.not_json and (source.tells_time or delivery.accepted)):
        return code
    if not counts.events and not source.counters:
        say(f"warning: no event in {path}")
        return code
    # a file of which no line is an event is not a recording
    return fail(no_recording(path, info, is_json=counts.events > counts.not_json))


def _import_report() -> ModuleType:
    """Return the module of reports, which is rarely needed and imports much."""
    from lanner.cli.runs import replay_report as report

    return report


@contextlib.contextmanager
def _progress(source: Replay, runner: Runner, *, prints: bool) -> Iterator[None]:
    """Return a progress bar, if standard error is a terminal. `prints`: alerts go to standard output."""
    if not sys.stderr.isatty():
        yield
        return
    from lanner.operating.progress import Progress

    progress = Progress(source.total, prints=prints)
    read = alerts = 0

    def advance(batch: Batch) -> None:
        nonlocal read, alerts
        before, read, alerts_before, alerts = read, source.read, alerts, runner.delivery.accepted
        progress.advance(read - before, len(batch.payloads), alerts - alerts_before)

    runner.watch = advance
    try:
        yield
    finally:
        progress.close()


def _watch(
    plugins: Sequence[Plugin], infos: Sequence[PluginInfo], settings: Settings, compiled: CompiledRules, again: Callable[[], Settings]
) -> int:
    from lanner.cli.runs.live import LiveRun, operate

    limits, plugin, info = settings.limits, plugins[0], infos[0]
    check_params(plugin, settings.plugin)
    inputs = Inputs(functools.partial(check_inputs, settings))
    with contextlib.ExitStack() as opened:
        sinks = make_sinks(settings.falco, settings.origins)
        try:
            positions = _positions(settings, info)
            if positions is not None:
                opened.callback(positions.close)  # after the last commit
            development = None
            if limits.reload:
                from lanner.cli.runs.develop import Development  # rarely needed

                development = Development(settings, positions, inputs)
                source = development.start(plugin, settings)
            else:
                source = open_source(plugin, settings.plugin.open_params, positions, inputs)
        except LannerError as error:
            for sink in sinks:
                sink.close()
            # the position's file belongs to the source
            return fail(str(error), UNREACHABLE if isinstance(error, SourceError) else exit_code(error))
        if without_values := plugin.fields_without_values():
            from lanner.rules.lint.silent import find_silent_rules, tell_silent  # rarely needed

            for advice, names in find_silent_rules(compiled.rules, without_values).items():
                say(f"warning: {tell_silent(names)}. To change this, {advice}")
        try:
            delivery = deliver_live(settings.falco, sinks, source.close)
        except LannerError:
            source.close()
            raise
        history = History()
        opened.callback(history.close)  # if a plugin blocks the main thread, this is its only call
        history.use(sinks)
        pump = make_pump(plugins, compiled, settings, history.load(infos, settings))
        runner = Runner(source, pump, delivery, time.time_ns, limits.max_events)
        start = f"watching {source.description or info.event_source} with {_rules(settings, compiled)}; Ctrl-C ends it"
        try:
            run = LiveRun(plugins, infos, settings, runner, source, inputs, again, history, development)
            with operate(run, compiled) as operation:
                return _go_on(runner, source, limits.duration, start, operation, info.hint, opened.close)
        finally:
            source.close()
            runner.close()


def _positions(settings: Settings, info: PluginInfo) -> PositionFile | None:
    """Return the store of the source's position; None if the plugin has no positions, or none are stored."""
    from_start = settings.limits.from_start
    if not info.resumes:
        if from_start:
            raise UsageError(f"the plugin {info.name} does not resume at a stored position: leave out --from-start")
        return None
    directory = state_directory(settings.falco.lanner.state_directory)
    return None if directory is None else PositionFile(directory, info, forget=from_start)


def _go_on(
    runner: Runner,
    source: Source,
    duration: float | None,
    start: str,
    operation: Operation | None = None,
    hint: str = "",
    release: Callable[[], None] = lambda: None,
) -> int:
    """Run from the first event to the summary, and return the exit code. `start` is printed once Ctrl-C is handled.

    `release` closes the resources of the caller, if plugin code blocks this thread after a signal so that it cannot return.
    """
    code, begin = OK, time.monotonic()

    def stop() -> None:
        source.close()
        if source.stuck:
            _abandon(runner, source, time.monotonic() - begin, release)

    try:
        # closed inside the context: if closing hangs, a second signal must still be handled
        with close_on_signal(stop, duration, operation.signals if operation else None), contextlib.closing(source):
            say(start)
            if operation:
                operation.note_begin(start)
            runner.run(_NUDGE_AFTER if hint else None, lambda: _nudge(hint))
    except OutputClosedError:
        pass  # the reader has closed the pipe
    except LannerError as error:
        code = fail(str(error), exit_code(error))
    finally:
        if operation:
            operation.note_end()
        try:
            runner.close()
        except LannerError as error:
            code = fail(str(error), code or FAILED)
    _summary(runner, source, time.monotonic() - begin)
    return code


def _abandon(runner: Runner, source: Source, seconds: float, release: Callable[[], None]) -> NoReturn:
    """End the process from another thread: deliver the alerts so far, and store the position. The plugin blocks the main thread."""
    fail(source.stuck, FAILED)
    try:
        runner.close()
    except LannerError as error:
        fail(str(error), FAILED)
    _summary(runner, source, seconds)
    release()
    sys.stderr.flush()
    os._exit(FAILED)


def _nudge(hint: str) -> None:
    say("no events yet. This command would raise an alert:", *(f"    {line}" for line in hint.splitlines()))


def _summary(runner: Runner, source: Source, seconds: float) -> None:
    counts = runner.pump.counts()
    say(f"{many(counts.events, 'event')}, {many(sum(counts.alerts.values()), 'alert')} in {seconds:.1f} s")
    for rule, count in sorted(counts.alerts.items(), key=lambda item: -item[1]):
        add(printable_line(f"{count:>8}  {rule}"))
    if counts.not_json:
        whose = "its" if counts.not_json == 1 else "their"
        say(f"{many(counts.not_json, 'payload')} {runner.pump.unreadable}: {whose} fields have no values")
    if counts.invalid_utf8:
        say(f"{many(counts.invalid_utf8, 'payload')} with invalid UTF-8: the fields have the bytes as they are")
    if left_out := sum(runner.delivery.suppressed.values()):
        say(f"{many(left_out, 'alert')} suppressed by $.lanner.throttle or $.lanner.deduplicate")
    for what, count in source.counters.items():
        say(f"{what}: {count:,}")
    for what, count in counts.failures.items():
        say(f"{what} failed {many(count, 'time')}")
    for line in runner.pump.describe_misfits():
        say(line)


def _rules(settings: Settings, compiled: CompiledRules) -> str:
    return f"{many(len(compiled.rules), 'rule')} ({_origin(settings)})"


def _origin(settings: Settings) -> str:
    """Return the origin of the rules."""
    return "the plugin's own" if settings.rules is None else ", ".join(settings.rules)
