"""The blocks of falco.yaml for all outputs together: the queue, and Lanner's additions to Falco's keys (`lanner:`).

The blocks of the outputs themselves are declared in lanner.sinks.

Descriptions are what the configuration reference prints (lanner.config.reference).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from lanner.sdk.blocks import UINT64, Block
from lanner.sdk.secrets import Masked
from lanner.sinks.registry import SINKS


class OutputsQueue(Block, frozen=True):
    """The queue in front of each output."""

    capacity: Annotated[int, UINT64, Meta(description="Alerts that may wait in front of each output; 0: as many as memory is for")] = 0


class Spool(Masked, msgspec.Struct, frozen=True):
    """Alerts on disk while an output is down."""

    path: Annotated[str, Meta(description="A directory; empty: no spool")] = ""
    max_size_mb: Annotated[int, Meta(ge=1, description="MiB of alerts that an output may have there; then new ones wait in memory")] = 1024


class Throttle(Masked, msgspec.Struct, frozen=True):
    """So many alerts of a rule and no more."""

    rate: Annotated[float, Meta(ge=0, description="Alerts a second of each rule; 0: no limit")] = 0
    burst: Annotated[int, Meta(ge=1, description="Alerts that may come at once")] = 100


class Deduplicate(Masked, msgspec.Struct, frozen=True):
    """The same alert once."""

    window: Annotated[
        float, Meta(ge=0, description="Seconds in which an alert like one before, but for its time, is left out; 0: none")
    ] = 0


if TYPE_CHECKING:

    class _OfSinks(Masked, msgspec.Struct, frozen=True):
        """The additions to each sink, as its declaration names them."""

else:
    _OfSinks = msgspec.defstruct(
        "_OfSinks",
        [(sink.additions_key, sink.additions, sink.additions()) for sink in SINKS if sink.additions_key],
        bases=(Masked, msgspec.Struct),
        frozen=True,
    )


class Additions(_OfSinks, Masked, msgspec.Struct, frozen=True):
    """Keys that Lanner has and Falco has not. Falco warns of the key and goes on without it."""

    spool: Spool = Spool()
    throttle: Throttle = Throttle()
    deduplicate: Deduplicate = Deduplicate()
    allow_no_rules: Annotated[
        bool, Meta(description="True: a start or a reload that leaves no rule is no error; there are no alerts then")
    ] = False
    queue_size_mb: Annotated[int, Meta(ge=1, description="MiB of alerts that may wait in memory in front of each output")] = 64
    log_format: Annotated[Literal["text", "json"], Meta(description="How Lanner's own messages look")] = "text"
