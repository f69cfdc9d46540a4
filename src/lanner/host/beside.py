"""The plugins of one run: the one whose events are read, and those that extract fields of its events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.sdk.errors import ConfigError
from lanner.sdk.records import replace_members

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.sdk.authoring.plugin import PluginInfo

_SYSCALL: Final = "syscall"
"""The event source that every Falco has: a plugin only for it is loaded, and has no effect here."""


def join_fields(infos: Sequence[PluginInfo]) -> PluginInfo:
    """Return the declaration of the first plugin, with the fields that the others extract from its events.

    Raise `ConfigError`, as Falco does, for one that reads no such events, and for a field that two plugins have.
    """
    first, *others = infos
    source = first.event_source
    owners = {field.info.name: first.name for field in first.fields}
    fields = list(first.fields)
    for info in others:
        if not info.reads(source):
            if info.reads(_SYSCALL):
                continue
            raise ConfigError(
                f"the plugin {info.name} is loaded but reads no events of {source}: it extracts fields of {', '.join(info.read_sources)}; "
                "leave it out of $.load_plugins"
            )
        for field in info.fields:
            name = field.info.name
            if name in owners:
                raise ConfigError(f"the plugins {owners[name]} and {info.name} both have the field {name} for {source}: load one of them")
            owners[name] = info.name
            fields.append(field)
    return replace_members(first, fields=tuple(fields))
