"""Checks of the arguments of sources. An error names the source, the argument, and the line of the plugin that calls the source."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping, Sequence
from types import BuiltinMethodType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from lanner.sdk.author_code import is_authors, place_text
from lanner.sdk.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def argument_error(source: str, problem: str) -> UsageError:
    """Return an error about the arguments of a source, with the line of the call."""
    caller: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the frames without their source lines
    while caller is not None and not is_authors(caller.f_code.co_filename):
        caller = caller.f_back
    place = place_text(caller.f_code.co_filename, caller.f_lineno) if caller is not None else ""
    return UsageError(f"{source}: {problem}{place}")


def check_text(source: str, **given: Any) -> None:
    """Check that arguments are strings."""
    for name, value in given.items():
        if not isinstance(value, str):
            raise _wrong_type(source, name, value, "a string")


def check_path(source: str, **given: Any) -> None:
    """Check that arguments are paths of files."""
    for name, value in given.items():
        if not isinstance(value, bytes) and not hasattr(value, "__fspath__"):
            check_text(source, **{name: value})
        if b"\0" in os.fsencode(value):
            raise argument_error(source, f"{name} has a null byte, which no path can have: remove it")


def check_flag(source: str, **given: Any) -> None:
    """Check that arguments are true or false."""
    for name, value in given.items():
        if not isinstance(value, bool):
            raise _wrong_type(source, name, value, "True or False")


def check_count(source: str, least: int = 1, **given: Any) -> None:
    """Check that arguments are whole numbers of at least `least`."""
    for name, value in given.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong_type(source, name, value, "a whole number")
        if value < least:
            raise argument_error(source, f"{name} is {value}; it must be at least {least}")


def check_seconds(source: str, **given: Any) -> None:
    """Check that arguments are positive, finite numbers."""
    for name, value in given.items():
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise _wrong_type(source, name, value, "a number of seconds")
        if not (math.isfinite(value) and value > 0):
            raise argument_error(source, f"{name} is {value}; it must be a positive number of seconds")


def check_choice(source: str, choices: Sequence[str], **given: Any) -> None:
    """Check that arguments are one of `choices`."""
    for name, value in given.items():
        if value in choices:
            continue
        if not isinstance(value, str):
            raise _wrong_type(source, name, value, "a string")
        shown = list(map(repr, choices))
        raise argument_error(source, f"{name} is {value!r}; it must be {', '.join(shown[:-1])} or {shown[-1]}")


def check_texts_by_name(source: str, **given: Any) -> None:
    """Check that arguments are mappings of strings to strings."""
    _check_mapping(source, given, lambda value: isinstance(value, str), "a string")


def check_credentials_by_name(source: str, **given: Any) -> None:
    """Check that arguments are mappings of strings to credentials."""
    _check_mapping(source, given, is_credential, _CREDENTIAL)


def check_credential(source: str, name: str, value: object) -> None:
    """Check that an argument is a credential."""
    if not is_credential(value):
        raise _wrong_type(source, name, value, _CREDENTIAL)


def is_credential(value: object) -> bool:
    """Return whether a value is a string or an object that reveals one, such as `lanner.Secret`."""
    return isinstance(value, str) or (not isinstance(value, type) and callable(getattr(value, "reveal", None)))


def check_place(source: str, **given: Any) -> None:
    """Check that arguments are places in JSON: a name, an index, or a sequence of them."""
    for name, value in given.items():
        steps = value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]
        if not all(isinstance(step, str | int) and not isinstance(step, bool) for step in steps):
            raise _wrong_type(source, name, value, 'a place in JSON, such as "items" or ("data", "items")')


_CREDENTIAL = "a string or a lanner.Secret"


def _check_mapping(source: str, given: Mapping[str, Any], is_valid: Callable[[Any], bool], what: str) -> None:
    for name, value in given.items():
        if not isinstance(value, Mapping):
            raise _wrong_type(source, name, value, "a mapping")
        for key, each in value.items():
            if not isinstance(key, str):
                raise _wrong_type(source, f"a key of {name}", key, "a string")
            if not is_valid(each):
                raise _wrong_type(source, f"{name}[{key!r}]", each, what)


def _wrong_type(source: str, name: str, value: object, needed: str) -> UsageError:
    """Return the error about an argument of a wrong type. Its value may be a secret, and is not in it."""
    if isinstance(value, MethodType | BuiltinMethodType | FunctionType):
        method = getattr(value, "__name__", "")
        return argument_error(source, f"{name} is the method {method!r} without parentheses; it must be {needed}: write {method}()")
    return argument_error(source, f"{name} is of the type {type(value).__name__}; it must be {needed}")
