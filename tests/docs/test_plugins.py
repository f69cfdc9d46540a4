"""The Python on the page about plugins works: the fields, the configuration and the test."""

import inspect
import json
import re
import subprocess
import sys
import textwrap
from ipaddress import IPv4Address
from pathlib import Path

import pytest

import lanner.testing
from lanner.host.plugin_loader import load_plugin
from lanner.sdk.payload.values import Path as Path_
from lanner.sdk.payload.values import Value

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text("utf-8")
(DATA,) = re.findall(r"^```py\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
LINES, FIELDS, CONFIG, TEST = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


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


def test_the_fields_of_a_line_have_its_values():
    namespace = {"__name__": __name__}
    plugin = '    "Requests."\n    name, version, contact, extract_sources = "nginx", "0.1.0", "you", lanner.ANY\n'
    exec(f"import lanner\n{LINES.replace('(lanner.Plugin):', '(lanner.Plugin):' + chr(10) + plugin)}", namespace)
    line = b'203.0.113.9 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326'
    with lanner.testing.host(namespace["Nginx"]) as host:
        fields = {each.info.name: host.extract(line, each.info.name) for each in namespace["Nginx"].__plugin__.fields}
    assert fields == {"nginx.client": IPv4Address("203.0.113.9"), "nginx.method": "GET", "nginx.status": 200}


def test_the_fields_as_data_read_a_push():
    names = {name: getattr(lanner, name) for name in ("EACH", "concat", "field", "item", "payload")} | {"lanner": lanner}
    exec(DATA, names)

    class Pushes(lanner.Plugin):
        """Pushes."""

        name, version, contact, extract_sources = "pushes", "0.1.0", "github.com/you/pushes", lanner.ANY
        fields = names["fields"]

    push = {
        "ref": "refs/heads/main",
        "forced": True,
        "commits": [{"modified": ["a", "b"], "author": {"username": "me"}}, {"modified": ["c"], "author": {"name": "You"}}],
        "repository": {"name": "r", "owner": {"login": "o"}},
    }
    with lanner.testing.host(Pushes) as host:
        values = {each.info.name: host.extract(json.dumps(push).encode(), each.info.name) for each in names["fields"]}
        assert host.extract(b'{"forced": true}', "github.forced") is None
    assert values == {
        "github.forced": True,
        "github.files": ["a", "b", "c"],
        "github.authors": ["me", "You"],
        "github.branch": "main",
        "github.repository": "o/r",
    }


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
    assert {name for name in methods - {"data"} if not re.search(rf"\| `(a|payload)\.{name}\(", PAGE)} == set()


def test_the_page_has_every_attribute_and_method_of_a_plugin():
    names = {name for name in (*vars(lanner.Plugin), *lanner.Plugin.__annotations__) if not name.startswith("_")}
    rows = "\n".join(line.split(" | ")[0] for line in PAGE.splitlines() if line.startswith("| "))
    assert {name for name in names - {"embedded", "set_by"} if not re.search(rf"\b{name}\b", rows)} == set()
