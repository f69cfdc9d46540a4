"""Read the item of a rule: a whole one, one with overrides, or the switch of an earlier rule."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from lanner.rules.files.exceptions import read_exceptions
from lanner.rules.files.item_keys import (
    BOTH_APPEND,
    RULE_KEYS,
    Attempt,
    item_context,
    read_leniently,
    read_old_append,
    warn_of_keys,
)
from lanner.rules.files.items import (
    Priority,
    RuleException,
    RuleItem,
    RuleToggle,
    RuleUpdate,
    Step,
)
from lanner.rules.files.overrides import APPENDABLE, REPLACEABLE, Overrides, read_overrides
from lanner.rules.files.scalars import ItemError, boolean, read_optional, read_required, texts, unsigned_number, value_context
from lanner.rules.findings import make_finding
from lanner.sdk.text.misspelt import find_near
from lanner.yamlfile.reader import Mapping, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable

    from lanner.yamlfile.source import Context

_T = TypeVar("_T")
ENABLED_IS_OLD: Final = (
    "The standalone 'enabled' key usage is deprecated. The correct approach requires also a 'replace' entry under the 'override' key "
    "(i.e. 'enabled: replace')."
)
DEFAULT_SOURCE: Final = "syscall"
"""The event source of a rule without one."""
_WHOLE: Final = "'condition', 'output', 'desc' and 'priority'"
_NEEDED: Final = frozenset({"condition", "output", "desc", "priority"})
_ALONE: Final = f"Without {_WHOLE} an item switches an earlier rule on or off: it needs 'enabled'."


def read_rule(item: Mapping, steps: list[Step], attempt: Attempt) -> None:
    """Add the steps of a rule's item."""
    name = read_required(item, "rule", item_context(item, "rule")).value
    context = item_context(item, "rule", name)
    source = _read_any_source(item, context)
    append = read_old_append(item, context, steps)
    overrides = read_overrides(item, context, APPENDABLE, REPLACEABLE)
    if append and overrides:
        raise ItemError(BOTH_APPEND, context)
    if overrides:
        _read_overriding(item, name, source, overrides, context, steps, attempt)
    elif append:
        condition = read_optional(item, "condition", context)
        exceptions = read_exceptions(item, context, steps, append=True) if "exceptions" in item.values else None
        steps.append(RuleUpdate(context, name, append=True, source=source, condition=condition, exceptions=exceptions))
    elif item.values.keys().isdisjoint(_NEEDED):
        read_required(item, "enabled", context, *_change_advice(item, _ALONE))
        enabled = boolean(item, "enabled", context, default=True)
        steps.append(make_finding("warning", "LOAD_DEPRECATED_ITEM", ENABLED_IS_OLD, context))
        steps.append(RuleToggle(context, name, enabled))
    else:
        steps.append(_read_whole_rule(item, name, context, steps, attempt))
    warn_of_keys(item, frozenset(RULE_KEYS), context, steps)


def _read_any_source(item: Mapping, context: Context) -> str:
    """Return the source of an update, which may be a key without a value."""
    node = item.values.get("source")
    if node is None:
        return ""
    if not isinstance(node, Scalar):
        raise ItemError("Value is not a scalar value", value_context(node, "source", context))
    return "" if node.is_null else node.value


def _read_whole_rule(item: Mapping, name: str, context: Context, steps: list[Step], attempt: Attempt) -> RuleItem:
    label = read_required(item, "rule", context)  # replaces an unreadable output
    advice = ("", "") if item.values.keys() >= _NEEDED else _change_advice(item, f"A rule needs {_WHOLE}.")
    if attempt is read_leniently and item.values.keys().isdisjoint({"condition", "output"}):
        # one error for an item that is meant as a change, with the errors of its other keys
        if "priority" in item.values:
            attempt(steps, lambda: _read_priority(item, context), None)
        read_required(item, "condition", context, *advice)
    keys = ("condition", "output", "desc")
    condition, output, desc = (attempt(steps, partial(read_required, item, key, context, *advice), label) for key in keys)
    priority = attempt(steps, lambda: _read_priority(item, context, *advice), Priority.DEBUG)

    def read(key: str, reading: Callable[[], _T], default: _T) -> _T:
        return attempt(steps, reading, default) if key in item.values else default

    def flag(key: str, *, default: bool) -> bool:
        return read(key, lambda: boolean(item, key, context, default=default), default)

    source = read("source", lambda: read_optional(item, "source", context), None)
    enabled = flag("enabled", default=True)
    # Captures of system calls do not apply to a plugin's events
    capture = flag("capture", default=False)
    duration = read("capture_duration", lambda: _read_duration(item, context), 0)
    warn = flag("warn_evttypes", default=True)
    skip = flag("skip-if-unknown-filter", default=False)
    tags: tuple[str, ...] = read("tags", lambda: _read_tags(item, context), ())
    exceptions: tuple[RuleException, ...] = read("exceptions", lambda: read_exceptions(item, context, steps, append=False), ())
    where = source.value if source else DEFAULT_SOURCE
    unread = frozenset(key for key, node in (("condition", condition), ("output", output)) if node is label)
    return RuleItem(
        context, name, condition, output, desc, priority, where, enabled, tags, exceptions, skip, warn, capture, duration, unread
    )


