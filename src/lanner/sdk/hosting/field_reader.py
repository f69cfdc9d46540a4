"""Read numbered fields of the current event, as every host does: from payloads as data, or by the plugin's methods.

Exceptions of plugin code become `LannerError`s here.
"""

from __future__ import annotations

from functools import partial

from lanner.native import Reader
from lanner.sdk.authoring.events import Event
from lanner.sdk.authoring.plugin import Plugin, plugin_info
from lanner.sdk.errors import PayloadError
from lanner.sdk.hosting.failures import Failures
from lanner.sdk.payload.misfits import TIMESTAMP, misfits_by_field
from lanner.sdk.text.encoding import cut_at_nul, without_halves
from lanner.sdk.types import FieldType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final

    from lanner.sdk.authoring.fields import FieldDeclaration
    from lanner.sdk.payload.misfits import Misfits
    from lanner.sdk.types import FieldInfo, FieldValue

_UINT64: Final = 1 << 64


class ResultTypeError(TypeError):
    """A field method returned a value of another type than the declared one. The message contains the returned value."""


class FieldReader:
    """Reads fields from one event at a time: `load` takes the event, `get` returns the value of a requested field.

    `requests` are (field name, argument) pairs; a slot is an index in them. The argument is None, a string, or a number for an
    index. `KeyError` means an unknown field, `ValueError` an invalid argument. The types of values are those of
    `FieldType`. A method that fails has no value, is counted in `errors` by field, and is logged once for each kind of
    failure. Plugins `beside` have further fields of the same events.

    `timestamp` is the event's: from the class's `timestamp` place, else the argument of `load`.
    """

    def __init__(
        self,
        plugin: Plugin,
        requests: Sequence[tuple[str, str | int | None]],
        failures: Failures | None = None,
        beside: Sequence[Plugin] = (),
    ) -> None:
        info = plugin_info(type(plugin))
        self._plugin = plugin
        self._event: Event | None = None
        self._payload = b""
        self._number = 0
        self._failures = failures or Failures(info.name)
        self.source = info.read_source
        """The event source of the events."""
        self.timestamp: int | None = None
        self.has_invalid_utf8 = False
        """Whether strings of the event's payload have no UTF-8. Their bytes are escapes (`lanner.sdk.text.encoding`)."""
        self.errors = self._failures.counts
        declared = {each.info.name: (each, owner) for owner in (plugin, *beside) for each in plugin_info(type(owner)).fields}
        trees: list[Any] = []
        plans = [self._getter(*declared[name], argument, trees) for name, argument in requests]
        self._tree_names = [name for (name, _), plan in zip(requests, plans, strict=True) if isinstance(plan, tuple)]
        if info.timestamp is not None:
            trees.append(info.timestamp.data())
            self._tree_names.append(TIMESTAMP)
        self._reads_payload = bool(trees)
        reader = Reader(trees)
        self._load = reader.load
        self._reader = reader
        self._time: Callable[[], FieldValue] | None = partial(reader.get, len(trees) - 1) if info.timestamp is not None else None
        self.getters: tuple[Callable[[], FieldValue], ...] = tuple(
            partial(reader.get, *plan) if isinstance(plan, tuple) else plan for plan in plans
        )
        """For each slot, the function that returns its value, which `get` calls."""

    def _getter(
        self, declaration: FieldDeclaration, owner: Plugin, argument: str | int | None, trees: list[Any]
    ) -> tuple[Any, ...] | Callable[[], FieldValue]:
        if declaration.value is not None:
            trees.append(declaration.value.data())
            return (len(trees) - 1, *field_arguments(declaration.info, argument).values())
        method = getattr(owner, str(declaration.method))
        return partial(self._call, method, declaration.info, field_arguments(declaration.info, argument))

    def load(self, payload: bytes, timestamp: int | None = None, number: int = 0) -> bool:
        """Load the next event, and return whether its payload is valid JSON; always true if no field of the plugin reads JSON."""
        self._payload = payload
        self._number = number
        self._event = None
        if not self._reads_payload:
            self.timestamp = timestamp
            return True
        valid = self._load(payload)
        self.has_invalid_utf8 = self._reader.has_invalid_utf8
        if self._time is not None and valid:
            own = self._time()
            self.timestamp = own if isinstance(own, int) else timestamp
        else:
            self.timestamp = timestamp
        return valid

    def misfits(self) -> Misfits:
        """Return how many values had another JSON type than their field, by field and type."""
        return misfits_by_field(self._tree_names, self._reader.misfits())

    def get(self, slot: int) -> FieldValue:
        """Return the value of the field at `slot` for the loaded event."""
        return self.getters[slot]()

    def event(self) -> Event:
        """Return the current event for plugin code."""
        if self._event is None:
            self._event = Event(self._payload, self.timestamp, number=self._number, source=self.source)
        return self._event

    def describe(self) -> str | None:
        """Return the plugin's text for the current event (`event_to_string`), or None if that fails."""
        try:
            return without_halves(str(self._plugin.event_to_string(self.event())))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - plugin code may raise anything
            self._failures.note("event_to_string", error)
            return None

    def _call(self, method: Callable[..., Any], info: FieldInfo, arguments: dict[str, Any]) -> FieldValue:
        try:
            return normalise(method(self.event(), **arguments), info)
        except ResultTypeError as error:
            self._failures.note(info.name, explain_result(method, error))
            return None
        except PayloadError:
            return None  # the host counts a payload that is not JSON once, not for each field
        except (Exception, SystemExit) as error:  # noqa: BLE001 - plugin code may raise anything
            self._failures.note(info.name, error)
            return None


