"""`lanner build`: build a plugin into a .so, and print what to do with it."""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.abi.versions import APIS, RULES_FILES, hosts, version_of
from lanner.bundle.builder import build, replace_after_trial
from lanner.bundle.contents import BundleContents, collect, may_be_brought
from lanner.bundle.environment import BuildError, describe
from lanner.bundle.probe import probe
from lanner.cli.messages import FAILED, OK, fail, say
from lanner.cli.show import print_lines, print_table
from lanner.host.plugin_loader import BUILT_IN, installed_target, load_plugin
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.options.option_errors import REQUIRED
from lanner.sdk.own_modules import search_sources_in
from lanner.sdk.text.encoding import many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.bundle.builder import BuildResult
    from lanner.bundle.environment import Environment
    from lanner.bundle.probe import ProbeResult
    from lanner.bundle.python_runtime import Runtime
    from lanner.sdk.authoring.plugin import Plugin, PluginInfo

_PLAIN: Final = re.compile(r"[\w./+-]+")


@dataclass(frozen=True, slots=True)
class ModuleChoice:
    """Modules to include in a bundle, and modules to exclude from it, in addition to the search's result."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class BuiltPlugin:
    """A plugin's .so before it is written, and the parts it was built from."""

    built: BuildResult
    environment: Environment
    collected: BundleContents
    runtime: Runtime | None


def make_plugin(name: str, cls: type[Plugin], *, api: str, python: str, bundling: ModuleChoice | None = None) -> BuiltPlugin:
    """Build the class that `name` identifies. Without `bundling` it is bound to its environment. Raises `LannerError`.

    Fields that a host sees differently from their declaration are printed to standard error.
    """
    environment = describe(python)
    target, folder, collected = _collect(name, cls, environment)
    runtime = _runtime(environment, target, folder, collected, bundling) if bundling is not None else None
    built = build(cls, target, APIS[api], environment, collected.modules, runtime)
    _warn(built, collected)
    return BuiltPlugin(built, environment, collected, runtime)


def build_plugin(name: str, *, output: str | None, api: str, python: str, bundling: ModuleChoice | None = None) -> int:
    """Build and write the plugin, and return the exit code. Without `bundling` it is bound to its environment. Raises `LannerError`."""
    cls = load_plugin(name)
    info = plugin_info(cls)
    made = make_plugin(name, cls, api=api, python=python, bundling=bundling)
    path = Path(output) if output else Path(f"lib{info.name}.so")
    if path.is_dir():
        path /= f"lib{info.name}.so"
    with replace_after_trial(made.built.image, path) as file:
        seen = probe(file, path.absolute())
        if seen.opens_nowhere:
            raise BuildError(f"no host can open it, so it was not written: {seen.open_error}")
        fails = bool(seen.init_error) and not wants_options(info, seen)
        if fails and path.exists():
            raise BuildError(
                f"a host cannot init the new library, so {path} is unchanged "
                f"(remove it first if init can succeed only elsewhere): {seen.init_error}"
            )
    _tell(path, cls, seen, made)
    warn_of_source(seen)
    if fails:
        first, *more = seen.init_error.splitlines()
        return fail(f"{path} is written, but a host cannot init it: {first}", FAILED, more=more)
    return OK


def wants_options(info: PluginInfo, seen: ProbeResult) -> bool:
    """Return whether init failed only because the trial gives no options, and print the parts that remain untested."""
    if info.config is None or REQUIRED not in seen.init_error:
        return False
    from lanner.sdk.options.config import required_options

    options = required_options(info.config)
    if options:
        say(f"built; not tried: init with options, and reading events, because these options are required: {', '.join(options)}")
    return bool(options)


def warn_of_source(seen: ProbeResult) -> None:
    """Warn of an event source that fails before its first event: something it needs may be missing here, or its code has a bug."""
    if seen.read_error:
        first, *more = seen.read_error.splitlines()
        say(f"warning: its event source fails before the first event on this machine: {first}", *more)


def _runtime(environment: Environment, target: str, folder: str, collected: BundleContents, bundling: ModuleChoice) -> Runtime:
    from lanner.bundle.python_runtime import assemble

    runtime = assemble(
        environment,
        target,
        collected.modules,
        folder=folder,
        packages=sorted(collected.left),
        include=bundling.include,
        exclude=bundling.exclude,
    )
    for module in runtime.missing:
        raise BuildError(f"--include {module}: no such module in {environment.executable}")
    return runtime


def _collect(name: str, cls: type[Plugin], environment: Environment) -> tuple[str, str, BundleContents]:
    """Return module:Class as the .so imports it, the folder of the module, and the modules to include."""
    target = BUILT_IN.get(name)
    if target:
        return target, "", BundleContents()
    name = installed_target(name) or name
    place, file = name.partition(":")[0], None
    if place.endswith(".py") or "/" in place:
        file = Path(place)
        module, folder = file.stem, file.resolve().parent
        if not may_be_brought(module):
            raise BuildError(f"{place} has the name of a module that every host has already, {module}: rename the file")
    else:
        module, folder = place, Path.cwd()
    search_sources_in(folder)
    collected = collect(module, [str(folder), *environment.search_path], file)
    if module.partition(".")[0] in collected.missing:
        raise BuildError(f"cannot find the source of {name}")
    return f"{module}:{cls.__name__}", str(folder), collected


def _warn(built: BuildResult, collected: BundleContents) -> None:
    for loss in built.losses:
        say(f"warning: {loss}")
    if collected.missing:
        say(f"warning: not found, so imports of it will fail: {', '.join(sorted(collected.missing))}")


