"""The examples on the page about event sources work."""

import re
from pathlib import Path

import pytest

import lanner.testing
from lanner.host.plugin_loader import load_plugin

PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
HEAD = "import itertools\nimport time\nfrom collections.abc import Iterator\n\nimport lanner\n\n\n"


@pytest.fixture
def example(tmp_path):
    """`example(word)`: the class of the example with that word."""

    def load(word):
        (code,) = [each for each in EXAMPLES if word in each]
        path = tmp_path / f"{word.lower()}.py"
        path.write_text(HEAD + code, "utf-8")
        return load_plugin(str(path))

    return load


def test_the_first_example_resumes(example):
    with lanner.testing.host(example("Numbers"), position=7) as host:
        assert [host.next().payload for _ in range(2)] == [b"8", b"9"]
        assert host.position == 9
