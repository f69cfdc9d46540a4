"""Build a plugin with `--bundle` for each API: bundles.py PLUGIN FOLDER. The search for modules and the compression happen only once."""

import sys
from pathlib import Path

from lanner.abi.versions import APIS
from lanner.bundle.builder import build, write
from lanner.bundle.environment import BuildError, describe
from lanner.cli.build import Bundling, _collect, _runtime
from lanner.host.plugin_loader import load_plugin


def main(plugin, folder):
    cls, environment = load_plugin(plugin), describe()
    target, source, collected = _collect(plugin, cls, environment)
    runtime = _runtime(environment, target, source, collected, Bundling())
    for name, api in APIS.items():
        try:
            image = build(cls, target, api, environment, collected.modules, runtime).image
        except BuildError:  # a class that this API cannot express
            continue
        write(image, Path(folder) / f"{name}.so")


main(*sys.argv[1:])
