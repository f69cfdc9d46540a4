"""What can go wrong, as one small hierarchy under `LannerError`.

Each error is also the built-in error that a Python user would catch for it. Messages say what was wrong, where, and what
to do. Errors in rules files have a home of their own (`lanner.rules`), because they carry places in a file.
"""


class LannerError(Exception):
    """Base class of all errors that Lanner raises."""

    def lines(self) -> list[str]:
        """Return the message in the lines in which it is to be shown: one, unless an error lays out more."""
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
    """An event source failed before it yielded anything: the code of a generator's `open` runs only then."""


class UsageError(LannerError, ValueError):
    """A command does not take these arguments, or an event source these open parameters."""
