"""The examples on the page about event sources work."""

import re
import textwrap
from pathlib import Path

import pytest

import lanner.testing
from lanner.host.plugin_loader import load_plugin

PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
HEAD = """
import itertools
import time
from collections.abc import Iterator

import lanner
from lanner import sources


def parse(line):
    return line.upper()


def connect(on_message, on_connection):
    on_connection(True)
    on_message("hello")

"""
CLASS = '''
class Example(lanner.Plugin):
    """An example."""

    id, name, version, event_source, contact = 999, "example", "0.1.0", "example", "github.com/you/example"
'''


@pytest.fixture
def example(tmp_path):
    """`example(word)`: the class of the example with that word."""

    def load(word):
        (code,) = [each for each in EXAMPLES if word in each]
        path = tmp_path / "example.py"
        if code.startswith("    "):
            code = CLASS + code
        elif "lanner.Plugin" not in code:
            code += CLASS + textwrap.indent("def open(self, params: str) -> Ticks:\n    return Ticks('ticks')\n", "    ")
        path.write_text(HEAD + code, "utf-8")
        return load_plugin(str(path))

    return load


def test_the_position_of_the_example_is_given_back(example):
    with lanner.testing.host(example("Numbers"), position=7) as host:
        assert [host.next().payload for _ in range(2)] == [b"8", b"9"]
        assert host.position == 9


@pytest.mark.parametrize(("word", "expected"), [("class Access", [b"one", b"two"]), ("parse(", [b"ONE", b"TWO"])])
def test_the_examples_of_tail_follow_a_log(example, tmp_path, word, expected):
    (tmp_path / "log").write_text("one\ntwo\n")
    with lanner.testing.host(example(word), params=str(tmp_path / "log")) as host:
        assert [host.next().payload for _ in range(2)] == expected
        assert isinstance(host.position, str)


def test_the_example_of_a_queue_gets_what_its_client_calls_back_with(example):
    with lanner.testing.host(example("queue.put")) as host:
        assert host.next().payload == b"hello"
        assert host.source.connections == {"mqtt": True}


def test_the_example_of_a_feed_ticks(example):
    with lanner.testing.host(example("Ticks")) as host:
        assert host.next().payload == b"tick"
