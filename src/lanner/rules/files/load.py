"""Load rules files.

The input are paths or texts, the output are `RulesFile`s: the steps of each item of a file (items.py), with warnings and errors at
their places. Each item is read separately. The collector (collect.py) combines them.
Messages are Falco's.

Only errors that make the whole file unreadable are raised here (`RulesError`). An invalid item becomes an error among the steps,
so that the other items are still checked.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from lanner.rules import findings
from lanner.rules.condition import lexer
from lanner.rules.files.exceptions import read_exceptions
from lanner.rules.files.items import (
    EngineVersion,
    ListItem,
    MacroItem,
    PluginVersion,
    Priority,
    RuleException,
    RuleItem,
    RulesFile,
    RuleToggle,
    RuleUpdate,
    Step,
)
from lanner.rules.files.overrides import APPENDABLE, REPLACEABLE, Overrides, read_overrides
from lanner.rules.files.required_versions import parse_version
from lanner.rules.files.scalars import ItemError, as_string, bad_conversion, boolean, optional, required, texts, unsigned, value_context
from lanner.rules.findings import Finding, RulesError, finding
from lanner.sdk.files import TooLargeError, read_whole
from lanner.sdk.misspelt import find_near, suggest_file
from lanner.sdk.text import from_bytes
from lanner.yamlfile.advice import NEVER_CLOSED
from lanner.yamlfile.reader import Mapping, Scalar, Sequence, YamlError, open_quote, read_documents
from lanner.yamlfile.source import Place, Spot, source_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from os import PathLike

    from lanner.yamlfile.reader import Node
    from lanner.yamlfile.source import Context

MAX_SIZE: Final = 16 * 1024 * 1024
OWN_RULES: Final = "plugin"
"""The word for the plugin's own rules in `rules_files` and `-r`. For a file of this name write ./plugin."""
_T = TypeVar("_T")

APPEND_IS_OLD: Final = "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under 'override' instead."
ENABLED_IS_OLD: Final = (
    "The standalone 'enabled' key usage is deprecated. The correct approach requires also a 'replace' entry under the 'override' key "
    "(i.e. 'enabled: replace')."
)
BOTH_APPEND: Final = (
    "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry (e.g. 'condition: append') under 'override' instead."
)
_NOT_UTF_8: Final = re.compile("[\udc80-\udcff]")
_NOTHING: Final = re.compile(r"\s+|#.*|^(?:---|\.\.\.)$", re.MULTILINE)
_LIST_KEYS: Final = frozenset({"list", "items", "append", "override"})
_WHOLE: Final = "'condition', 'output', 'desc' and 'priority'"
_ALONE: Final = f"Without {_WHOLE} an item switches an earlier rule on or off: it needs 'enabled'."
_KINDS: Final = ("rule", "macro", "list", "required_engine_version", "required_plugin_versions")
_MACRO_KEYS: Final = frozenset({"macro", "condition", "append", "override"})
_RULE_KEYS: Final = APPENDABLE | REPLACEABLE | {"rule", "source", "override", "append"}


def load_files(paths: Iterable[str | PathLike[str]], *, thorough: bool = False) -> list[RulesFile]:
    """Read rules files. Raises `RulesError` for the first that is unreadable or not YAML. `thorough` is as for `load_text`."""
    return [load_text(_read(Path(path)), str(path), thorough=thorough) for path in paths]


