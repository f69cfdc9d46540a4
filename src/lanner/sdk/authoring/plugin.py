"""The base class of plugins. Python checks a subclass when it is defined; a `DefinitionError` says what to write.

A plugin class becomes a `PluginInfo` for hosts, docs and builds. Falco calls its instance the plugin
state; `lanner.sdk.hosting.field_reader` creates and uses it. Nothing here depends on the host.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from types import FunctionType, MappingProxyType

from lanner.sdk.authoring.attributes import describe_config_value, find_unknown
from lanner.sdk.authoring.fields import FieldDeclaration, method_declaration
from lanner.sdk.authoring.type_hints import raw_annotations, resolve
from lanner.sdk.errors import DefinitionError
from lanner.sdk.payload.trees import arguments, uses_item
from lanner.sdk.payload.values import Value
from lanner.sdk.records import Record, replace_members
from lanner.sdk.types import FieldType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import ModuleType
    from typing import Any, ClassVar

    from lanner.sdk.authoring.checks import Check
    from lanner.sdk.authoring.events import Event
    from lanner.sdk.authoring.protocols import OpenResult
    from lanner.sdk.options.config import Config

_NAME = r"[a-z][a-z0-9_-]*"
# semver.org: three numbers, optionally with a pre-release and build data
_VERSION = r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
_SOURCE = r"[^\s\0]+( [^\s\0]+)*"
_MAX_ID = 2**31 - 1
_POSITION = frozenset(("position", "_position"))
"""Names of the second argument of `open`."""
_VARARGS = 0x04  # CO_VARARGS of `inspect`, which is slow to import


class AnySource(tuple[str, ...]):
    """The type of `ANY`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "lanner.ANY"


ANY = AnySource()
"""As `extract_sources` of a plugin without an event source: it reads the events of all event sources."""


class PluginInfo(Record):
    """The declarations of a plugin class. `id` and `event_source` are None for a plugin that only extracts; `rules`, `example`: paths."""

    name: str
    version: str
    description: str
    contact: str
    id: int | None
    event_source: str | None
    extract_sources: tuple[str, ...]
    fields: tuple[FieldDeclaration, ...]
    find_config: Callable[[], type[Config]] | None
    has_late_config: bool
    """Whether the module imports the configuration class when it is asked for it, by its function `__getattr__`.

    A .so that finds only plain options in the configuration (`lanner.sdk.options.plain`) then does not import the class.
    """
    timestamp: Value | None
    rules: str | None
    example: str | None
    hint: str
    host_logging: bool
    value_offsets: bool
    resumes: bool

    @property
    def config(self) -> type[Config] | None:
        """The configuration class."""
        return None if self.find_config is None else self.find_config()

    @property
    def has_source(self) -> bool:
        """Whether the plugin has the capability "sourcing"."""
        return self.id is not None

    @property
    def read_sources(self) -> tuple[str, ...]:
        """The event sources whose events have the plugin's fields, its own one first; empty for all of them."""
        if isinstance(self.extract_sources, AnySource):
            return ()
        own = (self.event_source,) if self.event_source else ()
        return tuple(dict.fromkeys((*own, *self.extract_sources)))

    @property
    def read_source(self) -> str:
        """The event source of events in tests: its own one, else the first that it reads; "" for a plugin that reads all of them."""
        return next(iter(self.read_sources), "")

    def reads(self, source: str | None) -> bool:
        """Return whether events of that source have the plugin's fields."""
        return source in self.read_sources or isinstance(self.extract_sources, AnySource)

    @property
    def shown_sources(self) -> tuple[str, ...]:
        """The event sources that it reads, for people: `any` for all of them."""
        return ("any",) if isinstance(self.extract_sources, AnySource) else self.read_sources

    @property
    def capabilities(self) -> tuple[str, ...]:
        """Falco's names of the plugin's capabilities."""
        return ("sourcing",) * self.has_source + ("extraction",) * bool(self.fields)


