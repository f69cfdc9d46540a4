"""Plugins that only extract, loaded beside the one whose events are watched: their fields serve rules as they do in Falco."""

import json

import pytest

pytestmark = pytest.mark.slow

RULE = """
- required_plugin_versions: [{name: extractor, version: 0.1.0}]
- rule: Long
  desc: d
  condition: extractor.length > 3 and words.text exists
  output: "%words.text has %extractor.length of any %every.size"
  priority: NOTICE
  source: words
"""


@pytest.fixture
def falco_yaml(plugin, tmp_path):
    """`falco_yaml(*names)` loads these plugins in that order."""

    def write(*names):
        rules = tmp_path / "rules.yaml"
        rules.write_text(RULE)
        entries = [
            {"name": name, "library_path": plugin(cls)}
            for name, cls in (("words", "Words"), ("extractor", "Extractor"), ("every", "Every"), ("stranger", "Stranger"))
        ]
        entries += [{"name": "copy", "library_path": plugin("Copy")}, {"name": "quiet", "library_path": plugin("Quiet")}]
        file = tmp_path / "falco.yaml"
        document = {"plugins": entries, "load_plugins": names, "rules_files": [str(rules)], "stdout_output": {"enabled": True}}
        file.write_text(json.dumps(document))
        return file

    return write


@pytest.mark.parametrize("executor", ["native", "python"])
@pytest.mark.parametrize("names", [("words", "extractor", "every"), ("every", "extractor", "words")])
def test_their_fields_serve_conditions_and_outputs(lanner, falco_yaml, words, names, executor):
    done = lanner("run", "-c", falco_yaml(*names), "--open", words(b"abc", b"abcd"), "--executor", executor)
    assert done.code == 0, done.err
    assert [line.partition(" Notice ")[2] for line in done.lines] == ["abcd has 4 of any 4"]


def test_a_replay_has_them_too(lanner, falco_yaml, plugin, words, tmp_path):
    recording = tmp_path / "recording"
    assert lanner("record", plugin("Words"), "-o", recording, "--open", words(b"abc", b"abcd")).code == 0
    done = lanner("run", "-c", falco_yaml("words", "extractor", "every"), "--replay", recording)
    assert [line.partition(" Notice ")[2] for line in done.lines] == ["abcd has 4 of any 4"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("words", "stranger"), "the plugin stranger is loaded but reads no events of words: it extracts fields of k8s_audit"),
        (("words", "extractor", "copy"), "the plugins extractor and copy both have the field extractor.length for words"),
        (("words", "quiet", "extractor"), "2 plugins with event sources would be loaded (words, quiet), and Lanner runs one event source"),
        (("extractor", "every"), "no plugin of extractor, every has an event source"),
    ],
)
def test_what_falco_refuses_is_refused(lanner, falco_yaml, names, said):
    done = lanner("run", "-c", falco_yaml(*names))
    assert (done.code, done.out) == (1, b"")
    assert f"lanner: error: {said}" in done.err


def test_rules_are_validated_described_and_listed_with_them(lanner, falco_yaml, tmp_path):
    file = falco_yaml("words", "extractor", "every")
    assert lanner("run", "-c", file, "-V", tmp_path / "rules.yaml").code == 0
    assert "Long" in lanner("run", "-c", file, "-L").out.decode()
    assert lanner("run", "-c", file, "--dry-run").code == 0
    lines = lanner("run", "-c", file, "--list").lines
    classes = {line.split(maxsplit=2)[2]: lines[place + 1] for place, line in enumerate(lines) if line.startswith("Field Class:")}
    assert classes["extractor (plugin)"] == classes["every (plugin)"] == "Event Sources:                words "


def test_the_doctor_checks_rules_with_them(lanner, falco_yaml):
    found = json.loads(lanner("doctor", "-c", falco_yaml("words", "extractor", "every"), "--json").out)["checks"]
    rules = next(check for check in found if check["check"] == "rules")["findings"]
    assert [each["level"] for each in rules] == ["warning"], rules  # no tags


def test_a_plugin_for_all_sources_says_any(lanner, plugin):
    assert "extract event sources  any" in lanner("plugin", plugin("Every")).lines
    assert json.loads(lanner("plugin", plugin("Every"), "--json").out)["extract_event_sources"] == ["any"]
    lines = lanner("run", plugin("Every"), "--list").lines
    assert [line for line in lines if line.startswith("Event Sources:")] == ["Event Sources:                any "] * 2
    assert "every.size                    Size of the payload " in lines
