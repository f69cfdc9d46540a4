"""Import modules from the .so of a plugin with a bundled Python.

The bridge runs this module before anything else can be imported: its own imports are built into every Python (`__future__` is
not, so annotations are quoted where necessary).
"""

import _imp
import marshal
import sys
from _frozen_importlib import ModuleSpec, _call_with_frames_removed  # type: ignore[attr-defined]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

    from lanner.embedded.resources import Reader

    Unpack = Callable[[memoryview, int], bytes]
    Load = Callable[[str, memoryview, int], None]
    Rest = Callable[[memoryview], None]
    Stage = Callable[[str, memoryview, int], tuple[str, object]]

_SIZE = 4
_FOLDER = "runtime/"
_OTHERS = ("native/", "licences/")
# Reading a page of a mapped file also loads pages around it. This much may stay in memory after a single read
_AROUND = 1 << 16
_MOST_READ = 1 << 18


def install(path: str, archive: memoryview, natives: str, unpack: "Unpack", stage: "Stage", load: "Load", rest: "Rest") -> None:
    """Import modules not found elsewhere from the zip file `archive` of the plugin at `path`.

    `natives` describes the shared libraries in it, in the format of lanner.bundle.python_runtime. `stage` stores an unpacked library where
    it can be opened, `load` loads it, and `rest` releases memory after reading.
    """
    sys.meta_path.append(Finder(path, archive, natives, unpack, stage, load, rest))
    rest(archive)


def _files(archive: memoryview) -> tuple[dict[str, memoryview], dict[str, memoryview]]:
    """Return the runtime's files by name in its folder, and the plugin's own, without copying."""
    files, own = {}, {}
    at = 0
    while bytes(archive[at : at + 4]) == b"PK\x03\x04":
        size = int.from_bytes(archive[at + 18 : at + 22], "little")
        name_end = at + 30 + int.from_bytes(archive[at + 26 : at + 28], "little")
        begin = name_end + int.from_bytes(archive[at + 28 : at + 30], "little")
        name = str(archive[at + 30 : name_end], "utf-8")
        at = begin + size
        if name.startswith(_FOLDER):
            files[name[len(_FOLDER) :]] = archive[begin:at]
        elif not name.startswith(_OTHERS):
            own[name] = archive[begin:at]
    return files, own


def _on_disk(inner: str) -> ModuleSpec | None:
    """A namespace-like package that the runtime contains partly: a plugin bound to a Python of this machine may contain the rest."""
    from importlib.machinery import PathFinder

    folder, _, _ = inner.rpartition("/")
    return PathFinder.find_spec(inner.replace("/", "."), [f"{entry}/{folder}" for entry in sys.path])


class Finder:
    """Finder and loader for one runtime's modules: name.code, name/__init__.code, and extension modules."""

    def __init__(self, path: str, archive: memoryview, natives: str, unpack: "Unpack", stage: "Stage", load: "Load", rest: "Rest") -> None:
        self._path = path
        self._archive, self._rest = archive, rest
        self._read = 0
        self._files, self._own = _files(archive)
        self._unpack, self._stage, self._load = unpack, stage, load
        self._natives: dict[tuple[str, str], tuple[memoryview, int, list[str]]] = {}
        for line in natives.splitlines():
            role, name, at, packed, size, needs = line.split(" ")
            kind = "module" if role == "module" else "library"
            view = archive[int(at) : int(at) + int(packed)]
            self._natives[kind, name] = (view, int(size), [] if needs == "-" else needs.split(","))

    def find_spec(self, name: str, _path: "Sequence[str] | None" = None, _target: "ModuleType | None" = None) -> ModuleSpec | None:
        """See importlib.abc.MetaPathFinder. This is the last finder: a module missing here is missing altogether."""
        inner = name.replace(".", "/")
        for file, is_package in ((f"{inner}/__init__.code", True), (f"{inner}.code", False)):
            if file in self._files:
                return self._spec(name, file, is_package=is_package)
        if ("module", name) in self._natives:
            return self._spec(name, f"{inner}.so", is_package=False)
        if any(file.startswith(inner + "/") for file in self._files):
            return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]
        if inner.rpartition("/")[0] + "/__init__.code" in self._files and (spec := _on_disk(inner)):
            return spec
        self._tell_missing(name)
        return None

    def _tell_missing(self, name: str) -> None:
        if sys.meta_path[-1] is not self or name.startswith("lanner_bundle_"):
            return
        what = "the part of Python's library" if name.partition(".")[0] in sys.stdlib_module_names else "the packages"
        raise ModuleNotFoundError(
            f"No module named {name!r}: this plugin contains only {what} that it was found to use. If it needs it, build it "
            f"again: lanner build --bundle --include {name}",
            name=name,
        )

    def _spec(self, name: str, file: str, *, is_package: bool) -> ModuleSpec:
        spec = ModuleSpec(name, self, origin=f"{self._path}/{_FOLDER}{file}", is_package=is_package)  # type: ignore[arg-type]
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [f"{self._path}/{_FOLDER}{file.rpartition('/')[0]}"]
        spec.loader_state = file
        return spec

    def create_module(self, spec: ModuleSpec) -> "ModuleType | None":
        """See importlib.abc.Loader."""
        if ("module", spec.name) not in self._natives:
            return None
        packed, size, needs = self._natives["module", spec.name]
        for library in needs:
            view, unpacked, _ = self._natives["library", library]
            self._load(library, view, unpacked)
        path, image = self._stage(f"{spec.name}.so", packed, size)
        try:
            module: ModuleType = _call_with_frames_removed(_imp.create_dynamic, ModuleSpec(spec.name, self, origin=path))  # type: ignore[arg-type]
        finally:
            del image
        self._count(len(packed))
        return module

    def exec_module(self, module: "ModuleType") -> None:
        """See importlib.abc.Loader."""
        spec: Any = module.__spec__
        if spec.loader_state is None:
            return
        if ("module", spec.name) in self._natives:
            _call_with_frames_removed(_imp.exec_dynamic, module)
        else:
            packed = self._files[spec.loader_state]
            code = marshal.loads(self._unpack(packed[_SIZE:], int.from_bytes(packed[:_SIZE], "little")))  # noqa: S302 - this is what an import does
            self._count(len(packed))
            exec(code, vars(module))  # noqa: S102 - as this

    def get_resource_reader(self, name: str) -> "Reader":
        """See importlib.resources.abc: data files of a package."""
        from lanner.embedded.resources import Reader

        return Reader({**self._own, **self._files}, name.replace(".", "/"))

    def _count(self, size: int) -> None:
        self._read += size + _AROUND
        if self._read > _MOST_READ:
            self._read = 0
            self._rest(self._archive)

    def get_data(self, path: str) -> bytes:
        """Return a file of the runtime by its path below the .so, for pkgutil.get_data."""
        name = path.removeprefix(f"{self._path}/{_FOLDER}")
        if name not in self._files:
            raise FileNotFoundError(path)
        return bytes(self._files[name])
