"""`lanner package` as a release job uses it."""

import hashlib
import json
import platform
import subprocess
import tarfile
from pathlib import Path

import pytest

from lanner.docker import Docker
from lanner.package.oci import INDEX_TYPE, MANIFEST_TYPE

from .conftest import PLUGINS, lanner

pytestmark = pytest.mark.slow

MACHINE = platform.machine()
VERSION = Docker.__plugin__.version
OCI_MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}[MACHINE]
PLUGIN = f"docker-{VERSION}-linux-{MACHINE}.tar.gz"
RULES = f"docker-rules-{VERSION}.tar.gz"


def _members(path):
    with tarfile.open(path) as tar:
        return {member.name: (member, tar.extractfile(member).read()) for member in tar}


def _blob(layout, descriptor):
    """The content of a descriptor; its digest and size must be right."""
    kind, digest = descriptor["digest"].split(":")
    content = (layout / "blobs" / kind / digest).read_bytes()
    assert hashlib.sha256(content).hexdigest() == digest
    assert len(content) == descriptor["size"]
    return content


def _named(layout, name):
    index = json.loads((layout / "index.json").read_bytes())
    (found,) = [each for each in index["manifests"] if each["annotations"]["org.opencontainers.image.ref.name"] == name]
    return found, json.loads(_blob(layout, found))


def test_the_archives_hold_the_library_and_the_rules(bound):
    folder, _ = bound
    members = _members(folder / PLUGIN)
    assert list(members) == ["libdocker.so"]
    entry, image = members["libdocker.so"]
    assert (entry.mode, entry.uid, entry.gid, entry.mtime) == (0o755, 0, 0, 0)
    assert image.startswith(b"\x7fELF")
    ((name, (entry, text)),) = _members(folder / RULES).items()
    assert (name, entry.mode, entry.uid, entry.mtime) == ("docker_rules.yaml", 0o644, 0, 0)
    assert text == Path(Docker.__plugin__.rules).read_bytes()


def test_the_library_in_the_archive_is_the_one_that_build_makes(bundled, tmp_path):
    folder, _ = bundled
    assert lanner("build", "docker", "--bundle", "-o", tmp_path / "libdocker.so").returncode == 0
    assert _members(folder / PLUGIN)["libdocker.so"][1] == (tmp_path / "libdocker.so").read_bytes()


def test_the_library_from_the_archive_runs_in_a_host(bundled, tmp_path, run_host):
    folder, _ = bundled
    subprocess.run(["tar", "xf", folder / PLUGIN, "-C", tmp_path], check=True)
    assert run_host(tmp_path / "libdocker.so", "--info")["violations"] == []


