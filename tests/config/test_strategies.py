"""The effect of `config_files` with each strategy: the values that Falco 0.44.1 printed (`--support`) for the same files."""

import pytest

from lanner.config.read import read_configuration

FILES = {
    "a string": ("priority: warning", "priority: error"),
    "a list": ("rules_files: [a.yaml, b.yaml]", "rules_files: [b.yaml, c.yaml]"),
    "a string for a list": ("rules_files: [a.yaml]", "rules_files: b.yaml"),
    "a block": ("webserver: {enabled: false, listen_port: 1111}", "webserver: {listen_port: 2222}"),
    "nothing for a block": ("webserver: {enabled: false, listen_port: 1111}", "webserver:"),
    "a new key": ("", "priority: error"),
}


def _values(falco):
    return str(falco.priority).lower(), falco.rules_files, falco.webserver.listen_port


@pytest.mark.parametrize(
    ("files", "strategy", "expected"),
    [
        ("a string", "append", ("error", None, 8765)),
        ("a string", "override", ("error", None, 8765)),
        ("a string", "add-only", ("warning", None, 8765)),
        ("a list", "append", ("debug", ("a.yaml", "b.yaml", "b.yaml", "c.yaml"), 8765)),
        ("a list", "override", ("debug", ("b.yaml", "c.yaml"), 8765)),
        ("a list", "add-only", ("debug", ("a.yaml", "b.yaml"), 8765)),
        ("a string for a list", "append", ("debug", ("b.yaml",), 8765)),
        ("a string for a list", "add-only", ("debug", ("a.yaml",), 8765)),
        ("a block", "append", ("debug", None, 2222)),
        ("a block", "override", ("debug", None, 2222)),
        ("a block", "add-only", ("debug", None, 1111)),
        ("nothing for a block", "append", ("debug", None, 8765)),
        ("nothing for a block", "add-only", ("debug", None, 1111)),
        ("a new key", "append", ("error", None, 8765)),
        ("a new key", "override", ("error", None, 8765)),
        ("a new key", "add-only", ("error", None, 8765)),
        ("a list", "Override", ("debug", ("a.yaml", "b.yaml", "b.yaml", "c.yaml"), 8765)),
    ],
)
@pytest.mark.parametrize("first", [True, False], ids=["config_files first", "config_files last"])
def test_each_strategy(tmp_path, monkeypatch, files, strategy, expected, first):
    monkeypatch.chdir(tmp_path)
    here, included = FILES[files]
    lines = [f"config_files: [{{path: x.yaml, strategy: {strategy}}}]", here]
    (tmp_path / "falco.yaml").write_text("\n".join(lines if first else lines[::-1]))
    (tmp_path / "x.yaml").write_text(included)
    assert _values(read_configuration("falco.yaml", {}, []).falco) == expected


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_an_included_file_without_keys_is_a_warning(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "falco.yaml").write_text("config_files: [x.yaml]\n")
    (tmp_path / "x.yaml").write_text(text)
    assert read_configuration("falco.yaml", {}, []).warnings == ["x.yaml has no keys, which Falco's schema requires; it is ignored"]
