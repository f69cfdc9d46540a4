"""Tables as text: columns for people, a left column of fixed width as in Falco, and Markdown."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line for each row, with each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def put_beside(left: str, lines: Iterable[str], column: int) -> list[str]:
    """Return lines that begin at `column`, with `left` before the first one."""
    return [f"{'' if number else left:<{column}}{line}" for number, line in enumerate(lines)]


def wrap(words: Iterable[str], width: int) -> list[str]:
    """Return the words in lines of at most `width` characters, a blank after each word, as Falco wraps descriptions."""
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) + 1 > width:
            lines.append("")
        lines[-1] += f"{word} "
    return lines


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown with a line feed at its end. Cells are Markdown themselves (`markdown_cell`)."""
    return "".join(f"| {' | '.join(row)} |\n" for row in (header, ["---"] * len(header), *rows))


def markdown_cell(text: str) -> str:
    """Return a string as a cell of Markdown: without line feeds and bars, and with what looks like HTML as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", "<br/>")
