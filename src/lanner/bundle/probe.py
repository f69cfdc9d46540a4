"""Try a plugin's .so through the C ABI, in a new process without Python."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lanner.bundle.builder import LOADERS
from lanner.bundle.environment import BuildError
from lanner.sdk.hosting.open_source import YIELDS

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(slots=True)
class ProbeResult:
    """A plugin as a host sees it: strings, capabilities, times of dlopen and init, and the errors of init, open and reading."""

    name: str = ""
    version: str = ""
    api: str = ""
    capabilities: list[str] = field(default_factory=list)
    milliseconds: float = 0.0
    init_error: str = ""
    open_error: str = ""
    read_error: str = ""

    @property
    def opens_nowhere(self) -> bool:
        """Whether open failed because of the plugin's code, not because of a missing source."""
        return YIELDS in self.open_error


def probe(path: Path, shown: str | Path = "", config: str = "") -> ProbeResult:
    """Load, query, init, open, read the first events, close, destroy. Raises `BuildError` if the file cannot be loaded or crashes.

    Messages name `shown` instead of a temporary `path`.
    """
    command = [str(LOADERS / "probe"), str(path.absolute()), config]
    done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")  # noqa: S603 - our own
    result = ProbeResult()
    told, complaint = done.stdout, done.stderr
    if shown:
        told, complaint = (text.replace(str(path.absolute()), str(shown)) for text in (told, complaint))
    for line in told.splitlines():
        name, _, value = line.partition("\t")
        match name:
            case "name" | "version" | "api":
                setattr(result, name, value)
            case "capability":
                result.capabilities.append(value)
            case "milliseconds":
                result.milliseconds = float(value)
            case "init error":
                result.init_error = value
            case "open error":
                result.open_error = value
            case "read error":
                result.read_error = value
            case "error":
                raise BuildError(f"the file does not load: {value}")
            case _ if result.read_error:
                result.read_error += f"\n{line}"
            case _ if result.open_error:
                result.open_error += f"\n{line}"
            case _ if result.init_error:
                result.init_error += f"\n{line}"
    if done.returncode not in {0, 1}:
        raise BuildError(f"the file does not load: the process ended with {done.returncode}. {complaint.strip()}")
    return result
