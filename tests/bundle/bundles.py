"""Build a plugin with `--bundle` for each API. The search for modules happens only once, and what bundles share is compressed once."""

from unittest import mock

from lanner.abi.versions import APIS
from lanner.bundle import python_runtime
from lanner.bundle.builder import build, write
from lanner.bundle.environment import BuildError, describe
from lanner.cli.build import ModuleChoice, _collect, _runtime
from lanner.host.plugin_loader import load_plugin

from .. import packed


def build_for_all_apis(plugin, folder):
    """Write `folder/API.so` for each API that the class can be built for."""
    cls, environment = load_plugin(plugin), describe()
    target, source, collected = _collect(plugin, cls, environment)
    with mock.patch.object(python_runtime, "_pack", packed.pack):
        runtime = _runtime(environment, target, source, collected, ModuleChoice())
    for name, api in APIS.items():
        try:
            image = build(cls, target, api, environment, collected.modules, runtime).image
        except BuildError:  # a class that this API cannot express
            continue
        write(image, folder / f"{name}.so")
