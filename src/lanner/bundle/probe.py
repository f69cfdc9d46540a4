"""Tries a plugin's .so in a fresh process that is no Python, through the C ABI."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lanner.bundle.build import LOADERS
from lanner.bundle.environment import BuildError
from lanner.sdk.sources import YIELDS

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(slots=True)
class Probed:
    """What a host sees: the info functions' texts, capabilities, the time of dlopen and init, why init, open or reading failed."""

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
        """Whether open failed for what the plugin does, not for what there is to open."""
        return YIELDS in self.open_error


def probe(path: Path, shown: str | Path = "", config: str = "") -> Probed:
    """Load, ask, init, open, read the first events, close, destroy. Raises `BuildError` where the file cannot even be loaded, or crashes.

    Messages say `shown` for a temporary `path`, which is gone when they are read.
    """
    command = [str(LOADERS / "probe"), str(path.absolute()), config]
    done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")  # noqa: S603 - our own
    result = Probed()
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