def load_text(text: str, name: str, *, thorough: bool = False) -> RulesFile:
    """Read the text of one rules file, called `name` in findings. Raises `RulesError` if it is not YAML.

    Falco reads an item up to its first error; with `thorough` the other keys of the item are read as well. A byte
    of the file that is not UTF-8 is a surrogate in `text` (`surrogateescape`).
    """
    if len(text) > MAX_SIZE:
        raise _unreadable(name, f"The file is larger than {MAX_SIZE >> 20} MiB.", findings.YAML_PARSE)
    source = source_file(name, text)
    try:
        file = RulesFile(source, read_documents(source))
    except YamlError as error:
        raise RulesError([finding("error", findings.YAML_PARSE, error.message, (error.spot,), error.advice)]) from None
    if (spot := open_quote(file.documents)) is not None:
        message, advice = NEVER_CLOSED
        file.items.append([finding("warning", findings.YAML_PARSE, message, (spot,), advice, own=True)])
    if found := _NOT_UTF_8.search(source.text):
        message = f"The byte {ord(found[0]) - 0xDC00:#04x} is not UTF-8. It is read as U+FFFD."
        spot = Spot(source, found.start(), found.end())
        file.items.append([finding("warning", findings.FILE_READ, message, (spot,), "Save the file as UTF-8.", own=True)])
    end = file.documents.pop() if file.documents and file.documents[-1].is_null else None
    for document in file.documents:
        _read_document(document, file, _leniently if thorough else _strictly)
    if end is not None:
        file.items.append(_warn_of_end(end))
    return file


def _warn_of_end(empty: Node) -> list[Step]:
    if not _NOTHING.sub("", empty.file.text[empty.end :]):
        return []
    spot = Spot(empty.file, empty.end, empty.end + 1)
    message = "A document is empty. The rest of the file is not read."
    return [finding("warning", "LOAD_UNKNOWN_ITEM", message, (spot,), "Remove the `---` above.", own=True)]


def _read(path: Path) -> str:
    try:
        data = read_whole(path, MAX_SIZE)
    except TooLargeError:
        raise _unreadable(str(path), f"The file is larger than {MAX_SIZE >> 20} MiB.", findings.FILE_READ) from None
    except OSError as error:
        near = suggest_file(str(path), [OWN_RULES]) if isinstance(error, FileNotFoundError) else ""
        advice = near.removeprefix(": ").replace("did", "Did", 1)
        raise _unreadable(str(path), f"The file cannot be read: {error.strerror or error}", findings.FILE_READ, advice) from None
    return from_bytes(data)


def _unreadable(name: str, message: str, code: str, advice: str = "") -> RulesError:
    return RulesError([Finding("error", code, message, (Place(name, 1, 1),), advice=advice)])


class Attempt(Protocol):
    """Reads the keys of an item, and decides what happens to an error."""

    def __call__(self, steps: list[Step], read: Callable[[], _T], fallback: _T) -> _T: ...


def _strictly(steps: list[Step], read: Callable[[], _T], fallback: _T) -> _T:  # noqa: ARG001 - as `_leniently`
    """Read one key. An error ends the item."""
    return read()


def _leniently(steps: list[Step], read: Callable[[], _T], fallback: _T) -> _T:
    """Read one key. An error becomes a step, and `fallback` the value."""
    try:
        return read()
    except ItemError as refused:
        steps.append(refused.finding)
        return fallback


def _read_document(document: Node, file: RulesFile, attempt: Attempt) -> None:
    if not isinstance(document, Sequence):
        message = "Rules content is not yaml" if isinstance(document, Scalar) else "Rules content is not yaml array of objects"
        advice = "A rules file is a list of items: each begins with `- rule:`, `- macro:` or `- list:`."
        file.items.append([finding("error", findings.YAML_VALIDATE, message, (document.spot(),), advice)])
        return
    for item in document.items:
        if isinstance(item, Scalar) and item.is_null:
            continue
        steps: list[Step] = []
        try:
            _read_item(item, steps, attempt)
        except ItemError as refused:
            steps.append(refused.finding)
            if attempt is _leniently and isinstance(item, Mapping):
                _warn_of_keys_of(item, steps)
        file.items.append(steps)


