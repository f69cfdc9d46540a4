"""The items of rules files, as plain data.

The loader (load.py) creates them, the collector (collect.py) applies them in order. A string that is parsed later is kept as its
YAML scalar, so that its characters keep their places.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct, field

from lanner.rules.findings import Finding

if TYPE_CHECKING:
    from lanner.yamlfile.reader import Node, Scalar
    from lanner.yamlfile.source import Context, SourceFile


class Priority(IntEnum):
    """The priority of an alert; 0 is the highest."""

    EMERGENCY = 0
    ALERT = 1
    CRITICAL = 2
    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFORMATIONAL = 6
    DEBUG = 7

    @classmethod
    def parse(cls, text: str) -> Priority | None:
        """Return the priority with this name, in upper or lower case. "info" is short for informational."""
        name = text.upper() if text.isascii() else ""
        return cls.__members__.get("INFORMATIONAL" if name == "INFO" else name)

    def __str__(self) -> str:
        return self.name.capitalize()


class EngineVersion(Struct, frozen=True, gc=False):
    """`required_engine_version`, as three numbers."""

    context: Context
    version: tuple[int, int, int]
    text: str


class PluginVersion(Struct, frozen=True, gc=False):
    """One entry of `required_plugin_versions`: (name, version) and its alternatives."""

    context: Context
    alternatives: tuple[tuple[str, str], ...]


class ListItem(Struct, frozen=True, gc=False):
    """A list, or an addition to one."""

    context: Context
    name: str
    items: tuple[Scalar, ...]
    append: bool = False


class MacroItem(Struct, frozen=True, gc=False):
    """A macro, or an addition to one."""

    context: Context
    name: str
    condition: Scalar
    append: bool = False


class ExceptionEntry(Struct, frozen=True, gc=False):
    """A value in an exception: a string, or a list of entries. Falco treats an empty value of either kind as missing."""

    text: str = ""
    entries: tuple[ExceptionEntry, ...] = ()
    is_list: bool = False

    @property
    def is_given(self) -> bool:
        """Whether it is neither an empty text nor an empty list."""
        return bool(self.entries if self.is_list else self.text)


class RuleException(Struct, frozen=True, gc=False):
    """An exception of a rule, with the name in `label`."""

    context: Context
    label: Scalar
    fields: ExceptionEntry = ExceptionEntry()
    comps: ExceptionEntry = ExceptionEntry()
    values: tuple[ExceptionEntry, ...] = ()

    @property
    def name(self) -> str:
        """The exception's name."""
        return self.label.value


class RuleItem(Struct, frozen=True, gc=False):
    """A complete rule."""

    context: Context
    name: str
    condition: Scalar
    output: Scalar
    desc: Scalar
    priority: Priority
    source: str
    enabled: bool = True
    tags: tuple[str, ...] = ()
    exceptions: tuple[RuleException, ...] = ()
    skip_if_unknown_filter: bool = False
    warn_evttypes: bool = True
    capture: bool = False
    capture_duration: int = 0
    unread: frozenset[str] = frozenset()
    """Which of condition and output are unreadable. Only a thorough reading creates such an item."""


class RuleUpdate(Struct, frozen=True, gc=False):
    """Values to append to a rule, or to replace in it. None leaves a value unchanged."""

    context: Context
    name: str
    append: bool
    source: str = ""
    condition: Scalar | None = None
    output: Scalar | None = None
    desc: Scalar | None = None
    priority: Priority | None = None
    enabled: bool | None = None
    tags: tuple[str, ...] | None = None
    exceptions: tuple[RuleException, ...] | None = None
    skip_if_unknown_filter: bool | None = None
    warn_evttypes: bool | None = None
    capture: bool | None = None
    capture_duration: int | None = None

    @property
    def changes_something(self) -> bool:
        """Whether there is anything to append or to replace."""
        given = (
            self.condition,
            self.output,
            self.desc,
            self.priority,
            self.enabled,
            self.tags,
            self.exceptions,
            self.skip_if_unknown_filter,
            self.warn_evttypes,
            self.capture,
            self.capture_duration,
        )
        return any(value is not None for value in given)


class RuleToggle(Struct, frozen=True, gc=False):
    """Only `rule` and `enabled`: the deprecated way to switch a rule on or off."""

    context: Context
    name: str
    enabled: bool


# The steps of one item, in order, between warnings; nothing follows an error
Step: TypeAlias = Finding | EngineVersion | PluginVersion | ListItem | MacroItem | RuleItem | RuleUpdate | RuleToggle


class RulesFile(Struct):
    """A loaded file: the steps of each of its items."""

    source: SourceFile
    documents: list[Node] = field(default_factory=list)
    items: list[list[Step]] = field(default_factory=list)
