"""The Python that a bundled plugin brings: its library, the modules that the plugin reaches, and the shared libraries of both.

In the .so's zip file stand, behind the plugin's own modules:

- `runtime/NAME.pyc`: modules, and data files of packages, as they are;
- `native/NAME`: shared libraries and extension modules, each an LZ4 block of what of them is loaded;
- `licences/NAME`: the texts of the licences of all that, as they are.

The text "natives" has a line for each of the second kind: role, name, where it stands in the zip file, its size there, its size
unpacked, and the libraries that it needs (`-`: none). Those of the role `start` are loaded before Python starts, in their order, of which
libpython and the bridge are the last; `library` and `module` when a module is imported that needs them.
"""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import lz4.block

from lanner.bundle.archive import store
from lanner.bundle.environment import BuildError
from lanner.bundle.libraries import interpreter_of, loaded_part, read_library, with_needed
from lanner.bundle.licences import licences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lanner.bundle.archive import Archive
    from lanner.bundle.environment import Environment

# What every plugin needs: the bridge imports them, the last by its own code
_ROOTS: Final = (
    *("encodings", "encodings.aliases", "encodings.utf_8"),
    *("lanner._version", "lanner.embedded.state", "lanner.embedded.logs", "lanner.embedded.runtime", "lanner.embedded.resources"),
    # what `from lanner import ...` finds
    *("lanner.sdk.annotations", "lanner.sdk.config", "lanner.sdk.events", "lanner.sdk.fields", "lanner.sdk.plugin", "lanner.sdk.values"),
)


@dataclass(frozen=True, slots=True)
class Native:
    """A shared library in the archive, and the file that it was taken from."""

    role: str
    name: str
    packed: bytes
    size: int
    needs: tuple[str, ...]
    path: Path


@dataclass(slots=True)
class Runtime:
    """Files by their name in the archive; the oldest glibc that runs them; what was asked for in vain."""

    files: dict[str, bytes] = field(default_factory=dict)
    natives: list[Native] = field(default_factory=list)
    glibc: tuple[int, ...] = (2, 0)
    missing: list[str] = field(default_factory=list)

    def natives_text(self, archive: Archive) -> str:
        """The text "natives"; see above."""
        return "\n".join(
            f"{native.role} {native.name} {archive.places[f'native/{native.name}']} {len(native.packed)} {native.size} "
            f"{','.join(native.needs) or '-'}"
            for native in self.natives
        )


def assemble(
    environment: Environment,
    plugin: str,
    modules: Mapping[str, bytes],
    *,
    folder: str = "",
    packages: Sequence[str] = (),
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Runtime:
    """The runtime of `plugin` (module:Class), which `modules` or the environment have.

    `folder` is where the plugin's own file is, and what it imports may be. `packages` are taken
    whole; `include` and `exclude` are modules that come along, or do not, whatever was found. Raises `BuildError`.
    """
    roots = [*_ROOTS, *packages, plugin.partition(":")[0], *_imported(modules)]
    request = {
        "plugin": plugin,
        "archive": store(modules).data.hex(),
        "roots": roots,
        "whole": list(packages),
        "include": list(include),
        "exclude": list(exclude),
        "search_path": [*environment.search_path, *([folder] if folder else [])],
        "bridge": environment.bridge,
    }
    found = _reach(environment, request)
    runtime = Runtime(missing=sorted(found["missing"]))
    for name, code in found["code"].items():
        runtime.files[f"runtime/{name}.pyc"] = base64.b64decode(code)
    for name, path in found["data"].items():
        runtime.files[f"runtime/{name}"] = Path(path).read_bytes()
    extensions = {name: Path(path) for name, path in found["extensions"].items() if name != "lanner.native._native"}
    sources = _add_natives(runtime, environment, extensions)
    texts = licences(
        environment, sources, {name.partition("/")[0] for name in found["code"]} | {name.partition(".")[0] for name in extensions}
    )
    for name, text in texts.items():
        runtime.files[f"licences/{name}"] = text
    return runtime


def _add_natives(runtime: Runtime, environment: Environment, extensions: Mapping[str, Path]) -> list[Path]:
    """libpython, the bridge, extension modules, and what they need; gives the files that it took."""
    linker = interpreter_of(environment.executable)
    python, bridge = read_library(Path(environment.libpython)), read_library(Path(environment.bridge))
    first = with_needed([python.path, bridge.path], linker)
    first.pop(python.soname, None)
    taken = [*first.values()]
    for name, library in first.items():
        _add(runtime, "start", name, library.path)
    _add(runtime, "start", python.soname, python.path)
    _add(runtime, "start", "lanner-bridge.so", bridge.path)
    others = with_needed(extensions.values(), linker)
    for name, library in others.items():
        if name not in first and name != python.soname:
            _add(runtime, "library", name, library.path)
            taken.append(library)
    for name, path in sorted(extensions.items()):
        needs = with_needed([path], linker)
        _add(runtime, "module", name, path, tuple(need for need in needs if need not in first and need != python.soname))
        taken.append(read_library(path))
    runtime.glibc = max(library.glibc for library in (*taken, python, bridge))
    return [library.path for library in (*first.values(), *others.values(), python)]


def _add(runtime: Runtime, role: str, name: str, path: Path, needs: tuple[str, ...] = ()) -> None:
    image = loaded_part(path.read_bytes())
    packed = lz4.block.compress(image, mode="high_compression", compression=9, store_size=False)
    runtime.files[f"native/{name}"] = packed
    runtime.natives.append(Native(role, name, packed, len(image), needs, path))


def _imported(modules: Mapping[str, bytes]) -> list[str]:
    """All that the plugin's own modules import, by the names that they use."""
    from lanner.bundle.reach import imports_of

    return sorted({name for file, source in modules.items() if file.endswith(".py") for name in imports_of(file, source)})


def _reach(environment: Environment, request: Mapping[str, object]) -> dict[str, dict[str, str]]:
    command = [environment.executable, "-P", "-m", "lanner.bundle.reach"]
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=False)  # noqa: S603 - the environment's Python
    if done.returncode:
        raise BuildError(f"cannot find out which modules the plugin needs: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    result: dict[str, dict[str, str]] = json.loads(done.stdout)
    return result
