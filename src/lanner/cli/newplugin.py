"""`lanner new`: create the repository of a plugin, and print what to do next."""

from __future__ import annotations

from lanner.cli.messages import OK
from lanner.cli.show import print_lines
from lanner.new.kinds import replay_command
from lanner.new.repository import create, fill_template, init_git


def new_plugin(name: str, source: str) -> int:
    """Create the repository and return the exit code. Raises `LannerError`."""
    folder = create(name, source)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    print_lines(
        [
            f"created {folder}/ with {len(files)} files, {init_git(folder)}:",
            *(f"    {file}" for file in files),
            "",
            "Next:",
            f"    cd {folder}",
            "    pip install -e '.[dev]'",
            "    make check",
            f"    {fill_template(replay_command(source), name)}",
            f"    lanner build {name}",
        ]
    )
    return OK