def _read_item(item: Node, steps: list[Step], attempt: Attempt) -> None:
    if not isinstance(item, Mapping):
        message = "Unexpected element type. Each element should be a yaml associative array."
        raise ItemError(message, (item.spot("rules content item"),), "An item is a mapping, as in `- rule: name`.")
    keys = item.values
    if "required_engine_version" in keys:
        _read_engine_version(item, steps)
    elif "required_plugin_versions" in keys:
        _read_plugin_versions(item, steps)
    elif "list" in keys:
        _read_list(item, steps)
    elif "macro" in keys:
        _read_macro(item, steps)
    elif "rule" in keys:
        _read_rule(item, steps, attempt)
    else:
        near = next((found for key in item.values if (found := find_near(key, _KINDS))), "")
        advice = f"An item begins with {', '.join(_KINDS[:-1])} or {_KINDS[-1]}; this one has {_names(item)}."
        if near:
            advice += f" Did you mean '{near}'?"
        steps.append(finding("warning", "LOAD_UNKNOWN_ITEM", "Unknown top level item", (_first_key(item),), advice))


def _names(item: Mapping) -> str:
    names = [f"'{name[:40]}'" for name in list(item.values)[:5]]
    return ", ".join(names) or "no key"


def _first_key(item: Mapping) -> Spot:
    return Spot(item.file, item.begin, item.pairs[0][0].end if item.pairs else item.end, "rules content item")


def _item_context(item: Mapping, kind: str, name: str = "") -> Context:
    """Return the item's place: its first key, because its end may be far away."""
    end = item.pairs[0][1].end if item.pairs else item.end
    return (Spot(item.file, item.begin, end, kind, name),)


def _warn_of_keys_of(item: Mapping, steps: list[Step]) -> None:
    """Warn about the unknown keys of an unreadable item."""
    for kind, known in (("list", _LIST_KEYS), ("macro", _MACRO_KEYS), ("rule", frozenset(_RULE_KEYS))):
        name = item.values.get(kind)
        if isinstance(name, Scalar):
            _leniently(steps, lambda: _warn_of_keys(item, known, _item_context(item, kind, name.value), steps), None)  # noqa: B023 - at once
            return


def _warn_of_keys(item: Mapping, known: frozenset[str], context: Context, steps: list[Step]) -> None:
    if len(item.values) == len(item.pairs) and item.values.keys() <= known:  # the usual case
        return
    seen: Counter[str] = Counter()
    for key, _ in item.pairs:
        if not isinstance(key, Scalar):
            raise bad_conversion(key, "A key must be a text.")
        name = as_string(key)
        seen[name] += 1
        if name not in known:
            message = f"Unknown key '{name}'. The key will be ignored."
            near = find_near(name, known)
            advice = f"Did you mean '{near}'?" if near else f"The keys are: {', '.join(sorted(known))}."
            steps.append(finding("warning", "LOAD_UNKNOWN_KEY", message, (*context, key.spot()), advice))
        elif seen[name] == 2:
            message = f"Duplicate key '{name}'. The first one is used, this one is ignored."
            steps.append(finding("warning", "LOAD_UNKNOWN_KEY", message, (*context, key.spot()), own=True))


# required_engine_version and required_plugin_versions


def _read_engine_version(item: Mapping, steps: list[Step]) -> None:
    context = _item_context(item, "required_engine_version")
    text = required(item, "required_engine_version", context).value
    number = unsigned(text)
    version = (0, number, 0) if number is not None else parse_version(text)
    if version is None:
        raise ItemError(f"Unable to parse engine version '{text}' as a semver string. Expected \"x.y.z\" semver format.", context)
    steps.append(EngineVersion(context, version, ".".join(map(str, version))))
    _warn_of_keys(item, frozenset({"required_engine_version"}), context, steps)


def _read_plugin_versions(item: Mapping, steps: list[Step]) -> None:
    node = item.values["required_plugin_versions"]
    context: Context = (node.spot("required plugin versions"),)
    if not isinstance(node, Sequence):
        raise ItemError("Value of required_plugin_versions must be a sequence", context)
    for plugin in node.items:
        entry = (*context, plugin.spot("required plugin versions entry"))
        if not isinstance(plugin, Mapping):
            raise ItemError("Plugin version must be a mapping", entry)
        name = required(plugin, "name", entry).value
        entry = (*context, plugin.spot("required plugin versions entry", name))
        version = required(plugin, "version", entry).value
        steps.append(PluginVersion(entry, ((name, version), *_read_alternatives(plugin, entry))))
    _warn_of_keys(item, frozenset({"required_plugin_versions"}), _item_context(item, "required plugin versions"), steps)


