"""Checks of the operands of words, and their form in messages."""

from __future__ import annotations

from lanner.sdk.errors import DefinitionError


def operand_text(given: object) -> str:
    """Return a description of an argument that is not a value or string, for messages."""
    from lanner.sdk.payload.value_advice import describe_uncalled  # rare

    return describe_uncalled(given) or repr(given)


def check_separator(separator: str) -> str:
    if not isinstance(separator, str) or not separator:
        raise DefinitionError("a separator must be a string of at least one character")
    return separator


def check_texts(name: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    if not texts or not all(isinstance(each, str) for each in texts):
        raise DefinitionError(f"`{name}` needs strings to compare with, not {', '.join(map(repr, texts)) or 'none'}")
    return texts
