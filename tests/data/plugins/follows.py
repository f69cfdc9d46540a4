"""Follows a log file, or what a program makes of it, with one JSON object per line."""

from typing import Annotated

import lanner
from lanner import Meta, field, payload, sources


class FollowsConfig(lanner.Config):
    """Options of `init_config`."""

    path: Annotated[str, Meta(description="The log file")] = "/nonexistent"
    program: Annotated[list[str], Meta(description="The program to run instead")] = []  # noqa: RUF012 - a msgspec Struct


class Follows(lanner.Plugin):
    """Lines of a log file."""

    id, name, version, event_source, contact = 4247, "follows", "0.1.0", "follows", "the tests"
    config: FollowsConfig
    fields = (field("follows.id", payload["id"].integer(), "The number"),)

    def open(self, _params: str, position: str | None) -> sources.Tail | sources.Program:
        if self.config.program:
            return sources.program(self.config.program)
        return sources.tail(self.config.path, position=position)