class Plugin:
    """Base class of Falco plugins: a subclass declares the plugin in its class attributes.

        class Counter(lanner.Plugin):
            "Counts."                      # the description
            id, name, version, event_source = 4242, "counter", "0.1.0", "counter"
            contact = "github.com/you/counter"

            def open(self, params: str): ...      # the event source: yield payloads

            @lanner.field("counter.value", "The number")
            def value(self, event: lanner.Event) -> int: ...

    - `fields`: fields as data.
    - `config: MyConfig`: the configuration class.
    - `timestamp`: the place of the event's time in the payload.
    - `extract_sources`: the event sources whose events have the fields, or `lanner.ANY`. Required in a class without `open`.
    - `rules`, `example`: a rules file and a recording in the directory of the module.
    - `hint`: a command that causes an event.
    - `host_logging`, `value_offsets`: use newer versions of Falco. Log records go to Falco's log (0.38), and the positions of values in
      the payload are reported (0.41).
    """

    name: ClassVar[str]
    version: ClassVar[str]
    contact: ClassVar[str]
    description: ClassVar[str]
    id: ClassVar[int]
    event_source: ClassVar[str]
    extract_sources: ClassVar[Sequence[str]] = ()
    fields: ClassVar[Iterable[FieldDeclaration]] = ()
    timestamp: ClassVar[Value | None] = None
    rules: ClassVar[str | None] = None
    example: ClassVar[str | None] = None
    hint: ClassVar[str] = ""
    host_logging: ClassVar[bool] = False
    value_offsets: ClassVar[bool] = False
    embedded: bool = False
    """Whether the plugin runs in a .so, in a process of Falco or another host, and not under the command `lanner`."""
    set_by: Mapping[str, str] = MappingProxyType({})
    """Options of the command `lanner` that set options of `config`, by the names of these, such as `--host`."""
    __plugin__: ClassVar[PluginInfo]

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:
        """Check the class; `abstract=True` leaves that to its subclasses."""
        super().__init_subclass__(**kwargs)
        if not abstract:
            # a class defined in a function may use a local name for its configuration class
            cls.__plugin__ = _read(cls, sys._getframe(1).f_locals)  # noqa: SLF001

    if TYPE_CHECKING:  # a class without it has no event source

        def open(self, *args: Any, **kwargs: Any) -> OpenResult:
            """Open the event source: `open(self, params)` or `open(self, params, position)`.

            `params` is the value of `open_params` of falco.yaml, or "" without one. `position` is the position that the host has stored
            for this plugin (`Event.position`), or None the first time.
            """
            ...

    def event_to_string(self, event: Event) -> str:
        """Return the event as text, for `%evt.plugininfo`. By default this is its payload."""
        return event.payload.decode("utf-8", "replace")

    def list_open_params(self) -> Iterable[tuple[str, str]]:
        """Return suggestions for the open parameters, as pairs of a value and its description."""
        return ()

    def check_open_params(self, params: str) -> None:
        """Raise `lanner.UsageError` for invalid parameters of `open`. Do not connect: dry runs call this as well.

        Every host calls it before `open`. By default all parameters are valid. A subclass with its own `open` overrides this too.
        """

    def fields_without_values(self) -> dict[str, str]:
        """Return prefixes of the names of fields without a value under this configuration, each with advice.

        Hosts warn about rules that use such fields. By default the mapping is empty.
        """
        return {}

    def checks(self) -> Iterable[Check]:
        """Return checks of what the plugin needs, such as a server and files, for `lanner doctor`. By default there are none."""
        return ()

    def progress(self) -> float | None:
        """Return the part of the open source that was read, from 0.0 to 1.0. None, the default, means unknown or endless."""
        return None


def plugin_info(cls: type[Plugin]) -> PluginInfo:
    """Return the declarations of `cls`. Raises `DefinitionError` for an incomplete plugin class."""
    given: object = cls
    if not isinstance(given, type):
        name = type(given).__name__
        if isinstance(given, Plugin):
            raise DefinitionError(f"an instance of the plugin class {name} cannot be used: write {name} instead of {name}()")
        raise DefinitionError(f"{given!r} cannot be used as a plugin class: write the class, such as Counter")
    info = cls.__dict__.get("__plugin__")
    if not isinstance(info, PluginInfo):
        raise DefinitionError(f"{cls.__name__} is not a complete plugin class")
    return info


def _read(cls: type[Plugin], namespace: dict[str, Any]) -> PluginInfo:
    if problem := find_unknown(cls, Plugin):
        raise _make_error(cls, problem)
    find_config, has_late_config = _config(cls, namespace)
    info = PluginInfo(
        name=_check_matching(cls, "name", _NAME, 'lower-case letters, digits, "_" and "-", such as name = "counter"'),
        version=_check_matching(cls, "version", _VERSION, 'three numbers, such as version = "0.1.0"'),
        description=_description(cls),
        contact=_text(cls, "contact", 'where users find you, such as contact = "github.com/you/counter"'),
        id=None,
        event_source=None,
        extract_sources=_extract_sources(cls),
        fields=_fields(cls),
        find_config=find_config,
        has_late_config=has_late_config,
        timestamp=_timestamp(cls),
        rules=_find_beside(cls, "rules"),
        example=_find_beside(cls, "example"),
        hint="" if cls.hint == "" else _text(cls, "hint", 'a command that causes an event, such as hint = "touch /tmp/x"'),
        host_logging=_flag(cls, "host_logging"),
        value_offsets=_flag(cls, "value_offsets"),
        resumes=False,
    )
    if callable(getattr(cls, "open", None)):
        resumes = _check_open(cls)
        if isinstance(info.extract_sources, AnySource):
            raise _make_error(
                cls, "it has an event source, so hosts give it no events of sources that it does not name: list them in 'extract_sources'"
            )
        return replace_members(info, id=_id(cls), event_source=_event_source(cls), resumes=resumes)
    for attribute in ("id", "event_source"):
        if hasattr(cls, attribute):
            raise _make_error(cls, f"it has {attribute!r} but no method open(self, params): write one, or remove {attribute!r}")
    if not info.fields:
        raise _make_error(cls, "it has neither an event source (a method open) nor fields: a plugin needs one of them")
    if not info.read_sources and not isinstance(info.extract_sources, AnySource):
        raise _make_error(
            cls, 'without open() it must name the event sources that it reads: extract_sources = ("k8s_audit",), or lanner.ANY for all'
        )
    return info


