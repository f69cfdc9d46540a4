"""falco.yaml as Lanner has it: the keys that mean something here, typed, with Falco's defaults."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import msgspec

from lanner.rules.append import Append  # noqa: TC001 - the decoder asks for the types
from lanner.rules.items import Priority
from lanner.rules.select import Switch  # noqa: TC001


class Matching(StrEnum):
    """Which of the rules that match an event raise an alert."""

    FIRST = "first"
    ALL = "all"


class Strategy(StrEnum):
    """What an included file does to keys that are there already."""

    APPEND = "append"
    OVERRIDE = "override"
    ADD_ONLY = "add-only"


class Include(msgspec.Struct, frozen=True):
    """An entry of `config_files`: a file, or a directory of files."""

    path: str
    strategy: Strategy = Strategy.APPEND


class PluginEntry(msgspec.Struct, frozen=True):
    """An entry of `plugins`. `init_config` is the text that the plugin gets, or a mapping."""

    name: str
    library_path: str
    init_config: str | dict[str, Any] = ""
    open_params: str = ""


class StdoutOutput(msgspec.Struct, frozen=True):
    """Alerts to standard output."""

    enabled: bool = False


class FileOutput(msgspec.Struct, frozen=True):
    """Alerts to a file. Without `keep_alive` it is opened again for more of them."""

    enabled: bool = False
    filename: str = ""
    keep_alive: bool = False


class Falco(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. None is told from an empty list where that makes a difference."""

    config_files: tuple[Include, ...] = ()
    plugins: tuple[PluginEntry, ...] = ()
    load_plugins: tuple[str, ...] | None = None
    plugins_hostinfo: bool = True
    rules_files: tuple[str, ...] | None = None
    rules_file: tuple[str, ...] | None = None
    rules: tuple[Switch, ...] = ()
    priority: Priority = Priority.DEBUG
    rule_matching: Matching = Matching.FIRST
    append_output: tuple[Append, ...] = ()
    static_fields: dict[str, str] = {}
    json_output: bool = False
    json_include_output_property: bool = True
    json_include_message_property: bool = False
    json_include_tags_property: bool = True
    json_include_output_fields_property: bool = True
    time_format_iso_8601: bool = False
    stdout_output: StdoutOutput = StdoutOutput()
    file_output: FileOutput = FileOutput()


UNUSED: Final = frozenset(
    {
        *("base_syscalls", "capture", "container_engines", "engine", "falco_libs", "syscall_event_drops", "syscall_event_timeouts"),
        *("grpc", "grpc_output", "http_output", "outputs", "program_output", "syslog_output", "webserver", "metrics"),
        *("buffered_outputs", "output_timeout", "outputs_queue", "buffer_format_base64", "watch_config_files"),
        *("libs_logger", "log_level", "log_stderr", "log_syslog"),
    }
)
"""Falco's keys that mean nothing here."""

AS_IT_IS: Final = {"engine": {"kind": "nodriver"}, "log_stderr": "true"}
"""Values of such keys that ask for what is done anyway."""
