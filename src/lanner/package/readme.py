"""The table of a plugin's fields in a README, between two comments, as in the READMEs of falcosecurity/plugins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lanner.package.artefacts import PackageError
from lanner.sdk.text.tables import markdown, markdown_cell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lanner.sdk.types import FieldInfo

BEGIN: Final = "<!-- README-PLUGIN-FIELDS -->"
END: Final = "<!-- /README-PLUGIN-FIELDS -->"


def fields_table(fields: Iterable[FieldInfo]) -> str:
    """Return the table in Markdown, ending in a line feed."""
    rows = [
        (f"`{field.name}`", f"`{field.type}{' (list)' if field.is_list else ''}`", _argument(field), markdown_cell(field.description))
        for field in fields
    ]
    return markdown(("NAME", "TYPE", "ARG", "DESCRIPTION"), rows)


def insert_table(text: str, table: str, file: str) -> str:
    """Return the README with the table at every marked place. Raises `PackageError` if none is marked."""
    begins, ends = text.count(BEGIN), text.count(END)
    places = re.compile(rf"({re.escape(BEGIN)}\r?\n).*?({re.escape(END)})", re.DOTALL)
    done, count = places.subn(lambda found: found[1] + table + found[2], text)
    if not begins and not ends:
        raise PackageError(f"{file} has no place for the table of fields: add the two lines {BEGIN} and {END}")
    if begins != ends or count != begins:
        raise PackageError(
            f"{file} has {BEGIN} {_times(begins)} and {END} {_times(ends)}: each {BEGIN} must be on its own line with {END} below it"
        )
    return done


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _argument(field: FieldInfo) -> str:
    argument = field.argument
    if argument is None:
        return "None"
    words = (("Index", argument.index), ("Key", argument.key), ("Required", argument.required))
    return ", ".join(word for word, is_so in words if is_so)
