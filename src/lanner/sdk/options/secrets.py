"""Secrets in options: the type of such an option, and masks for configurations, messages and logs.

An option of type `Secret` is masked wherever it is printed. Options of other types are masked by their names, and in addresses.
"""

from __future__ import annotations

import os
import re
from weakref import WeakValueDictionary

from lanner.sdk.options.address import MASK, mask_addresses
from lanner.sdk.text.encoding import to_lossless
from lanner.sdk.typing_marks import final

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any, ClassVar, Final, NoReturn

# patterns are compiled at their first use: most plugins start without one of them, and all together take a millisecond
_NAME: Final = (
    r"(?:[\w-]*(?i:passw|passphrase|pwd|secret|token|credential|(?:api|access|private|auth)[_-]?key)[\w-]*"
    r"|(?:[\w-]*[_-])?(?i:key)|[\w-]*[a-z]Key)"
)
_NEXT: Final = r""",\s*["']?[\w-]+["']?\s*[:=]"""
_QUOTED: Final = r"""\\++["'](?:(?!\\++["']).)*\\++["']|"(?:[^"\\]|\\.)*"|'(?:[^']|\'\')*'"""
_OPTION: Final = r"""(?<![\w-])(?:\\*+["'])?(?:{name})(?:\\*+["'])?[^\S\n]*[:=](?:\s*(?=[\["'{{\\])|[^\S\n]*)"""
"""An option up to its value: its name may be quoted, even in a quoted string."""
_VALUE: Final = rf"""(?s:{_QUOTED}|(?:(?!{_NEXT})(?:[^\n\]}}"']|[\]}}"'](?=\w)))+)"""
_TOKEN: Final = rf"(?s:{_QUOTED}|[\[\]{{}}])"
_BEFORE_KEY: Final = r"[ ]*(?:-[ ]+)*"
_VARIABLE: Final = r"\$\{([^{}]*)\}"
_VARIABLE_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_FILE: Final = "file:"
_MOST_BYTES: Final = 64 << 10
_SHORTEST: Final = 6
"""Secrets with fewer characters are not searched for in messages: they occur in ordinary words."""


@final
class Secret:
    """A secret as the type of an option: `token: lanner.Secret`. `reveal` returns its text; all other representations are masked.

    In a configuration the option is the text itself, `${NAME}` for an environment variable, or `file:/path` for the content of a file
    without the line feed at its end. Lanner reads both when it creates the plugin. `Secret(text)` is a secret with that text, for tests.
    """

    __slots__ = ("__weakref__", "_forms", "_text")

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"a Secret needs a string, not {type(text).__name__}")
        self._text = text
        self._forms: tuple[str, ...] | None = None
        _live[id(self)] = self

    def reveal(self) -> str:
        """Return the text. Do not put it into messages, logs or events."""
        return self._text

    def _forms_in_messages(self) -> tuple[str, ...]:
        """Return the text as it may occur in a message: plain, in a repr, in JSON, in an address, and each of its lines."""
        if self._forms is None:
            self._forms = tuple({form for form in _forms_of(self._text) if len(form) >= _SHORTEST})
        return self._forms

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        from hmac import compare_digest  # its time does not depend on where the strings differ

        return compare_digest(to_lossless(self._text), to_lossless(other._text))

    def __hash__(self) -> int:
        return hash(self._text)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a Secret cannot be pickled: its text would be readable in the result")


_live: Final[WeakValueDictionary[int, Secret]] = WeakValueDictionary()


def read_secret(given: object) -> Secret:
    """Return the secret that the value of an option names. Raises `ValueError`, whose text never contains that of the option."""
    if isinstance(given, Secret):
        return given
    if not isinstance(given, str):
        raise ValueError(f"expected a string, got {_kind(given)}")  # noqa: TRY004 - msgspec turns a ValueError into its own error, with the path
    if variable := re.fullmatch(_VARIABLE, given):
        text, origin = _read_variable(variable[1])
    elif given.startswith(_FILE):
        text, origin = _read_file(given.removeprefix(_FILE))
    else:
        text, origin = given, "the secret"
    if not text:
        raise ValueError(f"{origin} is empty: give the secret a value, or remove the option")
    if "\0" in text:
        raise ValueError(f"{origin} contains a null character")
    return Secret(text)


def _kind(value: object) -> str:
    if isinstance(value, bool | int | float):
        noun = "a boolean" if isinstance(value, bool) else "a number"
        return (
            f"{noun}, which may differ from the written text, because Falco converts YAML scalars. "
            "Write the secret into a file and its path as file:/path, or write init_config as JSON text"
        )
    return "nothing" if value is None else "a mapping" if isinstance(value, dict) else "a list"


