"""`lanner build`: a plugin's name in, a .so and what to do with it out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lanner.abi.versions import APIS
from lanner.bundle.build import build, write
from lanner.bundle.collect import Collected, collect
from lanner.bundle.environment import BuildError, describe
from lanner.bundle.probe import probe
from lanner.cli.messages import FAILED, OK, fail
from lanner.framework.load import BUILT_IN, load_plugin
from lanner.sdk.plugin import plugin_info

if TYPE_CHECKING:
    from lanner.bundle.build import Built
    from lanner.bundle.environment import Environment
    from lanner.bundle.probe import Probed
    from lanner.sdk.plugin import Plugin, PluginInfo


def build_plugin(name: str, *, output: str | None, api: str, python: str) -> int:
    """Do it; gives the exit code. Raises `LannerError`."""
    cls = load_plugin(name)
    info = plugin_info(cls)
    environment = describe(python)
    target, collected = _collect(name, cls, environment)
    built = build(cls, target, APIS[api], environment, collected.modules)
    path = Path(output) if output else Path(f"lib{info.name}.so")
    if path.is_dir():
        path /= f"lib{info.name}.so"
    write(built.image, path)
    _warn(built, collected)
    seen = probe(path)
    _tell(path, info, seen, environment, collected)
    if seen.init_error:
        return fail(f"{path} is written, but a host cannot init it: {seen.init_error}", FAILED)
    return OK


def _collect(name: str, cls: type[Plugin], environment: Environment) -> tuple[str, Collected]:
    """module:Class as the .so imports it, and the modules that it brings."""
    target = BUILT_IN.get(name)
    if target:
        return target, Collected()
    place = name.partition(":")[0]
    if place.endswith(".py") or "/" in place:
        module, folder = Path(place).stem, Path(place).resolve().parent
    else:
        module, folder = place, Path.cwd()
    collected = collect(module, [str(folder), *environment.search_path])
    if module.partition(".")[0] in collected.missing:
        raise BuildError(f"cannot find the source of {name}")
    return f"{module}:{cls.__name__}", collected


def _warn(built: Built, collected: Collected) -> None:
    for loss in built.losses:
        sys.stderr.write(f"lanner: warning: {loss}\n")
    if collected.missing:
        sys.stderr.write(f"lanner: warning: not found, so imports of it will fail: {', '.join(sorted(collected.missing))}\n")


def _tell(path: Path, info: PluginInfo, seen: Probed, environment: Environment, collected: Collected) -> None:
    rows = [
        ("plugin", f"{seen.name} {seen.version} ({', '.join(seen.capabilities)})"),
        ("plugin API", f"{seen.api}: {next(api.hosts for api in APIS.values() if api.version == seen.api or api.name == seen.api[0])}"),
        ("file", f"{path}, {path.stat().st_size:,} bytes; loaded and initialised in {seen.milliseconds:.0f} ms"),
        ("runs on", f"Python {environment.python}, {environment.executable}"),
        (
            "brings",
            ", ".join(sorted({file.partition("/")[0].removesuffix(".py") for file in collected.modules}))
            or "nothing: it is in the environment",
        ),
    ]
    if collected.left:
        rows.append(("needs there", ", ".join(sorted(collected.left))))
    if seen.open_error:
        rows.append(("opened", f"not here and now: {seen.open_error}"))
    if info.rules:
        rows.append(("rules file", info.rules))
    width = max(len(name) for name, _ in rows)
    sys.stdout.writelines(f"{name:<{width}}  {value}\n" for name, value in rows)
    lines = ["plugins:", f"  - name: {info.name}", f"    library_path: {path.absolute()}", "    init_config: {}"]
    lines += ["    open_params: ''"] if info.has_source else []
    lines += [f"load_plugins: [{info.name}]"]
    lines += [f"rules_files: [{info.rules}]"] if info.rules else []
    sys.stdout.write("\nIn falco.yaml:\n\n" + "\n".join(lines) + "\n")