_is_checked = False


class SkippedChecks:
    """Context in which classes that `lanner build` has checked are defined without the costly checks: a host waits for its plugins."""

    def __enter__(self) -> None:
        global _is_checked
        self._before, _is_checked = _is_checked, True

    def __exit__(self, *_: object) -> None:
        global _is_checked  # noqa: PLW0603
        _is_checked = self._before


def _make_error(cls: type[Plugin], text: str) -> DefinitionError:
    return DefinitionError(f"plugin class {cls.__name__}: {text}")


def _text(cls: type[Plugin], attribute: str, example: str) -> str:
    value = getattr(cls, attribute, None)
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        said = "is missing" if value is None else f"is {value!r}"
        raise _make_error(cls, f"{attribute!r} {said}; write {example}")
    return value


def _flag(cls: type[Plugin], attribute: str) -> bool:
    value = getattr(cls, attribute)
    if not isinstance(value, bool):
        raise _make_error(cls, f"{attribute!r} is {value!r}; write True or False")
    return value


def _check_matching(cls: type[Plugin], attribute: str, pattern: str, example: str) -> str:
    value = _text(cls, attribute, example)
    if not _matches(value, pattern):
        raise _make_error(cls, f"{attribute!r} is {value!r}; write {example}")
    return value


def _matches(value: str, pattern: str) -> bool:
    if _is_checked:
        return True
    import re  # a .so starts without it

    return re.fullmatch(pattern, value) is not None


def _description(cls: type[Plugin]) -> str:
    own = getattr(cls, "description", None) or cls.__doc__ or ""
    if not isinstance(own, str) or not own.strip():
        raise _make_error(cls, "it has no description; write it as the class's docstring")
    lines = own.strip().split("\n")
    end = next((number for number, line in enumerate(lines) if not line.strip(" \t")), len(lines))
    return " ".join("\n".join(lines[:end]).split())


def _id(cls: type[Plugin]) -> int:
    value = getattr(cls, "id", None)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MAX_ID:
        said = "is missing" if value is None else f"is {value!r}"
        raise _make_error(
            cls, f"'id' {said}; a plugin with open() has an id from 1 to 2^31-1 (999 is for trials; private ones begin at 2^30)"
        )
    return value


def _check_open(cls: type[Plugin]) -> bool:
    """Check that a plain method `open` accepts its arguments, and return whether it takes a position. Other callables are not checked."""
    method = next(vars(base)["open"] for base in cls.__mro__ if "open" in vars(base))
    resumes = _takes_position(method)
    if isinstance(method, FunctionType):
        code = method.__code__
        takes_more = code.co_flags & _VARARGS
        needed = code.co_argcount - len(method.__defaults__ or ())
        by_name = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        needs_names = len(by_name) > len(method.__kwdefaults__ or ()) or not _POSITION.isdisjoint(by_name)
        if needed > 2 + resumes or needs_names or (code.co_argcount < 2 and not takes_more):
            raise _make_error(
                cls,
                "'open' must take the open parameters, one text: write def open(self, params: str), "
                "or def open(self, params: str, position: Any) to resume at a stored position",
            )
    return resumes


def _takes_position(method: Any) -> bool:
    """Return whether the second argument is a position. A wrapper that passes on all arguments takes those of the wrapped function."""
    own = 0 if isinstance(method, staticmethod) else 1
    function = getattr(method, "__func__", method)
    while isinstance(function, FunctionType):
        code = function.__code__
        if not _POSITION.isdisjoint(code.co_varnames[: code.co_argcount][own + 1 : own + 2]):
            return True
        function = getattr(function, "__wrapped__", None) if code.co_flags & _VARARGS else None
    return False


def _event_source(cls: type[Plugin]) -> str:
    value = _check_matching(cls, "event_source", _SOURCE, 'the name for `source:` in rules, such as event_source = "counter"')
    if value == "syscall":
        raise _make_error(cls, "the event source 'syscall' is Falco's own; choose another name")
    return value


