"""The commands that the documentation shows exist, with their options."""

import re
import shlex
from pathlib import Path

import click
import pytest

from lanner.cli.commands import commands

ROOT = Path(__file__).parents[2]
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")), *sorted((ROOT / "docs").glob("*.md"))]
LINE = re.compile(r"^ *\$? *(?:sudo -u lanner )?(?:\S*/)?lanner +(.*)$", re.MULTILINE)
INLINE = re.compile(r"`(?:\S*/)?lanner +([^`\n]+)`")


def shown():
    for page in PAGES:
        text = page.read_text("utf-8")
        blocks = "\n".join(
            [
                *re.findall(r"^(?: {4}.+\n)+", text, re.MULTILINE),
                *re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL),
            ]
        )
        for line in dict.fromkeys([*LINE.findall(blocks), *INLINE.findall(text)]):
            yield pytest.param(line, id=f"{page.name}-{line[:60]}")


def resolve(words):
    """The command that these words call, and the words after its name."""
    command, context = commands, click.Context(commands)
    while isinstance(command, click.Group) and words and (found := command.get_command(context, words[0])) is not None:
        command, context, words = found, click.Context(found, parent=context), words[1:]
    return command, words


@pytest.mark.parametrize("line", list(shown()))
def test_a_shown_command_exists_with_its_options(line):
    words = shlex.split(line, comments=True)
    command, rest = resolve(words)
    if words[:1] == ["--version"]:
        return
    assert command is not commands, f"no command {words[0]}"
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    given = [word.split("=")[0].split("[")[0] for word in rest if re.match(r"--?[a-zA-Z]", word)]
    assert [option for option in given if option not in known] == []
