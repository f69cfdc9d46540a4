"""Load rules files.

The input are paths or strings, the output are `RulesFile`s: the steps of each item of a file (items.py), with warnings and errors at
their places. Each item is read separately. The collector (collect.py) combines them.
Messages are Falco's.

Only errors that make the whole file unreadable are raised here (`RulesError`). An invalid item becomes an error among the steps,
so that the other items are still checked.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lanner.rules import findings
from lanner.rules.condition import lexer
from lanner.rules.files.item_keys import (
    LIST_KEYS,
    MACRO_KEYS,
    Attempt,
    item_context,
    read_append,
    read_leniently,
    read_strictly,
    warn_of_keys,
    warn_of_keys_of,
)
from lanner.rules.files.items import (
    EngineVersion,
    ListItem,
    MacroItem,
    PluginVersion,
    RulesFile,
    Step,
)
from lanner.rules.files.required_versions import parse_version
from lanner.rules.files.rule_items import read_rule
from lanner.rules.files.scalars import ItemError, read_required, texts, unsigned_number
from lanner.rules.findings import Finding, RulesError, make_finding
from lanner.sdk.files import TooLargeError, read_whole
from lanner.sdk.text.encoding import from_bytes
from lanner.sdk.text.misspelt import find_near, suggest_file
from lanner.yamlfile.advice import NEVER_CLOSED
from lanner.yamlfile.reader import Mapping, Scalar, Sequence, YamlError, open_quote, read_documents
from lanner.yamlfile.source import Place, Spot, source_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from lanner.yamlfile.reader import Node
    from lanner.yamlfile.source import Context

MAX_SIZE: Final = 16 * 1024 * 1024
OWN_RULES: Final = "plugin"
"""The word for the plugin's own rules in `rules_files` and `-r`. For a file of this name write ./plugin."""
_NOT_UTF_8: Final = re.compile("[\udc80-\udcff]")
_NOTHING: Final = re.compile(r"\s+|#.*|^(?:---|\.\.\.)$", re.MULTILINE)
_KINDS: Final = ("rule", "macro", "list", "required_engine_version", "required_plugin_versions")


def load_files(paths: Iterable[str | PathLike[str]], *, thorough: bool = False) -> list[RulesFile]:
    """Read rules files. Raises `RulesError` for the first that is unreadable or not YAML. `thorough` is as for `load_text`."""
    return [load_text(_read(Path(path)), str(path), thorough=thorough) for path in paths]


def load_text(text: str, name: str, *, thorough: bool = False) -> RulesFile:
    """Read the text of one rules file, called `name` in findings. Raises `RulesError` if it is not YAML.

    Falco reads an item up to its first error; with `thorough` the other keys of the item are read as well. A byte
    of the file that is not UTF-8 is a surrogate in `text` (`surrogateescape`).
    """
    if len(text) > MAX_SIZE:
        raise _make_read_error(name, f"The file is larger than {MAX_SIZE >> 20} MiB.", findings.YAML_PARSE)
    source = source_file(name, text)
    try:
        file = RulesFile(source, read_documents(source))
    except YamlError as error:
        raise RulesError([make_finding("error", findings.YAML_PARSE, error.message, (error.spot,), error.advice)]) from None
    if (spot := open_quote(file.documents)) is not None:
        message, advice = NEVER_CLOSED
        file.items.append([make_finding("warning", findings.YAML_PARSE, message, (spot,), advice, own=True)])
    if not source.text.isascii() and (found := _NOT_UTF_8.search(source.text)):
        message = f"The byte {ord(found[0]) - 0xDC00:#04x} is not UTF-8. It is read as U+FFFD."
        spot = Spot(source, found.start(), found.end())
        file.items.append([make_finding("warning", findings.FILE_READ, message, (spot,), "Save the file as UTF-8.", own=True)])
    end = file.documents.pop() if file.documents and file.documents[-1].is_null else None
    for document in file.documents:
        _read_document(document, file, read_leniently if thorough else read_strictly)
    if end is not None:
        file.items.append(_warn_of_end(end))
    return file


def _warn_of_end(empty: Node) -> list[Step]:
    if not _NOTHING.sub("", empty.file.text[empty.end :]):
        return []
    spot = Spot(empty.file, empty.end, empty.end + 1)
    message = "A document is empty. The rest of the file is not read."
    return [make_finding("warning", "LOAD_UNKNOWN_ITEM", message, (spot,), "Remove the `---` above.", own=True)]


def _read(path: Path) -> str:
    try:
        data = read_whole(path, MAX_SIZE)
    except TooLargeError:
        raise _make_read_error(str(path), f"The file is larger than {MAX_SIZE >> 20} MiB.", findings.FILE_READ) from None
    except OSError as error:
        near = suggest_file(str(path), [OWN_RULES]) if isinstance(error, FileNotFoundError) else ""
        advice = near.removeprefix(": ").replace("did", "Did", 1)
        raise _make_read_error(str(path), f"The file cannot be read: {error.strerror or error}", findings.FILE_READ, advice) from None
    return from_bytes(data)


