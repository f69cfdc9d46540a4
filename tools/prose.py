#!/usr/bin/env python3
"""Check the language of documentation, comments, docstrings and messages.

    tools/prose.py [PATH...]      without a path: the paths that tools/prose.toml names

Print each finding as `file:line: 'words': advice` and return exit code 1 if there is one. Code in Markdown is not checked.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ROOT / "tools" / "prose.toml"
SKIPPED = {"__pycache__", ".venv", "build"}
STRINGS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
STATEMENT_START = {tokenize.ENCODING, tokenize.NEWLINE, tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT}
C_TEXT = re.compile(r'(?P<lines>//[^\n]*(?:\n[ \t]*//[^\n]*)*)|/\*(?P<block>.*?)\*/|"(?P<string>(?:\\.|[^"\\\n])*)"', re.DOTALL)
C_LINE = re.compile(r"^[ \t]*(?:// ?|\* )", re.MULTILINE)
CODE = re.compile(r"`[^`]*`|<!--.*?-->|\]\([^)]*\)", re.DOTALL)
INDENT = re.compile(r"\n[ \t]+")
NEW_BLOCK = re.compile(r"\s*([-*|#>]|\d+\.)\s?")
RIDDLE = re.compile(r"\W*(What|Who|Where|How many|How much)\s")
# ... and a gap of three blanks, as in an aligned list of commands
SENTENCE_END = re.compile(r"[.!?:]\s|\n\s*\n|\||\.\)|(?<=\S) {3,}")


class Block(NamedTuple):
    """A piece of text: the line it begins at, and whether its sentences are checked as well as its words."""

    line: int
    text: str
    sentences: bool


class Settings:
    """The contents of tools/prose.toml."""

    def __init__(self, path: Path = SETTINGS) -> None:
        data = tomllib.loads(path.read_text("utf-8"))
        self.paths: list[str] = data["paths"]
        self.excluded = [ROOT / each for each in data["excluded"]]
        self.longest: int = data["longest_sentence"]
        self.longest_by_file: dict[Path, int] = {ROOT / file: words for file, words in data["longest_sentences"].items()}
        self.quoted = re.compile("|".join(data["quoted"]) or r"(?!)")
        self.phrases = [
            (re.compile(rf"\b(?:{words})".replace(" ", r"\s"), re.IGNORECASE), advice) for words, advice in data["phrases"].items()
        ]


def markdown(text: str) -> Iterator[Block]:
    """Yield paragraphs, list items and table rows without their code."""
    lines: list[str] = []
    begin, fenced = 1, False
    for number, line in enumerate(text.splitlines(), 1):
        is_fence = line.lstrip().startswith("```")
        indented = line.startswith("    ") and not lines
        if is_fence or fenced or indented or not line.strip() or NEW_BLOCK.match(line):
            if lines:
                yield _paragraph(begin, lines)
            lines = []
        if is_fence:
            fenced = not fenced
        elif line.strip() and not fenced and not indented:
            if not lines:
                begin = number
            lines.append(line)
    if lines:
        yield _paragraph(begin, lines)


def _paragraph(begin: int, lines: Sequence[str]) -> Block:
    return Block(begin, CODE.sub(lambda code: "CODE" + "\n" * code[0].count("\n"), "\n".join(lines)), sentences=True)


def python(text: str) -> Iterator[Block]:
    """Yield comments and strings; neighbouring comment lines are one block. Only sentences of docstrings are checked, not of data."""
    comments: list[str] = []
    begin = 0
    previous = tokenize.ENCODING
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if comments and token.start[0] != begin + len(comments):
                yield Block(begin, "\n".join(comments), sentences=True)
                comments = []
            if not comments:
                begin = token.start[0]
            comments.append(token.string.lstrip("# "))
        elif token.type in STRINGS:
            yield Block(token.start[0], CODE.sub("CODE", token.string), sentences='"""' in token.string and previous in STATEMENT_START)
        previous = token.type
    if comments:
        yield Block(begin, "\n".join(comments), sentences=True)


def c_source(text: str) -> Iterator[Block]:
    """Yield comments and string literals; neighbouring comment lines are one block. Only sentences of comments are checked."""
    for found in C_TEXT.finditer(text):
        words = found[found.lastgroup or 0]
        is_comment = found.lastgroup != "string"
        yield Block(text.count("\n", 0, found.start()) + 1, C_LINE.sub("", words) if is_comment else words, sentences=is_comment)


def plain(text: str) -> Iterator[Block]:
    """Yield the whole text."""
    yield Block(1, text, sentences=False)


READERS = {".md": markdown, ".py": python, ".cpp": c_source, ".c": c_source, ".h": c_source}


def files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files, and those below the directories."""
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.is_file() and not SKIPPED & set(each.parts))
        else:
            yield path


def findings(text: str, suffix: str, settings: Settings, longest: int | None = None) -> Iterator[tuple[int, str, str]]:
    """Yield line, words and advice for each finding. `longest` replaces the limit of words in a sentence."""
    blocks = [(each, settings.quoted.sub("QUOTED", INDENT.sub("\n", each.text))) for each in READERS.get(suffix, plain)(text)]
    # most phrases are in no block: one search through all of them is faster than one in each
    everything = "\0".join(words for _, words in blocks)
    phrases = [each for each in settings.phrases if each[0].search(everything)]
    for block, words in blocks:
        for pattern, advice in phrases:
            for found in pattern.finditer(words):
                yield block.line + words.count("\n", 0, found.start()), " ".join(found[0].split()), advice
        if block.sentences and suffix != ".md" and (opening := RIDDLE.match(words)):
            yield block.line, opening[1], "begin with a noun: the X that"
        if block.sentences:
            yield from _long_sentences(block.line, words, longest or settings.longest)


def _long_sentences(line: int, text: str, longest: int) -> Iterator[tuple[int, str, str]]:
    for sentence in SENTENCE_END.split(text):
        if sentence is None:
            continue
        begin = " ".join(sentence.split()[:4])
        if sentence.count(";") > 1:
            yield line, f"{begin} ...", "one fact a sentence: no chain of semicolons"
        if (count := len(sentence.split())) > longest:
            yield line, f"{begin} ...", f"a sentence of {count} words: split it (at most {longest})"


def main(arguments: Sequence[str]) -> int:
    """Check the files and return the exit code."""
    settings = Settings()
    paths = [Path(each) for each in arguments] or [ROOT / each for each in settings.paths]
    count = 0
    for path in files(paths):
        if any(path.resolve().is_relative_to(each) for each in settings.excluded):
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for line, words, advice in sorted(set(findings(text, path.suffix, settings, settings.longest_by_file.get(path.resolve())))):
            count += 1
            shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
            print(f"{shown}:{line}: '{words}': {advice}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
