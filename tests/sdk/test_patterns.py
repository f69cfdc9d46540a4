"""Declarations of payloads that are lines, and what their words read."""

import pytest

from lanner import INDEX, KEY, DefinitionError, Plugin, cef, field, logfmt, native, pattern, payload
from lanner.sdk.payload import evaluate

pytestmark = pytest.mark.native


@pytest.fixture(scope="module", params=[evaluate.Reader, native.Reader], ids=["reference", "native"])
def kind(request):
    return request.param


def read(kind, value, line, argument=None):
    reader = kind([value.data()])
    reader.load(line)
    return reader.get(0, argument)


NGINX = pattern(
    r'(?P<client>\S+) \S+ (?P<user>\S+) \[(?P<time>[^\]]*)\] "(?P<request>[^"]*)" (?P<status>\d+) (?P<size>\d+)(?: "(?P<agent>[^"]*)")?'
)
LINE = b'203.0.113.9 - - [10/Oct/2000:13:55:36 -0700] "GET /a?b=c HTTP/1.0" 200 2326'
TABLE = [
    (NGINX["client"], LINE, "203.0.113.9"),
    (NGINX["client"].address(), LINE, bytes([203, 0, 113, 9])),
    (NGINX["status"].integer(), LINE, 200),
    (NGINX["request"].after(" ").before("?"), LINE, "/a"),
    (NGINX["request"].after(" ").before(" ").query("b"), LINE, "c"),
    (NGINX["agent"], LINE, None),
    (NGINX["agent"] | NGINX["user"], LINE, "-"),
    (NGINX["agent"].exists(), LINE, False),
    (NGINX["user"].unless(NGINX["user"], "-"), LINE, None),
    (NGINX["client"], LINE + b"\n", "203.0.113.9"),
    (NGINX["client"], LINE + b"\r\n", "203.0.113.9"),
    (NGINX["size"], LINE + b"\r", "2326"),
    (NGINX["client"], LINE + b"\n\n", None),
    (NGINX["client"], LINE + b"\r\r", None),
    (NGINX["time"].time("clf"), LINE, 971211336 * 10**9),
    (NGINX["time"].time("clf"), LINE.replace(b"Oct", b"oct"), None),
    (NGINX["time"].time("clf"), LINE.replace(b"10/", b"31/").replace(b"Oct", b"Nov"), None),
    (NGINX["time"].time("clf"), LINE.replace(b" -0700", b""), None),
    (NGINX["time"].time("clf"), LINE.replace(b"-0700", b"+0530"), 971166336 * 10**9),
    (NGINX["client"], b" " + LINE, None),
    (NGINX["client"], LINE + b" x", None),
    (NGINX["client"], b"", None),
    (NGINX["request"], LINE.replace(b"/a", b"/\xff\xe9"), "GET /\udcff\udce9?b=c HTTP/1.0"),
    (NGINX["request"], LINE.replace(b"/a", b"/\0x"), "GET /"),
    (NGINX["client"], LINE.replace(b"/a", b"/\0x"), "203.0.113.9"),
    (NGINX["request"].lower(), LINE, "get /a?b=c http/1.0"),
    (pattern("(?P<a>é+)")["a"], "ééé".encode(), "ééé"),
    (pattern(r"(?P<a>.)\x1a")["a"], b"\xff\xff", "\udcff"),
    (pattern("(?P<a>x*)")["a"], b"", ""),
    (pattern(r"(?P<a>[^\n]*)\n(?P<b>.*)")["b"], b"one\ntwo\n", "two"),
    (logfmt["level"], b'level=info msg="a \\"b\\" \\u00e9" n=5', "info"),
    (logfmt["msg"], b'level=info msg="a \\"b\\" \\u00e9" n=5', 'a "b" é'),
    (logfmt["n"].integer(), b'level=info msg="a" n=5', 5),
    (logfmt["a"], b"a=1 a=2", "2"),
    (logfmt["a"], b"a= b", ""),
    (logfmt["a"], b"a b=1", None),
    (logfmt["a"], b'a="x b=1', '"x'),
    (logfmt["b"], b'a="x b=1', "1"),
    (logfmt["a"], b'x y="a=1"', None),
    (cef["deviceVendor"], b"<13>Nov 29 host CEF:0|Security|threat\\|manager|1.0|100|worm stopped|10|src=10.0.0.1 msg=a \\= b c dst=2.1.2.2", "Security"),
    (cef["deviceProduct"], b"CEF:0|Security|threat\\|manager|1.0|100|worm stopped|10|", "threat|manager"),
    (cef["severity"].integer(), b"CEF:0|Security|threat|1.0|100|worm stopped|10|src=10.0.0.1", 10),
    (cef["msg"], b"CEF:0|v|p|1|2|n|5|src=10.0.0.1 msg=a \\= b\\nc  dst=2.1.2.2", "a = b\nc"),
    (cef["request"], b"CEF:0|v|p|1|2|n|5|request=http://x/?q=1&r=2 dst=2", "http://x/?q=1&r=2"),
    (cef["dst"], b"CEF:0|v|p|1|2|n|5|src=1 dst=2 \r\n", "2"),
    (cef["src"], b"CEF:0|v|p|1|2|n", None),
    (cef["src"], b"src=1", None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "line", "expected"), TABLE, ids=range(len(TABLE)))
