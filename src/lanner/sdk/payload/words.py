"""The words on `payload`: one table for every evaluator, for the checks of a declaration, and for docs/plugins.md.

`FORMS` are the expressions with their own syntax, `WORDS` the methods of a value that give another value. A new word is a row, a
method of `lanner.sdk.payload.values.Value`, and a case in `lanner.sdk.payload.evaluate` and in `native/values/words.cpp`.
"""

from __future__ import annotations

from enum import Enum, StrEnum

from lanner.sdk.records import Record
from lanner.sdk.types import FieldType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias


class FieldArgument(StrEnum):
    """The places in a path that the argument of a field fills."""

    KEY = "key"
    INDEX = "index"

    def __or__(self, other: ItemPlace) -> ItemPlace:
        """Return the path element for `INDEX | EACH`: the item that the argument names, or each item without an argument."""
        if self is not FieldArgument.INDEX or other is not ItemPlace.ALL:
            return NotImplemented
        return ItemPlace.AT_INDEX


class ItemPlace(Enum):
    """The places in a path that stand for the items of an array."""

    ALL = "all"
    AT_INDEX = "index"


KEY = FieldArgument.KEY
INDEX = FieldArgument.INDEX
EACH = ItemPlace.ALL

Unit: TypeAlias = 'Literal["ns", "us", "ms", "s"]'
UNITS: dict[Unit, int] = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
TimeForm: TypeAlias = 'Literal["ns", "us", "ms", "s", "rfc3339", "iso8601", "rfc2822", "http-date", "clf"]'
DATE_FORMS: tuple[TimeForm, ...] = ("rfc3339", "iso8601", "rfc2822", "http-date", "clf")
"""The forms of points in time that are texts; `lanner.sdk.payload.dates` reads them."""

Reads: TypeAlias = 'Literal["text", "scalar", "raw", "number", "decimal", "boolean", "any", "present"]'
"""The JSON values that a word takes from a path: texts, and

- scalar: numbers, true and false, as JSON writes them
- raw: every value, as JSON without blanks
- number: unsigned integers
- decimal: numbers without a sign and an exponent
- boolean: true and false
- any, present: every value, and every value except null; only their existence counts
"""


class WordRow(Record):
    """A word: a method of a value that returns another value.

    `form` and `means` are the row of the documentation. `operand` is the kind of the method's arguments. `takes` is the type of the
    value, None for every type. `reads` names the JSON values that the word takes from a path.

    Shapes: "item" returns a value for a value, and a list for a list. "list" returns a list. "one" takes a list (`exists`: any value)
    and returns one value.
    """

    name: str
    form: str
    means: str
    operand: Literal["separator", "unit", "time form", "name", "texts", "optional texts", "index"] | None = None
    takes: FieldType | None = FieldType.STRING
    reads: Reads = "text"
    gives: FieldType = FieldType.STRING
    shape: Literal["item", "list", "one"] = "item"


FORMS: tuple[tuple[str, str], ...] = (
    (
        'payload["a", "b", 0]',
        "the string at that path: member `b` of the object at `a`, then its first item. The methods below read other values",
    ),
    ("payload[KEY]", "the same, with the field's argument as a name: `field[argument]`"),
    ("payload[INDEX]", "the same, with the field's argument as a number"),
    (
        'payload["a", EACH, "b"]',
        "a list: the string `b` of each item of the array `a`. Items without `b` are left out. `EACH` may be nested",
    ),
    ('payload["a", INDEX | EACH, "b"]', "the same list. If the field has its argument, only the string of that item"),
    ('a.where("b", "x", "y")', "after `EACH`: only the items whose member `b`, as `text()` reads it, is one of these strings"),
    ('a.where("b")', "after `EACH`: only the items with a member `b`"),
    ("a.each(b)", "after `EACH`: a list of the value `b` of each item. Paths in `b` begin at `item`, or as always at `payload`"),
    (
        'payload.pointer("/a/b/0")',
        "the value of Falco's `json` plugin for this JSON pointer (RFC 6901): a string, or any other value as JSON without blanks",
    ),
    ("payload.pointer(KEY)", "the same, with the field's argument as the pointer"),
    ('line["name"]', "the string that a group of `line = pattern(...)` matched"),
    ('logfmt["a"], logfmt[KEY]', "the value of a key in a line of `key=value` pairs"),
    ('cef["a"], cef[KEY]', "a field of a line in the Common Event Format"),
    ("a | b", 'the first of the two that has a value; "" is a value'),
    ('a.when(b, "x", "y")', "`a`, if the string `b` equals one of these strings"),
    ("a.when(b)", "`a`, if the boolean `b` is true. `a.when(INDEX)`: if the field has its argument"),
    ('a.unless(b, "x", "y")', "`a`, if the string `b` equals none of these strings, or has no value"),
    ("a.unless(b)", "`a`, if `b` has no value or is false. `a.unless(INDEX)`: if the field has no argument"),
    ('text("0")', "this string, for every event"),
    ('concat(a, "/", b)', "the strings joined; no value if one of them has no value"),
)
"""The expressions in addition to `WORDS`: form and meaning of each."""

