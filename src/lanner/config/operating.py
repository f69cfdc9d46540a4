"""The blocks of falco.yaml about watching the program itself, typed, with their defaults.

Descriptions are what the configuration reference prints (lanner.config.reference).
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Duration(float):
    """Seconds; written as a number with its unit."""


class WebServer(msgspec.Struct, frozen=True):
    """/healthz, /readyz, /versions and /metrics. Off, and on this machine alone, if not told otherwise; Falco's is on and open."""

    enabled: bool = False
    threadiness: Annotated[int, Meta(ge=0, description="Without effect: one thread serves all connections and waits for none")] = 0
    listen_port: Annotated[int, Meta(ge=0, le=65535, description="The port")] = 8765
    listen_address: Annotated[str, Meta(description="The address; 0.0.0.0 is all of this machine's")] = "127.0.0.1"
    k8s_healthz_endpoint: Annotated[str, Meta(description="The path that says whether all is well")] = "/healthz"
    prometheus_metrics_enabled: Annotated[bool, Meta(description="True: /metrics, where `metrics` is enabled, too")] = False
    ssl_enabled: Annotated[bool, Meta(description="True: TLS")] = False
    ssl_certificate: Annotated[str, Meta(description="A file with certificate and key")] = "/etc/falco/falco.pem"


class Metrics(msgspec.Struct, frozen=True):
    """Figures of the program itself: for /metrics, and every `interval` as an alert or in a file."""

    enabled: bool = False
    interval: Annotated[Duration, Meta(description="A number with ms, s, m, h, d, w or y; at least 100ms")] = Duration(3600)
    output_rule: Annotated[bool, Meta(description='True: an alert "Falco internal: metrics snapshot"')] = True
    output_file: Annotated[str, Meta(description="A file for a line of JSON each time; empty: none")] = ""
    rules_counters_enabled: Annotated[bool, Meta(description="Alerts by rule")] = True
    resource_utilization_enabled: Annotated[bool, Meta(description="CPU, memory and descriptors")] = True
