"""The blocks of falco.yaml for outputs, and Lanner's additions to them (`lanner:`), typed, with their defaults.

The configuration reference (lanner.config.reference) prints the descriptions.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lanner.config.sizes import REQUIRED, UINT8, UINT64, Block
from lanner.sdk.secrets import Masked


class StdoutOutput(Block, frozen=True):
    """Write alerts to standard output."""

    enabled: bool = False


class FileOutput(Block, frozen=True):
    """Append alerts to a file. A new file has mode 0600."""

    enabled: bool = False
    filename: Annotated[str, Meta(description="Path of the file")] = ""
    keep_alive: Annotated[bool, Meta(description="True: keep the file open until SIGUSR1; false: open it for each batch of alerts")] = False


class ProgramOutput(Masked, msgspec.Struct, frozen=True):
    """Write alerts to a program's standard input, one line each."""

    enabled: bool = False
    program: Annotated[str, REQUIRED, Meta(description="Command line for /bin/sh")] = ""
    keep_alive: Annotated[bool, Meta(description="True: one process for all alerts; false: one process for each alert")] = False


class SyslogOutput(Block, frozen=True):
    """Send alerts to this machine's syslog, or to the server in `lanner.syslog`."""

    enabled: bool = False


class HttpOutput(Block, frozen=True):
    """Send alerts to an HTTP server, one POST each. Falcosidekick needs `json_output: true`."""

    enabled: bool = False
    url: Annotated[str, Meta(description="URL that begins with http:// or https://", extra_json_schema={"format": "uri"})] = ""
    user_agent: Annotated[str, Meta(description="Header User-Agent; empty: lanner and its version")] = ""
    insecure: Annotated[bool, Meta(description="True: do not verify the server's certificate")] = False
    ca_cert: Annotated[str, Meta(description="File with the authority of the server's certificate")] = ""
    ca_bundle: Annotated[str, Meta(description="File with several such certificates")] = ""
    ca_path: Annotated[str, Meta(description="Directory of such files, named by their hashes")] = ""
    mtls: Annotated[bool, Meta(description="True: present `client_cert`")] = False
    client_cert: Annotated[str, Meta(description="File with the client certificate")] = "/etc/ssl/certs/client.crt"
    client_key: Annotated[str, Meta(description="File with its key")] = "/etc/ssl/certs/client.key"
    echo: Annotated[bool, Meta(description="True: print the server's answers to standard output")] = False
    compress_uploads: Annotated[bool, Meta(description="True: compress with gzip")] = False
    keep_alive: Annotated[bool, Meta(description="True: one connection for many alerts")] = False
    max_consecutive_timeouts: Annotated[int, UINT8, Meta(description="Number of consecutive timeouts that are not logged as errors")] = 5


class OutputsQueue(Block, frozen=True):
    """The queue of each output."""

    capacity: Annotated[
        int, UINT64, Meta(description="Alerts that may wait for each output; 0: no limit other than `lanner.queue_size_mb`")
    ] = 0


class SyslogTarget(Masked, msgspec.Struct, frozen=True):
    """Server for `syslog_output`, instead of this machine's syslog."""

    address: Annotated[
        str, Meta(description="tcp://host:port or tls://host:port (RFC 5424), unix:///path; empty: this machine's /dev/log")
    ] = ""
    facility: Annotated[str, Meta(description="user, daemon, auth, authpriv, local0 to local7")] = "user"
    ca_cert: Annotated[str, Meta(description="File with the authority of the server's certificate; empty: the system's authorities")] = ""
    client_cert: Annotated[str, Meta(description="File with the client certificate")] = ""
    client_key: Annotated[str, Meta(description="File with its key")] = ""


class HttpAdditions(Masked, msgspec.Struct, frozen=True):
    """Lanner's additions to `http_output`."""

    headers: Annotated[
        dict[str, str], Meta(description="Headers by name, each with the file that contains its value (a token); read again on SIGUSR1")
    ] = {}
    batch_size: Annotated[int, Meta(ge=1, le=10_000, description="Maximum number of alerts in a POST; with more than 1, one line each")] = 1


class Spool(Masked, msgspec.Struct, frozen=True):
    """Store alerts on disk while an output is down."""

    path: Annotated[str, Meta(description="Directory; empty: no spool")] = ""
    max_size_mb: Annotated[int, Meta(ge=1, description="MiB of alerts on disk for each output; further alerts wait in memory")] = 1024


class Throttle(Masked, msgspec.Struct, frozen=True):
    """Limit the rate of alerts of each rule."""

    rate: Annotated[float, Meta(ge=0, description="Alerts per second of each rule; 0: no limit")] = 0
    burst: Annotated[int, Meta(ge=1, description="Alerts that may arrive at the same time")] = 100


class Deduplicate(Masked, msgspec.Struct, frozen=True):
    """Drop repeated alerts."""

    window: Annotated[
        float,
        Meta(ge=0, description="Seconds in which Lanner drops alerts that differ from an earlier one only in time; 0: no deduplication"),
    ] = 0


class Additions(Masked, msgspec.Struct, frozen=True):
    """Keys that only Lanner has. Falco prints a warning and ignores them."""

    syslog: SyslogTarget = SyslogTarget()
    http: HttpAdditions = HttpAdditions()
    spool: Spool = Spool()
    throttle: Throttle = Throttle()
    deduplicate: Deduplicate = Deduplicate()
    allow_no_rules: Annotated[bool, Meta(description="True: a start or a reload without any rule is allowed, and raises no alerts")] = False
    queue_size_mb: Annotated[int, Meta(ge=1, description="MiB of alerts that may wait in memory for each output")] = 64
    log_format: Annotated[Literal["text", "json"], Meta(description="Format of Lanner's own messages")] = "text"
