"""Names of modules, files and members in the documentation exist, and so do the pages and sections that it links to."""

import re
from importlib import import_module
from pathlib import Path

import msgspec
import pytest

from lanner.config.falco import Falco
from lanner.host.plugin_loader import GROUP

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "lanner"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
SOURCES = (".py", ".cpp", ".hpp", ".c", ".h", ".md", ".Dockerfile")
ROOMS = {path.name for path in (*ROOT.iterdir(), *PACKAGE.iterdir()) if path.is_dir()} - {"build", "dist", ".venv"}
# of the repository that the tutorial creates; tests/docs/test_tutorial.py checks it
NEW = ("src/lanner_disks/", "tests/test_plugin.py", "tests/disks_rules_test.yaml")
USERS = ("path/to/", "mine", "dist/", *NEW)


def code(page):
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", text)


def drawn(page):
    """Files at the right of a picture."""
    return re.findall(r"^ {4}.* {4,}((?:[\w]+/)+[\w.]+)$", page.read_text("utf-8"), re.MULTILINE)


def cases(names):
    return [pytest.param(name, id=f"{page.name}-{name}") for page in PAGES for name in dict.fromkeys(names(page))]


def is_file(name):
    if name.startswith(USERS) or not re.fullmatch(r"[\w.-]+(/[\w.*-]*)+", name):
        return False
    return name.split("/")[0] in ROOMS or name.endswith(SOURCES)


def resolves(name):
    """Whether a dotted name is a module, or a member of one."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def is_key(name):
    """Whether a dotted name is a key of falco.yaml."""
    kind = Falco
    for part in name.split("."):
        fields = {field.name: field.type for field in msgspec.structs.fields(kind)} if hasattr(kind, "__struct_fields__") else {}
        if part not in fields:
            return False
        kind = fields[part]
    return True


@pytest.mark.parametrize("name", cases(lambda page: [name for name in (*code(page), *drawn(page)) if is_file(name)]))
def test_files_exist(name):
    assert (ROOT / name).exists() or (PACKAGE / name).exists() or any(ROOT.glob(name))


def calls(page):
    """Functions in a picture, each with the file at the right of its line."""
    for names, file in re.findall(r"^ {4} +\|  (.*?) {2,}((?:[\w]+/)+[\w.]*)$", page.read_text("utf-8"), re.MULTILINE):
        yield from ((name, file) for name in re.findall(r"(\w+)\(\)", names))


@pytest.mark.parametrize(("name", "file"), list(calls(ROOT / "docs" / "architecture.md")))
def test_functions_in_the_pictures_are_in_their_files(name, file):
    path = PACKAGE / file
    assert any(name in each.read_text("utf-8") for each in (path.rglob("*.py") if path.is_dir() else [path]))


@pytest.mark.parametrize("name", cases(lambda page: [name for name in code(page) if re.fullmatch(r"lanner(\.\w+)+", name)]))
def test_dotted_names_exist(name):
    assert resolves(name) or is_key(name) or name == GROUP


def anchors(page):
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles} | {
        re.sub(r"[_.]", "-", title.strip("`")) for title in titles
    }


def links(page):
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")) if "://" not in target]


@pytest.mark.parametrize(("page", "target"), [pytest.param(page, each, id=f"{page.name}-{each}") for page in PAGES for each in links(page)])
def test_links_lead_somewhere(page, target):
    path, _, anchor = target.partition("#")
    linked = page.parent / path if path else page
    assert linked.exists()
    assert not anchor or anchor in anchors(linked)
