"""Software bill of materials of a plugin's .so and its dependencies, in CycloneDX 1.5 (JSON).

The document depends only on the build's parts: its serial number is derived from its content, and it has a time only
if `SOURCE_DATE_EPOCH` gives one. Versions are those of the build machine: of Python packages from
metadata, of system libraries from Debian's packages. Package licences come from metadata. Licence texts of system libraries are
in the .so; `lanner inspect --licences` prints them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote

from lanner._version import __version__
from lanner.bundle.licences import debian_packages, packages_of
from lanner.sdk.text.printable import printable_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import Distribution

    from lanner.bundle.contents import BundleContents
    from lanner.bundle.environment import Environment
    from lanner.bundle.python_runtime import NativeLibrary, Runtime
    from lanner.sdk.authoring.plugin import PluginInfo

Component: TypeAlias = dict[str, Any]

# licence classifiers that correspond to exactly one SPDX name
_CLASSIFIERS: Final = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "License :: OSI Approved :: The Unlicense (Unlicense)": "Unlicense",
}
# a dependency that is not in the file
_ELSEWHERE: Final[Component] = {
    "properties": [{"name": "lanner:in-file", "value": "no: provided by the environment that the plugin is bound to"}]
}
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/schema/bom-1.5.schema.json")


def make_bill(
    info: PluginInfo,
    image: bytes,
    machine: str,
    environment: Environment,
    collected: BundleContents,
    runtime: Runtime | None,
    created: str,
) -> bytes:
    """Return the document about the .so `image` of a plugin, built for `machine` (`x86_64`).

    `collected` holds the modules in it and the packages it needs. `runtime` is the bundled Python, or None
    if the .so is bound to `environment`. `created` is a time in RFC 3339, or "".
    """
    plugin: Component = {
        "type": "library",
        "bom-ref": f"plugin:{info.name}@{info.version}",
        "publisher": info.contact,
        "name": info.name,
        "version": info.version,
        "description": info.description,
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(image).hexdigest()}],
        "purl": f"pkg:generic/{info.name}@{quote(info.version, safe='')}?arch={machine}&os=linux",
    }
    parts = _parts(environment, collected, runtime)
    lanner = {"type": "application", "name": "lanner", "version": __version__}
    metadata: dict[str, Any] = {"timestamp": created} if created else {}
    metadata |= {"tools": {"components": [lanner]}, "component": plugin}
    content: dict[str, Any] = {
        "version": 1,
        "metadata": metadata,
        "components": parts,
        "dependencies": [
            {"ref": plugin["bom-ref"], "dependsOn": [part["bom-ref"] for part in parts]},
            *({"ref": part["bom-ref"], "dependsOn": []} for part in parts),
        ],
    }
    serial = uuid.uuid5(_NAMESPACE, json.dumps(content, sort_keys=True))
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{serial}",
        **content,
    }
    return (printable_json(document, indent=2) + "\n").encode()


def _parts(environment: Environment, collected: BundleContents, runtime: Runtime | None) -> list[Component]:
    modules, natives = collected.modules, runtime.natives if runtime else []
    held = {_top(name) for name in modules}
    if runtime:
        held |= {_top(name.removeprefix("runtime/")) for name in runtime.files if name.startswith("runtime/")}
        held |= {_top(native.name) for native in natives if native.role == "module"}
    tops = {"lanner", *collected.left, *(held - sys.stdlib_module_names)}
    of_packages: set[str] = set()
    parts = []
    for distribution in sorted(packages_of(environment, tops), key=lambda one: one.name.lower()):
        own = {"lanner"} if distribution.name == "lanner" else {file.parts[0].partition(".")[0] for file in distribution.files or []} & tops
        of_packages |= own
        files = [native for native in natives if _top(native.name) in own or _is_bridge(native, distribution)]
        parts.append(_package(distribution, files) | ({} if own & held else _ELSEWHERE))
    python = _python(environment, [native for native in natives if _is_of_python(native, of_packages)])
    libraries = _libraries([native for native in natives if native.role != "module" and not _is_special(native)])
    own_files = [_own_component(name, modules[name]) for name in sorted(modules) if _top(name) not in of_packages]
    return [python | ({} if runtime else _ELSEWHERE), *parts, *libraries, *own_files]


def _top(name: str) -> str:
    return name.partition("/")[0].partition(".")[0]


def _is_bridge(native: NativeLibrary, distribution: Distribution) -> bool:
    return native.name == "lanner-bridge.so" and distribution.name == "lanner"


def _is_special(native: NativeLibrary) -> bool:
    return native.name == "lanner-bridge.so" or native.name.startswith("libpython")


def _is_of_python(native: NativeLibrary, of_packages: set[str]) -> bool:
    return _top(native.name) not in of_packages if native.role == "module" else native.name.startswith("libpython")


def _python(environment: Environment, natives: Iterable[NativeLibrary]) -> Component:
    return {
        "type": "platform",
        "bom-ref": f"pkg:generic/cpython@{environment.python}",
        "name": "cpython",
        "version": environment.python,
        "licenses": [{"license": {"id": "Python-2.0"}}],
        "purl": f"pkg:generic/cpython@{environment.python}",
        **_occurrences(natives),
    }


def _package(distribution: Distribution, natives: Iterable[NativeLibrary]) -> Component:
    name = distribution.name.lower().replace("_", "-")
    purl = f"pkg:pypi/{quote(name, safe='')}@{quote(distribution.version, safe='')}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": distribution.name,
        "version": distribution.version,
        **_licence(distribution),
        "purl": purl,
        **_occurrences(natives),
    }


def _licence(distribution: Distribution) -> dict[str, Any]:
    metadata = distribution.metadata
    if "License-Expression" in metadata:
        return {"licenses": [{"expression": metadata["License-Expression"]}]}
    known = [line for line in metadata.get_all("Classifier") or [] if line.startswith("License ::")]
    if len(known) == 1 and known[0] in _CLASSIFIERS:
        return {"licenses": [{"license": {"id": _CLASSIFIERS[known[0]]}}]}
    text = metadata["License"].strip() if "License" in metadata else ""
    names = [text] if text and "\n" not in text else [line.rpartition(" :: ")[2] for line in known]
    return {"licenses": [{"license": {"name": name}} for name in names]} if names else {}


def _libraries(natives: Iterable[NativeLibrary]) -> list[Component]:
    """Return the system libraries grouped by Debian package, or by file if no package owns them."""
    by_package: dict[tuple[str, str], list[NativeLibrary]] = {}
    natives = list(natives)
    packages = debian_packages(native.path for native in natives)
    for native in natives:
        package = packages[native.path]
        by_package.setdefault((package, "" if package else native.name.partition(".so")[0]), []).append(native)
    return [_library(package or name, _debian_version(package), files) for (package, name), files in sorted(by_package.items())]


def _library(name: str, version: str, natives: Iterable[NativeLibrary]) -> Component:
    purl = f"pkg:deb/debian/{quote(name, safe='')}@{quote(version, safe='')}" if version else f"pkg:generic/{quote(name, safe='')}"
    shown: Component = {"type": "library", "bom-ref": purl, "name": name}
    if version:
        shown["version"] = version
        shown["licenses"] = [{"license": {"name": f"the text {name} that `lanner inspect --licences` prints"}}]
    return {**shown, "purl": purl, **_occurrences(natives)}


def _debian_version(package: str) -> str:
    query = shutil.which("dpkg-query")
    if not package or not query:
        return ""
    done = subprocess.run([query, "-W", "-f", "${Version}\\n", package], capture_output=True, text=True, check=False)  # noqa: S603 - Debian's
    return done.stdout.partition("\n")[0].strip()


def _own_component(name: str, content: bytes) -> Component:
    digest = hashlib.sha256(content).hexdigest()
    return {"type": "file", "bom-ref": f"file:{name}", "name": name, "hashes": [{"alg": "SHA-256", "content": digest}]}


def _occurrences(natives: Iterable[NativeLibrary]) -> dict[str, Any]:
    places = [{"location": f"native/{native.name}"} for native in natives]
    return {"evidence": {"occurrences": places}} if places else {}
