"""The blocks of falco.yaml for system calls: without effect in Lanner, but read and checked as Falco 0.44.1 does."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from lanner.sdk.options.blocks import INT16, REQUIRED, UINT16, UINT32, UINT64, WHOLE, Block, schema_limit
from lanner.sdk.options.secrets import SafeRepr


class Kmod(Block, frozen=True):
    """The kernel module."""

    buf_size_preset: Annotated[int, INT16] = 4
    drop_failed_exit: bool = False


class ModernEbpf(SafeRepr, msgspec.Struct, frozen=True):
    """The eBPF probe."""

    cpus_for_each_buffer: Annotated[int, UINT16] = 2
    buf_size_preset: Annotated[int, INT16] = 4
    drop_failed_exit: bool = False
    disable_iterators: bool = False


class Capture(SafeRepr, msgspec.Struct, frozen=True):
    """A capture file to read events from."""

    capture_file: Annotated[str, REQUIRED] = ""


class Engine(SafeRepr, msgspec.Struct, frozen=True):
    """The source of system calls. The default needs no capture, so it gives no warning."""

    kind: Annotated[Literal["kmod", "modern_ebpf", "replay", "nodriver"], REQUIRED] = "nodriver"
    kmod: Kmod = Kmod()
    modern_ebpf: ModernEbpf = ModernEbpf()
    replay: Capture = Capture()


class Recording(SafeRepr, msgspec.Struct, frozen=True):
    """Recordings of system calls, written when a rule matches."""

    enabled: bool = False
    path_prefix: str = "/tmp/falco"  # noqa: S108 - Falco's default; nothing is written there
    mode: Literal["rules", "all_rules"] = "rules"
    default_duration: Annotated[int, UINT32] = 5000
    max_file_size_mb: Annotated[int, UINT64, schema_limit(1 << 20)] = 0


class BaseSyscalls(Block, frozen=True):
    """The system calls that are captured regardless of the rules."""

    all: bool = False
    custom_set: tuple[str, ...] = ()
    repair: bool = False


class FalcoLibs(Block, frozen=True):
    """The thread table."""

    thread_table_size: Annotated[int, UINT32] = 262_144
    thread_table_auto_purging_interval_s: Annotated[int, UINT32] = 300
    thread_table_auto_purging_thread_timeout_s: Annotated[int, UINT32] = 300
    snaplen: Annotated[int, UINT64] = 0


class SyscallEventDrops(Block, frozen=True):
    """The reaction to dropped system calls."""

    threshold: float = 0.1
    actions: tuple[Literal["ignore", "log", "alert", "exit"], ...] = ()
    rate: float = 0.03333
    max_burst: Annotated[float, WHOLE] = 1
    simulate_drops: bool = False


class SyscallEventTimeouts(Block, frozen=True):
    """The reaction to a silent kernel."""

    max_consecutives: Annotated[int, UINT32] = 1000


class EngineSwitch(SafeRepr, msgspec.Struct, frozen=True):
    """A container engine that can be disabled."""

    enabled: bool = True


class Cri(SafeRepr, msgspec.Struct, frozen=True):
    """The container engines with a CRI socket."""

    enabled: bool = True
    sockets: tuple[str, ...] = ()
    disable_async: bool = False


class ContainerEngines(SafeRepr, msgspec.Struct, frozen=True):
    """The container engines that are queried for a process."""

    docker: EngineSwitch = EngineSwitch()
    cri: Cri = Cri()
    podman: EngineSwitch = EngineSwitch()
    lxc: EngineSwitch = EngineSwitch()
    libvirt_lxc: EngineSwitch = EngineSwitch()
    bpm: EngineSwitch = EngineSwitch()


class LibsLogger(Block, frozen=True):
    """The log of Falco's libraries."""

    enabled: bool = True
    severity: str = "info"
