"""`lanner package`: package a plugin into a directory for registries and falcoctl."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lanner.bundle.builder import write
from lanner.bundle.probe import probe
from lanner.cli.build import make_plugin, wants_options, warn_of_source
from lanner.cli.messages import FAILED, OK, fail, say
from lanner.cli.runs.validate import make_validator, read_rules
from lanner.cli.show import print_lines, print_table
from lanner.config.falco import Falco
from lanner.host.own_rules import rules_files
from lanner.host.plugin_files import list_plugin_files
from lanner.host.plugin_loader import load_plugin
from lanner.package.artefacts import PackageError, check_version, machine_here, place, plugin_artefact, rules_artefact, sums
from lanner.package.oci import Layout, find_foreign
from lanner.package.readme import fields_table, insert_table
from lanner.package.requirements import requirements
from lanner.package.sbom import make_bill
from lanner.rules.files.load import MAX_SIZE, load_text
from lanner.rules.findings import UNKNOWN_SOURCE, Finding, RulesError
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.files import check_apart, read_whole
from lanner.sdk.text.encoding import many, to_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lanner.bundle.probe import ProbeResult
    from lanner.cli.build import ModuleChoice
    from lanner.package.artefacts import Artefact
    from lanner.package.requirements import Requirements
    from lanner.sdk.authoring.plugin import PluginInfo

LAYOUT = "oci"
SUMS = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class _Rules:
    artefact: Artefact
    requirements: Requirements
    foreign: Sequence[Finding]
    """Warnings about rules of event sources that the plugin has not."""


def package_plugin(
    name: str,
    *,
    output: str,
    api: str,
    python: str,
    rules: Sequence[str] = (),
    readme: str | None = None,
    source: str = "",
    bundling: ModuleChoice | None = None,
) -> int:
    """Package the plugin and return the exit code. `rules` replace the plugin's own. Raises `LannerError` without writing anything."""
    machine, created = machine_here(), _creation_time()
    cls = load_plugin(name)
    info = plugin_info(cls)
    check_version(info.version)
    folder = Path(output)
    _check_folder(folder, info.name)
    text = _add_fields(Path(readme), info) if readme else None
    packed = _rules(info, rules_files(rules, info) if rules or info.rules else ())
    made = make_plugin(name, cls, api=api, python=python, bundling=bundling)
    seen = _try(info, made.built.image)
    if seen.init_error and not wants_options(info, seen):
        return fail(f"a host cannot init the plugin, so nothing is packaged: {seen.init_error}", FAILED)
    if seen.opens_nowhere:
        return fail(f"no host can open the plugin, so nothing is packaged: {seen.open_error}", FAILED)
    warn_of_source(seen)

    plugin = plugin_artefact(info.name, info.version, machine, made.built.image)
    layout = Layout(source, created)
    layout.add_plugin([(machine, plugin)], made.built.required_api)
    files = {plugin.file: plugin.data}
    if packed:
        layout.add_rules(packed.artefact, packed.requirements.engine, packed.requirements.dependencies)
        files[packed.artefact.file] = packed.artefact.data
    sbom = f"{info.name}-{info.version}-linux-{machine}.cdx.json"
    files[sbom] = make_bill(info, made.built.image, machine, made.environment, made.collected, made.runtime, created)
    files |= {f"{LAYOUT}/{file}": content for file, content in layout.files().items()}
    files[SUMS] = sums(files)
    read = (*list_plugin_files(cls, ""), *(("reads the rules file", path) for path in rules))
    check_apart([("-o", str(folder / file)) for file in files], read)
    _write(folder, files)
    if readme and text is not None:
        place(Path(readme).parent, {Path(readme).name: text})

    if made.runtime is None:
        where = made.environment.executable
        say(f"warning: the plugin needs {where} on the machine where it is installed; --bundle includes Python")
    for each in packed.requirements.understated if packed else ():
        say(f"warning: {each}")
    if packed and packed.foreign:
        told = [f"    {finding.place}: {finding.message}" for finding in packed.foreign]
        say(
            f"warning: {many(len(told), 'rule')} of other event sources packaged unchecked; Falco needs the plugins of their events:", *told
        )
    _tell(folder, plugin, sbom, packed, made.built.required_api)
    return OK


