"""What every host does with a plugin class: make its state, and read fields off events.

`lanner run` and a native .so use the same: `init_plugin` validates the configuration and makes the instance, `FieldReader`
answers for numbered fields of the current event. What plugin code raises never gets out of here but as a `LannerError`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lanner.native import Reader
from lanner.sdk.errors import LannerError, PayloadError, SourceError
from lanner.sdk.events import Event
from lanner.sdk.plugin import Plugin, plugin_info
from lanner.sdk.text import without_halves
from lanner.sdk.types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lanner.sdk.fields import FieldDeclaration
    from lanner.sdk.types import FieldInfo, FieldValue

_P = TypeVar("_P", bound=Plugin)
_UINT64: Final = 1 << 64


def init_plugin(
    cls: type[_P], config: str | bytes | dict[str, Any] = "", *, warn: Callable[[str], object] | None = None, embedded: bool = False
) -> _P:
    """Return the plugin's state: an instance whose `config` is validated.

    `config` is JSON text (empty: the defaults) or what it decodes to. `warn` is called with each sentence about what is odd in it; by
    default the plugin's log says them. `embedded` is what the instance's attribute of that name says.
    Raise `ConfigError` for a configuration that does not fit, `LannerError` for what the class's own `__init__` raises.
    """
    info = plugin_info(cls)
    warn = warn or partial(_log_warning, info.name)
    if info.config is not None:
        from lanner.sdk.config import convert_config, load_config  # msgspec only where there is a configuration

        loaded = convert_config(info.config, config, warn) if isinstance(config, dict) else load_config(info.config, config, warn)
    elif not _is_empty(config):
        from lanner.sdk.errors import ConfigError  # rare

        raise ConfigError(f"the plugin {info.name} takes no configuration")
    else:
        loaded = None
    instance = cls.__new__(cls)
    if embedded:
        instance.embedded = True
    if loaded is not None:
        instance.config = loaded  # type: ignore[attr-defined]
    try:
        instance.__init__()  # type: ignore[misc]
    except LannerError:
        raise
    except (Exception, SystemExit) as error:
        raise plugin_failure(info.name, "__init__", error) from error
    return instance


def _log_warning(plugin: str, text: str) -> None:
    import logging  # rare

    logging.getLogger(f"lanner.plugin.{plugin}").warning("%s", text)


def _is_empty(config: str | bytes | dict[str, Any]) -> bool:
    if isinstance(config, dict):
        return not config
    text = config if isinstance(config, str) else config.decode("utf-8", "replace")
    return "".join(text.split()) in {"", "{}", "null"}


def plugin_failure(plugin: str, call: str, error: BaseException) -> SourceError:
    """An error that says which plugin and call failed, and with what: the last line of the traceback, and where it stood.

    That is the last place outside of Python's own library, which says nothing to the plugin's author.
    """
    import traceback  # rare, and not cheap to import

    last = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    frames = traceback.extract_tb(error.__traceback__)
    library = traceback.__file__.rpartition("/")[0] + "/"
    outside = [frame for frame in frames if not frame.filename.startswith((library, "<frozen ")) or "-packages/" in frame.filename]
    place = "".join(f" ({frame.filename}, line {frame.lineno})" for frame in (outside or frames)[-1:])
    return SourceError(f"plugin {plugin}: {call}: {last}{place}")


class Failures:
    """Counts what plugin code raised, by what was called; the first of each kind is logged with its traceback."""

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


class ResultTypeError(TypeError):
    """A field method returned a value of another type than the declared one. The text says what it returned."""


class FieldReader:
    """Reads fields off one event at a time: `load` takes the event, `get` gives the value of a requested field.

    `requests` are (field name, argument) pairs; a slot is a place among them. The argument is None, a text, or a number for an
    index; `KeyError` and `ValueError` say that the plugin has no such field, or the field no such argument. Values are as
    `FieldType` tells; a method that fails gives no value, is counted in `errors` by field, and logged once for each kind of
    failure. Plugins `beside` have further fields of the same events.

    `timestamp` is the event's: from the class's `timestamp` place, else what `load` was given.
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
        self.source = info.event_source or ""
        """The event source that events come from."""
        self.timestamp: int | None = None
        self.valid_json = True
        self.errors = self._failures.counts
        declared = {each.info.name: (each, owner) for owner in (plugin, *beside) for each in plugin_info(type(owner)).fields}
        trees: list[Any] = []
        plans = [self._getter(*declared[name], argument, trees) for name, argument in requests]
        if info.timestamp is not None:
            trees.append(info.timestamp.data())
        self._reads_payload = bool(trees)
        reader = Reader(trees)
        self._load = reader.load
        self._time: Callable[[], FieldValue] | None = partial(reader.get, len(trees) - 1) if info.timestamp is not None else None
        self.getters: tuple[Callable[[], FieldValue], ...] = tuple(
            partial(reader.get, *plan) if isinstance(plan, tuple) else plan for plan in plans
        )
        """For each slot, the function that gives its value: what `get` calls."""

    def _getter(
        self, declaration: FieldDeclaration, owner: Plugin, argument: str | int | None, trees: list[Any]
    ) -> tuple[Any, ...] | Callable[[], FieldValue]:
        if declaration.value is not None:
            trees.append(declaration.value.data())
            return (len(trees) - 1, *field_arguments(declaration.info, argument).values())
        method = getattr(owner, str(declaration.method))
        return partial(self._call, method, declaration.info, field_arguments(declaration.info, argument))

    def load(self, payload: bytes, timestamp: int | None = None, number: int = 0) -> bool:
        """Take the next event. Whether its payload is valid JSON; always true where no field of the plugin reads JSON."""
        self._payload = payload
        self._number = number
        self._event = None
        if not self._reads_payload:
            self.timestamp = timestamp
            return True
        self.valid_json = valid = self._load(payload)
        if self._time is not None and valid:
            own = self._time()
            self.timestamp = own if isinstance(own, int) else timestamp
        else:
            self.timestamp = timestamp
        return valid

    def get(self, slot: int) -> FieldValue:
        """The value of the field at `slot` for the event that `load` took last."""
        return self.getters[slot]()

    def event(self) -> Event:
        """The current event as plugin code sees it."""
        if self._event is None:
            self._event = Event(self._payload, self.timestamp, number=self._number, source=self.source)
        return self._event

    def describe(self) -> str | None:
        """The plugin's own words for the current event (`event_to_string`), None where that fails."""
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
            return None  # a payload that is no JSON is counted once, by the host, not for each field
        except (Exception, SystemExit) as error:  # noqa: BLE001 - plugin code may raise anything
            self._failures.note(info.name, error)
            return None


