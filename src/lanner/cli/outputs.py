"""Create sinks and their delivery from falco.yaml's output blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from lanner.cli.messages import say
from lanner.config.outputs import Spool
from lanner.outputs.direct import DirectDelivery

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.config.falco import Falco
    from lanner.outputs.base import Delivery, Sink
    from lanner.outputs.throttle import Filter

_MEBI: Final = 1 << 20


def outputs_of(falco: Falco) -> tuple[object, ...]:
    """The parts of a configuration that define the outputs: they are equal if and only if the outputs are."""
    return (
        falco.stdout_output,
        falco.file_output,
        falco.program_output,
        falco.syslog_output,
        falco.http_output,
        falco.outputs_queue,
        falco.output_timeout,
        falco.json_output,
        falco.lanner,
    )


def _timeout(falco: Falco) -> float:
    """Return `output_timeout` in seconds. Falco accepts 0, which would let nothing finish."""
    return max(falco.output_timeout, 1) / 1000


def make_sinks(falco: Falco) -> list[Sink]:
    """Open the enabled outputs. Print a warning if none is enabled. Raises `OutputError`."""
    sinks: list[Sink] = []
    try:
        _add_sinks(falco, sinks)
    except BaseException:
        for sink in sinks:
            sink.close()
        raise
    if not sinks:
        say("warning: no output is enabled: alerts are only counted; -o stdout_output.enabled=true prints them")
    return sinks


def _add_sinks(falco: Falco, sinks: list[Sink]) -> None:
    timeout = _timeout(falco)
    if falco.file_output.enabled:
        from lanner.outputs.file import FileOutput

        sinks.append(FileOutput(falco.file_output.filename, keep_alive=falco.file_output.keep_alive))
    if falco.stdout_output.enabled:
        from lanner.outputs.stdout import StdoutOutput

        sinks.append(StdoutOutput())
    if falco.program_output.enabled:
        from lanner.outputs.program import ProgramOutput

        sinks.append(ProgramOutput(falco.program_output.program, keep_alive=falco.program_output.keep_alive, timeout=timeout))
    if falco.syslog_output.enabled:
        from lanner.outputs.syslog import SyslogOutput

        target = falco.lanner.syslog
        sinks.append(
            SyslogOutput(
                target.address,
                facility=target.facility,
                ca_cert=target.ca_cert,
                client_cert=target.client_cert,
                client_key=target.client_key,
                timeout=timeout,
            )
        )
    if falco.http_output.enabled:
        from lanner.outputs.http import HttpOutput

        http = falco.http_output
        sinks.append(
            HttpOutput(
                http.url,
                user_agent=http.user_agent,
                json=falco.json_output,
                insecure=http.insecure,
                ca_cert=http.ca_cert,
                ca_bundle=http.ca_bundle,
                ca_path=http.ca_path,
                mtls=http.mtls,
                client_cert=http.client_cert,
                client_key=http.client_key,
                echo=http.echo,
                compress_uploads=http.compress_uploads,
                keep_alive=http.keep_alive,
                max_consecutive_timeouts=http.max_consecutive_timeouts,
                timeout=timeout,
                headers=falco.lanner.http.headers,
                batch_size=falco.lanner.http.batch_size,
            )
        )


def deliver_directly(falco: Falco, sinks: list[Sink]) -> Delivery:
    """Delivery for a replay: nothing is dropped, and the failure of the only output ends it."""
    return _filtered(falco, DirectDelivery(sinks))


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
    return _filtered(falco, delivery)


def deliver_on(falco: Falco, sinks: list[Sink], closed: Callable[[], None]) -> Delivery:
    """Create the delivery during a run, without a spool if it cannot be opened."""
    try:
        return deliver_live(falco, sinks, closed)
    except Exception as error:  # noqa: BLE001 - the outputs before are closed: the run must not be left without any
        say(f"error: {error}; alerts wait only in memory")
        own = msgspec.structs.replace(falco.lanner, spool=Spool())
        return deliver_live(msgspec.structs.replace(falco, lanner=own), sinks, closed)


def _filtered(falco: Falco, delivery: Delivery) -> Delivery:
    own = falco.lanner
    if not own.deduplicate.window and not own.throttle.rate:
        return delivery
    from lanner.outputs.throttle import Deduplicate, Filtered, Throttle

    filters: list[Filter] = []
    if own.deduplicate.window:
        filters.append(Deduplicate(own.deduplicate.window))
    if own.throttle.rate:
        filters.append(Throttle(own.throttle.rate, own.throttle.burst))
    return Filtered(delivery, filters)