def _change_advice(item: Mapping, needs: str) -> tuple[str, str]:
    """Return the advice for a rule without a required key, and more for one that changes an earlier rule, as most such items do."""
    slip = next((key for key in item.values if key not in RULE_KEYS and find_near(key, ("override",))), "")
    if slip:
        return f"Did you mean 'override' by '{slip}'? {needs}", ""
    change = ", ".join(f"{key}: replace" for key in item.values if key in REPLACEABLE)
    return needs, f"To change the earlier rule of that name, add `override: {{{change}}}`." if change else ""


def _read_priority(item: Mapping, context: Context, advice: str = "", change: str = "") -> Priority:
    node = read_required(item, "priority", context, advice, change)
    priority = Priority.parse(node.value)
    if priority is None:
        near = find_near(node.value, (str(each) for each in Priority))
        advice = (f"Did you mean {near}? " if near else "") + f"Use one of {', '.join(str(each) for each in Priority)}."
        raise ItemError("Invalid priority", (*context, node.spot("rule priority")), advice)
    return priority


def _read_duration(item: Mapping, context: Context) -> int:
    node = read_required(item, "capture_duration", context)
    number = unsigned_number(node.value)
    if number is None:
        advice = "'capture_duration' takes a number of milliseconds."
        raise ItemError("Can't decode YAML scalar value", value_context(node, "capture_duration", context), advice)
    return number


def _read_tags(item: Mapping, context: Context) -> tuple[str, ...]:
    return tuple(sorted({tag.value for tag in texts(item, "tags", context, needed=False)}))


def _read_overriding(
    item: Mapping, name: str, source: str, overrides: Overrides, context: Context, steps: list[Step], attempt: Attempt
) -> None:
    """Apply additions before replacements."""
    left = {key for key in APPENDABLE | REPLACEABLE if key in item.values}
    for append, keys in ((True, overrides.append), (False, overrides.replace)):
        if keys:
            steps.append(_Update(item, name, source, context, keys, left, append=append).read(steps))
    for key in sorted(left):
        message = f"Unexpected key '{key}': no corresponding entry under 'override' is defined."
        advice = f"Add an operation for '{key}' under 'override', such as `{key}: replace`."
        refused = ItemError(message, (*context, item.values[key].spot("overrides", key)), advice)
        attempt(steps, partial(_raise, refused), None)


def _raise(refused: ItemError) -> None:
    raise refused


class _Update:
    """The keys of an item with one operation, append or replace. Reading a key removes it from `left`."""

    def __init__(
        self, item: Mapping, name: str, source: str, context: Context, keys: frozenset[str], left: set[str], *, append: bool
    ) -> None:
        self.item = item
        self.name = name
        self.source = source
        self.context = context
        self.keys = keys
        self.left = left
        self.append = append

    def read(self, steps: list[Step]) -> RuleUpdate:
        item, context = self.item, self.context
        # In the order in which Falco checks them
        return RuleUpdate(
            context,
            self.name,
            self.append,
            self.source if "condition" in self.keys else "",
            condition=self._scalar("condition"),
            exceptions=read_exceptions(item, context, steps, append=self.append) if self._asks("exceptions") else None,
            output=self._scalar("output"),
            desc=self._scalar("desc"),
            tags=_read_tags(item, context) if self._asks("tags") else None,
            priority=_read_priority(item, context) if self._asks("priority") else None,
            capture=self._flag("capture"),
            capture_duration=_read_duration(item, context) if self._asks("capture_duration") else None,
            enabled=self._flag("enabled"),
            warn_evttypes=self._flag("warn_evttypes"),
            skip_if_unknown_filter=self._flag("skip-if-unknown-filter"),
        )

    def _asks(self, key: str) -> bool:
        if key not in self.keys:
            return False
        if key not in self.left:
            kind = "append" if self.append else "replace"
            message = f"An {kind} override for '{key}' was specified but '{key}' is not defined"
            raise ItemError(message, self.context, f"Add the new '{key}', or remove it from 'override'.")
        self.left.discard(key)
        return True

    def _scalar(self, key: str) -> Scalar | None:
        return read_required(self.item, key, self.context) if self._asks(key) else None

    def _flag(self, key: str) -> bool | None:
        return boolean(self.item, key, self.context, default=False) if self._asks(key) else None