def field_arguments(info: FieldInfo, argument: str | int | None) -> dict[str, str | int]:
    """The argument by the name of its kind. Raises `ValueError` where the field does not take it, or needs one and has none."""
    takes = info.argument
    if argument is None:
        if takes is not None and takes.required:
            raise ValueError(f"the field {info.name} needs an argument: {info.name}[...]")
        return {}
    if takes is None:
        raise ValueError(f"the field {info.name} takes no argument")
    text = str(argument)
    # a field that takes both gets an index where the text is a number without leading zeros, as Falco passes it on
    if takes.index and text.isdigit() and text.isascii() and (text == "0" or text[0] != "0"):
        return {"index": int(text)}
    if not takes.key:
        raise ValueError(f"the argument of the field {info.name} is an index from 0, not {argument!r}")
    return {"key": text}


def normalise(value: Any, info: FieldInfo) -> FieldValue:
    """What a field method returned, as a field value of its declared type. Raises `ResultTypeError` or `ValueError` if it is none."""
    if value is None:
        return None
    if not info.is_list:
        return _scalar(value, info)
    if isinstance(value, (str, bytes)) or not hasattr(type(value), "__iter__"):
        raise ResultTypeError(_article(type(value).__name__))
    return tuple(_scalar(item, info) for item in value) or None


def explain_result(method: Callable[..., Any], error: ResultTypeError) -> TypeError:
    """Return the error for the author: the method, the type as its annotation says it, and what the method returned."""
    from lanner.sdk.annotations import written_type  # rare

    return TypeError(f"{method.__qualname__} is declared to return {written_type(method)}, but returned {error}")


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiouAEIOU' else 'a'} {noun}"


def _unfit(value: Any, info: FieldInfo) -> ResultTypeError:
    noun = _article(type(value).__name__)
    return ResultTypeError(f"a list with {noun}" if info.is_list else noun)


def _scalar(value: Any, info: FieldInfo) -> str | int | bool | bytes:
    kind = info.type
    if kind is FieldType.STRING and isinstance(value, str):
        return without_halves(value).partition("\0")[0]
    if kind is FieldType.BOOL and isinstance(value, bool):
        return value
    if kind in {FieldType.UINT64, FieldType.ABSTIME, FieldType.RELTIME}:
        return _number(value, info)
    if kind in {FieldType.IPADDR, FieldType.IPNET}:
        from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network  # where there are such

        if isinstance(value, (IPv4Network, IPv6Network)):
            return value.network_address.packed
        if isinstance(value, (IPv4Address, IPv6Address, IPv4Interface, IPv6Interface)):
            return value.packed
    raise _unfit(value, info)


def _number(value: Any, info: FieldInfo) -> int:
    if not isinstance(value, int) and info.type is not FieldType.UINT64:
        value = _nanoseconds(value, info)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _unfit(value, info)
    if not 0 <= value < _UINT64:
        raise ValueError(f"{value} does not fit into 64 bits without a sign")
    return value


def _nanoseconds(value: Any, info: FieldInfo) -> Any:
    """Of a datetime or timedelta, where the field is of that kind."""
    from datetime import UTC, datetime, timedelta  # where there are such

    if isinstance(value, datetime) and info.type is FieldType.ABSTIME:
        value = (value if value.tzinfo else value.astimezone()) - datetime(1970, 1, 1, tzinfo=UTC)
    elif info.type is not FieldType.RELTIME:
        return value
    return value // timedelta(microseconds=1) * 1000 if isinstance(value, timedelta) else value
