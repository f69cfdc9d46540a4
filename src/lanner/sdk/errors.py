"""Exceptions: one small hierarchy below `LannerError`.

Each class also derives from the built-in exception that a Python user would catch. Messages contain the problem, its place and
the fix. Errors in rules files are in `lanner.rules`, because they contain places in a file.
"""


class LannerError(Exception):
    """Base class of all errors that Lanner raises."""

    def lines(self) -> list[str]:
        """Return the message in lines for display: one, unless an error has its own layout."""
        return [str(self)]


class DefinitionError(LannerError, TypeError):
    """A plugin class is incomplete or contradictory. Python raises it when it defines the class."""


class ConfigError(LannerError, ValueError):
    """A configuration does not match the plugin's `Config` class."""


class PayloadError(LannerError, ValueError):
    """`Event.json` was read, but the payload is not valid JSON."""


class SourceError(LannerError, RuntimeError):
    """An event source cannot be opened, or failed."""


class OpenError(SourceError):
    """An event source cannot be opened: `open` failed, or a generator did before it yielded an event."""


class UsageError(LannerError, ValueError):
    """Invalid arguments of a command, or invalid open parameters of an event source."""
