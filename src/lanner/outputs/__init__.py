"""Delivery of alerts: sinks (`StdoutOutput`, `FileOutput`), and deliveries that hand alerts to them. `base` declares both. Private."""

from lanner.outputs.base import Alert, Delivery, OutputClosedError, OutputError, Sink, SinkCounts
from lanner.outputs.direct import DirectDelivery
from lanner.outputs.file_output import FileOutput
from lanner.outputs.stdout_output import StdoutOutput

__all__ = [
    "Alert",
    "Delivery",
    "DirectDelivery",
    "FileOutput",
    "OutputClosedError",
    "OutputError",
    "Sink",
    "SinkCounts",
    "StdoutOutput",
]
