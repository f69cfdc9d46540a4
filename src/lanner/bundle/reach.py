"""Find the modules that a plugin reaches: from import statements in the sources, and from a trial run.

`python -P -m lanner.bundle.reach` runs in the Python to be bundled. It reads a request as JSON from standard input and prints its
result (`Reached`). For the standard library it follows imports at module level; for the plugin, Lanner and packages also imports
inside functions. Imports by names built at run time are only seen in the trial run.
"""

from __future__ import annotations

import ast
import base64
import json
import marshal
import subprocess
import sys
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lanner.sdk.own_modules import is_plugin_library, search_sources_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# imports from C code, and imports by computed names
_ALWAYS: Final = ("encodings.ascii", "encodings.latin_1", "encodings.utf_8", "encodings.utf_16", "encodings.utf_32")
_HIDDEN: Final = {
    "hashlib": ("_md5", "_sha1", "_sha2", "_sha256", "_sha512", "_sha3", "_blake2"),
}
# getaddrinfo imports it for a host name as text; Lanner and the module ssl pass names in ASCII as bytes
_HOST_NAMES: Final = ("socket", "encodings.idna")
_PASS_BYTES: Final = frozenset({"lanner", "ssl"})
_FROZEN: Final = frozenset({"importlib._bootstrap", "importlib._bootstrap_external"})  # imported under other names
# optional imports, and imports only for plugins that are known to need them
_OPTIONAL: Final = frozenset(
    {
        ("hashlib", "_hashlib"),
        ("hmac", "_hashlib"),
        ("lanner.sdk.hosting.reading", "asyncio"),
        ("lanner.docker.docker_plugin", "lanner.docker.engine_checks"),
    }
)
# packages with late or optional imports that nothing here uses
_LAZY: Final = frozenset({"msgspec", "yaml", "click"})
_WITHOUT: Final = frozenset({"typing_extensions"})
_STDLIB: Final = Path(sysconfig.get_path("stdlib"))
_TRIAL_SECONDS: Final = 30

_TRIAL: Final = """
import sys
request = {request!a}
sys.path[:] = request["search_path"]
sys.modules.update(dict.fromkeys(request["without"]))
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("lanner.native._native", request["bridge"])
sys.modules[spec.name] = native = module_from_spec(spec)
spec.loader.exec_module(native)
from lanner.embedded.state import State
try:
    state = State(request["plugin"], "trial", "trial", bytes.fromhex(request["archive"]), "", None, 3)
    if state.source:
        state.open("").close()
except BaseException as error:
    sys.stderr.write(f"{{type(error).__name__}}: {{error}}\\n")
for name in request["compiled"]:
    try:
        __import__(name)
    except Exception as error:
        sys.stderr.write(f"{{name}}: {{type(error).__name__}}: {{error}}\\n")
print("\\n".join(["", "modules:", *(name for name, module in sys.modules.items() if module)]))
"""


def main() -> None:
    """Result of the search; see above."""
    request = json.load(sys.stdin)
    sys.path.extend(request["search_path"])
    if request["folder"]:
        search_sources_in(Path(request["folder"]))
    reach = Reach(request["exclude"])
    reach.follow([*_ALWAYS, *request["roots"], *request["include"]])
    missing = sorted(name for name in request["include"] if reach.spec(name) is None)
    without = [*request["exclude"], *(name for name in _WITHOUT if name not in reach.found)]
    reach.follow(_trial({**request, "without": without, "compiled": reach.list_compiled()}))
    for top in sorted({name.partition(".")[0] for name in reach.found} & set(request["whole"])):
        reach.take_whole(top)
    json.dump({**reach.result(), "missing": missing}, sys.stdout)


