"""State of one plugin_init: the plugin's class from the bundle, its instance, and everything the bridge calls.

The bridge reads `fields`, `trees`, `timestamp` and `wait` once and evaluates fields as data by itself; for other fields it calls the
bound methods. Exceptions of plugin code end here or in the bridge, as a string for the host and a log record.
"""

from __future__ import annotations

import sys

from lanner.abi.declared_fields import TYPE_NUMBERS, offers
from lanner.embedded.host_log import send_records
from lanner.embedded.imports import without_backports
from lanner.embedded.modules import package_of, plugin_class
from lanner.sdk.authoring.events import Event
from lanner.sdk.authoring.plugin import SkippedChecks, plugin_info
from lanner.sdk.errors import LannerError, PayloadError
from lanner.sdk.hosting.failures import Failures, plugin_failure
from lanner.sdk.hosting.field_reader import ResultTypeError, explain_result, normalise
from lanner.sdk.hosting.plugin_init import init_plugin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from lanner.embedded.resuming import ResumingSource
    from lanner.sdk.authoring.fields import FieldDeclaration
    from lanner.sdk.hosting.event_source import Source
    from lanner.sdk.types import FieldInfo

__all__ = ["EVENT_SLOTS", "Event", "State", "normalise"]  # the bridge looks them up here

# Available events are returned at once, so any flush interval is met. This is the interval of reports to the host without events
_WAIT: Final = 0.1
EVENT_SLOTS: Final = ("payload", "timestamp", "number", "source", "position")
"""The attributes of an `Event` in the order in which the bridge sets them; the last one to None."""
_API_0_3: Final = 0  # LANNER_API_0_3 in bridge.h


class State:
    """The plugin state, in Falco's terms."""

    def __init__(self, plugin: str, bundle: str, path: str, archive: bytes, config: str, log: object, api: int, options: str = "") -> None:
        """Load the class and create its instance. Raises `LannerError` with the reason for the host.

        `options` describes the options of the configuration, or is "".
        """
        outlet = send_records(plugin, log, self)
        without_backports()
        with SkippedChecks():
            cls = plugin_class(plugin, bundle, path, archive)
        info = plugin_info(cls)
        outlet.component, outlet.module = info.name, package_of(plugin, bundle)
        self._name, self._api = info.name, api
        self._plugin: Any = init_plugin(cls, config, embedded=True, way="in init_config, as in `{}`", plain=options)
        self._failures = Failures(info.name)
        self.source = info.event_source or ""
        self.trees: list[Any] = []
        self.fields = [self._field(declaration) for declaration in info.fields if offers(api, declaration.info)]
        self.timestamp = self._tree(info.timestamp.data()) if info.timestamp is not None else None
        self.wait = _WAIT

    def _tree(self, data: Any) -> int:
        self.trees.append(data)
        return len(self.trees) - 1

    def _field(self, declaration: FieldDeclaration) -> tuple[Any, ...]:
        info, argument = declaration.info, declaration.info.argument
        takes = (argument.key, argument.index, argument.required) if argument else (False, False, False)
        if declaration.value is not None:
            return (TYPE_NUMBERS[info.type], info.is_list, *takes, self._tree(declaration.value.data()), None, info)
        return (TYPE_NUMBERS[info.type], info.is_list, *takes, None, getattr(self._plugin, str(declaration.method)), info)

    def open(self, params: str) -> Source | ResumingSource:
        """Open the event source (plugin_open). Raises `LannerError`."""
        if not plugin_info(type(self._plugin)).resumes:
            from lanner.sdk.hosting.open_source import open_source  # after the start

            return open_source(self._plugin, params)
        from lanner.embedded.resuming import open_resuming  # not for most plugins

        return open_resuming(self._plugin, params)

    def event_to_string(self, event: Event) -> str:
        """Return the text of `%evt.plugininfo`."""
        return str(self._plugin.event_to_string(event))

    def list_open_params(self) -> str:
        """Return the suggested open parameters in Falco's format: [{"value": ..., "desc": ...}]."""
        from lanner.embedded.params import params_json

        return params_json(self._plugin.list_open_params())

    def progress(self) -> float:
        """Return the progress of the open source from 0 to 1; 0 if unknown."""
        share = self._plugin.progress()
        return 0.0 if share is None else min(max(float(share), 0.0), 1.0)

    def failed(self, call: str, error: BaseException | None) -> str:
        """Log an exception from plugin code. Return the text for the host."""
        if error is None:
            return f"plugin {self._name}: {call} failed"
        if isinstance(error, LannerError):
            from lanner.sdk.hosting.loglines import log_lines  # rare

            if call == "open" and self._api == _API_0_3:
                # sysdig 0.29 crashes if open fails, before it asks for the error
                sys.stderr.write(f"plugin {self._name}: {log_lines(str(error))}\n")
            return log_lines(str(error))  # an expected error: the host gets the whole text
        self._failures.note(call, error)
        return str(plugin_failure(self._name, call, error))

    def field_failed(self, info: FieldInfo, error: BaseException) -> str | None:
        """Log an exception of a field's method. Return None if the payload is not JSON, which is not a failure."""
        if isinstance(error, ResultTypeError):
            name = next(each.method for each in plugin_info(type(self._plugin)).fields if each.info is info)
            error = explain_result(getattr(self._plugin, str(name)), error)
        return None if isinstance(error, PayloadError) else self.failed(info.name, error)
