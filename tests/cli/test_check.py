"""`lanner rules check`: all findings of all files, on standard output; the exit status says whether there are errors."""

import json

import pytest

GOOD = """\
- rule: shell
  desc: A shell was run
  condition: docker.type = container and docker.action.name = exec_start
  output: a %docker.action
  priority: INFO
  source: docker
  tags: [a]
"""
ODD = GOOD.replace("  tags: [a]\n", "")
BAD = GOOD.replace("docker.type", "docker.tpye").replace("shell\n", "other\n")


@pytest.fixture
def files(tmp_path):
    for name, text in {"good": GOOD, "odd": ODD, "bad": BAD}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def test_a_directory_stands_for_the_files_in_it(lanner, tmp_path):
    (tmp_path / "b.yaml").write_text("- rule: [")
    (tmp_path / "a.yml").write_text("- list: l\n  items: 5\n")
    (tmp_path / "c.txt").write_text("- rule: [")
    done = lanner("rules", "check", tmp_path)
    assert done.code == 1
    assert [line.partition(": error")[0].partition(":")[0] for line in done.out.decode().splitlines() if ": error" in line] == [
        str(tmp_path / "a.yml"),
        str(tmp_path / "b.yaml"),
    ]


def test_nothing_to_be_found(lanner, files):
    done = lanner("rules", "check", "good.yaml", "--strict", cwd=files)
    assert (done.code, done.out, done.err) == (0, b"1 file, 1 rule: no findings\n", "")
    (files / "more.yaml").write_text(GOOD.replace("shell", "other").replace("exec_start", "exec_die"))
    assert lanner("rules", "check", "good.yaml", "more.yaml", cwd=files).out == b"2 files, 2 rules: no findings\n"


def test_the_shipped_rules(lanner):
    done = lanner("rules", "check", "--plugin", "docker", "--strict")
    assert (done.code, done.lines[-1].rpartition(", ")[0]) == (0, "1 file")
    assert done.lines[-1].endswith(" rules: no findings")


def test_warnings(lanner, files):
    done = lanner("rules", "check", "odd.yaml", cwd=files)
    assert done.code == 0
    assert done.lines == [
        "odd.yaml:1:3: warning: The rule has no tags. (in rule 'shell') [LINT_NO_TAGS]",
        "  - rule: shell",
        "    ^^^^^^^^^^^",
        "  Tags select rules and group alerts: `tags: [container, mitre_execution]`.",
        "",
        "1 warning",
    ]
    assert lanner("rules", "check", "odd.yaml", "--strict", cwd=files).code == 1


def test_rules_of_another_source_ask_for_their_plugin(lanner, files, rules, plugin):
    done = lanner("rules", "check", rules("words"))
    assert done.code == 1
    assert (
        "The rules have the source words, which no given plugin has, so none was checked. (in rule 'Something') [LINT_NO_RULE_CHECKED]"
        in done.out.decode()
    )
    assert "  Name the plugin whose events they are for: --plugin PLUGIN." in done.lines
    assert "  Rules of the source words need the plugin with this event source." in done.lines
    assert "source: " not in done.out.decode()
    assert lanner("rules", "check", rules("words"), "--plugin", plugin("Words")).code == 0
    assert lanner("rules", "check", rules("words"), "good.yaml", cwd=files).code == 0


def test_a_file_without_rules_is_reported(lanner, files):
    (files / "empty.yaml").write_text("# later\n")
    done = lanner("rules", "check", "good.yaml", "empty.yaml", cwd=files)
    assert done.code == 0
    assert done.lines[0] == "empty.yaml:1:1: warning: The file is empty: no rule, no macro, no list. [LINT_EMPTY_FILE]"


def test_errors_of_several_files(lanner, files):
    done = lanner("rules", "check", "bad.yaml", "nope.yaml", "odd.yaml", cwd=files)
    assert done.code == 1
    assert [line.partition(" ")[0] for line in done.lines if "[L" in line] == ["bad.yaml:3:14:", "nope.yaml:1:1:", "odd.yaml:1:3:"]
    assert done.lines[-1] == "2 errors, 1 warning"


