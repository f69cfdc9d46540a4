"""One plugin_init: the plugin's class out of the bundle, its instance, and all that the bridge asks of it.

The bridge reads `fields`, `trees`, `timestamp` and `wait` once and evaluates fields as data by itself; it calls the bound methods
of the others. What plugin code raises ends here or in the bridge, as text for the host and as a record in the log.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from lanner.abi.fields import TYPE_NUMBERS, offers
from lanner.embedded.logs import send_records
from lanner.embedded.modules import package_of, plugin_class
from lanner.sdk.errors import LannerError, PayloadError
from lanner.sdk.events import Event
from lanner.sdk.hosting import Failures, init_plugin, normalise, plugin_failure
from lanner.sdk.loglines import log_lines
from lanner.sdk.plugin import plugin_info
from lanner.sdk.sources import open_source

if TYPE_CHECKING:
    from lanner.sdk.batches import Source
    from lanner.sdk.fields import FieldDeclaration
    from lanner.sdk.types import FieldInfo

__all__ = ["Event", "State", "normalise"]  # the first and the last: the bridge looks for them here

# What there is is handed over at once, so that any flush interval is kept; this is how often a host hears of it that nothing is there
_WAIT: Final = 0.1
_API_0_3: Final = 0  # LANNER_API_0_3 in bridge.h


class State:
    """What Falco calls the plugin state."""

    def __init__(self, plugin: str, bundle: str, path: str, archive: bytes, config: str, log: object, api: int) -> None:
        """Load the class and make its instance. Raises `LannerError`, which tells the host what is wrong."""
        outlet = send_records(plugin, log, self)
        cls = plugin_class(plugin, bundle, path, archive)
        info = plugin_info(cls)
        outlet.component, outlet.module = info.name, package_of(plugin, bundle)
        self._name, self._api = info.name, api
        self._plugin: Any = init_plugin(cls, config, embedded=True)
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

    def open(self, params: str) -> Source:
        """The event source that plugin_open asks for. Raises `LannerError`."""
        return open_source(self._plugin, params)

    def event_to_string(self, event: Event) -> str:
        """What `%evt.plugininfo` shows."""
        return str(self._plugin.event_to_string(event))

    def list_open_params(self) -> str:
        """The suggestions as Falco wants them: [{"value": ..., "desc": ...}]."""
        from lanner.embedded.params import params_json

        return params_json(self._plugin.list_open_params())

    def progress(self) -> float:
        """How much of the open source was read, from 0 to 1; 0 where nobody knows."""
        share = self._plugin.progress()
        return 0.0 if share is None else min(max(float(share), 0.0), 1.0)

    def failed(self, call: str, error: BaseException | None) -> str:
        """Log what a call of the plugin raised; what to tell the host of it."""
        if error is None:
            return f"plugin {self._name}: {call} failed"
        if isinstance(error, LannerError):
            if call == "open" and self._api == _API_0_3:
                # sysdig 0.29 crashes where open fails, before it asks why
                sys.stderr.write(f"plugin {self._name}: {log_lines(str(error))}\n")
            return log_lines(str(error))  # foreseen, and told in full
        self._failures.note(call, error)
        return str(plugin_failure(self._name, call, error))

    def field_failed(self, info: FieldInfo, error: BaseException) -> str | None:
        """The same for a field's method; None where the payload is no JSON, which is no failure."""
        return None if isinstance(error, PayloadError) else self.failed(info.name, error)
