"""The blocks of falco.yaml that say where alerts go, and Lanner's own additions to them (`lanner:`), typed, with their defaults.

Descriptions are what the configuration reference prints (lanner.config.reference).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lanner.config.sizes import REQUIRED, UINT8, UINT64, Block
from lanner.sdk.secrets import Masked


class StdoutOutput(Block, frozen=True):
    """Alerts to standard output."""

    enabled: bool = False


class FileOutput(Block, frozen=True):
    """Alerts to a file, at its end; made with mode 0600 where there is none."""

    enabled: bool = False
    filename: Annotated[str, Meta(description="The file")] = ""
    keep_alive: Annotated[bool, Meta(description="False: it is opened again for more alerts; true: on SIGUSR1 alone")] = False


class ProgramOutput(Masked, msgspec.Struct, frozen=True):
    """Alerts to a program's standard input, a line each."""

    enabled: bool = False
    program: Annotated[str, REQUIRED, Meta(description="A command line for /bin/sh")] = ""
    keep_alive: Annotated[bool, Meta(description="True: one process for all alerts; false: one start an alert")] = False


class SyslogOutput(Block, frozen=True):
    """Alerts to this machine's syslog, or by `lanner.syslog` to another's."""

    enabled: bool = False


class HttpOutput(Block, frozen=True):
    """Alerts to an HTTP server, a POST each. Falcosidekick takes them with `json_output: true`."""

    enabled: bool = False
    url: Annotated[str, Meta(description="http:// or https:// with all that follows", extra_json_schema={"format": "uri"})] = ""
    user_agent: Annotated[str, Meta(description="The header User-Agent; empty: lanner and its version")] = ""
    insecure: Annotated[bool, Meta(description="True: whoever answers is believed to be the server")] = False
    ca_cert: Annotated[str, Meta(description="A file with the certificate of who vouches for the server")] = ""
    ca_bundle: Annotated[str, Meta(description="A file with several such certificates")] = ""
    ca_path: Annotated[str, Meta(description="A directory of such files, named by their hashes")] = ""
    mtls: Annotated[bool, Meta(description="True: show `client_cert`")] = False
    client_cert: Annotated[str, Meta(description="The client's certificate, a file")] = "/etc/ssl/certs/client.crt"
    client_key: Annotated[str, Meta(description="Its key, a file")] = "/etc/ssl/certs/client.key"
    echo: Annotated[bool, Meta(description="True: the server's answers are printed to standard output")] = False
    compress_uploads: Annotated[bool, Meta(description="True: gzip")] = False
    keep_alive: Annotated[bool, Meta(description="True: one connection for many alerts")] = False
    max_consecutive_timeouts: Annotated[int, UINT8, Meta(description="So many timeouts in a row are not logged as errors")] = 5


class OutputsQueue(Block, frozen=True):
    """The queue in front of each output."""

    capacity: Annotated[int, UINT64, Meta(description="Alerts that may wait in front of each output; 0: as many as memory is for")] = 0


class SyslogTarget(Masked, msgspec.Struct, frozen=True):
    """Where `syslog_output` sends to, if not to this machine's syslog."""

    address: Annotated[
        str, Meta(description="tcp://host:port or tls://host:port (RFC 5424), unix:///path; empty: this machine's /dev/log")
    ] = ""
    facility: Annotated[str, Meta(description="user, daemon, auth, authpriv, local0 to local7")] = "user"
    ca_cert: Annotated[str, Meta(description="A file with the certificate of who vouches for the server; empty: the system's")] = ""
    client_cert: Annotated[str, Meta(description="The client's certificate, a file")] = ""
    client_key: Annotated[str, Meta(description="Its key, a file")] = ""


class HttpAdditions(Masked, msgspec.Struct, frozen=True):
    """What Lanner adds to `http_output`."""

    headers: Annotated[
        dict[str, str], Meta(description="Headers by name, each with the file that holds its value (a token): read again on SIGUSR1")
    ] = {}
    batch_size: Annotated[int, Meta(ge=1, le=10_000, description="Alerts in a POST at most; more than 1: a line each")] = 1


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


class Additions(Masked, msgspec.Struct, frozen=True):
    """What Lanner has and Falco has not. Falco warns of the key and goes on without it."""

    syslog: SyslogTarget = SyslogTarget()
    http: HttpAdditions = HttpAdditions()
    spool: Spool = Spool()
    throttle: Throttle = Throttle()
    deduplicate: Deduplicate = Deduplicate()
    allow_no_rules: Annotated[
        bool, Meta(description="True: a start or a reload that leaves no rule is no error; there are no alerts then")
    ] = False
    queue_size_mb: Annotated[int, Meta(ge=1, description="MiB of alerts that may wait in memory in front of each output")] = 64
    log_format: Annotated[Literal["text", "json"], Meta(description="How Lanner's own messages look")] = "text"
