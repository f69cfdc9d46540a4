"""Versions of the plugin API: which can be built, which hosts support them, and the symbols of each capability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container


@dataclass(frozen=True, slots=True)
class Api:
    """An API version: `name` on the command line, the minimum version it requires, and the number of its structs in the bridge."""

    name: str
    version: str
    number: int
    hosts: str

    @property
    def has_all_types(self) -> bool:
        """Whether fields can have all types, not only strings and uint64."""
        return self.number == 3

    @property
    def has_lists(self) -> bool:
        """Whether fields can be lists."""
        return self.number != 0


HOST_LOGGING: Final = "3.3.0"
VALUE_OFFSETS: Final = "3.11.0"
RULES_FILES: Final = (3, 3, 0)
"""Whether hosts of this version read the key `rules_files` (Falco 0.38 and later); older ones read `rules_file`."""
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
# The API 3 version of each Falco, as (minor, patch): PLUGIN_API_VERSION_* of the libs release it uses. A host loads plugins that
# require its version or an earlier one
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
    """Return the numbers of a version, for comparison."""
    return tuple(int(part) for part in text.split(".") if part.isascii() and part.isdigit())


def hosts(version: str) -> str:
    """Return which hosts load a plugin that requires this API version; "" if none is known."""
    numbers = version_of(version)
    if len(numbers) != 3:
        return ""
    if numbers[0] == 3:
        return next((f"Falco {falco} and later" for has, falco in _FALCO_OF.items() if numbers[1:] <= has), "")
    found = (api.hosts for api in APIS.values() if (ours := version_of(api.version))[0] == numbers[0] and numbers <= ours)
    return next(found, "")


def capabilities(functions: Container[str]) -> tuple[str, ...]:
    """Return the capabilities of a plugin that defines these functions, as hosts infer them. Names are those of Falco's documentation."""
    return tuple(name for name, needed in _CAPABILITIES.items() if all(f"plugin_{function}" in functions for function in needed))