def _creation_time() -> str:
    """Return the time of `SOURCE_DATE_EPOCH` in RFC 3339, or "" if it is not set."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return ""
    try:
        return datetime.fromtimestamp(int(text), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        raise PackageError(f"invalid SOURCE_DATE_EPOCH {text!r}: use a number of seconds since 1970") from None


def _check_folder(folder: Path, plugin: str) -> None:
    """Refuse to replace files other than those that this command has written for the plugin."""
    if folder.exists() and not folder.is_dir():
        raise PackageError(f"{folder} is not a directory: -o names the directory for the artifacts")
    layout, advice = folder / LAYOUT, "name another directory with -o"
    try:
        if layout.is_symlink() or (layout.exists() and not (layout / "oci-layout").is_file()):
            raise PackageError(f"{layout} exists and is not an OCI image layout: remove it, or {advice}")
        if layout.exists() and (foreign := find_foreign(layout, plugin)):
            raise PackageError(
                f"{layout} would be replaced, but it has {foreign}, which is not of the plugin {plugin}: move it, or {advice}"
            )
        if (folder / SUMS).exists() and f"  {LAYOUT}/index.json\n" not in read_whole(folder / SUMS, MAX_SIZE).decode("utf-8", "replace"):
            raise PackageError(f"{folder / SUMS} exists and was not written by `lanner package`: move it, or {advice}")
    except OSError as error:
        raise PackageError(f"cannot read {error.filename or folder}: {error.strerror or error}") from None


def _add_fields(path: Path, info: PluginInfo) -> bytes:
    try:
        text = read_whole(path, MAX_SIZE).decode("utf-8")
    except OSError as error:
        raise PackageError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise PackageError(f"{path} is not UTF-8: byte {error.object[error.start]:#04x} at offset {error.start}") from None
    return insert_table(text, fields_table(declaration.info for declaration in info.fields), str(path)).encode()


def _rules(info: PluginInfo, paths: Sequence[str]) -> _Rules | None:
    """Return the validated rules as an artifact with its requirements. Raises `RulesError` with all errors."""
    if not paths:
        return None
    validator = make_validator([info], Falco())
    contents: dict[str, bytes] = {}
    loaded, foreign = [], list[Finding]()
    for path in paths:
        name, text = Path(path).name, read_rules(path)
        if name in contents:
            raise PackageError(f"two rules files have the name {name}, but the archive has no directories: rename one")
        contents[name] = to_bytes(text)
        result = validator.load(path, text)
        if errors := [finding for finding in result.findings if finding.severity == "error"]:
            raise RulesError(errors)
        foreign += [finding for finding in result.findings if finding.code == UNKNOWN_SOURCE]
        loaded.append(load_text(text, path))
    if not any(file.items for file in loaded):
        raise PackageError(f"no rule, macro or list in {', '.join(paths)}: name files that have some")
    rules = validator.session.collected.rules.values()
    if foreign and not any(rule.known_source for rule in rules):
        sources = ", ".join(sorted({rule.source for rule in rules}))
        raise PackageError(
            f"no rule in {', '.join(paths)} is for events of the plugin {info.name}: the source is {sources}. Package the rules with the "
            "plugin of these events"
        )
    required = requirements(loaded, validator.session.collected, info.name, info.version)
    return _Rules(rules_artefact(info.name, info.version, contents), required, foreign)


def _try(info: PluginInfo, image: bytes) -> ProbeResult:
    """Load the plugin as a host does."""
    with tempfile.TemporaryDirectory(prefix="lanner-package-") as folder:
        path = Path(folder) / f"lib{info.name}.so"
        write(image, path)
        return probe(path, path.name)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the layout beside the existing one, then replace it. Checksums are written last."""
    layout = {name: content for name, content in files.items() if name.startswith(f"{LAYOUT}/")}
    others = {name: content for name, content in files.items() if name not in layout}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{LAYOUT}.", dir=folder))
    except OSError as error:
        raise PackageError(f"cannot write to {folder}: {error.strerror}") from None
    try:
        place(temporary, {name.removeprefix(f"{LAYOUT}/"): content for name, content in layout.items()})
        temporary.chmod(0o755)
        shutil.rmtree(folder / LAYOUT, ignore_errors=True)
        temporary.replace(folder / LAYOUT)
    except OSError as error:
        raise PackageError(f"cannot write {folder / LAYOUT}: {error.strerror}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    place(folder, others)


def _tell(folder: Path, plugin: Artefact, sbom: str, packed: _Rules | None, api: str) -> None:
    rows = [("plugin", _describe_artefact(folder, plugin)), ("requires", f"plugin API {api}")]
    if packed:
        required = packed.requirements
        rows += [
            ("rules", _describe_artefact(folder, packed.artefact)),
            ("require", f"engine {required.engine}: {required.origins['engine']}"),
        ]
        rows += [("", f"{one.name} {one.version}: {required.origins[one.name]}") for one in required.dependencies]
    artefacts = [plugin, packed.artefact] if packed else [plugin]
    names = [f"{artefact.name}-{artefact.version}" for artefact in artefacts]
    rows += [
        ("OCI layout", f"{folder / LAYOUT}: {', '.join(names)}"),
        ("SBOM", str(folder / sbom)),
        ("sums", f"{folder / SUMS}: sha256sum -c {SUMS}"),
    ]
    print_table(("", ""), rows)
    print_lines(["", "To a registry, with oras (REGISTRY/PATH is yours):", ""])
    print_lines(
        f"oras cp --from-oci-layout {folder / LAYOUT}:{name} REGISTRY/PATH/{artefact.name}:{artefact.version}"
        for name, artefact in zip(names, artefacts, strict=True)
    )


def _describe_artefact(folder: Path, artefact: Artefact) -> str:
    return f"{folder / artefact.file}, {many(len(artefact.data), 'byte')}"