def _make_read_error(name: str, message: str, code: str, advice: str = "") -> RulesError:
    return RulesError([Finding("error", code, message, (Place(name, 1, 1),), advice=advice)])


def _read_document(document: Node, file: RulesFile, attempt: Attempt) -> None:
    if not isinstance(document, Sequence):
        message = "Rules content is not yaml" if isinstance(document, Scalar) else "Rules content is not yaml array of objects"
        advice = "A rules file is a list of items: each begins with `- rule:`, `- macro:` or `- list:`."
        if isinstance(document, Mapping) and "tests" in document.values:
            advice = "This is a test file: run it with `lanner rules test`, and keep it outside directories of rules files."
        file.items.append([make_finding("error", findings.YAML_VALIDATE, message, (document.spot(),), advice)])
        return
    for item in document.items:
        if isinstance(item, Scalar) and item.is_null:
            continue
        steps: list[Step] = []
        try:
            _read_item(item, steps, attempt)
        except ItemError as refused:
            steps.append(refused.finding)
            if attempt is read_leniently and isinstance(item, Mapping):
                warn_of_keys_of(item, steps)
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
        read_rule(item, steps, attempt)
    else:
        near = next((found for key in item.values if (found := find_near(key, _KINDS))), "")
        advice = f"An item begins with {', '.join(_KINDS[:-1])} or {_KINDS[-1]}; this one has {_names(item)}."
        if near:
            advice += f" Did you mean '{near}'?"
        steps.append(make_finding("warning", "LOAD_UNKNOWN_ITEM", "Unknown top level item", (_first_key(item),), advice))


def _names(item: Mapping) -> str:
    names = [f"'{name[:40]}'" for name in list(item.values)[:5]]
    return ", ".join(names) or "no key"


def _first_key(item: Mapping) -> Spot:
    return Spot(item.file, item.begin, item.pairs[0][0].end if item.pairs else item.end, "rules content item")


# required_engine_version and required_plugin_versions


def _read_engine_version(item: Mapping, steps: list[Step]) -> None:
    context = item_context(item, "required_engine_version")
    text = read_required(item, "required_engine_version", context).value
    number = unsigned_number(text)
    version = (0, number, 0) if number is not None else parse_version(text)
    if version is None:
        raise ItemError(f"Unable to parse engine version '{text}' as a semver string. Expected \"x.y.z\" semver format.", context)
    steps.append(EngineVersion(context, version, ".".join(map(str, version))))
    warn_of_keys(item, frozenset({"required_engine_version"}), context, steps)


def _read_plugin_versions(item: Mapping, steps: list[Step]) -> None:
    node = item.values["required_plugin_versions"]
    context: Context = (node.spot("required plugin versions"),)
    if not isinstance(node, Sequence):
        raise ItemError("Value of required_plugin_versions must be a sequence", context)
    for plugin in node.items:
        entry = (*context, plugin.spot("required plugin versions entry"))
        if not isinstance(plugin, Mapping):
            raise ItemError("Plugin version must be a mapping", entry)
        entry, version = _read_version(plugin, context, "required plugin versions entry")
        steps.append(PluginVersion(entry, (version, *_read_alternatives(plugin, entry))))
    warn_of_keys(item, frozenset({"required_plugin_versions"}), item_context(item, "required plugin versions"), steps)


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
        yield _read_version(other, context, "required plugin versions alternative")[1]


def _read_version(plugin: Mapping, context: Context, kind: str) -> tuple[Context, tuple[str, str]]:
    """Return the context of messages about this entry of a kind, and the name and version in it."""
    name = read_required(plugin, "name", (*context, plugin.spot(kind))).value
    named = (*context, plugin.spot(kind, name))
    return named, (name, read_required(plugin, "version", named).value)


# Lists and macros


def _read_list(item: Mapping, steps: list[Step]) -> None:
    name = read_required(item, "list", item_context(item, "list")).value
    context = item_context(item, "list", name)
    if not lexer.BARE_TEXT.fullmatch(name):
        message = "List has an invalid name. List names should match a regular expression: ([^()\"'[:space:]=,]+)"
        steps.append(make_finding("warning", "LOAD_INVALID_LIST_NAME", message, context))
    items = texts(item, "items", context, needed=True)
    append = read_append(item, "items", context, steps)
    steps.append(ListItem(context, name, items, append))
    warn_of_keys(item, LIST_KEYS, context, steps)


def _read_macro(item: Mapping, steps: list[Step]) -> None:
    name = read_required(item, "macro", item_context(item, "macro")).value
    context = item_context(item, "macro", name)
    if not lexer.IDENTIFIER.fullmatch(name):
        message = "Macro has an invalid name. Macro names should match a regular expression: ([a-zA-Z]+[a-zA-Z0-9_]*)"
        steps.append(make_finding("warning", "LOAD_INVALID_MACRO_NAME", message, context))
    condition = read_required(item, "condition", context)
    append = read_append(item, "condition", context, steps)
    steps.append(MacroItem(context, name, condition, append))
    warn_of_keys(item, MACRO_KEYS, context, steps)
