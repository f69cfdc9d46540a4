"""The versions of the plugin API: those that a plugin can be built for, which hosts have which, and the symbols of each capability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container


@dataclass(frozen=True, slots=True)
class Api:
    """One of them: `name` as on the command line, the least version that is required, the number of its structs in the bridge."""

    name: str
    version: str
    number: int
    hosts: str

    @property
    def has_all_types(self) -> bool:
        """Whether fields have all types, not texts and uint64 alone."""
        return self.number == 3

    @property
    def has_lists(self) -> bool:
        """Whether fields may be lists."""
        return self.number != 0


HOST_LOGGING: Final = "3.3.0"
VALUE_OFFSETS: Final = "3.11.0"
RULES_FILES: Final = (3, 3, 0)
"""A host of this version, Falco 0.38, has the key `rules_files`; older ones have `rules_file`."""
APIS: Final = {
    api.name: api
    for api in (
        Api("3", "3.0.0", 3, "Falco 0.35 and later"),
        Api("3.3", HOST_LOGGING, 3, "Falco 0.38 and later"),
        Api("2", "2.0.0", 2, "Falco 0.33 and 0.34"),
        Api("1", "1.0.0", 2, "Falco 0.32"),
        Api("0.3", "0.3.0", 0, "Falco 0.31 and sysdig 0.29"),
    )
}
# The API 3 that each Falco has, as (minor, patch): PLUGIN_API_VERSION_* of the libs that this Falco was released with. A host loads
# plugins that require its version or an earlier one
_FALCO_OF: Final = {
    (0, 0): "0.35",
    (1, 0): "0.36",
    (2, 0): "0.37",
    (5, 0): "0.38",
    (6, 0): "0.38.1",
    (7, 0): "0.39",
    (10, 0): "0.40",
    (11, 0): "0.41",
    (12, 0): "0.42",
}

_BASE: Final = ("required_api_version", "version", "name", "description", "contact", "last_error")
BASE: Final = (*(f"plugin_get_{name}" for name in _BASE), "plugin_init", "plugin_destroy")
SOURCING: Final = ("plugin_get_id", "plugin_get_event_source", "plugin_open", "plugin_close", "plugin_next_batch", "plugin_event_to_string")
EXTRACTION: Final = ("plugin_get_fields", "plugin_extract_fields")
EVENT_TYPES: Final = "plugin_get_extract_event_types"  # API 3 only
EVENT_SOURCES: Final = "plugin_get_extract_event_sources"

_CAPABILITIES: Final = {
    "sourcing": ("open", "close", "next_batch"),
    "extraction": ("get_fields", "extract_fields"),
    "parsing": ("parse_event",),
    "async": ("get_async_events", "set_async_event_handler"),
    "capture listening": ("capture_open", "capture_close"),
}


def version_of(text: str) -> tuple[int, ...]:
    """Return the numbers of a version, to compare them."""
    return tuple(int(part) for part in text.split(".") if part.isascii() and part.isdigit())


def hosts(version: str) -> str:
    """Which hosts load a plugin that requires this version of the API; "" where none is known."""
    numbers = version_of(version)
    if len(numbers) != 3:
        return ""
    if numbers[0] == 3:
        return next((f"Falco {falco} and later" for has, falco in _FALCO_OF.items() if numbers[1:] <= has), "")
    found = (api.hosts for api in APIS.values() if (ours := version_of(api.version))[0] == numbers[0] and numbers <= ours)
    return next(found, "")


def capabilities(functions: Container[str]) -> tuple[str, ...]:
    """What a plugin that defines these functions can do, as hosts infer it. The names are those of Falco's documentation."""
    return tuple(name for name, needed in _CAPABILITIES.items() if all(f"plugin_{function}" in functions for function in needed))
