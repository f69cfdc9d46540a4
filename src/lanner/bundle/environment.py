"""The Python environment that a plugin's .so is bound to: its library, and the paths with which it starts.

`python -P -m lanner.bundle.environment` prints it as JSON. `describe` runs this command, so that any installed Python can be queried.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from dataclasses import asdict, dataclass
from pathlib import Path

from lanner._version import __version__
from lanner.sdk.errors import LannerError


class BuildError(LannerError):
    """The plugin cannot be built."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Absolute paths and versions. `libpython` is "" if the Python has no shared library."""

    lanner: str
    python: str
    executable: str
    prefix: str
    base_prefix: str
    stdlib: str
    search_path: tuple[str, ...]
    libpython: str
    bridge: str
    free_threaded: bool


def describe(python: str = "") -> Environment:
    """Describe the environment of an interpreter ("": the running one). Raises `BuildError` if plugins cannot run in it."""
    command = [python or sys.executable, "-P", "-m", "lanner.bundle.environment"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the user named it
    except OSError as error:
        raise BuildError(f"cannot run {command[0]}: {error.strerror}") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no error message"])[-1]
        raise BuildError(
            f"{command[0]} cannot serve plugins: {last}. Install lanner {__version__} there: "
            f"{command[0]} -m pip install /path/to/lanner (its checkout or wheel)"
        )
    found = json.loads(done.stdout)
    environment = Environment(**{**found, "search_path": tuple(found["search_path"])})
    _check(environment)
    return environment


def _check(environment: Environment) -> None:
    name = f"Python {environment.python} ({environment.executable})"
    if environment.lanner != __version__:
        raise BuildError(f"{name} has lanner {environment.lanner}, but this is {__version__}: install the same version there")
    if environment.free_threaded:
        raise BuildError(f"{name} is a free-threaded build, which Lanner does not support yet: use a Python with the GIL")
    if not environment.libpython:
        version = ".".join(environment.python.split(".")[:2])
        raise BuildError(
            f"{name} has no shared library (libpython{version}.so), so no host can load it: on Debian `apt install libpython{version}`; "
            "with pyenv, use a Python built with --enable-shared; those of uv, conda and Docker's python images have one"
        )


def _libpython() -> str:
    get = sysconfig.get_config_var
    names = [name for name in (get("INSTSONAME"), get("LDLIBRARY")) if name and ".so" in name]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    names += [f"libpython{version}.so.1.0", f"libpython{version}.so.1"]
    base = Path(sys.base_prefix)
    folders = [get("LIBDIR"), base / "lib", get("LIBPL"), f"/usr/lib/{get('MULTIARCH')}"]
    for folder in folders:
        for name in names:
            if folder and (path := Path(folder) / name).is_file():
                return str(path.absolute())
    return ""


def _describe_running() -> Environment:
    from lanner.native import _native

    # the import hook of an editable install finds modules outside of sys.path
    home = str(Path(__file__).parents[2])
    paths = [str(Path(entry).absolute()) for entry in sys.path if entry and Path(entry).exists()]
    return Environment(
        lanner=__version__,
        python=".".join(map(str, sys.version_info[:3])),
        executable=sys.executable,
        prefix=sys.prefix,
        base_prefix=sys.base_prefix,
        stdlib=sysconfig.get_path("stdlib"),
        search_path=tuple(dict.fromkeys([*paths, home])),
        libpython=_libpython(),
        bridge=str(Path(_native.__file__).resolve()),
        free_threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(_describe_running())))