def _extract_sources(cls: type[Plugin]) -> tuple[str, ...]:
    value: Any = cls.extract_sources
    if isinstance(value, AnySource):
        return value
    if not isinstance(value, (tuple, list)) or not all(isinstance(source, str) and _matches(source, _SOURCE) for source in value):
        raise _make_error(cls, f"'extract_sources' is {value!r}; write a tuple of names, such as (\"k8s_audit\",), or lanner.ANY")
    return tuple(value)


def _fields(cls: type[Plugin]) -> tuple[FieldDeclaration, ...]:
    if isinstance(cls.fields, FieldDeclaration):
        raise _make_error(cls, "'fields' must be a list of lanner.field(name, value, description): put the one field in brackets")
    try:
        declared = list(cls.fields)
    except TypeError:
        raise _make_error(cls, f"'fields' is {cls.fields!r}; it must be a list of lanner.field(name, value, description)") from None
    for item in declared:
        if not isinstance(item, FieldDeclaration):
            raise _make_error(cls, f"'fields' contains {item!r}; it must be a list of lanner.field(name, value, description)")
    names = [name for base in reversed(cls.__mro__) for name in vars(base)]
    for name in dict.fromkeys(names):
        method = next(vars(base)[name] for base in cls.__mro__ if name in vars(base))
        declaration = method_declaration(cls.__name__, name, method)
        if declaration is not None:
            declared.append(declaration)
    seen: set[str] = set()
    for item in declared:
        if item.info.name in seen:
            raise _make_error(cls, f'it declares the field "{item.info.name}" twice')
        seen.add(item.info.name)
    return tuple(declared)


def _config(cls: type[Plugin], namespace: dict[str, Any]) -> tuple[Callable[[], type[Config]] | None, bool]:
    """Return the function that returns the configuration class, and whether the module imports it late."""
    base = next((base for base in cls.__mro__ if "config" in raw_annotations(base) or "config" in vars(base)), None)
    if base is None:
        return None, False
    if "config" not in raw_annotations(base):
        raise _make_error(cls, describe_config_value(vars(base)["config"]))
    annotation, module = raw_annotations(base)["config"], sys.modules[base.__module__]
    is_late = (
        isinstance(annotation, str) and annotation not in namespace and annotation not in vars(module) and _has_late(module, annotation)
    )
    if is_late and _is_checked:
        return partial(_find_config, cls, annotation, module, {}, is_checked=True), True
    return partial(_same, _find_config(cls, annotation, module, namespace, is_checked=_is_checked)), is_late


def _has_late(module: ModuleType, name: str) -> bool:
    return name.isidentifier() and hasattr(module, "__getattr__") and (_is_checked or hasattr(module, name))


def _find_config(cls: type[Plugin], annotation: Any, module: ModuleType, namespace: dict[str, Any], *, is_checked: bool) -> type[Config]:
    from lanner.sdk.options.config import Config  # msgspec is imported only for a configuration

    try:
        late = {annotation: getattr(module, annotation)} if isinstance(annotation, str) and _has_late(module, annotation) else {}
        config = resolve(annotation, vars(module), {**late, **namespace})
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        raise _make_error(cls, f"cannot resolve the annotation of 'config': {error}") from None
    if not (isinstance(config, type) and issubclass(config, Config)):
        raise _make_error(cls, f"'config' is annotated with {config!r}; write a class that derives from lanner.Config")
    if not is_checked:
        from lanner.sdk.options.config_class import check_config_class

        check_config_class(config)
    return config


def _same(config: type[Config]) -> type[Config]:
    return config


def _timestamp(cls: type[Plugin]) -> Value | None:
    value = cls.timestamp
    if value is None:
        return None
    if not isinstance(value, Value) or value.type is not FieldType.ABSTIME or value.is_list or arguments(value) or uses_item(value):
        from lanner.sdk.payload.value_advice import describe_uncalled  # rare

        if uncalled := describe_uncalled(value):
            raise _make_error(cls, f"'timestamp' is {uncalled}")
        raise _make_error(cls, '\'timestamp\' must be a place with a unit, such as timestamp = payload["timeNano"].time("ns")')
    return value


def _find_beside(cls: type[Plugin], attribute: str) -> str | None:
    if getattr(cls, attribute) is None:
        return None
    name = _text(cls, attribute, "the name of a file in the directory of the module")
    folder = os.path.dirname(getattr(sys.modules[cls.__module__], "__file__", None) or "")
    path = os.path.join(folder, name)
    # in a .so the module itself is in a file, and the host ignores other files in its directory
    if not os.path.isfile(path) and (not folder or os.path.isdir(folder)):
        raise _make_error(cls, f"{attribute!r} names {name!r}, but the directory of its module has no such file")
    return path