def test_json(lanner, files):
    done = lanner("rules", "check", "--json", "bad.yaml", cwd=files)
    found = json.loads(done.out)
    assert (done.code, found["errors"], found["warnings"]) == (1, 1, 0)
    (finding,) = found["findings"]
    assert finding["place"] == {"file": "bad.yaml", "line": 3, "column": 14, "length": 23}
    assert (finding["severity"], finding["code"], finding["advice"]) == ("error", "LOAD_ERR_COMPILE_CONDITION", "Did you mean docker.type?")
    assert finding["inside"][0] == {"file": "bad.yaml", "line": 1, "column": 3, "length": 11, "kind": "rule", "name": "other"}
    assert finding["snippet"].splitlines()[1].strip() == "^" * 23


def test_a_plugin_without_rules(lanner, plugin):
    done = lanner("rules", "check", "--plugin", plugin("Words"))
    assert done.code == 1
    assert "ships no rules: name a rules file" in done.err


def test_a_quote_that_is_not_closed_is_shown_where_it_opens(lanner, files):
    (files / "open.yaml").write_text('- rule: x\n  condition: "docker.type = container\n  output: o\n')
    done = lanner("rules", "check", "open.yaml", cwd=files)
    (at,) = [number for number, line in enumerate(done.lines) if line.startswith("open.yaml:2:14: warning: This quote is never closed")]
    assert done.lines[at + 1].strip() == 'condition: "docker.type = container'


def test_rules_of_two_plugins(lanner, files, rules, plugin):
    words = rules("words")
    done = lanner("rules", "check", words, "good.yaml", "--plugin", "docker", "--plugin", plugin("Words"), cwd=files)
    assert done.code == 0
    assert [code for code in ("LOAD_", "good.yaml", "LINT_NO_RULE_CHECKED") if code in done.out.decode()] == []
    done = lanner("rules", "check", words, "bad.yaml", "--plugin", plugin("Words"), "--plugin", "docker", cwd=files)
    assert done.code == 1
    assert "docker.tpye" in done.out.decode()
    assert "LOAD_UNKNOWN_SOURCE" not in done.out.decode()


def test_rules_without_a_source_ask_for_it(lanner, tmp_path):
    (tmp_path / "mine.yaml").write_text(GOOD.replace("  source: docker\n", ""))
    done = lanner("rules", "check", "mine.yaml", cwd=tmp_path)
    assert done.code == 1
    assert "None of the rules is for the event source docker, so none was checked." in done.out.decode()
    assert "  Name the plugin whose events they are for (--plugin PLUGIN), or add `source: docker` to them." in done.lines
    assert "  The rules for this plugin have `source: docker`; the default of a rule is syscall." in done.lines


def test_a_shipped_macro_misspelt_by_one_letter(lanner, files):
    (files / "mine.yaml").write_text(GOOD.replace("docker.type = container", "container_startd"))
    done = lanner("rules", "check", "mine.yaml", cwd=files)
    assert done.code == 1
    assert "  Did you mean 'container_started'?" in done.lines
    (files / "mine.yaml").write_text("- macro: may_acces_host\n  condition: docker.from = a\n" + GOOD)
    done = lanner("rules", "check", "plugin", "mine.yaml", cwd=files)
    assert "  Did you mean `may_access_host`? A macro of another name replaces nothing." in done.lines


EXTRACTOR = '''
import lanner


class Ext(lanner.Plugin):
    """An extractor for all events."""

    name, version, contact, extract_sources = "ext", "0.1.0", "github.com/you/ext", lanner.ANY
    fields = (lanner.field("ext.size", lanner.payload["size"].integer(), "The size"),)
'''


def test_an_extractor_of_all_sources_is_checked_beside_the_plugin_of_a_source(lanner, tmp_path):
    (tmp_path / "ext.py").write_text(EXTRACTOR)
    (tmp_path / "rules.yaml").write_text(GOOD.replace("docker.type = container", "ext.size > 5"))
    done = lanner("rules", "check", "rules.yaml", "--plugin", "docker", "--plugin", "ext.py", cwd=tmp_path)
    assert (done.code, done.out) == (0, b"1 file, 1 rule: no findings\n")


def test_an_extractor_of_all_sources_alone_is_refused(lanner, tmp_path):
    (tmp_path / "ext.py").write_text(EXTRACTOR)
    (tmp_path / "rules.yaml").write_text(GOOD)
    done = lanner("rules", "check", "rules.yaml", "--plugin", "ext.py", cwd=tmp_path)
    assert done.code == 1
    assert "ext extracts from all sources: also name the plugin of the rules' source, such as --plugin docker" in done.err
