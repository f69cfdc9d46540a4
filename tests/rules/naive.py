"""A second implementation of conditions, as simple as possible and independent of the product's operators, for strings and numbers."""

import re

from lanner.rules.condition.ast import And, Check, Constant, ConstantList, Field, Not, Or

_EACH = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "contains": lambda a, b: b in a,
    "icontains": lambda a, b: b.lower() in a.lower(),
    "startswith": lambda a, b: a[: len(b)] == b,
    "endswith": lambda a, b: b == "" or a[-len(b) :] == b,
    "glob": lambda a, b: re.fullmatch(_glob(b), a, re.DOTALL) is not None,
    "iglob": lambda a, b: re.fullmatch(_glob(b), a, re.DOTALL | re.IGNORECASE) is not None,
    "regex": lambda a, b: re.fullmatch(b, a) is not None,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def holds(node, event):
    """Return whether an event, a dict from field name to value, meets a condition."""
    match node:
        case And(children):
            return all(holds(child, event) for child in children)
        case Or(children):
            return any(holds(child, event) for child in children)
        case Not(child):
            return not holds(child, event)
        case Check(left, operator, right, modifier):
            value = _value(left, event)
            if value is None:
                return False
            return operator == "exists" or _compare(value, operator, modifier, right, event)
    raise AssertionError(node)


def _value(node, event):
    if isinstance(node, Field):
        return event.get(node.name if node.argument is None else f"{node.name}[{node.argument}]")
    (inner,) = (_value(argument, event) for argument in node.arguments)
    if inner is None or node.name == "val":
        return inner
    change = {"tolower": str.lower, "toupper": str.upper, "len": len, "basename": lambda text: text.split("/")[-1]}[node.name]
    return change(inner)


def _compare(value, operator, modifier, right, event):
    if not isinstance(right, Constant | ConstantList):
        other = _value(right, event)
        return other is not None and _EACH[operator](value, other)
    items = [right] if isinstance(right, Constant) else right.items
    constants = [int(item.text) if isinstance(value, int) else item.text for item in items]
    if operator in {"in", "intersects"}:
        return value in constants
    if operator == "pmatch":
        return any(_below(value, constant) for constant in constants)
    results = [_EACH[operator](value, constant) for constant in constants]
    if modifier == "oneof":
        return results.count(True) == 1
    if modifier == "anyof":
        return any(results)
    return bool(results) and all(results)


def _glob(pattern):
    return "".join({"*": ".*", "?": "."}.get(char) or re.escape(char) for char in pattern)


def _below(path, pattern):
    wanted, given = ([part for part in text.split("/") if part] for text in (pattern, path))
    return len(wanted) <= len(given) and all(re.fullmatch(_glob(w), g) for w, g in zip(wanted, given, strict=False))
