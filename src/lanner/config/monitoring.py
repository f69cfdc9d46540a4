"""The blocks of falco.yaml for monitoring Lanner itself, typed, with their defaults.

The configuration reference (lanner.config.reference) prints the descriptions.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from lanner.sdk.options.blocks import INPUT, PATH, UINT32, WITHOUT_EFFECT, Block


class Duration(float):
    """Seconds, written as numbers with units."""


class WebServer(Block, frozen=True):
    """Serve /healthz, /readyz, /versions and /metrics. Disabled and local by default; Falco's is enabled and open."""

    enabled: bool = False
    threadiness: Annotated[int, UINT32, Meta(description="No effect: one thread serves all connections without blocking")] = 0
    listen_port: Annotated[int, UINT32, Meta(description="The port")] = 8765
    listen_address: Annotated[str, Meta(description="The address; 0.0.0.0 means all addresses of this machine")] = "127.0.0.1"
    k8s_healthz_endpoint: Annotated[str, Meta(description="Path of the health check")] = "/healthz"
    prometheus_metrics_enabled: Annotated[bool, Meta(description="True: serve /metrics, if `metrics` is enabled too")] = False
    ssl_enabled: Annotated[bool, Meta(description="True: use TLS")] = False
    ssl_certificate: Annotated[str, PATH, INPUT, Meta(description="File with certificate and key")] = "/etc/falco/falco.pem"


class Metrics(Block, frozen=True):
    """Figures of the process: for /metrics, and every `interval` as an alert or in a file."""

    enabled: bool = False
    interval: Annotated[Duration, Meta(description="Numbers with y, w, d, h, m, s and ms, as in 1h30m; at least 100ms")] = Duration(0)
    output_rule: Annotated[bool, Meta(description='True: raise an alert "Falco internal: metrics snapshot"')] = False
    output_file: Annotated[str, PATH, Meta(description="File for a line of JSON per interval; empty: none")] = ""
    rules_counters_enabled: Annotated[bool, Meta(description="Include alerts by rule")] = True
    resource_utilization_enabled: Annotated[bool, Meta(description="Include CPU, memory and descriptors")] = True
    state_counters_enabled: Annotated[bool, WITHOUT_EFFECT] = True
    kernel_event_counters_enabled: Annotated[bool, WITHOUT_EFFECT] = True
    kernel_event_counters_per_cpu_enabled: Annotated[bool, WITHOUT_EFFECT] = True
    libbpf_stats_enabled: Annotated[bool, WITHOUT_EFFECT] = True
    plugins_metrics_enabled: Annotated[bool, WITHOUT_EFFECT] = True
    kernel_iter_event_counters_enabled: Annotated[bool, WITHOUT_EFFECT] = True
    jemalloc_stats_enabled: Annotated[bool, WITHOUT_EFFECT] = True
    convert_memory_to_mb: Annotated[bool, WITHOUT_EFFECT] = True
    include_empty_values: Annotated[bool, WITHOUT_EFFECT] = False