class Reach:
    """Collects modules by name."""

    def __init__(self, exclude: Iterable[str]) -> None:
        self.found: dict[str, ModuleSpec] = {}
        self.data: dict[str, Path] = {}
        self._exclude = tuple(exclude)
        self._specs: dict[str, ModuleSpec | None] = {}

    def follow(self, names: Iterable[str]) -> None:
        """Add these modules, their parent packages, and all their imports."""
        queue = list(names)
        while queue:
            name = queue.pop()
            if name in self.found or self._is_excluded(name):
                continue
            spec = self.spec(name)
            if spec is None:
                continue
            self.found[name] = spec
            if "." in name:
                queue.append(name.rpartition(".")[0])
            queue += _HIDDEN.get(name, ())
            if spec.origin and spec.origin.endswith(".py"):
                imported = _imports(name, spec, Path(spec.origin).read_bytes(), self._is_here)
                wanted = _select_wanted(imported) if name.partition(".")[0] in _LAZY else list(imported)
                queue += wanted
                if _HOST_NAMES[0] in wanted and name.partition(".")[0] not in _PASS_BYTES:
                    queue.append(_HOST_NAMES[1])

    def take_whole(self, top: str) -> None:
        """Add all files of a package, so that imports by computed names work."""
        spec = self.spec(top)
        for folder in map(Path, (spec.submodule_search_locations if spec else None) or ()):
            for path in sorted(folder.rglob("*")):
                inner = path.relative_to(folder.parent)
                if not path.is_file() or "__pycache__" in inner.parts or path.suffix in {".pyc", ".pyi", ".pyx", ".pxd", ".c", ".h"}:
                    continue
                if is_plugin_library(path):
                    continue
                stem = inner.with_name(inner.name.partition(".")[0])
                name = ".".join(stem.parent.parts if stem.name == "__init__" else stem.parts)
                if path.suffix == ".py" or path.name.endswith(".so"):
                    if name not in self.found and not self._is_excluded(name) and (found := self.spec(name)):
                        self.found[name] = found
                else:
                    self.data[inner.as_posix()] = path

    def spec(self, name: str) -> ModuleSpec | None:
        """Return the location of a module without importing it."""
        if name not in self._specs:
            self._specs[name] = self._find(name)
        return self._specs[name]

    def list_compiled(self) -> list[str]:
        """Return the compiled modules found so far in the standard library and msgspec: only a run shows what their C code imports."""
        return sorted(
            name
            for name, spec in self.found.items()
            if _is_extension(spec) and (_is_stdlib(Path(spec.origin or "")) or name.partition(".")[0] in _LAZY)
        )

    def result(self) -> dict[str, Any]:
        """Return marshalled code in base64 and extension modules' files by module name, and data files by path."""
        code, extensions = {}, {}
        for name, spec in sorted(self.found.items()):
            if spec.origin is None or spec.origin in {"built-in", "frozen"} or name in _FROZEN:
                continue
            if _is_extension(spec):
                extensions[name] = spec.origin
            elif spec.origin.endswith(".py"):
                is_package = spec.submodule_search_locations is not None
                file = name.replace(".", "/") + ("/__init__" if is_package else "")
                code[file] = base64.b64encode(_compile(Path(spec.origin), file)).decode()
        return {"code": code, "extensions": extensions, "data": {name: str(path) for name, path in self.data.items()}}

    def _is_here(self, name: str) -> bool:
        return name.partition(".")[0] not in _WITHOUT and not self._is_excluded(name) and self.spec(name) is not None

    def _is_excluded(self, name: str) -> bool:
        return any(name == entry or name.startswith(entry + ".") for entry in self._exclude)

    def _find(self, name: str) -> ModuleSpec | None:
        parent = name.rpartition(".")[0]
        path = None
        if parent:
            package = self.spec(parent)
            if package is None:
                return None
            path = package.submodule_search_locations
            if path is None:
                # modules of a frozen package are frozen too
                path = []
        for finder in sys.meta_path:
            try:
                spec = finder.find_spec(name, path)
            except (ImportError, ValueError):
                spec = None
            if spec is not None:
                return spec
        return None


def imports_of(file: str, source: bytes) -> Iterator[str]:
    """Return the modules that a plugin's file (by its path in the bundle) may import by absolute name."""
    is_package = file.endswith("/__init__.py")
    name = file.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
    return _imports(name, ModuleSpec(name, None, origin=file, is_package=is_package), source, lambda _: False)


def _select_wanted(imported: Iterable[str]) -> list[str]:
    return [name for name in imported if name.partition(".")[0] not in _WITHOUT]


def _compile(path: Path, file: str) -> bytes:
    # the standard library as Python's -OO compiles it: no plugin reads its docstrings
    level = 2 if _is_stdlib(path) else 0
    return marshal.dumps(compile(path.read_bytes(), f"{file}.py", "exec", dont_inherit=True, optimize=level))