def field_arguments(info: FieldInfo, argument: str | int | None) -> dict[str, str | int]:
    """Return the argument by the name of its kind. Raises `ValueError` for an unexpected or missing one."""
    takes = info.argument
    if argument is None:
        if takes is not None and takes.required:
            raise ValueError(f"the field {info.name} needs an argument: {info.name}[...]")
        return {}
    if takes is None:
        raise ValueError(f"the field {info.name} takes no argument")
    text = str(argument)
    # a field that takes both gets an index if the text is a number without leading zeros, as Falco passes it
    if takes.index and text.isdigit() and text.isascii() and (text == "0" or text[0] != "0"):
        return {"index": int(text)}
    if not takes.key:
        raise ValueError(f"the argument of the field {info.name} is an index from 0, not {argument!r}")
    return {"key": text}


def normalise(value: Any, info: FieldInfo) -> FieldValue:
    """Convert the result of a field method to a field value of its declared type. Raises `ResultTypeError` or `ValueError`."""
    if value is None:
        return None
    if not info.is_list:
        return _scalar(value, info)
    if isinstance(value, (str, bytes)) or not hasattr(type(value), "__iter__"):
        raise ResultTypeError(_article(type(value).__name__))
    return tuple(_scalar(item, info) for item in value) or None


def explain_result(method: Callable[..., Any], error: ResultTypeError) -> TypeError:
    """Return the error for the author: the method, the annotated type, and the returned value."""
    from lanner.sdk.authoring.annotations import type_text  # rare

    return TypeError(f"{method.__qualname__} is declared to return {type_text(method)}, but returned {error}")


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiouAEIOU' else 'a'} {noun}"


def _make_unfit_error(value: Any, info: FieldInfo) -> ResultTypeError:
    noun = _article(type(value).__name__)
    return ResultTypeError(f"a list with {noun}" if info.is_list else noun)


def _scalar(value: Any, info: FieldInfo) -> str | int | bool | bytes:
    kind = info.type
    if kind is FieldType.STRING and isinstance(value, str):
        return cut_at_nul(without_halves(value))
    if kind is FieldType.BOOL and isinstance(value, bool):
        return value
    if kind in {FieldType.UINT64, FieldType.ABSTIME, FieldType.RELTIME}:
        return _number(value, info)
    if kind in {FieldType.IPADDR, FieldType.IPNET}:
        from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network  # only for such values

        if isinstance(value, (IPv4Network, IPv6Network)):
            return value.network_address.packed
        if isinstance(value, (IPv4Address, IPv6Address, IPv4Interface, IPv6Interface)):
            return value.packed
    raise _make_unfit_error(value, info)


def _number(value: Any, info: FieldInfo) -> int:
    if not isinstance(value, int) and info.type is not FieldType.UINT64:
        value = _nanoseconds(value, info)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _make_unfit_error(value, info)
    if not 0 <= value < _UINT64:
        raise ValueError(f"{value} does not fit into an unsigned 64-bit integer")
    return value


def _nanoseconds(value: Any, info: FieldInfo) -> Any:
    """Convert a datetime or timedelta to nanoseconds, if the field has that type."""
    from datetime import UTC, datetime, timedelta  # only for such values

    if isinstance(value, datetime) and info.type is FieldType.ABSTIME:
        value = (value if value.tzinfo else value.astimezone()) - datetime(1970, 1, 1, tzinfo=UTC)
    elif info.type is not FieldType.RELTIME:
        return value
    return value // timedelta(microseconds=1) * 1000 if isinstance(value, timedelta) else value
