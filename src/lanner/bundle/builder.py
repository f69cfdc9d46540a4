"""Build a plugin class and an environment into the bytes of a .so."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.abi.declared_fields import fields_json, losses
from lanner.abi.versions import BASE, EVENT_SOURCES, EVENT_TYPES, EXTRACTION, HOST_LOGGING, SOURCING, VALUE_OFFSETS, version_of
from lanner.bundle.archive import pack, store
from lanner.bundle.elf import hide_symbols
from lanner.bundle.environment import BuildError
from lanner.native import _native
from lanner.sdk.authoring.plugin import Plugin, plugin_info
from lanner.sdk.text.encoding import to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lanner.abi.versions import Api
    from lanner.bundle.archive import Archive
    from lanner.bundle.environment import Environment
    from lanner.bundle.python_runtime import Runtime
    from lanner.sdk.authoring.plugin import PluginInfo

LOADERS: Final = Path(_native.__file__).parent / "loaders"
_ELF: Final = b"\x7fELF"


@dataclass(frozen=True, slots=True)
class BuildResult:
    """The .so's bytes, its API version, and one sentence for each field that a host of this version sees differently."""

    image: bytes
    required_api: str
    losses: list[str]


def build(
    cls: type[Plugin], target: str, api: Api, environment: Environment, modules: Mapping[str, bytes], runtime: Runtime | None = None
) -> BuildResult:
    """Build the .so of `cls`, found at `target` (module:Class) in `modules` or the environment. The same input gives the same bytes.

    Without a `runtime` to bundle, the .so is bound to the environment.
    """
    info = plugin_info(cls)
    if api.number == 0 and info.has_source and info.read_sources != (info.event_source,):
        raise BuildError(f"API {api.name} has either sources or extractors, but {info.name} also extracts from other sources")
    fields = [declaration.info for declaration in info.fields]
    required = _required_api(info, api)
    texts = {
        "lanner": environment.lanner,
        "api": required,
        "name": info.name,
        "version": info.version,
        "description": info.description,
        "contact": info.contact,
        "id": str(info.id or 0),
        "event_source": info.event_source or "",
        "extract_sources": json.dumps(info.read_sources),
        "fields": fields_json(fields, api),
        "init_schema": _schema(info),
        "options": _options(info, modules, is_bundled=runtime is not None),
        "plugin": target,
        "python": environment.python,
        "host_logging": "yes" if version_of(required) >= version_of(HOST_LOGGING) else "",
        "value_offsets": "yes" if api.number == 3 and info.value_offsets else "",
    }
    files = {name: modules[name] for name in sorted(modules)}
    archive = store({**files, **runtime.files} if runtime else files)
    texts["modules"] = str(max((archive.places[name] + len(files[name]) for name in files), default=0))
    texts.update(_describe_bundled(runtime, archive) if runtime else _describe_bound(environment))
    loader = _loader(api)
    digest = hashlib.sha256(to_bytes(repr(sorted(texts.items()))) + archive.data + loader)
    texts["hash"] = digest.hexdigest()[:16]
    image = pack(hide_symbols(loader, _symbols(cls, info, api)), texts, archive)
    return BuildResult(image, required, losses(fields, api))


def _describe_bound(environment: Environment) -> dict[str, str]:
    return {
        "executable": environment.executable,
        "prefix": environment.prefix,
        "base_prefix": environment.base_prefix,
        "stdlib": environment.stdlib,
        "search_path": "\n".join(environment.search_path),
        "libpython": environment.libpython,
        "bridge": environment.bridge,
    }


def _describe_bundled(runtime: Runtime, archive: Archive) -> dict[str, str]:
    return {"natives": runtime.natives_text(archive), "glibc": ".".join(map(str, runtime.glibc))}


def write(image: bytes, path: Path) -> None:
    """Write the file atomically: a host never sees a part of it. Raises `BuildError`."""
    with replace_after_trial(image, path):
        pass


@contextmanager
def replace_after_trial(image: bytes, path: Path) -> Iterator[Path]:
    """Context manager: write a temporary file beside `path` for a trial, and rename it to `path` on success. Raises `BuildError`.

    An existing file that is not a library is never replaced.
    """
    _check_place(path)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _make_write_error(path, error) from None
    temporary = Path(name)
    try:
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(image)
            temporary.chmod(0o755)
        except OSError as error:
            raise _make_write_error(path, error) from None
        yield temporary
        try:
            temporary.replace(path)
        except OSError as error:
            raise _make_write_error(path, error) from None
    finally:
        temporary.unlink(missing_ok=True)


def _check_place(path: Path) -> None:
    try:
        if stat.S_ISREG(path.stat().st_mode):  # a pipe would block
            with path.open("rb") as file:
                head = file.read(len(_ELF))
        else:
            head = None
    except FileNotFoundError:
        return
    except OSError as error:
        raise _make_write_error(path, error) from None
    if head not in {_ELF, b""}:
        raise BuildError(f"{path} exists and is not a library, so it is not overwritten. Choose another file with -o, or remove it")


def _make_write_error(path: Path, error: OSError) -> BuildError:
    advice = "" if path.parent.is_dir() else f": create the directory {path.parent} first, or choose another with -o"
    return BuildError(f"cannot write {path}: {error.strerror}{advice}")


def _loader(api: Api) -> bytes:
    path = LOADERS / f"loader-{api.number}.so"
    try:
        return path.read_bytes()
    except OSError as error:
        raise BuildError(f"this installation of lanner has no loader for API {api.name} ({path}): {error.strerror}") from None


def _required_api(info: PluginInfo, api: Api) -> str:
    if api.number != 3:
        return api.version
    wanted = VALUE_OFFSETS if info.value_offsets else HOST_LOGGING if info.host_logging else api.version
    return max(wanted, api.version, key=version_of)


def _schema(info: PluginInfo) -> str:
    if info.config is None:
        return ""
    from lanner.sdk.options.config import config_schema

    return json.dumps(config_schema(info.config), ensure_ascii=False)


def _options(info: PluginInfo, modules: Mapping[str, bytes], *, is_bundled: bool) -> str:
    """Return the description of the options of a configuration class that the plugin's module imports late; else ""."""
    if info.config is None or not info.has_late_config:
        return ""
    from lanner.sdk.options.plain_description import describe_plain

    own = {name.partition("/")[0].removesuffix(".py") for name in modules}
    return describe_plain(info.config, lambda module: is_bundled or module.partition(".")[0] in own)


def _symbols(cls: type[Plugin], info: PluginInfo, api: Api) -> frozenset[str]:
    """Return the symbols that hosts may see. Functions that the class does not define are hidden: hosts have defaults."""
    kept = {*BASE}
    if info.config is not None:
        kept.add("plugin_get_init_schema")
    if api.number == 0:
        kept.add("plugin_get_type")
    if info.has_source:
        kept.update(SOURCING)
        kept.update(
            symbol
            for symbol, method in (("plugin_list_open_params", "list_open_params"), ("plugin_get_progress", "progress"))
            if getattr(cls, method) is not getattr(Plugin, method)
        )
    if info.fields:
        kept.update(EXTRACTION)
        if api.number == 3:
            kept.add(EVENT_TYPES)
        # an extractor that names no sources reads all sources
        if info.read_sources and not (api.number == 0 and info.has_source):
            kept.add(EVENT_SOURCES)
    return frozenset(kept)
