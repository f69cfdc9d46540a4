"""The keys of falco.yaml that Lanner uses, typed, with Falco's defaults."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from lanner.config.additions import Additions, OutputsQueue
from lanner.config.kernel import (
    BaseSyscalls,
    ContainerEngines,
    Engine,
    FalcoLibs,
    LibsLogger,
    Recording,
    SyscallEventDrops,
    SyscallEventTimeouts,
)
from lanner.config.monitoring import Metrics, WebServer
from lanner.rules.files.items import Priority
from lanner.rules.output.append import Append  # noqa: TC001 - the decoder asks for the types
from lanner.rules.resolve.select import Switch  # noqa: TC001
from lanner.sdk.options.blocks import AT_START, PATH, UINT32, WITHOUT_EFFECT
from lanner.sdk.options.secrets import SafeRepr
from lanner.sinks.registry import SINKS

LogLevel: TypeAlias = Literal["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"]


class MatchPolicy(StrEnum):
    """Policy for events that match several rules."""

    FIRST = "first"
    ALL = "all"


class Strategy(StrEnum):
    """Policy for keys of an included file that exist already."""

    APPEND = "append"
    OVERRIDE = "override"
    ADD_ONLY = "add-only"


class Include(SafeRepr, msgspec.Struct, frozen=True):
    """An entry of `config_files`: a file, or a directory of files."""

    path: Annotated[str, PATH]
    strategy: Strategy = Strategy.APPEND


class PluginEntry(SafeRepr, msgspec.Struct, frozen=True):
    """An entry of `plugins`. `init_config` is the string that the plugin receives, or a mapping."""

    name: str
    library_path: Annotated[str, PATH]
    init_config: str | dict[str, Any] = ""
    open_params: str = ""


if TYPE_CHECKING:

    class _Outputs(SafeRepr, msgspec.Struct, frozen=True, kw_only=True):
        """The blocks of all sinks that Falco has, too, by the names of their declarations."""

else:
    _Outputs = msgspec.defstruct(
        "_Outputs",
        [(sink.name, sink.block, sink.block()) for sink in SINKS if not sink.is_own],
        bases=(SafeRepr, msgspec.Struct),
        frozen=True,
        kw_only=True,
    )


class Falco(_Outputs, SafeRepr, msgspec.Struct, frozen=True, kw_only=True):
    """The whole configuration. None differs from an empty list if that changes the meaning."""

    config_files: Annotated[
        tuple[Include, ...], Meta(description="More files and directories to read, with the `strategy` `append`, `override` or `add-only`")
    ] = ()
    plugins: Annotated[
        tuple[PluginEntry, ...], Meta(description="A list of mappings with `name`, `library_path`, `init_config` and `open_params`")
    ] = ()
    load_plugins: Annotated[tuple[str, ...] | None, Meta(description="Names of the plugins to load; without the key all")] = None
    plugins_hostinfo: Annotated[bool, Meta(description="False: `evt.hostname` is empty")] = True
    rules_files: Annotated[
        tuple[str, ...] | None,
        PATH,
        Meta(description="Files, and directories with .yaml and .yml files; without the key the plugin's own rules"),
    ] = None
    rules_file: Annotated[tuple[str, ...] | None, PATH, Meta(description="The old name of `rules_files`")] = None
    rules: Annotated[
        tuple[Switch, ...], Meta(description="`enable` and `disable`, by `rule` (`*` matches any text) or `tag`, applied in order")
    ] = ()
    priority: Annotated[Priority, Meta(description="Rules of lower priority do not run")] = Priority.DEBUG
    rule_matching: Annotated[MatchPolicy, Meta(description="Which of the rules that match an event raise an alert: `first`, `all`")] = (
        MatchPolicy.FIRST
    )
    append_output: Annotated[
        tuple[Append, ...],
        Meta(description="`match` (`rule`, `source`, `tags`), `extra_output`, `extra_fields`, `suggested_output`: additions to alerts"),
    ] = ()
    static_fields: Annotated[
        dict[str, str], Meta(description="Fields `static.NAME` for conditions and outputs; `suggested_output` adds them")
    ] = {}
    json_output: Annotated[bool, Meta(description="Alerts as JSON")] = False
    json_include_output_property: Annotated[bool, Meta(description="Include `output` in the JSON")] = True
    json_include_message_property: Annotated[bool, Meta(description="Include `message`: the output without time and priority")] = False
    json_include_tags_property: Annotated[bool, Meta(description="Include `tags`")] = True
    json_include_output_fields_property: Annotated[bool, Meta(description="Include `output_fields`")] = True
    time_format_iso_8601: Annotated[bool, Meta(description="Times in UTC with the date")] = False
    outputs_queue: OutputsQueue = OutputsQueue()
    output_timeout: Annotated[
        int,
        UINT32,
        Meta(description="Timeout of an output, in milliseconds. Lanner logs a longer delivery, and ends the exchange with a server"),
    ] = 2000
    buffered_outputs: Annotated[bool, Meta(description="No effect: Lanner writes all waiting alerts immediately, in one write")] = False
    watch_config_files: Annotated[
        bool,
        AT_START,
        Meta(description="Reload the configuration and all rules, including the plugin's own, when a file changes, as on SIGHUP"),
    ] = True
    log_level: Annotated[LogLevel, AT_START, Meta(description="Level of Lanner's own messages")] = "info"
    log_stderr: Annotated[bool, AT_START, Meta(description="Write these messages to standard error")] = True
    log_syslog: Annotated[bool, AT_START, Meta(description="Write these messages to this machine's syslog")] = False
    webserver: Annotated[WebServer, AT_START] = WebServer()
    metrics: Annotated[Metrics, AT_START] = Metrics()
    lanner: Additions = Additions()
    engine: Annotated[Engine, WITHOUT_EFFECT] = Engine()
    capture: Annotated[Recording, WITHOUT_EFFECT] = Recording()
    base_syscalls: Annotated[BaseSyscalls, WITHOUT_EFFECT] = BaseSyscalls()
    falco_libs: Annotated[FalcoLibs, WITHOUT_EFFECT] = FalcoLibs()
    syscall_event_drops: Annotated[SyscallEventDrops, WITHOUT_EFFECT] = SyscallEventDrops()
    syscall_event_timeouts: Annotated[SyscallEventTimeouts, WITHOUT_EFFECT] = SyscallEventTimeouts()
    container_engines: Annotated[ContainerEngines, WITHOUT_EFFECT] = ContainerEngines()
    libs_logger: Annotated[LibsLogger, WITHOUT_EFFECT] = LibsLogger()
    buffer_format_base64: Annotated[bool, WITHOUT_EFFECT] = False
