"""Declaration of the sink `syslog_output`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from lanner.sdk.authoring.checks import Finding
from lanner.sdk.options.blocks import INPUT, PATH, Block
from lanner.sdk.options.secrets import SafeRepr
from lanner.sinks.declaration import CommonSettings, Declaration, SinkBlock, keys_of
from lanner.sinks.servers import look_at_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.outputs.base import Sink


class SyslogBlock(SinkBlock, Block, frozen=True):
    """Send alerts to this machine's syslog, or to the server in `lanner.syslog`."""


class SyslogTarget(SafeRepr, msgspec.Struct, frozen=True):
    """Server for `syslog_output`, instead of this machine's syslog."""

    address: Annotated[
        str, Meta(description="tcp://host:port or tls://host:port (RFC 5424), unix:///path; empty: this machine's /dev/log")
    ] = ""
    facility: Annotated[str, Meta(description="user, daemon, auth, authpriv, local0 to local7")] = "user"
    ca_cert: Annotated[
        str, PATH, INPUT, Meta(description="File with the authority of the server's certificate; empty: the system's authorities")
    ] = ""
    client_cert: Annotated[str, PATH, INPUT, Meta(description="File with the client certificate")] = ""
    client_key: Annotated[str, PATH, INPUT, Meta(description="File with its key")] = ""


def _make(_: SyslogBlock, target: SyslogTarget, common: CommonSettings) -> Sink:
    from lanner.outputs.syslog_output import SyslogOutput

    return SyslogOutput(timeout=common.timeout, **keys_of(target))


def _examine(_: SyslogBlock, target: SyslogTarget) -> Iterator[Finding]:
    from urllib.parse import urlsplit

    address = target.address
    scheme, _separator, rest = address.partition("://")
    if not address or scheme == "unix":
        path = rest or "/dev/log"
        if Path(path).is_socket():
            yield Finding.ok(f"syslog at {path}")
        else:
            yield Finding.problem(
                f"no syslog daemon listens at {path}", "Start one (systemd-journald, rsyslog), or write $.lanner.syslog.address"
            )
        return
    host, port = urlsplit(address).hostname, urlsplit(address).port or (6514 if scheme == "tls" else 514)
    yield look_at_server(host or "", port, "syslog", "$.lanner.syslog.address")


SYSLOG: Final = Declaration("syslog_output", SyslogBlock, _make, _examine, additions=SyslogTarget)