def _read_alternatives(plugin: Mapping, context: Context) -> Iterable[tuple[str, str]]:
    node = plugin.values.get("alternatives")
    if node is None:
        return
    if not isinstance(node, Sequence):
        raise ItemError("Value of plugin version alternatives must be a sequence", context)
    for other in node.items:
        inner = (*context, other.spot("required plugin versions alternative"))
        if not isinstance(other, Mapping):
            raise ItemError("Plugin version alternative must be a mapping", inner)
        name = required(other, "name", inner).value
        inner = (*context, other.spot("required plugin versions alternative", name))
        yield name, required(other, "version", inner).value


# Lists and macros


def _read_list(item: Mapping, steps: list[Step]) -> None:
    name = required(item, "list", _item_context(item, "list")).value
    context = _item_context(item, "list", name)
    if not lexer.BARE_TEXT.fullmatch(name):
        message = "List has an invalid name. List names should match a regular expression: ([^()\"'[:space:]=,]+)"
        steps.append(finding("warning", "LOAD_INVALID_LIST_NAME", message, context))
    items = texts(item, "items", context, needed=True)
    append = _read_append(item, "items", context, steps)
    steps.append(ListItem(context, name, items, append))
    _warn_of_keys(item, _LIST_KEYS, context, steps)


def _read_macro(item: Mapping, steps: list[Step]) -> None:
    name = required(item, "macro", _item_context(item, "macro")).value
    context = _item_context(item, "macro", name)
    if not lexer.IDENTIFIER.fullmatch(name):
        message = "Macro has an invalid name. Macro names should match a regular expression: ([a-zA-Z]+[a-zA-Z0-9_]*)"
        steps.append(finding("warning", "LOAD_INVALID_MACRO_NAME", message, context))
    condition = required(item, "condition", context)
    append = _read_append(item, "condition", context, steps)
    steps.append(MacroItem(context, name, condition, append))
    _warn_of_keys(item, _MACRO_KEYS, context, steps)


def _read_append(item: Mapping, key: str, context: Context, steps: list[Step]) -> bool:
    """Return whether the item appends to a list or a macro, by `append` or by an override of its one key."""
    append = _read_old_append(item, context, steps)
    overrides = read_overrides(item, context, frozenset({key}), frozenset({key}))
    if append and overrides:
        raise ItemError(BOTH_APPEND, context)
    return append or key in overrides.append


def _read_old_append(item: Mapping, context: Context, steps: list[Step]) -> bool:
    append = boolean(item, "append", context, default=False)
    if append:
        steps.append(finding("warning", "LOAD_DEPRECATED_ITEM", APPEND_IS_OLD, context))
    return append


# Rules


def _read_rule(item: Mapping, steps: list[Step], attempt: Attempt) -> None:
    name = required(item, "rule", _item_context(item, "rule")).value
    context = _item_context(item, "rule", name)
    source = _read_any_source(item, context)
    append = _read_old_append(item, context, steps)
    overrides = read_overrides(item, context, APPENDABLE, REPLACEABLE)
    if append and overrides:
        raise ItemError(BOTH_APPEND, context)
    if overrides:
        _read_overriding(item, name, source, overrides, context, steps, attempt)
    elif append:
        condition = optional(item, "condition", context)
        exceptions = read_exceptions(item, context, steps, append=True) if "exceptions" in item.values else None
        steps.append(RuleUpdate(context, name, append=True, source=source, condition=condition, exceptions=exceptions))
    elif item.values.keys().isdisjoint({"condition", "output", "desc", "priority"}):
        required(item, "enabled", context, _change_advice(item, _ALONE))
        enabled = boolean(item, "enabled", context, default=True)
        steps.append(finding("warning", "LOAD_DEPRECATED_ITEM", ENABLED_IS_OLD, context))
        steps.append(RuleToggle(context, name, enabled))
    else:
        steps.append(_read_whole_rule(item, name, context, steps, attempt))
    _warn_of_keys(item, frozenset(_RULE_KEYS), context, steps)


