"""Create sinks and their delivery from falco.yaml's output blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from lanner.cli.messages import say
from lanner.config.additions import Spool
from lanner.config.places import Origins
from lanner.config.sink_blocks import configured_sinks
from lanner.outputs.direct import DirectDelivery
from lanner.outputs.spool_place import find_spool_problem
from lanner.sinks.declaration import Common

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.config.falco import Falco
    from lanner.outputs.base import Delivery, Sink
    from lanner.outputs.throttle import Filter

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


def make_sinks(falco: Falco, origins: Origins = _NOWHERE) -> list[Sink]:
    """Open the enabled outputs. Print a warning if none is enabled. Raises `OutputError`, with the place of the value if known."""
    common = _common(falco)
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


def _common(falco: Falco) -> Common:
    return Common(_timeout(falco), falco.json_output)


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
