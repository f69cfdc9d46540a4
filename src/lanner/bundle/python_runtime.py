"""The Python of a bundled plugin: libpython, the modules that the plugin reaches, and the shared libraries of both.

The .so's zip file contains, after the plugin's own modules:

- `runtime/NAME.code`: a module. Four bytes hold the size of its marshalled code, and one LZ4 block the code;
- `runtime/NAME`: a data file of a package, unchanged;
- `native/NAME`: shared libraries and extension modules, each the loadable part, prepared by `lanner.bundle.images`, as one LZ4 block;
- `licences/NAME`: licence texts, deflated.

The text "natives" has a line for each file of the second kind: role, name, offset in the zip file, packed size, unpacked size, and
dependencies (`-`: none). Files with the role `start` are loaded before Python starts, in order, ending with libpython and the
bridge. `library` and `module` files are loaded when a module that needs them is imported.
"""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import lz4.block

from lanner.bundle.archive import LICENCES, store
from lanner.bundle.environment import BuildError
from lanner.bundle.images import prepare, strip_symbols
from lanner.bundle.libraries import find_needed, interpreter_of, read_library
from lanner.bundle.licences import licences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lanner.bundle.archive import Archive
    from lanner.bundle.environment import Environment

# needed by every plugin: the bridge imports them, the last one from its own code
_ROOTS: Final = (
    *("encodings", "encodings.aliases", "encodings.utf_8"),
    *("lanner._version", "lanner.embedded.state", "lanner.embedded.host_log", "lanner.embedded.runtime", "lanner.embedded.resources"),
    # modules behind `from lanner import ...`
    *("lanner.sdk.authoring.annotations", "lanner.sdk.authoring.events", "lanner.sdk.authoring.fields", "lanner.sdk.authoring.plugin"),
    *("lanner.sdk.options.config", "lanner.sdk.payload.text_values", "lanner.sdk.payload.values"),
)


@dataclass(frozen=True, slots=True)
class NativeLibrary:
    """A shared library in the archive, and the path of its original."""

    role: str
    name: str
    packed: bytes
    size: int
    needs: tuple[str, ...]
    path: Path


@dataclass(slots=True)
class Runtime:
    """Files by name in the archive, the minimum glibc, and requested modules that were not found."""

    files: dict[str, bytes] = field(default_factory=dict)
    natives: list[NativeLibrary] = field(default_factory=list)
    glibc: tuple[int, ...] = (2, 0)
    missing: list[str] = field(default_factory=list)

    def natives_text(self, archive: Archive) -> str:
        """Return the text "natives"; see above."""
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
    """Collect the runtime of `plugin` (module:Class), found in `modules` or the environment.

    `folder` contains the plugin's own file and possibly its imports. `packages` are included
    completely. `include` and `exclude` add and remove modules regardless of the search. Raises `BuildError`.
    """
    roots = [*_ROOTS, *packages, plugin.partition(":")[0], *_find_imports(modules)]
    request = {
        "plugin": plugin,
        "archive": store(modules).data.hex(),
        "roots": roots,
        "whole": list(packages),
        "include": list(include),
        "exclude": list(exclude),
        "folder": folder,
        "search_path": [*environment.search_path, *([folder] if folder else [])],
        "bridge": environment.bridge,
    }
    found = _reach(environment, request)
    runtime = Runtime(missing=sorted(found["missing"]))
    for name, code in found["code"].items():
        whole = base64.b64decode(code)
        runtime.files[f"runtime/{name}.code"] = len(whole).to_bytes(4, "little") + _pack(whole)
    for name, path in found["data"].items():
        runtime.files[f"runtime/{name}"] = Path(path).read_bytes()
    extensions = {name: Path(path) for name, path in found["extensions"].items() if name != "lanner.native._native"}
    sources = _add_natives(runtime, environment, extensions)
    texts = licences(
        environment, sources, {name.partition("/")[0] for name in found["code"]} | {name.partition(".")[0] for name in extensions}
    )
    for name, text in texts.items():
        runtime.files[f"{LICENCES}{name}"] = text
    return runtime


def _add_natives(runtime: Runtime, environment: Environment, extensions: Mapping[str, Path]) -> list[Path]:
    """Add libpython, the bridge, extension modules and their dependencies. Return the original files."""
    linker = interpreter_of(environment.executable)
    python, bridge = read_library(Path(environment.libpython)), read_library(Path(environment.bridge))
    first = find_needed([python.path, bridge.path], linker)
    first.pop(python.soname, None)
    taken = [*first.values()]
    for name, library in first.items():
        _add(runtime, "start", name, library.path)
    _add(runtime, "start", python.soname, python.path)
    _add(runtime, "start", "lanner-bridge.so", bridge.path)
    others = find_needed(extensions.values(), linker)
    for name, library in others.items():
        if name not in first and name != python.soname:
            _add(runtime, "library", name, library.path)
            taken.append(library)
    for name, path in sorted(extensions.items()):
        needs = find_needed([path], linker)
        _add(runtime, "module", name, path, tuple(need for need in needs if need not in first and need != python.soname))
        taken.append(read_library(path))
    runtime.glibc = max(library.glibc for library in (*taken, python, bridge))
    return [library.path for library in (*first.values(), *others.values(), python)]


def _pack(content: bytes) -> bytes:
    # level 12 makes a bundle 0.3 % smaller and takes four times as long
    packed: bytes = lz4.block.compress(content, mode="high_compression", compression=9, store_size=False)
    return packed


def _add(runtime: Runtime, role: str, name: str, path: Path, needs: tuple[str, ...] = ()) -> None:
    image = strip_symbols(path.read_bytes())
    changes, content = prepare(image)
    packed = changes + _pack(content)
    runtime.files[f"native/{name}"] = packed
    runtime.natives.append(NativeLibrary(role, name, packed, len(image), needs, path))


def _find_imports(modules: Mapping[str, bytes]) -> list[str]:
    """Return all imports of the plugin's own modules, under the names they use."""
    from lanner.bundle.reach import imports_of

    return sorted({name for file, source in modules.items() if file.endswith(".py") for name in imports_of(file, source)})


def _reach(environment: Environment, request: Mapping[str, object]) -> dict[str, dict[str, str]]:
    command = [environment.executable, "-P", "-m", "lanner.bundle.reach"]
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=False)  # noqa: S603 - the environment's Python
    if done.returncode:
        raise BuildError(f"cannot find the modules that the plugin needs: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    result: dict[str, dict[str, str]] = json.loads(done.stdout)
    return result