def _read_any_source(item: Mapping, context: Context) -> str:
    """Return the source of an update, which may be a key without a value."""
    node = item.values.get("source")
    if node is None:
        return ""
    if not isinstance(node, Scalar):
        raise ItemError("Value is not a scalar value", value_context(node, "source", context))
    return "" if node.is_null else node.value


def _read_whole_rule(item: Mapping, name: str, context: Context, steps: list[Step], attempt: Attempt) -> RuleItem:
    label = required(item, "rule", context)  # replaces an unreadable output
    advice = _change_advice(item, f"A rule needs {_WHOLE}.")
    if attempt is _leniently and item.values.keys().isdisjoint({"condition", "output"}):
        # one error for an item that is meant as a change, with the errors of its other keys
        if "priority" in item.values:
            attempt(steps, lambda: _read_priority(item, context), None)
        required(item, "condition", context, advice)
    keys = ("condition", "output", "desc")
    condition, output, desc = (attempt(steps, partial(required, item, key, context, advice), label) for key in keys)
    priority = attempt(steps, lambda: _read_priority(item, context, advice), Priority.DEBUG)
    source = attempt(steps, lambda: optional(item, "source", context), None)
    enabled = attempt(steps, lambda: boolean(item, "enabled", context, default=True), fallback=True)
    # Captures of system calls do not apply to a plugin's events
    capture = attempt(steps, lambda: boolean(item, "capture", context, default=False), fallback=False)
    duration = attempt(steps, lambda: _read_duration(item, context) if "capture_duration" in item.values else 0, 0)
    warn = attempt(steps, lambda: boolean(item, "warn_evttypes", context, default=True), fallback=True)
    skip = attempt(steps, lambda: boolean(item, "skip-if-unknown-filter", context, default=False), fallback=False)
    tags: tuple[str, ...] = ()
    tags = attempt(steps, lambda: _read_tags(item, context), tags)
    exceptions: tuple[RuleException, ...] = ()
    exceptions = attempt(steps, lambda: read_exceptions(item, context, steps, append=False), exceptions)
    where = source.value if source else "syscall"
    unread = frozenset(key for key, node in (("condition", condition), ("output", output)) if node is label)
    return RuleItem(
        context, name, condition, output, desc, priority, where, enabled, tags, exceptions, skip, warn, capture, duration, unread
    )


def _change_advice(item: Mapping, needs: str) -> str:
    """Return advice for a rule without a required key, after what it needs. Most such items are meant to change an earlier rule."""
    slip = next((key for key in item.values if key not in _RULE_KEYS and find_near(key, ("override",))), "")
    if slip:
        return f"Did you mean 'override' by '{slip}'? {needs}"
    change = ", ".join(f"{key}: replace" for key in item.values if key in REPLACEABLE)
    return f"{needs} To change an earlier rule of that name, add `override: {{{change}}}`." if change else needs


def _read_priority(item: Mapping, context: Context, advice: str = "") -> Priority:
    node = required(item, "priority", context, advice)
    priority = Priority.parse(node.value)
    if priority is None:
        near = find_near(node.value, (str(each) for each in Priority))
        advice = (f"Did you mean {near}? " if near else "") + f"Use one of {', '.join(str(each) for each in Priority)}."
        raise ItemError("Invalid priority", (*context, node.spot("rule priority")), advice)
    return priority


def _read_duration(item: Mapping, context: Context) -> int:
    node = required(item, "capture_duration", context)
    number = unsigned(node.value)
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
        return required(self.item, key, self.context) if self._asks(key) else None

    def _flag(self, key: str) -> bool | None:
        return boolean(self.item, key, self.context, default=False) if self._asks(key) else None
