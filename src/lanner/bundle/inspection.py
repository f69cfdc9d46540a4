"""Describe a plugin's .so: read from the file if `lanner build` made it, otherwise queried from the library in a separate process."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lanner.abi.versions import capabilities
from lanner.bundle.archive import LICENCES, MARK, unpack
from lanner.bundle.builder import LOADERS
from lanner.bundle.elf import functions, is_truncated
from lanner.sdk.errors import LannerError
from lanner.sdk.files import read_whole
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PATIENCE: Final = 30.0
_MOST_BYTES: Final = 1 << 30
_VERSION: Final = re.compile(r"\s*\d+\.\d+\.\d+")


@dataclass(slots=True)
class BuildFacts:
    """Contents of a file made by `lanner build`, beside the plugin's declarations.

    `python` is the version. `executable` is the Python that the file is bound to, or "" if it has its own. `modules` are the plugin's
    files, `runtime` those of the bundled Python and packages, both by name. `libraries` are shared libraries: name, size in the file,
    size unpacked. `licences` are strings by component. `glibc` is the minimum version, or "" if the bound Python
    determines it.
    """

    lanner: str
    python: str
    executable: str
    glibc: str
    modules: list[str]
    runtime: list[str]
    libraries: list[tuple[str, int, int]]
    licences: dict[str, str]


@dataclass(slots=True)
class Inspection:
    """A plugin as a host sees it.

    `id` is 0 without an event source. `fields` have the layout of get_fields. `brought` is None for a library not made by
    `lanner build`; for these, `trouble` says what could not be determined.
    """

    sha256: str
    size: int
    api: str = ""
    name: str = ""
    version: str = ""
    description: str = ""
    contact: str = ""
    id: int = 0
    event_source: str = ""
    extract_sources: list[str] = field(default_factory=list)
    capabilities: tuple[str, ...] = ()
    fields: list[dict[str, Any]] = field(default_factory=list)
    init_schema: Any = None
    brought: BuildFacts | None = None
    trouble: str = ""


def inspect(path: Path) -> Inspection:
    """Describe the file. A library not made by `lanner build` is loaded, so its initialisation code runs.

    Raises `LannerError` for a file that cannot be read, is not a plugin, or was altered.
    """
    try:
        image = read_whole(path, _MOST_BYTES)
    except OSError as error:
        raise LannerError(f"cannot read {path}: {error.strerror}") from None
    if is_truncated(image):
        raise LannerError(f"{path} is truncated: it has {many(len(image), 'byte')} of a shared library with more. Copy it again")
    try:
        defined = set(functions(image))
    except (ValueError, StopIteration, struct.error, IndexError):
        raise LannerError(f"{path} is not a shared library for 64-bit Linux") from None
    if not {"plugin_get_required_api_version", "plugin_get_name"} <= defined:
        raise LannerError(f"{path} is a shared library but not a Falco plugin: it does not define plugin_get_name")
    seen = Inspection(hashlib.sha256(image).hexdigest(), len(image), capabilities=capabilities(defined))
    if MARK in image:  # the loader contains it too, so a truncated file is recognised
        try:
            _read(seen, *unpack(image))
        except ValueError as error:
            raise LannerError(f"{path} was made by `lanner build`, but {error}. Build or copy it again") from None
    else:
        _ask(seen, path)
        seen.trouble = seen.trouble or _refusal(seen)
    return seen


def _read(seen: Inspection, texts: Mapping[str, str], files: Mapping[str, bytes]) -> None:
    declared = {f"plugin_get_{name}": value for name, value in texts.items()}
    declared["plugin_get_required_api_version"] = texts["api"]
    declared["plugin_get_extract_event_sources"] = texts["extract_sources"]
    _take(seen, declared)
    rows = [line.split(" ") for line in texts.get("natives", "").splitlines()]
    seen.brought = BuildFacts(
        lanner=texts["lanner"],
        python=texts["python"],
        executable=texts.get("executable", ""),
        glibc=texts.get("glibc", ""),
        modules=[name for name in files if name.partition("/")[0] not in {"runtime", "native", "licences"}],
        runtime=[name.removeprefix("runtime/") for name in files if name.startswith("runtime/")],
        libraries=[(row[1], int(row[3]), int(row[4])) for row in rows],
        licences={
            name.removeprefix(LICENCES).removesuffix(".txt"): content.decode("utf-8", "replace")
            for name, content in files.items()
            if name.startswith(LICENCES)
        },
    )


def _ask(seen: Inspection, path: Path) -> None:
    command = [str(LOADERS / "probe"), "--info", str(path.absolute())]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_PATIENCE)  # noqa: S603 - our own
        told, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as error:
        told, code = error.stdout or b"", None
    texts: dict[str, str] = {}
    for line in told.decode("utf-8", "replace").split("\0"):
        name, _, value = line.partition("\t")
        texts[name] = value
    if "error" in texts:
        seen.trouble = f"it does not load here: {texts['error']}"
    elif "done" not in texts:
        end = f"did not return within {_PATIENCE:.0f} s" if code is None else f"ended the process ({_describe_end(code)})"
        seen.trouble = f"{texts.get('call', 'dlopen')} {end}"
    _take(seen, texts)


def _refusal(seen: Inspection) -> str:
    """Return why Falco refuses to load it, or "" if Falco accepts it (libs, sinsp_plugin::resolve_dylib_symbols)."""
    if not _VERSION.match(seen.version):
        return f"Falco refuses it: its version is {seen.version!r}, not three numbers such as 0.1.0"
    if not seen.capabilities:
        return "Falco refuses it: it has no capability"
    if seen.event_source == "syscall":
        return "Falco refuses it: the event source syscall is Falco's own"
    for declared in seen.fields:
        for member in ("name", "type", "desc"):
            if not declared.get(member):
                return f"Falco refuses it: a field has no {member!r}: {json.dumps(declared, ensure_ascii=False)}"
    return ""


def _describe_end(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def _take(seen: Inspection, texts: Mapping[str, str]) -> None:
    for name in ("name", "version", "description", "contact", "event_source"):
        setattr(seen, name, texts.get(f"plugin_get_{name}", ""))
    seen.api = texts.get("plugin_get_required_api_version", "")
    seen.id = int(texts.get("plugin_get_id", "0"))
    if "sourcing" not in seen.capabilities:
        seen.event_source = ""
    seen.extract_sources = [str(source) for source in _json(seen, texts, "plugin_get_extract_event_sources")]
    if "extraction" in seen.capabilities:
        seen.fields = [dict(one) for one in _json(seen, texts, "plugin_get_fields") if isinstance(one, dict)]
        seen.extract_sources = seen.extract_sources or [seen.event_source] * bool(seen.event_source)
    else:
        seen.extract_sources = []
    schema = texts.get("plugin_get_init_schema")
    try:
        seen.init_schema = json.loads(schema) if schema else None
    except ValueError as error:
        seen.trouble = seen.trouble or f"invalid JSON in the schema of its configuration: {error}"


def _json(seen: Inspection, texts: Mapping[str, str], name: str) -> list[Any]:
    text = texts.get(name)
    if not text:
        return []
    try:
        value = json.loads(text)
    except ValueError as error:
        seen.trouble = seen.trouble or f"invalid JSON from {name}: {error}"
        return []
    return value if isinstance(value, list) else []
