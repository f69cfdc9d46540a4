# ruff: noqa: F821, RUF012 - some lines are wrong on purpose
"""A plugin for a type checker; read by tests/sdk/test_public_names.py, never run."""

import time
from collections.abc import AsyncIterator, Iterator
from ipaddress import IPv4Address
from typing import Annotated

import lanner
from lanner import INDEX, KEY, Meta, field, payload
from lanner.sdk.hosting.plugin_init import init_plugin

attributes = payload["Actor", "Attributes"]
reveal_type(attributes["com.example.role"])  # reveals: lanner.sdk.payload.values.Path
reveal_type(attributes[KEY])  # reveals: lanner.sdk.payload.values.Path
reveal_type(payload["list", INDEX])  # reveals: lanner.sdk.payload.values.Path
reveal_type(payload["status"] | payload["Action"].when(payload["Type"], "container"))  # reveals: lanner.sdk.payload.values.FirstValue
reveal_type(payload["time"].time("ns"))  # reveals: lanner.sdk.payload.values.Word
reveal_type(field("docker.type", payload["Type"], "Kind"))  # reveals: lanner.sdk.authoring.fields.FieldDeclaration
payload["time"].time("minutes")  # error: [arg-type]
payload[1.5]  # error: [index]


class DoorConfig(lanner.Config):
    """Options of the plugin."""

    flush_interval: Annotated[int, Meta(ge=1, description="Milliseconds")] = 30
    token: lanner.Secret | None = None


class Doors(lanner.Plugin):
    """Doors."""

    id, name, version, event_source = 4242, "doors", "0.1.0", "doors"
    contact = "github.com/you/doors"
    config: DoorConfig
    timestamp = payload["at"].time("s")
    fields = [field("doors.name", payload["name"], "Name")]

    def open(self, params: str) -> Iterator[str | bytes | lanner.Event | lanner.Nothing]:
        reveal_type(self.config.flush_interval)  # reveals: int
        if self.config.token:
            reveal_type(self.config.token.reveal())  # reveals: str
        yield lanner.NOTHING
        yield lanner.Event(b"{}", timestamp=time.time_ns())
        yield lanner.Event(5)  # error: [arg-type]

    @field("doors.size", "Size")
    def size(self, event: lanner.Event, key: str = "") -> int | None:
        reveal_type(event.payload)  # reveals: bytes
        match event.json:
            case {"name": str(name)}:
                reveal_type(name)  # reveals: str
        event.json.get("name")  # error: [union-attr]
        reveal_type(event.timestamp)  # reveals: int | None
        return len(event.payload) or None

    @field("doors.address", "Address")
    def address(self, event: lanner.Event) -> IPv4Address:
        return IPv4Address(event.payload)

    @field("doors.opened", "When")
    def opened(self, event: lanner.Event) -> lanner.Abstime:
        return 5


class Reader(lanner.OpenInstance):
    """Reads chunks."""

    def read_chunk(self, timeout: float) -> bytes | lanner.Nothing:
        return b"" if timeout else lanner.NOTHING


class Chunks(lanner.Plugin, abstract=True):
    """A source of chunks, opened by a parameter of any name."""

    def open(self, _given: str) -> Reader:
        return Reader()


class Resuming(lanner.Plugin, abstract=True):
    """A source that resumes."""

    def open(self, params: str, position: int | None) -> Iterator[lanner.Event]:
        yield lanner.Event("x", position=(position or 0) + 1)
        yield lanner.Event("x", position={"a": [1, "b", None]})
        yield lanner.Event("x", position={1, 2})  # error: [arg-type]


class Following(lanner.Plugin, abstract=True):
    """A source of `lanner.sources`, as it is."""

    def open(self, params: str, position: str | None) -> lanner.sources.Tail:
        return lanner.sources.tail(params, position=position, start="end")


class Reading(lanner.Plugin, abstract=True):
    """One that a generator reads."""

    def open(self, params: str) -> Iterator[lanner.Event]:
        for event in lanner.sources.program(["ls", params]):
            reveal_type(event)  # reveals: lanner.sdk.authoring.events.Event
            yield event
        yield from lanner.sources.queue(policy="wait")  # error: [arg-type]


class NoSource(lanner.Plugin, abstract=True):
    """A wrong return type."""

    def open(self, params: str) -> int:  # error: [override]
        return 1


class Feed(Doors, abstract=True):
    """An async source."""

    async def open(self, params: str) -> AsyncIterator[str]:  # type: ignore[override]
        yield "a"


doors = init_plugin(Doors, "{}")
reveal_type(doors)  # reveals: plugin.Doors
reveal_type(doors.opened(lanner.Event("x")))  # reveals: int
reveal_type(lanner.Chunk(b"", stream=1, reset=True).data)  # reveals: bytes

with lanner.testing.host(Doors) as host:
    reveal_type(host)  # reveals: lanner.testing.running.Host
    reveal_type(host.next())  # reveals: lanner.sdk.authoring.events.Event
