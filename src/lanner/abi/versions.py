"""The versions of the plugin API that a plugin can be built for, and the symbols of each capability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


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


APIS: Final = {
    api.name: api
    for api in (
        Api("3", "3.0.0", 3, "Falco 0.35 and later"),
        Api("2", "2.0.0", 2, "Falco 0.33 and 0.34"),
        Api("1", "1.0.0", 2, "Falco 0.32"),
        Api("0.3", "0.3.0", 0, "Falco 0.31 and sysdig 0.29"),
    )
}
HOST_LOGGING: Final = "3.3.0"
VALUE_OFFSETS: Final = "3.11.0"

_BASE: Final = ("required_api_version", "version", "name", "description", "contact", "last_error")
BASE: Final = (*(f"plugin_get_{name}" for name in _BASE), "plugin_init", "plugin_destroy")
SOURCING: Final = ("plugin_get_id", "plugin_get_event_source", "plugin_open", "plugin_close", "plugin_next_batch", "plugin_event_to_string")
EXTRACTION: Final = ("plugin_get_fields", "plugin_extract_fields")
