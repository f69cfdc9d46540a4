"""`lanner run`: a plugin's source or a recording through rules to an output, with what a person wants to know on stderr."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from typing import TYPE_CHECKING

from lanner.cli.config import make_plugin
from lanner.cli.messages import FAILED, OK, UNREACHABLE, fail, say
from lanner.config.falco import Matching
from lanner.framework.jobs import Jobs
from lanner.framework.load import load_plugin
from lanner.framework.pump import Pump, host_name
from lanner.framework.recording import open_recording
from lanner.framework.stop import closing
from lanner.outputs.base import OutputClosedError
from lanner.rules import AlertWriter, Catalog, RulesError, compile_rules, load_rules
from lanner.rules.select import select
from lanner.sdk.errors import LannerError, SourceError
from lanner.sdk.plugin import plugin_info
from lanner.sdk.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.cli.settings import Limits, Settings
    from lanner.config.falco import Falco
    from lanner.outputs.base import Output
    from lanner.rules import Compiled, Finding
    from lanner.sdk.batches import Source
    from lanner.sdk.plugin import PluginInfo

_HINT_AFTER = 2.0
"""Seconds without an event after which a command is shown that would raise an alert."""
_FOREVER = 24 * 3600.0
_SHOWN_FINDINGS = 50
_SHOWN_FOREIGN = 3


def run_plugin(settings: Settings) -> int:
    """Do it; gives the exit code. Raises `LannerError`."""
    logging.basicConfig(format="lanner: %(levelname)s: %(name)s: %(message)s", level=logging.WARNING)
    chosen, falco, limits = settings.plugin, settings.falco, settings.limits
    cls = load_plugin(chosen.target)
    info = plugin_info(cls)
    if info.event_source is None:
        raise LannerError(f"the plugin {info.name} has no event source, so there is nothing to run")
    plugin = make_plugin(cls, chosen.init_config, limits.host)
    try:
        compiled = _compile(info, settings)
    except RulesError as error:
        return _wrong_rules(error)
    if limits.dry_run:
        say(f"{_many(len(compiled.rules), 'rule')} ({_origin(settings)}) would run; nothing was opened")
        return OK
    output = _output(falco)
    try:
        source = open_source(plugin, chosen.open_params) if limits.replay is None else open_recording(limits.recordings, info)
    except SourceError as error:
        output.close()
        return fail(str(error), UNREACHABLE if limits.replay is None else FAILED)
    pump = Pump(
        plugin,
        compiled,
        _writer(falco),
        output,
        first=falco.rule_matching is Matching.FIRST,
        hostname=None if falco.plugins_hostinfo else "",
        static=falco.static_fields,
        native=limits.executor == "native",
    )
    return _Run(pump, source, output, info, limits).run(_start(info, settings, source, compiled))


class _Run:
    """One run from the first event to the summary."""

    def __init__(self, pump: Pump, source: Source, output: Output, info: PluginInfo, limits: Limits) -> None:
        self._pump = pump
        self._jobs = Jobs(pump, limits.jobs)
        self._source = source
        self._output = output
        self._hint = "" if limits.replay is not None else info.hint
        # a recording's events have the recording's times; one without a time happens when the one before it did
        self._clock: Callable[[], int] | None = None if limits.replay is not None else time.time_ns
        self._recording, self._name = limits.replay, info.name
        self._most = limits.max_events
        self._duration = limits.duration

    def run(self, start: str) -> int:
        """`start` is said as soon as Ctrl-C is heard."""
        code, begin = OK, time.monotonic()
        try:
            # closed within: where that hangs, a second signal has to be heard
            with closing(self._source.close, self._duration), contextlib.closing(self._source):
                say(start)
                self._loop()
            self._output.flush()
        except OutputClosedError:
            pass  # whoever read the alerts has seen enough
        except LannerError as error:
            code = fail(str(error))
        finally:
            self._jobs.close()
            code = self._close_output() or code
        self._summary(time.monotonic() - begin)
        return code or self._check_recording()

    def _loop(self) -> None:
        source, jobs, output = self._source, self._jobs, self._output
        hint_at = time.monotonic() + _HINT_AFTER if self._hint else None
        while True:
            try:
                batch = source.next_batch(_FOREVER if hint_at is None else max(0.0, hint_at - time.monotonic()))
            except LannerError:
                jobs.drain()
                raise
            if batch.payloads:
                if self._most is not None:
                    batch.payloads = batch.payloads[: self._most - jobs.events]
                jobs.feed(batch, self._clock)
                output.flush()
            if batch.ended or jobs.events == self._most:
                jobs.drain()
                return
            if hint_at is not None and (jobs.events or time.monotonic() >= hint_at):
                hint_at = None
                if not jobs.events:
                    say(f"nothing has happened yet. This would raise an alert:\n    {self._hint}")

    def _close_output(self) -> int:
        try:
            self._output.close()
        except OutputClosedError:
            return OK
        except LannerError as error:
            return fail(str(error))
        return OK

    def _check_recording(self) -> int:
        """A recording of which no line is an event is another file."""
        counts = self._pump.counts()
        if self._recording is None or not counts.events or counts.not_json < counts.events:
            return OK
        return fail(
            f"{self._recording} is no recording of {self._name}: none of its lines is JSON. `lanner record {self._name} -o FILE` makes one"
        )

    def _summary(self, seconds: float) -> None:
        counts = self._pump.counts()
        say(f"{_many(counts.events, 'event')}, {_many(sum(counts.alerts.values()), 'alert')} in {seconds:.1f} s")
        for rule, count in sorted(counts.alerts.items(), key=lambda item: -item[1]):
            sys.stderr.write(f"{count:>8}  {rule}\n")
        if counts.not_json:
            say(f"{_many(counts.not_json, 'payload')} not wholly valid JSON: no field has a value there")
        for what, count in self._source.counters.items():
            say(f"{what}: {count:,}")
        for what, count in counts.failures.items():
            say(f"{what} failed {_many(count, 'time')}")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _compile(info: PluginInfo, settings: Settings) -> Compiled:
    falco = settings.falco
    paths = settings.rules
    if paths is None:
        if info.rules is None:
            raise LannerError(f"the plugin {info.name} ships no rules: name a rules file with -r FILE")
        paths = (info.rules,)
    catalog = Catalog([declaration.info for declaration in info.fields], info.event_source or "", falco.static_fields)
    ruleset = load_rules(paths, catalog, plugins={info.name: info.version})
    for number, switch in enumerate(falco.rules):
        if not any(map(switch.concerns, ruleset.rules)):
            say(f"warning: $.rules[{number}] concerns no rule of source {info.event_source}")
    compiled = compile_rules(ruleset, catalog, select(ruleset.rules, falco.rules, falco.priority), falco.append_output)
    _warn(compiled.findings, info.event_source or "")
    if not compiled.rules:
        why = f"no rule is enabled for source {info.event_source}"
        if any(rule.enabled for rule in ruleset.rules):
            why = f"priority {str(falco.priority).lower()} and `rules` of the configuration leave no rule"
        say(f"warning: {why}: there will be no alerts")
    return compiled


def _warn(findings: Sequence[Finding], source: str) -> None:
    foreign = [finding for finding in findings if finding.code == "LOAD_UNKNOWN_SOURCE"]
    for finding in findings:
        if finding not in foreign:
            sys.stderr.write(finding.render() + "\n")
    if foreign:
        some = [f"    {finding.place}: {finding.message}" for finding in foreign[:_SHOWN_FOREIGN]]
        more = [f"    and {len(foreign) - len(some)} more"] if len(foreign) > len(some) else []
        lines = "\n".join([*some, *more])
        left = f"{_many(len(foreign), 'rule')} of other event sources left out"
        say(f"warning: {left}; a rule about these events says `source: {source}`:\n{lines}")


def _wrong_rules(error: RulesError) -> int:
    for finding in error.findings[:_SHOWN_FINDINGS]:
        sys.stderr.write(finding.render() + "\n")
    errors = sum(finding.severity == "error" for finding in error.findings)
    left = len(error.findings) - _SHOWN_FINDINGS
    return fail(f"the rules have {_many(errors, 'error')}" + (f" ({left} more findings not shown)" if left > 0 else ""))


def _writer(falco: Falco) -> AlertWriter:
    return AlertWriter(
        "json" if falco.json_output else "text",
        falco.time_format_iso_8601,
        host_name(),
        falco.json_include_output_property,
        falco.json_include_tags_property,
        falco.json_include_message_property,
        falco.json_include_output_fields_property,
    )


def _output(falco: Falco) -> Output:
    outputs: list[Output] = []
    if falco.file_output.enabled:
        from lanner.outputs.file import FileOutput

        outputs.append(FileOutput(falco.file_output.filename, keep_alive=falco.file_output.keep_alive))
    if falco.stdout_output.enabled:
        from lanner.outputs.stdout import StdoutOutput

        outputs.append(StdoutOutput())
    if len(outputs) == 1:
        return outputs[0]
    if not outputs:
        say("warning: no output is enabled: alerts are counted and go nowhere; -o stdout_output.enabled=true prints them")
    from lanner.outputs.several import SeveralOutputs

    return SeveralOutputs(outputs)


def _start(info: PluginInfo, settings: Settings, source: Source, compiled: Compiled) -> str:
    """What is watched, by which rules."""
    replay = settings.limits.replay
    what = f"replaying {replay}" if replay is not None else f"watching {source.description or info.event_source}"
    ends = "" if replay is not None else "; Ctrl-C ends it"
    return f"{what} with {_many(len(compiled.rules), 'rule')} ({_origin(settings)}){ends}"


def _origin(settings: Settings) -> str:
    """Where the rules come from."""
    return "the plugin's own" if settings.rules is None else ", ".join(settings.rules)
