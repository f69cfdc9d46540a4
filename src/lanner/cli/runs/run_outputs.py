"""Create sinks and their delivery from falco.yaml's output blocks."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from lanner.cli.messages import say
from lanner.config.additions import Spool
from lanner.config.option_places import Origins
from lanner.config.path_values import list_inputs
from lanner.config.sink_blocks import configured_sinks
from lanner.host.plugin_files import list_plugin_files
from lanner.host.recording import list_recordings
from lanner.outputs.direct import DirectDelivery
from lanner.outputs.spool_place import find_spool_problem, spool_file
from lanner.rules.files.load import OWN_RULES
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import SourceError
from lanner.sdk.files import check_apart
from lanner.sinks.declaration import CommonSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lanner.cli.runs.settings import Settings
    from lanner.config.falco import Falco
    from lanner.outputs.base import Delivery, Sink
    from lanner.outputs.throttle import Filter
    from lanner.sdk.authoring.plugin import Plugin
    from lanner.sdk.hosting.inputs import Inputs

_MEBI: Final = 1 << 20
_NOWHERE: Final = Origins()


def outputs_of(falco: Falco) -> tuple[object, ...]:
    """Return all parts of a configuration that outputs are made of: a reload that changes none of them keeps the outputs."""
    return (
        *(sink.block for sink in configured_sinks(falco)),
        falco.outputs_queue,
        falco.output_timeout,
        falco.json_output,
        falco.lanner,
    )


def _timeout(falco: Falco) -> float:
    """Return `output_timeout` in seconds. Falco accepts 0, which would let nothing finish."""
    return max(falco.output_timeout, 1) / 1000


def make_sinks(falco: Falco, origins: Origins = _NOWHERE, *, is_replay: bool = False) -> list[Sink]:
    """Open the enabled outputs. Print a warning if none is enabled. Raises `OutputError`, with the place of the value if known."""
    common = _common(falco)._replace(is_replay=is_replay)
    sinks: list[Sink] = []
    try:
        for sink in configured_sinks(falco):
            if sink.is_enabled:
                with origins.place_errors():
                    sinks.append(sink.make(common))
    except BaseException:
        for each in sinks:
            each.close()
        raise
    if not sinks:
        say("warning: no output is enabled: alerts are only counted; -o stdout_output.enabled=true prints them")
    return sinks


def check_sinks(falco: Falco, origins: Origins) -> None:
    """Raise the `OutputError` that `make_sinks` would raise. Creates and sends nothing."""
    for sink in configured_sinks(falco):
        if sink.is_enabled:
            with origins.place_errors():
                sink.check(_common(falco))


def check_spool(falco: Falco) -> None:
    """Print a warning if a run could not use its spool: it would start all the same. Creates nothing. Raises `OutputError`."""
    spool = falco.lanner.spool.path
    if spool:
        from lanner.outputs.delivery import import_spool

        import_spool()
    outputs = [sink.declaration.name for sink in configured_sinks(falco) if sink.is_enabled]
    if spool and (reason := find_spool_problem(spool, outputs)):
        say(f"warning: the spool {spool} ($.lanner.spool.path) cannot be used: {reason}; alerts would wait only in memory")


def check_written(settings: Settings, classes: Sequence[type[Plugin]]) -> None:
    """Raise `UsageError` if the run would write to a file that it reads, or its report to another of its outputs."""
    limits = settings.limits
    appended = [*_list_written(settings)]
    replaced = [(option, path) for option, path in (("--pidfile", limits.pidfile), ("--report", limits.report)) if path]
    inputs = [*_list_read(settings, classes)]
    with settings.origins.place_errors():
        check_apart([*appended, *replaced], inputs)
        check_apart(replaced, [("writes the output", path) for _, path in appended if isinstance(path, str)])
        check_apart(replaced[1:], [("writes its process ID to", path) for _, path in replaced[:1]])


def check_inputs(settings: Settings, inputs: Inputs) -> None:
    """Raise `UsageError` if the run would write to a file that its event source reads, because its alerts would be events again."""
    written = [*_list_written(settings), ("standard error", 2)]
    paths = [path for _, path in written if isinstance(path, str)]
    with settings.origins.place_errors():
        check_apart(written, inputs.list_files(paths))


def _list_written(settings: Settings) -> Iterator[tuple[str, str | int]]:
    """Yield the files of the enabled outputs, each with its option or key."""
    falco, limits = settings.falco, settings.limits
    enabled = [sink for sink in configured_sinks(falco) if sink.is_enabled]
    for sink in enabled:
        for key, path in sink.list_written():
            yield "--output" if path == limits.output else key, path
    if limits.replay is None:  # a replay has no such services
        if falco.metrics.enabled and falco.metrics.output_file:
            yield "$.metrics.output_file", falco.metrics.output_file
        if spool := falco.lanner.spool.path:
            yield "$.lanner.spool.path", spool
            for each in enabled:
                yield "$.lanner.spool.path", str(spool_file(spool, each.declaration.name))


def _list_read(settings: Settings, classes: Sequence[type[Plugin]]) -> Iterator[tuple[str, str | int]]:
    """Yield the files that a run reads, each with its use."""
    info = plugin_info(classes[0])
    with suppress(SourceError):  # opening them reports it
        for path in list_recordings(settings.limits.recordings, info):
            yield ("reads the recording on standard input", 0) if path == "-" else ("reads the recording", path)
    own = [] if info.rules is None else [str(info.rules)]
    for path in own if settings.rules is None else settings.rules:
        for file in own if path == OWN_RULES else [path]:
            yield "reads the rules file", file
    for path in settings.config_files:
        yield "reads the configuration file", path
    for key, path in _list_configured_inputs(settings):
        yield f"reads the file of {key},", path
    for cls, setup in zip(classes, (settings.plugin, *settings.beside), strict=False):
        yield from list_plugin_files(cls, setup.init_config)


def _list_configured_inputs(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the files that the configured outputs and the web server read, each with its key."""
    falco = settings.falco
    for sink in configured_sinks(falco):
        if sink.is_enabled:
            yield from list_inputs(sink.block, f"$.{sink.declaration.path}")
            yield from list_inputs(sink.additions, f"$.lanner.{sink.declaration.additions_key}")
    if falco.webserver.enabled and falco.webserver.ssl_enabled and settings.limits.replay is None:
        yield from list_inputs(falco.webserver, "$.webserver")


