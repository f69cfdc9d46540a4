"""Create the repository of a new plugin: common files, and those of its kind of event source.

A template is a file of `templates/` with tokens instead of the plugin's name: `@NAME@`, `@MODULE@` in Python and in fields, `@CLASS@`,
`@VARIABLE@` in environment variables. `common/` has the files of every repository, and the directory of a source has its own ones.
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.host.plugin_loader import BUILT_IN, load_plugin
from lanner.new.kinds import doctor_command, replay_command, run_command
from lanner.package.readme import fields_table, insert_table
from lanner.sdk.authoring.plugin import plugin_info
from lanner.sdk.errors import LannerError, UsageError
from lanner.sdk.options.config import config_table
from lanner.sdk.text.tables import markdown, markdown_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lanner.sdk.options.config import Config

TEMPLATES: Final = Path(__file__).parent / "templates"
_SUFFIX: Final = ".tmpl"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_LONGEST: Final = 40
_DOTS: Final = {"gitignore": ".gitignore", "github": ".github"}
"""Names of templates that begin with a dot in the repository: hidden files are easily left out of a package."""
_IMPORTED: Final = frozenset({"Annotated", "Any", "Iterator"})
"""Names that a template imports, so that its class needs another one."""
_OPTIONS: Final = "<!-- OPTIONS -->\n"


class NewPluginError(LannerError, OSError):
    """The repository cannot be written."""


def create(name: str, source: str) -> Path:
    """Create the repository in the working directory, in a directory with the plugin's name. Return its path.

    Raise `UsageError` for an invalid name or an existing directory, and `NewPluginError` if a file cannot be written. Nothing is left
    behind in that case.
    """
    check_name(name)
    folder = Path(name)
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} exists already: choose another name, or remove it")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=Path.cwd()) as temporary:
            made = Path(temporary) / name
            for path, text in _files(name, source):
                target = made / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, "utf-8")
            _fill_readme(made, name)
            made.rename(folder)
    except OSError as error:
        raise NewPluginError(f"cannot create {folder}: {error.strerror or error}") from None
    return folder


def init_git(folder: Path) -> str:
    """Make the directory a git repository, unless it is in the work tree of one. Return a description for the user."""
    try:
        inside = _git(folder, "rev-parse", "--show-toplevel")
        if inside.returncode == 0:
            return f"in the git repository {inside.stdout.strip()}"
        # the workflow in .github is for the branch main
        done = _git(folder, "-c", "init.defaultBranch=main", "init", "-q")
    except OSError:
        return "without a git repository, because git is not installed"
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        return f"without a git repository, because `git init` failed: {reason[-1]}"
    return "in a new git repository"


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603, S607


def check_name(name: str) -> None:
    """Raise `UsageError` for a name that no plugin may have."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        near = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()).strip("-0123456789")[:_LONGEST].strip("-")
        advice = f": did you mean {near!r}?" if _NAME.fullmatch(near) else ""
        raise UsageError(
            f"invalid plugin name {name!r}: use lower-case letters, digits, and - or _ between them, beginning with a letter, "
            f"at most {_LONGEST} characters{advice}"
        )
    if name in BUILT_IN:
        raise UsageError(f"{name!r} is the name of a built-in plugin: choose another one")
    if name == "syscall":
        raise UsageError(f"{name!r} is the name of Falco's own event source: choose another one")


def _files(name: str, source: str) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each file."""
    found: dict[str, Path] = {}
    for folder in (TEMPLATES / "common", TEMPLATES / source):
        found |= {path.relative_to(folder).as_posix().removesuffix(_SUFFIX): path for path in sorted(folder.rglob(f"*{_SUFFIX}"))}
    for path, template in found.items():
        first, slash, rest = path.partition("/")
        text = template.read_text("utf-8").replace("@RUN@", run_command(source)).replace("@REPLAY@", replay_command(source))
        text = text.replace("@DOCTOR@", doctor_command(source))
        yield fill_template(f"{_DOTS.get(first, first)}{slash}{rest}", name), fill_template(text, name)


def fill_template(text: str, name: str) -> str:
    """Return the text of a template with the plugin's name in all its forms."""
    module = _module(name)
    cls = "".join(part.capitalize() for part in module.split("_"))
    if keyword.iskeyword(cls) or cls in _IMPORTED:
        cls += "Plugin"
    for token, form in (("@NAME@", name), ("@MODULE@", module), ("@VARIABLE@", module.upper()), ("@CLASS@", cls)):
        text = text.replace(token, form)
    return text


def _module(name: str) -> str:
    return name.replace("-", "_")


def _fill_readme(folder: Path, name: str) -> None:
    """Write the tables of fields and options into the README, from the declarations of the plugin."""
    path, is_quiet = list(sys.path), sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # a new repository has no __pycache__
    try:
        info = plugin_info(load_plugin(str(folder / "src" / f"lanner_{_module(name)}" / "plugin.py")))
    finally:
        sys.path[:], sys.dont_write_bytecode = path, is_quiet
    file = folder / "README.md"
    text = insert_table(file.read_text("utf-8"), fields_table(declaration.info for declaration in info.fields), "README.md")
    file.write_text(text.replace(_OPTIONS, _options(info.config)), "utf-8")


def _options(config: type[Config] | None) -> str:
    if config is None:
        return "It takes no options.\n"
    rows = [
        (f"`{name}`", kind, default if default == "required" else f"`{default}`", markdown_cell(text))
        for name, kind, default, text in config_table(config)
    ]
    return markdown(("OPTION", "TYPE", "DEFAULT", "DESCRIPTION"), rows)