WORDS: tuple[WordRow, ...] = (
    WordRow(
        "text",
        "a.text()",
        "a string, number, true or false, as JSON writes it: `201`, `2.50`. Also applies to `boolean()` and `integer()`",
        takes=None,
        reads="scalar",
    ),
    WordRow(
        "raw", "a.raw()", 'any JSON value at a path, as JSON without blanks between its parts: `{"a":[1,2.50]}`', takes=None, reads="raw"
    ),
    WordRow(
        "boolean",
        "a.boolean()",
        "a boolean, from true and false or the strings `true` and `false`",
        reads="boolean",
        gives=FieldType.BOOL,
    ),
    WordRow(
        "integer",
        "a.integer()",
        "an unsigned 64-bit integer, from a JSON integer or a string of at most 20 decimal digits. No value for other strings, a "
        "negative number (including `-0`), a fraction or an exponent",
        reads="number",
        gives=FieldType.UINT64,
    ),
    WordRow(
        "time",
        'a.time("ns")',
        "a point in time: the number of `ns`, `us`, `ms` or `s` since 1970, as a number or a string of decimal digits. A fraction is "
        "allowed, except with `ns`. Or a string of the form `rfc3339`, `iso8601` (UTC if it has no offset), `rfc2822`, `http-date`, or "
        "`clf` (`10/Oct/2000:13:55:36 -0700`). Times before 1970 and after 2554 have no value",
        "time form",
        reads="decimal",
        gives=FieldType.ABSTIME,
    ),
    WordRow(
        "duration",
        'a.duration("s")',
        "a duration, from such a number or string of `ns`, `us`, `ms` or `s`",
        "unit",
        reads="decimal",
        gives=FieldType.RELTIME,
    ),
    WordRow("address", "a.address()", "an IPv4 or IPv6 address, from a string", gives=FieldType.IPADDR),
    WordRow(
        "network",
        "a.network()",
        "an IPv4 or IPv6 network, from `10.0.0.0/8` or an address. As in Falco, the value is the first address of the network",
        gives=FieldType.IPNET,
    ),
    WordRow("before", 'a.before(":")', "the part before the first separator; without a separator, the whole string", "separator"),
    WordRow("after", 'a.after(":")', "the part after the first separator; without a separator, no value", "separator"),
    WordRow("after_last", 'a.after_last("/")', "the part after the last separator; without a separator, the whole string", "separator"),
    WordRow("basename", "a.basename()", "the part after the last `/`, as Falco's `basename()`"),
    WordRow("lower", "a.lower()", "the string with its ASCII letters in lower case"),
    WordRow("upper", "a.upper()", "the string with its ASCII letters in upper case"),
    WordRow(
        "query",
        'a.query("name")',
        "the first value of that parameter in the query of a URL, decoded; `a.query(KEY)` takes the name from the field's argument. No "
        "value if the URL has an invalid escape, a control character, or a `;` in its query",
        "name",
    ),
    WordRow("split", 'a.split(",")', "a list: the parts of the string between separators", "separator", shape="list"),
    WordRow("listed", "a.listed()", "a list of only this value, for payloads that have one value or an array", takes=None, shape="list"),
    WordRow(
        "keys",
        "a.keys()",
        "a list of the names of an object's members, without duplicates, in order of first appearance. An empty object has no value. "
        "After `EACH`: the names of each item's members",
        takes=None,
        reads="any",
        shape="list",
    ),
    WordRow(
        "nth",
        "a.nth(0)",
        "an item of a list, from 0; `a.nth(INDEX)` takes the number from the field's argument",
        "index",
        takes=None,
        shape="one",
    ),
    WordRow(
        "join",
        'a.join(" ")',
        'the strings of a list as one string, with the separator between them; "" for an array without strings',
        "separator",
        shape="one",
    ),
    WordRow("without", 'a.without("x", "y")', "a list without these strings", "texts", shape="list"),
    WordRow("every", "a.every()", "the list, if no item was left out; otherwise no value", takes=None, shape="list"),
    WordRow(
        "any",
        'a.any("x", "y")',
        "a boolean: whether a list contains one of these strings. `a.any()`: whether a list of booleans contains true. No value if the "
        "event lacks the list",
        "optional texts",
        takes=None,
        gives=FieldType.BOOL,
        shape="one",
    ),
    WordRow(
        "exists",
        "a.exists()",
        "true or false: whether the event has the value. For a path, any JSON value counts, including null",
        takes=None,
        reads="any",
        gives=FieldType.BOOL,
        shape="one",
    ),
    WordRow("present", "a.present()", "the same, but null does not count", takes=None, reads="present", gives=FieldType.BOOL, shape="one"),
)
TRANSPARENT = frozenset({"nth", "every", "listed"})
"""The words that return values of their operand, of the same type. `text`, `raw` and the like may follow them."""
ROWS = {row.name: row for row in WORDS}
