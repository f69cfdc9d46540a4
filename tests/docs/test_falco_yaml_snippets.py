"""Every falco.yaml in the docs, in what is shipped and in what `lanner build` prints is one that its reader takes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lanner.config.read import read_configuration
from lanner.yamlfile import placed_values
from lanner.yamlfile.reader import YamlError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FILES = [ROOT / "docker/falco.d/docker.yaml", ROOT / "packaging/systemd/falco.yaml"]
LANNER = Path(sys.executable).parent / "lanner"


def blocks(text):
    """Fenced blocks, and those that are indented by four."""
    yield from re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for found in re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE):
        yield re.sub(r"^    ", "", found, flags=re.MULTILINE)


def is_falco_yaml(block):
    try:
        tree, _ = placed_values.load(block, "block")
    except YamlError:
        return False
    return isinstance(tree, dict) and "plugins" in tree


def snippets():
    for page in PAGES:
        for number, block in enumerate(filter(is_falco_yaml, blocks(page.read_text("utf-8")))):
            yield pytest.param(block, id=f"{page.name}-{number}")
    for file in FILES:
        yield pytest.param(file.read_text("utf-8"), id=file.name)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("so") / "libdocker.so"
    done = subprocess.run([LANNER, "build", "docker", "-o", path], capture_output=True, text=True, check=True)
    return path, done.stdout


def take(text, tmp_path, library, run_host, monkeypatch):
    """Have Lanner's strict reader take it, and a host that asks the plugin's schema, as Falco does."""
    monkeypatch.setenv("SITE", "here")
    file = tmp_path / "falco.yaml"
    file.write_text(text)
    read = read_configuration(str(file), {}, ())
    assert read.warnings == []
    for entry in read.falco.plugins:
        if entry.name == "docker":
            config = entry.init_config if isinstance(entry.init_config, str) else json.dumps(entry.init_config or None)
            report = run_host(library, "--init", config, "--open", entry.open_params or "since=nonsense")
            assert report["runs"][0]["init"] == {"rc": "success"}, text


@pytest.mark.parametrize("text", list(snippets()))
def test_a_written_one_is_taken(text, tmp_path, library, run_host, monkeypatch):
    take(text, tmp_path, library[0], run_host, monkeypatch)


def test_the_printed_one_is_taken(tmp_path, library, run_host, monkeypatch):
    text = library[1].partition("In falco.yaml:\n")[2]
    assert is_falco_yaml(text)
    assert "init_config" not in text
    take(text, tmp_path, library[0], run_host, monkeypatch)


EXTRACTOR = '''
import lanner


class Owner(lanner.Plugin):
    """Owners."""

    name, version, contact = "owner", "0.1.0", "github.com/you/owner"
    extract_sources = {sources}
    fields = [lanner.field("owner.team", lanner.payload["team"], "Team")]
'''


def build_extractor(tmp_path, sources):
    (tmp_path / "owner.py").write_text(EXTRACTOR.format(sources=sources))
    command = [LANNER, "build", "owner.py", "-o", "libowner.so"]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.partition("In falco.yaml:\n")[2]


def test_that_of_an_extractor_loads_the_plugin_of_its_events(tmp_path, library, run_host, monkeypatch):
    text = build_extractor(tmp_path, '("docker",)')
    assert f"library_path: {tmp_path}/libdocker.so  # it does not exist yet: lanner build docker -o {tmp_path}/libdocker.so" in text
    assert "# owner has no rules yet: write them into this file, each with `source: docker`\n" in text
    assert text.rstrip().endswith(f"rules_files: [{tmp_path}/owner_rules.yaml]")
    (tmp_path / "owner_rules.yaml").write_text(
        "- {rule: r, desc: d, condition: owner.team exists, output: o, priority: INFO, source: docker}\n"
    )
    (tmp_path / "libdocker.so").write_bytes(library[0].read_bytes())
    assert "does not exist" not in build_extractor(tmp_path, '("docker",)')
    # Lanner's own host takes Python files, not libraries
    take(text.replace("libowner.so", "owner.py"), tmp_path, library[0], run_host, monkeypatch)
    file = tmp_path / "falco.yaml"
    done = subprocess.run([LANNER, "run", "-c", file, "--dry-run"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("sources", "shown"), [('("k8s_audit",)', True), ('("a", "k8s_audit")', True), ('("syscall",)', False), ("lanner.ANY", False)]
)
def test_that_of_an_extractor_says_which_events_it_needs(tmp_path, sources, shown):
    text = build_extractor(tmp_path, sources)
    tree, _ = placed_values.load(text, "printed")
    assert tree["load_plugins"] == ["owner"]
    assert ("`source: k8s_audit`\n" in text, "# - name: ITS_NAME" in text) == (shown, shown)


def test_an_empty_map_is_taken(tmp_path, library, run_host, monkeypatch):
    text = "plugins: [{name: docker, library_path: libdocker.so, init_config: {}}]\nload_plugins: [docker]\n"
    take(text, tmp_path, library[0], run_host, monkeypatch)


def test_rules_beside_the_plugin_are_found(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "owner.py").write_text(EXTRACTOR.format(sources='("docker",)'))
    rules = tmp_path / "plugins" / "owner_rules.yaml"
    rules.write_text("[]\n")
    command = [LANNER, "build", "plugins/owner.py", "-o", "libowner.so"]
    text = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert f"rules_files: [{rules}]\n" in text
    assert "has no rules yet" not in text


@pytest.mark.parametrize(
    ("api", "key"), [("3", "rules_files"), ("3.3", "rules_files"), ("2", "rules_file"), ("1", "rules_file"), ("0.3", "rules_file")]
)
def test_each_version_gets_the_key_that_it_knows(tmp_path, api, key):
    path = tmp_path / "a # b" / "libdocker.so"
    path.parent.mkdir()
    done = subprocess.run([LANNER, "build", "docker", "--api", api, "-o", path], capture_output=True, text=True, check=True)
    text = done.stdout.partition("In falco.yaml:\n")[2]
    tree, _ = placed_values.load(text, "printed")
    assert (key in tree, tree["plugins"][0]["library_path"]) == (True, str(path))
    assert len([each for each in tree if each.startswith("rules_file")]) == 1
    assert ("# Falco versions before 0.38 call this key rules_file\n" in text) == (api == "3")