def test_a_plugin_is_an_index_of_platforms(bound):
    layout = bound[0] / "oci"
    assert json.loads((layout / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    root, index = _named(layout, f"docker-{VERSION}")
    assert root["mediaType"] == index["mediaType"] == INDEX_TYPE
    assert index["schemaVersion"] == 2
    assert index["annotations"] == {"org.opencontainers.image.source": "https://example.org/docker"}
    (entry,) = index["manifests"]
    assert entry["mediaType"] == MANIFEST_TYPE
    assert entry["platform"] == {"os": "linux", "architecture": OCI_MACHINE}
    manifest = json.loads(_blob(layout, entry))
    assert manifest["mediaType"] == MANIFEST_TYPE
    assert manifest["config"]["mediaType"] == "application/vnd.cncf.falco.plugin.config.v1+json"
    assert "annotations" not in manifest["config"]  # some registries refuse them
    assert json.loads(_blob(layout, manifest["config"])) == {
        "name": "docker",
        "version": VERSION,
        "requirements": [{"name": "plugin_api_version", "version": "3.0.0"}],
    }
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == "application/vnd.cncf.falco.plugin.layer.v1+tar.gz"
    assert layer["annotations"] == {"org.opencontainers.image.title": PLUGIN}
    assert _blob(layout, layer) == (bound[0] / PLUGIN).read_bytes()


def test_rules_are_one_manifest_that_says_what_they_need(bound):
    layout = bound[0] / "oci"
    root, manifest = _named(layout, f"docker-rules-{VERSION}")
    assert root["mediaType"] == manifest["mediaType"] == MANIFEST_TYPE
    assert "platform" not in root
    assert manifest["config"]["mediaType"] == "application/vnd.cncf.falco.rulesfile.config.v1+json"
    assert json.loads(_blob(layout, manifest["config"])) == {
        "name": "docker-rules",
        "version": VERSION,
        "dependencies": [{"name": "docker", "version": VERSION}],
        "requirements": [{"name": "engine_version_semver", "version": "0.12.0"}],
    }
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == "application/vnd.cncf.falco.rulesfile.layer.v1+tar.gz"
    assert layer["annotations"] == {"org.opencontainers.image.title": RULES}
    assert _blob(layout, layer) == (bound[0] / RULES).read_bytes()


def test_the_layout_has_no_blob_that_nothing_names(bound):
    layout = bound[0] / "oci"
    named, todo = set(), json.loads((layout / "index.json").read_bytes())["manifests"]
    while todo:
        descriptor = todo.pop()
        named.add(descriptor["digest"].removeprefix("sha256:"))
        if descriptor["mediaType"] in {INDEX_TYPE, MANIFEST_TYPE}:
            content = json.loads(_blob(layout, descriptor))
            todo += [*content.get("manifests", ()), *content.get("layers", ()), *([content["config"]] if "config" in content else [])]
    assert named == {path.name for path in (layout / "blobs" / "sha256").iterdir()}


@pytest.mark.parametrize("form", ["bound", "bundled"])
def test_sha256sum_takes_the_sums(form, request):
    folder, _ = request.getfixturevalue(form)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()} == there - {"SHA256SUMS"}


def test_the_same_input_gives_the_same_bytes(bundled, tmp_path):
    done = lanner("package", "docker", "--bundle", "-o", tmp_path, "--source", "https://example.org/docker")
    assert done.returncode == 0
    assert (tmp_path / "SHA256SUMS").read_bytes() == (bundled[0] / "SHA256SUMS").read_bytes()


def test_a_time_comes_from_source_date_epoch_alone(bound, tmp_path):
    assert b"created" not in b"".join(
        path.read_bytes() for path in (bound[0] / "oci" / "blobs" / "sha256").iterdir() if path.stat().st_size < 5000
    )
    assert lanner("package", "docker", "-o", tmp_path, env={"SOURCE_DATE_EPOCH": "1700000000"}).returncode == 0
    _, manifest = _named(tmp_path / "oci", f"docker-rules-{VERSION}")
    assert manifest["annotations"] == {"org.opencontainers.image.created": "2023-11-14T22:13:20Z"}
    (sbom,) = tmp_path.glob("*.cdx.json")
    assert json.loads(sbom.read_text())["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    done = lanner("package", "docker", "-o", tmp_path, env={"SOURCE_DATE_EPOCH": "yesterday"})
    assert done.returncode == 1
    assert "invalid SOURCE_DATE_EPOCH 'yesterday': use a number of seconds since 1970" in done.stderr


def test_packaging_again_takes_the_place_of_what_was_there(small):
    assert lanner("package", "small.py", cwd=small).returncode == 0
    first = (small / "dist" / "SHA256SUMS").read_text()
    (small / "small.py").write_text(
        (small / "small.py").read_text().replace("1.2.3", "1.2.10")
    )  # longer: Python takes a file of the same second and size for the same
    assert lanner("package", "small.py", cwd=small).returncode == 0
    assert (small / "dist" / "SHA256SUMS").read_text() != first
    index = json.loads((small / "dist" / "oci" / "index.json").read_bytes())
    assert [each["annotations"]["org.opencontainers.image.ref.name"] for each in index["manifests"]] == ["small-1.2.10"]
    assert {path.name for path in (small / "dist").iterdir()} == {
        *(f"small-{version}-linux-{MACHINE}.{end}" for version in ("1.2.3", "1.2.10") for end in ("tar.gz", "cdx.json")),
        "SHA256SUMS",
        "oci",
    }


def _add_file(dist):
    (dist / "oci" / "rules.yaml").write_text("mine")
    return "dist/oci would be replaced, but it has the file rules.yaml"


def _add_file_in_directory(dist):
    (dist / "oci" / "blobs" / "mine").mkdir()
    (dist / "oci" / "blobs" / "mine" / "rules.yaml").write_text("mine")
    return "it has the directory blobs/mine"


def _add_link(dist):
    (dist / "oci" / "blobs" / "sha256" / ("0" * 64)).symlink_to(dist / "SHA256SUMS")
    return f"it has the file blobs/sha256/{'0' * 64}"


def _add_artefact(name):
    def add(dist):
        path = dist / "oci" / "index.json"
        index = json.loads(path.read_bytes())
        index["manifests"].append({"annotations": {"org.opencontainers.image.ref.name": name}} if name else {"mediaType": MANIFEST_TYPE})
        path.write_text(json.dumps(index))
        return f"it has the artifact {name}" if name else "it has an artifact without a name"

    return add


def _replace_by_link(dist):
    (dist / "oci").rename(dist / "there")
    (dist / "oci").symlink_to("there")
    return "dist/oci exists and is not an OCI image layout"


def _replace_sums(dist):
    (dist / "SHA256SUMS").write_text(f"{'0' * 64}  mine.iso\n")
    return "dist/SHA256SUMS exists and was not written by `lanner package`"


@pytest.mark.parametrize(
    "add",
    [
        *(_add_file, _add_file_in_directory, _add_link, _replace_by_link, _replace_sums),
        *(_add_artefact(name) for name in ("other-1.0.0", "small-er-1.0.0", "small", "")),
    ],
)
def test_nothing_of_others_is_replaced(small, add):
    assert lanner("package", "small.py", cwd=small).returncode == 0
    said = add(small / "dist")

    def contents():
        return {path: path.read_bytes() for path in (small / "dist").rglob("*") if path.is_file()}

    before = contents()
    done = lanner("package", "small.py", cwd=small)
    assert done.returncode == 1
    assert said in done.stderr
    assert "or name another directory with -o" in done.stderr
    assert contents() == before


def test_a_plugin_without_rules_has_no_artefact_of_rules(small):
    done = lanner("package", "small.py", "-o", "out", cwd=small)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (small / "out").glob("*.tar.gz")) == [f"small-1.2.3-linux-{MACHINE}.tar.gz"]
    assert "rules" not in done.stdout


def test_it_says_where_requirements_come_from_and_what_to_do_next(bound):
    folder, printed = bound
    rules = Docker.__plugin__.rules
    assert f"engine 0.12.0: stated ({rules}:" in printed
    assert f"docker {VERSION}: stated ({rules}:" in printed
    assert f"oras cp --from-oci-layout {folder}/oci:docker-{VERSION} REGISTRY/PATH/docker:{VERSION}" in printed
    assert "--bundle includes Python" in printed


def test_an_older_api_is_required_as_it_was_built(tmp_path):
    done = lanner("package", PLUGINS / "every.py", "--api", "2", "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "plugin API 2.0.0" in done.stdout
    assert "lanner: warning: every.bool (bool) becomes" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing"], "no plugin named 'nothing'"),
        (["docker", "--rules", "none.yaml"], "cannot read the rules file none.yaml: No such file or directory"),
        (["docker", "--rules", "/dev/null"], "no rule, macro or list in /dev/null: name files that have some"),
        (["docker", "--rules", "wrong.yaml"], "wrong.yaml:2:14: error: "),
        (["docker", "--rules", "good.yaml", "--rules", "other/good.yaml"], "two rules files have the name good.yaml"),
        (["docker", "--readme", "none.md"], "cannot read none.md: No such file or directory"),
        (["docker", "-o", "a-file"], "a-file is not a directory"),
        (["docker", "-o", "."], "oci exists and is not an OCI image layout"),
        (["build_data.py"], "the plugin's version 1.0.0+mine has build metadata"),
        (["docker", "--python", "/bin/false", "-o", "out"], "/bin/false cannot serve plugins"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(small, arguments, says):
    (small / "build_data.py").write_text((small / "small.py").read_text().replace("1.2.3", "1.0.0+mine"))
    (small / "wrong.yaml").write_text(
        "- macro: m\n  condition: docker.nothing = x\n- {rule: r, desc: d, condition: m, output: o, priority: INFO, source: docker}\n"
    )
    (small / "other").mkdir()
    for name in ("good.yaml", "other/good.yaml"):
        (small / name).write_text("- list: l\n  items: [a]\n")
    (small / "a-file").touch()
    (small / "oci").mkdir()
    (small / "oci" / "mine").touch()
    before = sorted(small.rglob("*"))
    done = lanner("package", *arguments, cwd=small)
    assert done.returncode == (2 if arguments == ["nothing"] else 1)
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert [path for path in sorted(small.rglob("*")) if "__pycache__" not in path.parts] == before


def test_rules_of_other_event_sources_are_named(small):
    rule = "- {{rule: {0}, desc: d, condition: {0}.x = y, output: o, priority: INFO, source: {0}}}\n"
    (small / "foreign.yaml").write_text(rule.format("docker"))
    done = lanner("package", "small.py", "--rules", "foreign.yaml", cwd=small)
    assert done.returncode == 1
    assert (
        "no rule in foreign.yaml is for events of the plugin small: the source is docker. Package the rules with the plugin of"
        in done.stderr
    )
    assert not (small / "dist").exists()
    (small / "both.yaml").write_text(rule.format("docker") + rule.format("small").replace("small.x", "small.text"))
    done = lanner("package", "small.py", "--rules", "both.yaml", cwd=small)
    assert done.returncode == 0
    assert "warning: 1 rule of other event sources packaged unchecked; Falco needs the plugins of their events:\n" in done.stderr
    assert "    both.yaml:1:3: Unknown source docker, skipping\n" in done.stderr


def test_a_directory_that_cannot_be_written_is_reported(small):
    (small / "file").touch()
    done = lanner("package", "small.py", "-o", "file/inside", cwd=small)
    assert done.returncode == 1
    assert "cannot write to file/inside: Not a directory" in done.stderr