def _common(falco: Falco) -> CommonSettings:
    return CommonSettings(_timeout(falco), falco.json_output)


def deliver_directly(falco: Falco, sinks: list[Sink]) -> Delivery:
    """Delivery for a replay: nothing is dropped, and the failure of the only output ends it."""
    return _add_filters(falco, DirectDelivery(sinks))


def deliver_live(falco: Falco, sinks: list[Sink], closed: Callable[[], None]) -> Delivery:
    """Delivery for a live run, which survives failing outputs. `closed` is called when standard output was closed.

    Raises `LannerError` if another run uses the spool.
    """
    from lanner.outputs.delivery import QueuedDelivery, SpoolSettings

    spool = falco.lanner.spool
    delivery = QueuedDelivery(
        sinks,
        closed=closed,
        capacity=falco.outputs_queue.capacity,
        most_bytes=falco.lanner.queue_size_mb * _MEBI,
        timeout=_timeout(falco),
        spool=SpoolSettings(spool.path, spool.max_size_mb * _MEBI) if spool.path else None,
    )
    return _add_filters(falco, delivery)


def deliver_on(falco: Falco, sinks: list[Sink], closed: Callable[[], None]) -> Delivery:
    """Create the delivery during a run, without a spool if it cannot be opened."""
    try:
        return deliver_live(falco, sinks, closed)
    except Exception as error:  # noqa: BLE001 - the outputs before are closed: the run must not be left without any
        say(f"error: {error}; alerts wait only in memory")
        own = msgspec.structs.replace(falco.lanner, spool=Spool())
        return deliver_live(msgspec.structs.replace(falco, lanner=own), sinks, closed)


def link_prefix(falco: Falco) -> str:
    """Return the beginning of all links to alerts, before their keys; "" without a console."""
    address = falco.lanner.console.address
    return f"{address.rstrip('/')}/#alert=" if address else ""


def _add_filters(falco: Falco, delivery: Delivery) -> Delivery:
    own = falco.lanner
    if not own.deduplicate.window and not own.throttle.rate:
        return delivery
    from lanner.outputs.throttle import Deduplicator, FilterChain, Throttle

    filters: list[Filter] = []
    if own.deduplicate.window:
        filters.append(Deduplicator(own.deduplicate.window, link=link_prefix(falco)))
    if own.throttle.rate:
        filters.append(Throttle(own.throttle.rate, own.throttle.burst))
    return FilterChain(delivery, filters)
