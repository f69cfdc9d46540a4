"""The text of an alert that a search for words covers: its output and its field values, bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lanner.alerts.schema import SEARCHED_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Mapping


def searched_text(output: str, fields: Mapping[str, Any]) -> str:
    """Return the output, and after it each field value that the output does not contain; at most SEARCHED_CHARACTERS.

    Numbers and truth values are left out: they are found by their fields. A NUL, which would end a text for some readers, is a blank.
    """
    text = output[:SEARCHED_CHARACTERS]
    more = [text]
    size = len(text)
    for value in fields.values():
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, str) and each and size < SEARCHED_CHARACTERS and each not in text:
                more.append(each[: SEARCHED_CHARACTERS - size])
                size += len(more[-1])
    # a newline between two values: a phrase does not continue from one to the next only by it, but no word does
    text = "\n".join(more)
    return text.replace("\0", " ") if "\0" in text else text
