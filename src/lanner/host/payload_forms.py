"""The forms of payloads that a plugin's fields read, for hosts and their messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lanner.sdk.payload.trees import walk

if TYPE_CHECKING:
    from lanner.sdk.authoring.plugin import PluginInfo

_NAMES: Final = {"path": "valid JSON", "pointer": "valid JSON", "group": "matched by the pattern", "logfmt": "logfmt", "cef": "CEF"}
_JSON: Final = frozenset({"path", "pointer"})


def line_forms(info: PluginInfo) -> frozenset[str]:
    """Return the forms other than JSON that the fields and the timestamp of a plugin read: `group`, `logfmt`, `cef`."""
    return _forms(info) - _JSON


def reads_only_json(info: PluginInfo) -> bool:
    """Return whether the fields and the timestamp of a plugin read JSON, and no other form."""
    forms = _forms(info)
    return bool(forms) and forms <= _JSON


def describe_unreadable(info: PluginInfo) -> str:
    """Return what payloads are that no field can read: "not valid JSON"."""
    names = list(dict.fromkeys(name for form, name in _NAMES.items() if form in _forms(info))) or [_NAMES["path"]]
    return f"not {names[0]}" if len(names) == 1 else f"neither {', '.join(names[:-1])} nor {names[-1]}"


def _forms(info: PluginInfo) -> frozenset[str]:
    trees = [*(field.value for field in info.fields if field.value is not None), *([info.timestamp] if info.timestamp is not None else [])]
    words = {str(node.data()[0]) for tree in trees for node in walk(tree)}
    return frozenset(words & _NAMES.keys())
