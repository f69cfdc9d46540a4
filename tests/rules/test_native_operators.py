"""Every operator with every kind of left and right side: the native executor and the Python executor agree on random values."""

import random

import pytest

from lanner.rules.check.checker import check
from lanner.rules.condition.parser import parse
from lanner.rules.findings import ConditionError
from lanner.rules.language import vocabulary
from lanner.rules.language.catalog import Catalog
from lanner.rules.language.typed import FieldTable
from lanner.rules.plan.plan import make_plan
from lanner.sdk.types import FieldInfo, FieldType

from .executors import Both

pytestmark = pytest.mark.slow

OPERATORS = [row.name for row in vocabulary.OPERATORS if row.name != "exists"]
MODIFIERS = ["", *(f" {modifier}" for modifier in vocabulary.MODIFIERS)]
SINGLE = [row.name for row in vocabulary.TRANSFORMERS if not row.is_combining and not row.only_right]
TEXTS = ["", "a", "A", "ab", "aB", "/a/b", "a*", "é", "YWI=", "YQ", "-a", "-c", "1", "10", "b/"]
NUMBERS = [0, 1, 2, 10, 255, 2**32, 2**63, 2**64 - 1]
# some end in NULs, some contain them
ADDRESSES = [bytes(4), b"\x0a\0\0\0", b"\x0a\0\0\x01", b"\xff" * 4, bytes(16), b"\xfe\x80" + bytes(14), bytes(15) + b"\x01", b"ab\0\0"]
VALUES = {
    FieldType.STRING: TEXTS,
    FieldType.UINT64: NUMBERS,
    FieldType.RELTIME: NUMBERS,
    FieldType.ABSTIME: NUMBERS,
    FieldType.BOOL: [True, False],
    FieldType.IPADDR: ADDRESSES,
    FieldType.IPNET: ADDRESSES,
}
FIELDS = {
    f"{letter}.{kind.value}{'s' if is_list else ''}": FieldInfo(f"{letter}.{kind.value}{'s' if is_list else ''}", kind, "", is_list=is_list)
    for letter in "xy"
    for kind in FieldType
    for is_list in (False, True)
}
CATALOG = Catalog(FIELDS.values(), "x")
TRANSFORMED = [
    *(f"{name}({{0}}.string)" for name in SINGLE),
    *(f"{name}({{0}}.strings)" for name in SINGLE),
    *(f"tolower({name}({{0}}.string))" for name in ("b64", "basename")),
    *(
        'join(",", {0}.strings)',
        'join({0}.string, ({0}.string, {0}.uint64, "a"))',
        'join(",", ())',
        "join(tolower({0}.string), {0}.strings)",
    ),
    *('concat({0}.string, "-")', "concat({0}.string, tolower({0}.string), basename({0}.string))"),
    *('getopt({0}.strings, "ac:")', 'getopt({0}.strings, "ac:")[c]', 'getopt((), "n")', 'getopt(({0}.string, "-a"), "a")'),
    *("len({0}.uint64s)", "len({0}.ipaddrs)", 'len(getopt({0}.strings, "ac:"))', 'len(join(",", {0}.strings))', 'len(join(",", ()))'),
]
LEFT = [*(name for name in FIELDS if name.startswith("x.")), *(form.format("x") for form in TRANSFORMED)]
RIGHT = [
    *(f"val({name})" for name in FIELDS),
    *(form.format("y") for form in TRANSFORMED),
    *(f'"{text}"' for text in TEXTS),
    *("1", "0", "18446744073709551615", "true", "false", "10.0.0.0", "10.0.0.0/8", "fe80::", "fe80::/10", "0.0.0.0", "::", "0.0.0.0/0"),
    *(
        "()",
        '("")',
        "(a)",
        '("a", "ab", "/a", "é")',
        "(a, ab, A, aB, /a/b, 1, 10, b/)",
        "(0, 1, 18446744073709551615)",
        "(true)",
        "(true, false)",
    ),
    *("(10.0.0.0, 0.0.0.0)", "(10.0.0.0, fe80::)", "(10.0.0.0/8, fe80::/10)", "(10.0.0.0/32, 0.0.0.0/8)", "(::)"),
]


def accepted(left, fields):
    """Return the conditions with this left side that the checks accept, as trees."""
    found = {}
    texts = [f"{left} exists"]
    texts += [f"{left} {word}{modifier} {right}" for word in OPERATORS for modifier in MODIFIERS for right in RIGHT]
    for text in texts:
        try:
            found[text] = check(parse(text), CATALOG, fields).tree
        except ConditionError:
            continue
    return found


@pytest.mark.parametrize("left", LEFT)
def test_both_executors_agree_on_every_operator_and_right_side(left):
    fields = FieldTable()
    found = accepted(left, fields)
    assert len(found) > 3, found
    draw = random.Random(left)
    event = {}
    both = Both(make_plan(list(found.values()), fields.requests), lambda slot: event[slot], first=False)
    matched = set()
    for _ in range(40):
        for slot, request in enumerate(fields.requests):
            values = VALUES[request.info.type]
            given = tuple(draw.choices(values, k=draw.randint(1, 3))) if request.info.is_list else draw.choice(values)
            event[slot] = None if draw.random() < 0.1 else given
        matched.update(both.match())
    assert matched
