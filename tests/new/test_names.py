"""`lanner new` refuses names that no plugin may have, and never changes an existing directory."""

import subprocess
import sys
from pathlib import Path

import pytest

import lanner
from lanner.cli.newplugin import new_plugin
from lanner.new.kinds import SOURCES
from lanner.new.repository import TEMPLATES, NewPluginError, check_name, create
from lanner.yamlfile import placed_values


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("GitHub", "did you mean 'git-hub'?"),
        ("my plugin", "did you mean 'my-plugin'?"),
        ("my.plugin", "did you mean 'my-plugin'?"),
        ("plugin-", "did you mean 'plugin'?"),
        ("2fa", "did you mean 'fa'?"),
        ("a--b", "did you mean 'a-b'?"),
        ("dir/plugin", "did you mean 'dir-plugin'?"),
        ("../plugin", "did you mean 'plugin'?"),
        ("", "at most 40 characters"),
        ("é", "at most 40 characters"),
        ("x" * 41, "at most 40 characters"),
        ("-h", "did you mean 'h'?"),
        ("a\n", "did you mean 'a'?"),
    ],
)
def test_an_invalid_name_is_refused_with_a_suggestion(name, advice):
    with pytest.raises(lanner.UsageError, match=f"invalid plugin name .*{advice.replace('?', '.')}"):
        check_name(name)


@pytest.mark.parametrize(
    ("name", "says"), [("docker", "the name of a built-in plugin"), ("syscall", "the name of Falco's own event source")]
)
def test_a_name_that_is_taken_is_refused(name, says):
    with pytest.raises(lanner.UsageError, match=says):
        check_name(name)


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.write_text("x"), lambda path: path.symlink_to("nowhere")])
def test_an_existing_directory_is_not_touched(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "doors")
    with pytest.raises(lanner.UsageError, match="doors exists already: choose another name, or remove it"):
        create("doors", "generator")
    assert [path.name for path in tmp_path.iterdir()] == ["doors"]


def test_nothing_is_left_behind_if_a_file_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lanner.new.repository._fill_readme", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(NewPluginError, match="cannot create doors: No space left on device"):
        create("doors", "generator")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", ["x", "my-doors", "iterator", "none", "class"])
def test_every_form_of_the_name_is_replaced(tmp_path, monkeypatch, name, source):
    monkeypatch.chdir(tmp_path)
    folder = create(name, source)
    for path in folder.rglob("*"):
        assert "@" not in str(path)
        if path.is_file():
            assert not any(token in path.read_text() for token in ("@NAME@", "@CLASS@", "@MODULE@", "@VARIABLE@", "@RUN@", "@REPLAY@"))
            if path.suffix == ".py":
                compile(path.read_text(), str(path), "exec")
    assert (folder / ".gitignore").is_file()
    workflow = folder / ".github" / "workflows" / "ci.yml"
    jobs = placed_values.load(workflow.read_text(), str(workflow))[0]["jobs"]
    commands = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    assert f"lanner build {name} --bundle -o lib{name}.so" in commands
    assert {"make check", "make package", "git diff --exit-code README.md"} <= set(commands)
    assert f'{name} = "lanner_{name.replace("-", "_")}.plugin:' in (folder / "pyproject.toml").read_text()


def test_only_its_own_files_are_created_and_listed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert new_plugin("doors", "webhook") == 0
    shown, *rest = capsys.readouterr().out.splitlines()
    listed = [line.strip() for line in rest[: rest.index("")]]
    assert "src/lanner_doors/plugin.py" in listed
    assert not any("__pycache__" in name or name.startswith(".git/") for name in listed)
    assert not list((tmp_path / "doors").rglob("__pycache__"))
    assert shown == f"created doors/ with {len(listed)} files, in a new git repository:"
    assert (tmp_path / "doors" / ".git" / "HEAD").read_text() == "ref: refs/heads/main\n"


def test_a_repository_within_another_one_belongs_to_that(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    new_plugin("doors", "generator")
    assert f"files, in the git repository {tmp_path.resolve()}:" in capsys.readouterr().out
    assert not (tmp_path / "doors" / ".git").exists()


def test_git_is_not_needed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert new_plugin("doors", "generator") == 0
    assert "files, without a git repository, because git is not installed:" in capsys.readouterr().out


def test_each_source_has_templates():
    assert {path.name for path in TEMPLATES.iterdir()} == {"common", *SOURCES}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", ["x", "a-plugin-with-forty-characters-in-its-nam"])
def test_the_length_of_the_name_does_not_matter_to_ruff(tmp_path, monkeypatch, name, source):
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip(f"{ruff} is not installed")
    monkeypatch.chdir(tmp_path)
    folder = create(name[:40], source)
    for command in ("check", "format"):
        options = ["--check"] if command == "format" else []
        done = subprocess.run([ruff, command, *options, "."], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
