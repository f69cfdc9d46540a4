"""The sinks of a configuration: each declaration of `lanner.sinks` with its block of falco.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lanner.sinks.declaration import NoAdditions
from lanner.sinks.registry import SINKS, ConfiguredSink

if TYPE_CHECKING:
    from lanner.config.falco import Falco


def configured_sinks(falco: Falco) -> tuple[ConfiguredSink, ...]:
    """Return all sinks, enabled or not, with their parts of a configuration."""
    return tuple(
        ConfiguredSink(
            sink,
            getattr(falco.lanner if sink.is_own else falco, sink.name),
            getattr(falco.lanner, sink.additions_key) if sink.additions_key else NoAdditions(),
        )
        for sink in SINKS
    )
