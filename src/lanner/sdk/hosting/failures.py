"""Failures of plugin code: its exceptions become errors with the place in the author's code, and are counted."""

from __future__ import annotations

from lanner.sdk.errors import LannerError, OpenError, SourceError, UsageError


def plugin_failure(plugin: str, call: str, error: BaseException) -> SourceError:
    """Return an error with the plugin and the failed call, the last line of the traceback, and its place.

    The place is the last one in the author's code: one in Lanner or in Python's own library would not help.
    """
    import traceback  # rare, and slow to import

    from lanner.sdk.author_code import is_authors, place_text
    from lanner.sdk.options.secrets import mask_message

    last = mask_message("".join(traceback.format_exception_only(error)).strip()).splitlines()[-1]
    frames = traceback.extract_tb(error.__traceback__)
    outside = [frame for frame in frames if is_authors(frame.filename)]
    place = "".join(place_text(frame.filename, frame.lineno or 0) for frame in (outside or frames)[-1:])
    return SourceError(f"plugin {plugin}: {call}: {last}{place}")


def opening_failure(plugin: str, call: str, error: BaseException) -> UsageError | OpenError:
    """Return the error of a source that cannot be opened: the plugin's own `UsageError`, or an `OpenError` for any other one."""
    if isinstance(error, UsageError | OpenError):
        return error
    return OpenError(str(error if isinstance(error, LannerError) else plugin_failure(plugin, call, error)))


class Failures:
    """Counts exceptions of plugin code, by the called function. The first of each kind is logged with its traceback."""

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self._logged: set[tuple[str, type[BaseException]]] = set()
        self.counts: dict[str, int] = {}

    def note(self, what: str, error: BaseException) -> None:
        """Count that `what` raised `error`."""
        self.counts[what] = self.counts.get(what, 0) + 1
        kind = (what, type(error))
        if kind not in self._logged:
            self._logged.add(kind)
            import logging  # rare

            log = logging.getLogger(f"lanner.plugin.{self._plugin}")
            log.error("%s failed (further failures of this kind are counted only)", what, exc_info=error)