def _read_variable(name: str) -> tuple[str, str]:
    if not re.fullmatch(_VARIABLE_NAME, name):
        raise ValueError("invalid name of an environment variable: write ${NAME} with letters, digits and underscores")
    value = os.environ.get(name)
    if value is None:
        raise ValueError(f"the environment variable {name} is not set")
    return value, f"the environment variable {name}"


def _read_file(path: str) -> tuple[str, str]:
    from lanner.sdk.files import read_whole  # only for such an option

    if not path.startswith("/"):
        raise ValueError("the path after file: must be absolute, such as file:/run/secrets/token")
    try:
        content = read_whole(path, _MOST_BYTES).decode("utf-8")
    except OSError as error:
        raise ValueError(f"cannot read the file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"the file {path} is not UTF-8 text") from None
    return content.rstrip("\r\n"), f"the file {path}"


class SafeRepr:
    """Mixin for msgspec structs: the repr masks addresses, and secret options in maps and in strings of options."""

    __slots__ = ()
    if TYPE_CHECKING:  # the decoder of configurations reads annotations
        __struct_fields__: ClassVar[tuple[str, ...]]

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return options with printable values, for `rich` as well."""
        return [(name, mask_option(getattr(self, name))) for name in self.__struct_fields__]


def mask_option(value: Any, name: Any = "", *, secret: Collection[str] = ()) -> Any:
    """Return the printable value of an option with that name. `secret` has further names of secret options, in lower case."""
    if value is None or value == "" or isinstance(value, bool | Secret):
        return value
    if isinstance(name, str) and (name.lower() in secret or re.fullmatch(_NAME, name)):
        return type(value)(mask_option(item, name, secret=secret) for item in value) if isinstance(value, list | tuple) else MASK
    if isinstance(value, str):
        return mask_text(value, secret=secret)
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(mask_option(item, name, secret=secret) for item in value)
    if isinstance(value, dict):
        return {key: mask_option(item, key, secret=secret) for key, item in value.items()}
    return value


def mask_text(text: str, *, secret: Collection[str] = ()) -> str:
    """Return a string of options (JSON, YAML, a command line) with the values of secret options and secrets of addresses masked.

    `secret` is as for `mask_option`.
    """
    name = "|".join([_NAME, *(f"(?i:{re.escape(each)})" for each in sorted(secret))])
    option, text = re.compile(_OPTION.format(name=name)), mask_addresses(text)
    shown, start = [], 0
    while found := option.search(text, start):
        shown.append(text[start : found.end()] + MASK)
        start = _end_of_value(text, found)
    return "".join([*shown, text[start:]])


def _end_of_value(text: str, option: re.Match[str]) -> int:
    """Return the end of an option's value: a list, a map, a quoted text, a YAML block, or the rest of its line or map."""
    start = option.end()
    if text[start : start + 1] in {"[", "{"}:
        depth = 0
        for token in re.compile(_TOKEN).finditer(text, start):
            depth += (token[0] in "[{") - (token[0] in "]}")
            if depth == 0:
                return token.end()
        return len(text)
    value = re.compile(_VALUE).match(text, start)
    end = value.end() if value else start
    line = text.rfind("\n", 0, option.start()) + 1
    return _end_of_block(text, end, option.start() - line) if re.compile(_BEFORE_KEY).fullmatch(text, line, option.start()) else end


def _end_of_block(text: str, end: int, indent: int) -> int:
    """Return the end of the lines after `end` that continue the value of a YAML key with that indentation."""
    while text[end : end + 1] == "\n":
        following = text.find("\n", end + 1)
        line = text[end + 1 : following if following >= 0 else len(text)]
        words = line.lstrip(" ")
        depth = len(line) - len(words)
        if words and not words.startswith("#") and depth <= indent and not (depth == indent and words.startswith("- ")):
            break
        end += 1 + len(line)
    return end


def mask_message(text: str) -> str:
    """Return a message or log record with the secrets of addresses and the strings of all `Secret`s masked."""
    return mask_addresses(mask_secrets(text))


def mask_secrets(text: str) -> str:
    """Return a string with the strings of all `Secret`s masked, and no others."""
    forms = {form for secret in list(_live.values()) for form in secret._forms_in_messages()}  # noqa: SLF001 - of this module
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def _forms_of(text: str) -> Iterator[str]:
    import json  # rare, as is the next one
    from urllib.parse import quote, quote_plus

    if len(text) < _SHORTEST:
        return
    yield text
    yield from text.split("\n")  # a traceback may indent each
    for quoted in (
        repr(text)[1:-1],
        repr(to_lossless(text))[2:-1],
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
    ):
        yield quoted
        yield repr(quoted)[1:-1]  # an exception with such a string, in the repr of another
    yield quote(text, "", errors="replace")
    yield quote_plus(text, errors="replace")
