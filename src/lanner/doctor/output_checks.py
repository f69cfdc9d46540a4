"""Checks of the outputs and the web server: whether alerts can arrive, and who can query them. No alert is sent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lanner.config.sink_blocks import configured_sinks
from lanner.doctor.results import ok, problem, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.config.falco import Falco
    from lanner.sdk.authoring.checks import Finding


def look_at_outputs(falco: Falco) -> Iterator[Finding]:
    """Yield the findings about each output that is enabled."""
    enabled = [sink for sink in configured_sinks(falco) if sink.is_enabled]
    if not enabled:
        yield warning("no output is enabled: alerts go nowhere", "Enable one: `stdout_output: {enabled: true}`")
    for sink in enabled:
        yield from sink.examine()


def look_at_webserver(falco: Falco) -> Iterator[Finding]:
    """Return a finding about who can reach the web server."""
    server = falco.webserver
    if not server.enabled:
        return
    where = f"{server.listen_address} port {server.listen_port}"
    if server.listen_address in {"localhost", "::1"} or server.listen_address.startswith("127."):
        yield ok(f"the web server is on {where}, for this machine only")
    else:
        yield warning(
            f"the web server is on {where}, where others may read about rules, engines and versions",
            "$.webserver.listen_address: 127.0.0.1, or block others with a firewall",
        )
    if server.ssl_enabled and not os.access(server.ssl_certificate, os.R_OK):
        yield problem(
            f"its certificate {server.ssl_certificate} cannot be read", "$.webserver.ssl_certificate: a PEM file with certificate and key"
        )