def _content_lines(environment: Environment, runtime: Runtime) -> list[tuple[str, str]]:
    """Return lines with the file's contents and their sizes."""
    glibc = ".".join(map(str, runtime.glibc))
    sizes = [(f"{native.name} ({native.size:,} unpacked)", len(native.packed)) for native in runtime.natives]
    for folder, name in (("runtime/", "modules"), ("licences/", "licences")):
        found = [len(content) for file, content in runtime.files.items() if file.startswith(folder)]
        sizes.append((f"{len(found)} {name}", sum(found)))
    rows = [("runs on", f"any Linux of this architecture with glibc {glibc} or newer; no Python is needed there")]
    rows += [
        ("brings" if place == 0 else "", f"{size:>9,}  {name}") for place, (name, size) in enumerate(sorted(sizes, key=lambda of: -of[1]))
    ]
    return [*rows, ("Python", environment.python)]


def _tell(path: Path, cls: type[Plugin], seen: ProbeResult, made: BuiltPlugin) -> None:
    info = plugin_info(cls)
    environment, collected, runtime = made.environment, made.collected, made.runtime
    rows = [
        ("plugin", f"{seen.name} {seen.version} ({', '.join(seen.capabilities)})"),
        ("plugin API", f"{seen.api}: {hosts(seen.api)}"),
        ("file", f"{path}, {many(path.stat().st_size, 'byte')}; loaded and initialised in {seen.milliseconds:.0f} ms"),
        *(_content_lines(environment, runtime) if runtime else [("runs on", f"Python {environment.python}, {environment.executable}")]),
        (
            "modules" if runtime else "brings",
            ", ".join(sorted({file.partition("/")[0].removesuffix(".py") for file in collected.modules}))
            or f"nothing: it is in the {'package lanner' if runtime else 'environment'}",
        ),
    ]
    if collected.left and not runtime:
        rows.append(("needs there", ", ".join(sorted(collected.left))))
    if seen.open_error:
        rows.append(("opened", f"failed: {seen.open_error}"))
    if info.rules:
        rows.append(("rules file", info.rules))
    print_table(("", ""), rows)
    print_lines(["", "In falco.yaml:", "", *snippet(info, path, seen.api, find_rules(cls, path))])


def find_rules(cls: type[Plugin], library: Path) -> Path:
    """Return the rules file of a plugin: the one that it ships, or `NAME_rules.yaml` beside its module or else beside the library."""
    info = plugin_info(cls)
    if info.rules is not None:
        return Path(info.rules)
    name = f"{info.name}_rules.yaml"
    module = getattr(sys.modules[cls.__module__], "__file__", None)
    beside = Path(module).absolute().with_name(name) if module else None
    return beside if beside is not None and beside.is_file() else library.absolute().with_name(name)


def snippet(info: PluginInfo, path: Path, api: str, rules: Path) -> list[str]:
    """Return the lines of falco.yaml that load the library at `path` and the `rules`, for hosts of this API version."""
    path = path.absolute()
    lines = ["plugins:", f"  - name: {info.name}", f"    library_path: {_scalar(str(path))}"]
    lines += _required_lines(info)
    loaded = [info.name]
    if info.has_source:
        lines.append("    open_params: ''")
    elif info.read_sources and "syscall" not in info.read_sources:
        wanted = " or ".join(f"`source: {source}`" for source in info.read_sources)
        lines.append(f"  # {info.name} has no event source: Falco refuses it without the plugin of its events, {wanted}")
        if name := next((name for name in BUILT_IN if plugin_info(load_plugin(name)).event_source in info.read_sources), None):
            library = path.with_name(f"lib{name}.so")
            remark = "" if library.exists() else f"  # it does not exist yet: lanner build {name} -o {shlex.quote(str(library))}"
            lines += [f"  - name: {name}", f"    library_path: {_scalar(str(library))}{remark}"]
            loaded.insert(0, name)
        else:
            lines += ["  # - name: ITS_NAME  # write it in load_plugins too", "  #   library_path: /path/to/its/library.so"]
    lines.append(f"load_plugins: [{', '.join(loaded)}]")
    if not rules.exists():
        source = next(iter(info.read_sources), "")
        lines.append(f"# {info.name} has no rules yet: write them into this file{source and f', each with `source: {source}`'}")
    if version_of(api) < RULES_FILES and version_of(api) >= version_of(APIS["3"].version):
        lines.append("# Falco versions before 0.38 call this key rules_file")
    key = "rules_files" if version_of(api) >= version_of(APIS["3"].version) else "rules_file"
    lines.append(f"{key}: [{_scalar(str(rules))}]")
    return lines


def _required_lines(info: PluginInfo) -> list[str]:
    """Return the lines of init_config with the required options."""
    if info.config is None:
        return []
    from lanner.sdk.options.config import config_table, required_options

    names = required_options(info.config)
    lines = ["    init_config:"] if names else []
    for name, kind, _, description in config_table(info.config):
        if name in names:
            variable = re.sub(r"\W|(?<=[a-z0-9])(?=[A-Z])", "_", f"{info.name}_{name}").upper()
            value = f"${{{variable}}}" if kind == "secret" else ""
            lines.append(f"      {name}: {value}  # {': '.join(filter(None, ('required', description)))}")
    return lines


def _scalar(text: str) -> str:
    """Return a path as a YAML scalar, in quotes if needed."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
