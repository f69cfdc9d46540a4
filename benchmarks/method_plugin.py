"""The Docker plugin with two more fields in Python code that reads the decoded event: the cost of a method in a built library."""

import lanner
from lanner.docker import Docker


class Methods(Docker):
    """Docker events, read by methods"""

    name = event_source = "methods"
    rules = example = None  # type: ignore[assignment]

    @lanner.field("methods.action", "What happened")
    def action(self, event: lanner.Event) -> str | None:
        match event.json:
            case {"Action": str(action)}:
                return action
        return None

    @lanner.field("methods.owner", "Name of the object")
    def owner(self, event: lanner.Event) -> str | None:
        match event.json:
            case {"Actor": {"Attributes": {"name": str(name)}}}:
                return name
        return None
