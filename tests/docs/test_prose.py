"""tools/prose.py finds phrases that the project avoids, in Markdown, Python, C++ and plain files, and ignores code in Markdown."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "prose.py"
spec = importlib.util.spec_from_file_location("prose", TOOL)
prose = importlib.util.module_from_spec(spec)
sys.modules["prose"] = prose
spec.loader.exec_module(prose)
SETTINGS = prose.Settings()


def found(text, suffix):
    return [(line, words) for line, words, _ in prose.findings(text, suffix, SETTINGS)]


@pytest.mark.parametrize(
    ("suffix", "text", "expected"),
    [
        (".md", "# Title\n\nIt is loaded anew.\n", [(3, "anew")]),
        (".md", "A list where there\nare no items.\n", [(1, "where there are")]),
        (".md", "- one\n- nobody\n", [(2, "nobody")]),
        (".md", "| a | b |\n|---|---|\n| x | whoever |\n", [(3, "whoever")]),
        (".md", "```yaml\n# nobody\n```\n\n    nobody\n\n`nobody` and <!-- nobody -->\n", []),
        (".md", "Text.\n\n```\nnobody\n```\n\nAfter it, nobody.\n", [(7, "nobody")]),
        (".py", 'x = 1  # done anew\n"""\nWhoever reads.\n"""\n', [(1, "anew"), (3, "Whoever")]),
        (".py", 'raise ValueError("the field is no name")\n', [(1, "is no")]),
        (".py", "nobody = anew = 1\n", []),
        (".py", "# what has\n# to be read\n", [(1, "has to be")]),
        (".cpp", 'int nobody;  // anew\n/* dealt\n   with */ throw Error("is no list");\n', [(1, "anew"), (2, "dealt with"), (3, "is no")]),
        (".cpp", "// one\n// is\n// no list\n", [(2, "is no")]),
        (".py", '"""What is read."""\n# Where it is\nx = "What"\n', [(1, "What"), (2, "Where")]),
        (".h", "/* What is read. */\n", [(1, "What")]),
        (".md", "## What is read\n", []),
        (".service", "# nobody\n[Unit]\n", [(1, "nobody")]),
    ],
)
def test_phrases_are_found_with_their_line(suffix, text, expected):
    assert sorted(found(text, suffix)) == expected


def test_a_chain_of_semicolons_is_found_in_one_sentence_only():
    assert found("One; two; three.\n", ".md") == [(1, "One; two; three. ...")]
    assert found("One; two. Three; four.\n", ".md") == []
    assert found("| one; two | three; four |\n", ".md") == []


def test_a_long_sentence_is_found():
    assert found("word " * (SETTINGS.longest + 1) + "\n", ".md") == [(1, "word word word word ...")]
    assert found("word " * SETTINGS.longest + "\n", ".md") == []


def test_a_file_may_have_its_own_limit():
    page = ROOT / "benchmarks" / "README.md"
    assert SETTINGS.longest_by_file[page] > SETTINGS.longest
    assert list(prose.findings("word " * (SETTINGS.longest + 1), ".md", SETTINGS, SETTINGS.longest_by_file[page])) == []


def test_an_aligned_list_of_commands_is_not_one_sentence():
    assert found(("lanner run one two three    " * SETTINGS.longest) + "\n", ".md") == []


def test_a_lint_names_place_and_advice_and_fails(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Nobody knows.\n")
    done = subprocess.run([sys.executable, TOOL, page], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(f"{page}:1: 'Nobody': name the actor")


def test_a_clean_directory_passes(tmp_path):
    (tmp_path / "page.md").write_text("All is plain.\n")
    (tmp_path / "picture.png").write_bytes(b"\xff\xfe")
    done = subprocess.run([sys.executable, TOOL, tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_all_paths_of_the_settings_exist():
    assert [path for path in (*SETTINGS.paths, *SETTINGS.excluded) if not (ROOT / path).exists()] == []
