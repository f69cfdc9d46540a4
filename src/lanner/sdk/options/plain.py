"""Read a configuration of plain options without the configuration class, whose decoder takes half of a small plugin's start.

`lanner build` describes the class (`lanner.sdk.options.plain_description`). A plugin uses this if its module imports the class late (see
`lanner.sdk.authoring.plugin.PluginInfo.has_late_config`). Options that are not plain, and all errors, are left to the class.
"""

from __future__ import annotations

from lanner.native import decode_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_KINDS: Final = {"text": str, "flag": bool, "number": int, "choice": str}


class PlainConfig:
    """The options of a configuration, by the names of the class's attributes."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.__dict__.update(options)

    def __repr__(self) -> str:
        from lanner.sdk.options.secrets import mask_option  # rare

        return f"PlainConfig({', '.join(f'{name}={mask_option(value, name)!r}' for name, value in vars(self).items())})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PlainConfig) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


def read_plain(description: str, text: str) -> PlainConfig | None:
    """Return the configuration in `text`, JSON; None if only the class can decode it, or the class has changed since the build."""
    try:
        about = decode_json(description.encode())
        given = decode_json(text.encode()) if text.strip() else None
    except ValueError:
        return None
    if given is None:
        given = {}
    if not isinstance(given, dict) or not all(_digest(path) == digest for path, digest in about["sources"].items()):
        return None
    options = {}
    for written, (name, kind, limits, default) in about["options"].items():
        if written not in given:
            options[name] = default
        elif _is_plain(value := given.pop(written), kind, limits):
            options[name] = value
        else:
            return None
    return None if given else PlainConfig(options)


def _is_plain(value: Any, kind: str, limits: list[Any]) -> bool:
    if type(value) is not _KINDS.get(kind):
        return False
    if kind == "choice":
        return value in limits
    if kind == "number":
        low, high = limits
        return (low is None or value >= low) and (high is None or value <= high)
    return True


def _digest(path: str) -> str:
    from lanner.sdk.options.source_digest import digest_of  # only in a library that is bound to an installed Python

    return digest_of(path)
