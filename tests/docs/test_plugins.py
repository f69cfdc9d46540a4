"""The Python on the page about plugins works: the fields, the configuration and the test."""

import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import lanner.testing
from lanner.host.plugin_loader import load_plugin
from lanner.sdk.values import Path as Path_
from lanner.sdk.values import Value

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text("utf-8")
FIELDS, CONFIG, TEST = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    path = tmp_path_factory.mktemp("web") / "web.py"
    head = "from ipaddress import IPv4Address\nfrom typing import Annotated\n\nimport lanner\n\n\n"
    plugin = """
class Web(lanner.Plugin):
    "Requests."

    name, version, contact = "web", "0.1.0", "github.com/you/web"
    extract_sources = lanner.ANY
    config: WebConfig

"""
    path.write_text(head + CONFIG + plugin + textwrap.indent(FIELDS, "    "), "utf-8")
    return load_plugin(str(path))


def test_the_fields_have_the_types_that_the_table_lists(web):
    with lanner.testing.host(web) as host:
        assert host.extract(b"{}", "web.client") is None
        assert host.extract(b"{}", "web.header", "Host") is None
    fields = {declaration.info.name: declaration.info for declaration in web.__plugin__.fields}
    assert (fields["web.client"].type, fields["web.header"].type) == ("ipaddr", "string")
    assert fields["web.header"].argument.required


def test_the_error_of_the_configuration_is_the_one_on_the_page(web):
    with pytest.raises(lanner.ConfigError) as caught, lanner.testing.host(web, {"flushInterval": 0}):
        pass
    assert f"``{caught.value} ``" in PAGE


def test_the_test_passes(tmp_path):
    example = (ROOT / "examples" / "counter.py").read_text("utf-8")
    (tmp_path / "test_counter.py").write_text(f"{example}\n{TEST}", "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_counter.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_page_has_every_method_of_a_value():
    methods = {
        name for cls in (Path_, Value) for name, member in vars(cls).items() if inspect.isfunction(member) and not name.startswith("_")
    }
    assert {name for name in methods - {"data"} if f"| `a.{name}(" not in PAGE} == set()


def test_the_page_has_every_attribute_and_method_of_a_plugin():
    names = {name for name in (*vars(lanner.Plugin), *lanner.Plugin.__annotations__) if not name.startswith("_")}
    rows = "\n".join(line.split(" | ")[0] for line in PAGE.splitlines() if line.startswith("| "))
    assert {name for name in names - {"embedded"} if not re.search(rf"\b{name}\b", rows)} == set()
