"""Where a run's alerts go: falco.yaml's blocks in, sinks and the delivery to them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanner.cli.messages import say
from lanner.outputs.direct import DirectDelivery

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.config.falco import Falco
    from lanner.outputs.base import Delivery, Sink


def outputs_of(falco: Falco) -> tuple[object, ...]:
    """All of a configuration that outputs are made of: where it is the same, they are."""
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


def make_sinks(falco: Falco) -> list[Sink]:
    """The outputs that are enabled, opened; warns where none is. Raises `OutputError`."""
    sinks: list[Sink] = []
    if falco.file_output.enabled:
        from lanner.outputs.file import FileOutput

        sinks.append(FileOutput(falco.file_output.filename, keep_alive=falco.file_output.keep_alive))
    if falco.stdout_output.enabled:
        from lanner.outputs.stdout import StdoutOutput

        sinks.append(StdoutOutput())
    if not sinks:
        say("warning: no output is enabled: alerts are counted and go nowhere; -o stdout_output.enabled=true prints them")
    return sinks


def deliver_live(falco: Falco, sinks: list[Sink], closed: Callable[[], None]) -> Delivery:
    """For a run that goes on whatever an output does. `closed` is called when nobody reads standard output any more."""
    return DirectDelivery(sinks)