def test_words(kind, value, line, expected):
    got = read(kind, value, line)
    assert got == expected
    assert type(got) is type(expected)


def test_the_fields_argument_as_a_key(kind):
    assert read(kind, logfmt[KEY], b"a=1", "a") == "1"
    assert read(kind, logfmt[KEY], b"a=1", "b") is None
    assert read(kind, logfmt[KEY], b"a=1") is None
    assert read(kind, cef[KEY], b"CEF:0|v|p|1|2|n|5|src=1", "src") == "1"


def test_what_is_readable(kind):
    """A payload is readable if one of the forms that the fields read fits it; if they read JSON, too, that is one of them."""
    line = pattern("(?P<a>[ab]+)")
    both = kind([line["a"].data(), payload["x"].data()])
    assert both.load(b"ab")
    assert (both.get(0), both.get(1)) == ("ab", None)
    assert both.load(b'{"x":"y"}')
    assert (both.get(0), both.get(1)) == (None, "y")
    assert not both.load(b"x")
    assert kind([logfmt["a"].data()]).load(b"b=1")
    assert not kind([logfmt["a"].data()]).load(b"words only")
    assert not kind([cef["a"].data()]).load(b'{"a":1}')
    assert not kind([line["a"].data()]).load(b'{"a":1}')


def test_bytes_that_are_not_utf8_are_noticed(kind):
    reader = kind([pattern("(?P<a>.*)")["a"].data()])
    for line, expected in [(b"a", False), (b"\xff", True), ("é".encode(), False)]:
        assert reader.load(line)
        assert reader.has_invalid_utf8 is expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("(?P<a>x", r"at character 1: missing \)"),
        (r"x\((?P<a>[(]x) (?P<b>y", r"at character 16: missing \)"),
        (r"\Q(\E(?P<a>[^])]x) ((y)", r"at character 20: missing \)"),
        ("(?P<a>x) y)", r"at character 11: unexpected \)"),
        ("x(?<a>y)", r"at character 2: invalid perl operator: \(\?<\. Write \(\?P<name>\.\.\.\) for a named group"),
        ("(?P<a>x)(?=y)", "RE2 has no lookahead"),
        ("x{2000}", "invalid repetition size"),
        ("(?P<a>x)(?P<a>y)", "two groups with the name 'a'"),
        (r"\S+ (.*)", "has no named group"),
        ("", "has no named group"),
        ("(?P<a>x)\\", "trailing"),
        ("(?P<a>\ud800)", "half of a surrogate pair"),
        ("(?P<a>\udcff)", "invalid UTF-8"),
        (b"(?P<a>x)", "a pattern must be a string"),
        (None, "a pattern must be a string"),
    ],
)
def test_an_invalid_pattern_is_refused_where_it_is_written(expression, message):
    with pytest.raises(DefinitionError, match=message):
        pattern(expression)


def test_an_unknown_group_is_refused_with_advice():
    with pytest.raises(DefinitionError, match=r"no group 'statos': did you mean 'status'\?"):
        NGINX["statos"]
    with pytest.raises(DefinitionError, match="it has 'client', 'user'"):
        NGINX["x" * 20]
    with pytest.raises(DefinitionError):
        NGINX[KEY]
    with pytest.raises(DefinitionError, match="`logfmt` needs a name"):
        logfmt[INDEX]
    with pytest.raises(DefinitionError, match="`cef` needs a name"):
        cef[0]
    for each in (NGINX, logfmt):
        with pytest.raises(TypeError, match="cannot be iterated"):
            iter(each)


def test_a_plugin_of_lines_needs_no_method():
    class Log(Plugin):
        """A log."""

        name, version, contact = "log", "0.1.0", "the tests"
        extract_sources = ("syslog",)
        fields = (field("log.level", logfmt["level"], "Level"), field("log.key", logfmt[KEY], "Any key"))

    assert [each.info.argument is not None for each in Log.__plugin__.fields] == [False, True]