def _imports(name: str, spec: ModuleSpec, source: bytes, exists: Callable[[str], bool]) -> Iterator[str]:
    """Yield the modules that this one may import. `from x import y` also yields x.y, which may not be a module."""
    if name == "lanner":
        return  # its imports depend on the request
    package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
    origin = Path(spec.origin or "")
    lazily = _is_stdlib(origin) or name.partition(".")[0] in _LAZY
    if not lazily and b"strptime" in source:
        yield "_strptime"
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return  # a template, or written for another Python version
    for node in _Statements(package, exists, into_functions=not lazily).of(tree):
        if isinstance(node, ast.AsyncFunctionDef):
            if not lazily and not name.startswith("lanner."):
                yield "asyncio"  # Lanner runs coroutines there
        else:
            yield from (found for found in _find_named(node, package) if (name, found) not in _OPTIONAL)


def _is_extension(spec: ModuleSpec) -> bool:
    # by its file: the loaders of editable installs are of other classes
    return (spec.origin or "").endswith(tuple(EXTENSION_SUFFIXES))


def _is_stdlib(origin: Path) -> bool:
    return origin.is_relative_to(_STDLIB) and "site-packages" not in origin.parts and "dist-packages" not in origin.parts


def _find_named(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parents = package.split(".")
            base = ".".join([*parents[: len(parents) - node.level + 1], *([base] if base else [])])
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Constant):
        yield str(node.value)


class _Statements:
    """Imports in a syntax tree, string arguments of import_module, and names of coroutine functions.

    Skips imports for type checkers and scripts, and imports that only happen if another module is missing.
    """

    def __init__(self, package: str, exists: Callable[[str], bool], *, into_functions: bool) -> None:
        self._package = package
        self._exists = exists
        self._into_functions = into_functions

    def of(self, tree: ast.AST) -> Iterator[ast.AST]:
        for node in ast.iter_child_nodes(tree):
            if isinstance(node, ast.If) and _is_never(node.test):
                yield from self.of(ast.Module(node.orelse, []))
            elif isinstance(node, ast.Try) and self._succeeds(node):
                yield from self.of(ast.Module([*node.body, *node.orelse, *node.finalbody], []))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                yield node
                if self._into_functions:
                    yield from self.of(node)
            elif isinstance(node, ast.Call) and _find_called(node) in {"import_module", "__import__"}:
                yield from (of for of in node.args[:1] if isinstance(of, ast.Constant) and isinstance(of.value, str))
            else:
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield node
                yield from self.of(node)

    def _succeeds(self, node: ast.Try) -> bool:
        """Return whether all modules imported in this `try` exist, so that its ImportError handler never runs."""
        caught = {getattr(of, "id", "") for handler in node.handlers for of in ast.walk(handler.type or ast.Name("BaseException"))}
        tried = [of for of in node.body if isinstance(of, ast.Import | ast.ImportFrom)]
        if not tried or not caught & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}:
            return False
        return all(self._exists(next(_find_named(of, self._package))) for of in tried)


def _find_called(node: ast.Call) -> str:
    return getattr(node.func, "id", "") or getattr(node.func, "attr", "")


def _is_never(test: ast.expr) -> bool:
    text = ast.unparse(test)
    return text in {"TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'"}


def _trial(request: dict[str, Any]) -> list[str]:
    """Return the modules of a process that has loaded the plugin and, if possible, opened its source."""
    asked = {name: request[name] for name in ("search_path", "bridge", "plugin", "archive", "without", "compiled")}
    command = [sys.executable, "-I", "-S", "-"]
    program = _TRIAL.format(request=asked)  # the archive in it can exceed the length limit of a command-line argument
    try:
        done = subprocess.run(command, input=program, capture_output=True, text=True, check=False, timeout=_TRIAL_SECONDS)  # noqa: S603 - this very Python
    except subprocess.TimeoutExpired:
        return []
    _, _, names = done.stdout.rpartition("\nmodules:\n")
    return [name for name in names.splitlines() if not name.startswith(("lanner_bundle_", "__main__"))]


if __name__ == "__main__":
    main()
