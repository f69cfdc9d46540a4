"""The blocks of falco.yaml for all outputs together: the queue, and Lanner's additions to Falco's keys (`lanner:`).

The blocks of the outputs themselves are declared in lanner.sinks.

The configuration reference prints the descriptions (lanner.config.reference).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from lanner.sdk.options.blocks import AT_START, PATH, UINT64, Block
from lanner.sdk.options.secrets import SafeRepr
from lanner.sinks.registry import SINKS


class OutputsQueue(Block, frozen=True):
    """The queue of each output."""

    capacity: Annotated[
        int, UINT64, Meta(description="Alerts that may wait for each output; 0: no limit other than `lanner.queue_size_mb`")
    ] = 0


class Spool(SafeRepr, msgspec.Struct, frozen=True):
    """Store alerts on disk while an output is down."""

    path: Annotated[str, PATH, Meta(description="Directory; empty: no spool")] = ""
    max_size_mb: Annotated[int, Meta(ge=1, description="MiB of alerts on disk for each output; further alerts wait in memory")] = 1024


class Throttle(SafeRepr, msgspec.Struct, frozen=True):
    """Limit the rate of alerts of each rule."""

    rate: Annotated[float, Meta(ge=0, description="Alerts per second of each rule; 0: no limit")] = 0
    burst: Annotated[int, Meta(ge=1, description="Alerts that may arrive at the same time")] = 100


class Deduplication(SafeRepr, msgspec.Struct, frozen=True):
    """Drop repeated alerts."""

    window: Annotated[
        float,
        Meta(ge=0, description="Seconds in which Lanner drops alerts that differ from an earlier one only in time; 0: no deduplication"),
    ] = 0


class Console(SafeRepr, msgspec.Struct, frozen=True):
    """The console of this run's alerts (`lanner console`), which is another process."""

    address: Annotated[
        str, Meta(description="Its address, such as http://127.0.0.1:8766, for links to alerts (`%lanner.link`); empty: no links")
    ] = ""


if TYPE_CHECKING:

    class _SinkAdditions(SafeRepr, msgspec.Struct, frozen=True):
        """The additions to each sink, as its declaration names them, and the blocks of sinks that Falco does not have."""

else:
    _SinkAdditions = msgspec.defstruct(
        "_SinkAdditions",
        [
            *((sink.additions_key, sink.additions, sink.additions()) for sink in SINKS if sink.additions_key),
            *((sink.name, sink.block, sink.block()) for sink in SINKS if sink.is_own),
        ],
        bases=(SafeRepr, msgspec.Struct),
        frozen=True,
    )


class Additions(_SinkAdditions, SafeRepr, msgspec.Struct, frozen=True):
    """Keys that only Lanner has. Falco prints a warning and ignores them."""

    spool: Spool = Spool()
    throttle: Throttle = Throttle()
    deduplicate: Deduplication = Deduplication()
    console: Console = Console()
    state_directory: Annotated[
        str,
        AT_START,
        Meta(
            description="Directory for the positions of event sources, from which a restart resumes; `none`: they are not stored. "
            "Empty: the variable `LANNER_STATE_DIRECTORY` or `STATE_DIRECTORY`, `/var/lib/lanner` for root, or `~/.local/state/lanner`"
        ),
    ] = ""
    allow_no_rules: Annotated[bool, Meta(description="True: a start or a reload without any rule is allowed, and raises no alerts")] = False
    queue_size_mb: Annotated[int, Meta(ge=1, description="MiB of alerts that may wait in memory for each output")] = 64
    webserver_hosts: Annotated[
        tuple[str, ...],
        AT_START,
        Meta(
            description="Names by which clients request the pages of `webserver`, such as a service in Kubernetes. "
            "It always answers requests for IP addresses, localhost and this machine's name"
        ),
    ] = ()
    log_format: Annotated[Literal["text", "json"], AT_START, Meta(description="Format of Lanner's own messages")] = "text"
