"""OCI image layout of a plugin and its rules, with the media types and annotations of falcoctl.

    oci-layout                        version of the layout
    index.json                        the artifacts, each with a name such as docker-0.1.0 or docker-rules-0.1.0
    blobs/sha256/...                  by digest: archives, configurations, manifests, indexes

A plugin is an index with one manifest per platform. Rules are one manifest. A manifest has a configuration (name, version,
requirements, dependencies) and one layer: the archive, titled with its file name.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lanner.package.artefacts import oci_architecture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanner.package.artefacts import Artefact

Descriptor: TypeAlias = dict[str, Any]

PLUGIN: Final = "plugin"
RULES: Final = "rulesfile"
INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"

# the requirements that falcoctl and Falco support
PLUGIN_API: Final = "plugin_api_version"
ENGINE: Final = "engine_version_semver"

_REF_NAME: Final = "org.opencontainers.image.ref.name"
_OWN_FILE: Final = re.compile(r"oci-layout|index\.json|blobs/sha256/[0-9a-f]{64}")
_OWN_FOLDERS: Final = frozenset({"blobs", "blobs/sha256"})


def config_type(kind: str) -> str:
    """Return the media type of a configuration: `plugin` or `rulesfile`."""
    return f"application/vnd.cncf.falco.{kind}.config.v1+json"


def layer_type(kind: str) -> str:
    """Return the media type of an archive: `plugin` or `rulesfile`."""
    return f"application/vnd.cncf.falco.{kind}.layer.v1+tar.gz"


@dataclass(frozen=True, slots=True)
class Dependency:
    """A plugin required by rules, in this or a later version of the same major version, with alternatives."""

    name: str
    version: str
    alternatives: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the dependency as it is written in a configuration."""
        shown: dict[str, Any] = {"name": self.name, "version": self.version}
        if self.alternatives:
            shown["alternatives"] = [{"name": name, "version": version} for name, version in self.alternatives]
        return shown


@dataclass(slots=True)
class Layout:
    """A layout under construction: its blobs by digest, and the entries of its index.

    `source` (URL of the sources) and `created` (time in RFC 3339) become annotations; "" omits them.
    """

    source: str = ""
    created: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    roots: list[Descriptor] = field(default_factory=list)

    def add_plugin(self, plugins: Sequence[tuple[str, Artefact]], required_api: str) -> Descriptor:
        """Add one plugin's archives by architecture (`x86_64`). Return the descriptor of their index."""
        _, first = plugins[0]
        config = _config(first, requirements={PLUGIN_API: required_api})
        manifests = []
        for machine, artefact in plugins:
            manifest = self._manifest(PLUGIN, config, artefact)
            manifest["platform"] = {"architecture": oci_architecture(machine), "os": "linux"}
            manifests.append(manifest)
        index: dict[str, Any] = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": manifests}
        if self.source:
            index["annotations"] = {"org.opencontainers.image.source": self.source}
        return self._root(self._json(INDEX_TYPE, index), first)

    def add_rules(self, artefact: Artefact, engine: str, dependencies: Sequence[Dependency]) -> Descriptor:
        """Add rules. Return the descriptor of their manifest."""
        config = _config(artefact, dependencies=dependencies, requirements={ENGINE: engine})
        return self._root(self._manifest(RULES, config, artefact), artefact)

    def files(self) -> dict[str, bytes]:
        """Return the layout's files by path."""
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": self.roots}
        blobs = {f"blobs/sha256/{digest}": self.blobs[digest] for digest in sorted(self.blobs)}
        return {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": _dump(index), **blobs}

    def _manifest(self, kind: str, config: dict[str, Any], artefact: Artefact) -> Descriptor:
        layer = self._blob(layer_type(kind), artefact.data)
        layer["annotations"] = {"org.opencontainers.image.title": artefact.file}
        manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": self._json(config_type(kind), config),
            "layers": [layer],
        }
        annotations = {"org.opencontainers.image.created": self.created, "org.opencontainers.image.source": self.source}
        if annotations := {name: value for name, value in annotations.items() if value}:
            manifest["annotations"] = annotations
        descriptor = self._json(MANIFEST_TYPE, manifest)
        if annotations:
            descriptor["annotations"] = annotations
        descriptor["artifactType"] = config_type(kind)
        return descriptor

    def _root(self, descriptor: Descriptor, artefact: Artefact) -> Descriptor:
        named = {_REF_NAME: f"{artefact.name}-{artefact.version}"}
        root = {**descriptor, "annotations": {**descriptor.get("annotations", {}), **named}}
        self.roots.append(root)
        return root

    def _json(self, media_type: str, content: Any) -> Descriptor:
        return self._blob(media_type, _dump(content))

    def _blob(self, media_type: str, content: bytes) -> Descriptor:
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _config(artefact: Artefact, *, dependencies: Sequence[Dependency] = (), requirements: dict[str, str]) -> dict[str, Any]:
    config: dict[str, Any] = {"name": artefact.name, "version": artefact.version}
    if dependencies:
        config["dependencies"] = [dependency.as_json() for dependency in dependencies]
    config["requirements"] = [{"name": name, "version": version} for name, version in sorted(requirements.items())]
    return config


def _dump(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def find_foreign(folder: Path, plugin: str) -> str:
    """Return a description of something in a layout that `Layout` has not made for this plugin; "" if there is nothing else.

    Raises `OSError` if the layout cannot be read.
    """
    for parent, folders, files in os.walk(folder, onerror=_raise):
        for each in (Path(parent) / name for name in sorted([*folders, *files])):
            path, mode = str(each.relative_to(folder)), each.lstat().st_mode
            if not ((stat.S_ISDIR(mode) and path in _OWN_FOLDERS) or (stat.S_ISREG(mode) and _OWN_FILE.fullmatch(path))):
                return f"the file {path}" if not stat.S_ISDIR(mode) else f"the directory {path}"
    own = re.compile(rf"{re.escape(plugin)}(?:-rules)?-\d[0-9A-Za-z.-]*")
    for name in _read_names(folder):
        if not own.fullmatch(name):
            return f"the artifact {name}" if name else "an artifact without a name"
    return ""


def _read_names(folder: Path) -> list[str]:
    """Return the names of the artifacts in a layout's index, "" for an artifact without one."""
    try:
        roots = json.loads((folder / "index.json").read_bytes())["manifests"]
        return [str((root.get("annotations") or {}).get(_REF_NAME, "")) for root in roots]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return [""]


def _raise(error: OSError) -> None:
    raise error
