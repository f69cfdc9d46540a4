"""The parts of `each` that are the same for all items: computed once for an event, and repeated within a limit."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from lanner.sdk.payload.path_parts import Data

MAX_REPEATED: Final = 1 << 20
"""The size of shared parts that a field may repeat for an event: the bytes of their strings, and one for each value."""
EXCESS: Final = "excess"
"""In counters of misfits: an event for which a field would have repeated more, so that it has no value."""

_LEAVES: Final = frozenset({"path", "item", "given", "constant", "pointer", "group", "logfmt", "cef"})


def mark_shared_parts(body: Any) -> Data:
    """Return the tree of a value for each item, in which ["shared", tree] marks each part that does not depend on the item."""
    if body[0] in {"given", "constant", "item"}:
        return list(body)
    if not _depends_on_item(body):
        return ["shared", body]
    match body:
        case ["each", *_]:  # its value has items of another list
            return list(body)
        case ["first" | "concat" as word, values]:
            return [word, [mark_shared_parts(each) for each in values]]
        case ["when" | "unless" as word, value, condition, texts]:
            return [word, mark_shared_parts(value), mark_shared_parts(condition), texts]
    return [body[0], mark_shared_parts(body[1]), *body[2:]]


def _depends_on_item(tree: Any) -> bool:
    match tree:
        case [word, *_] if word in _LEAVES:
            return bool(word == "item")
        case ["first" | "concat", values]:
            return any(map(_depends_on_item, values))
        case ["when" | "unless", value, condition, _]:
            return _depends_on_item(value) or _depends_on_item(condition)
    return _depends_on_item(tree[1])  # of `each`: its value has items of that list
