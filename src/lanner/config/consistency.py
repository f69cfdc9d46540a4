"""Checks of a decoded configuration for unknown values and conflicting keys, as Falco makes them."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from lanner.config.plain_values import describe_actual
from lanner.config.sink_blocks import configured_sinks
from lanner.sdk.errors import ConfigError

if TYPE_CHECKING:
    from lanner.config.falco import Falco
    from lanner.config.kernel import Engine, SyscallEventDrops

_SEVERITIES: Final = ("trace", "debug", "info", "notice", "warning", "error", "critical", "fatal")
_NO_PRESET: Final = -1
_LARGEST_PRESET: Final = 10
_SHORTEST: Final = 0.1
_HIGHEST_PORT: Final = 65_535
_CONSOLE: Final = re.compile(r"https?://[^\s#?@\x22\\<>\x00-\x1f\x7f]+")
_ADDRESS: Final = re.compile(r"[ \t\n\f\r]*([0-9A-Fa-f.:]+)(%.+)?[ \t\n\f\r]*")


def check(falco: Falco) -> None:
    """Raise `ConfigError` for unknown values and conflicting keys."""
    if falco.libs_logger.enabled and falco.libs_logger.severity not in _SEVERITIES:
        raise ConfigError(f"$.libs_logger.severity takes one of {', '.join(_SEVERITIES)}, {describe_actual(falco.libs_logger.severity)}")
    _check_engine(falco.engine)
    for sink in configured_sinks(falco):
        for key, what in sink.find_missing():
            raise ConfigError(f"$.{sink.declaration.path}.{key} is empty: write {what}")
    _check_webserver(falco)
    _check_console(falco.lanner.console.address)
    _check_drops(falco.syscall_event_drops)
    if not falco.syscall_event_timeouts.max_consecutives:
        raise ConfigError("$.syscall_event_timeouts.max_consecutives takes a number above 0")
    _check_metrics(falco)


def is_address(text: str) -> bool:
    """Return whether this is an IPv4 address, or an IPv6 address with or without a zone, by Falco's rules."""
    found = _ADDRESS.fullmatch(text)
    if found is None or (found[2] and ":" not in found[1]):
        return False
    try:
        ip_address(found[1])
    except ValueError:
        return False
    return True


def _check_engine(engine: Engine) -> None:
    if engine.kind == "replay" and not engine.replay.capture_file:
        raise ConfigError("$.engine.replay.capture_file is empty, which $.engine.kind needs: write another kind, such as nodriver")
    presets = {"kmod": engine.kmod.buf_size_preset, "modern_ebpf": engine.modern_ebpf.buf_size_preset}
    preset = presets.get(engine.kind, _NO_PRESET)
    if preset != _NO_PRESET and not 1 <= preset <= _LARGEST_PRESET:
        raise ConfigError(f"$.engine.{engine.kind}.buf_size_preset takes a number from 1 to {_LARGEST_PRESET}, not {preset}")


def _check_webserver(falco: Falco) -> None:
    web = falco.webserver
    if not is_address(web.listen_address):
        raise ConfigError(
            f"$.webserver.listen_address takes an IP address, such as 127.0.0.1 or ::1 (0.0.0.0: all addresses of this machine), "
            f"{describe_actual(web.listen_address)}"
        )
    if web.enabled and web.listen_port > _HIGHEST_PORT:
        raise ConfigError(f"$.webserver.listen_port takes a number <= {_HIGHEST_PORT}, not {web.listen_port}")


def _check_console(address: str) -> None:
    if address and not _CONSOLE.fullmatch(address):
        raise ConfigError(
            "$.lanner.console.address takes the beginning of the console's address, such as http://127.0.0.1:8766, without the # and the "
            "token after it, which would be in every alert"
        )


def _check_drops(drops: SyscallEventDrops) -> None:
    if drops.threshold < 0 or drops.threshold > 1:
        raise ConfigError(f"$.syscall_event_drops.threshold takes a number from 0 to 1, not {drops.threshold:g}")
    if "ignore" in drops.actions:
        later = drops.actions[drops.actions.index("ignore") + 1 :]
        if other := next((each for each in later if each in {"log", "alert"}), ""):
            raise ConfigError(f"$.syscall_event_drops.actions has both ignore and {other}: remove one of them")


def _check_metrics(falco: Falco) -> None:
    metrics = falco.metrics
    if not metrics.enabled:
        return
    if metrics.interval < _SHORTEST:
        raise ConfigError("$.metrics.interval takes numbers with units, such as 30s, 15m or 1h30m, of at least 100ms")
    if not metrics.output_rule and not metrics.output_file and not falco.webserver.prometheus_metrics_enabled:
        raise ConfigError(
            "$.metrics is enabled without an output: set output_rule or output_file in it, or $.webserver.prometheus_metrics_enabled"
        )
