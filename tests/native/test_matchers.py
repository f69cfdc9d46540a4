"""The C library's matchers process bytes up to their first NUL, regardless of the locale, as in Falco."""

import locale

import pytest

from lanner.native import casestr, fnmatch

pytestmark = pytest.mark.native

FNMATCH = [
    (b"*", b"", False, True),
    (b"a*c", b"abbc", False, True),
    (b"a?c", b"abc", False, True),
    (b"a?c", "aéc".encode(), False, False),
    (b"a??c", "aéc".encode(), False, True),
    (b"[a-c]x", b"bx", False, True),
    (b"*/x", b"a/b/x", False, True),
    (b"*", b".hidden", False, True),
    (b"A*", b"abc", False, False),
    (b"A*", b"abc", True, True),
    ("É".encode(), "é".encode(), True, False),
    (b"a\\*", b"a*", False, True),
    (b"a\0b", b"a\0c", False, True),
    (b"a", b"a\0c", False, True),
]
CASESTR = [
    (b"", b"", True),
    (b"abc", b"", True),
    (b"", b"a", False),
    (b"xABCx", b"abc", True),
    (b"xabcx", b"ABC", True),
    (b"ab", b"abc", False),
    ("É".encode(), "é".encode(), False),
    ("É".encode(), "É".encode(), True),
    (b"\xe9", b"\xc9", False),
    (b"a\0b", b"b", False),
    (b"ab", b"b\0c", True),
]


@pytest.fixture(params=["C", "C.UTF-8"], autouse=True)
def any_locale(request):
    before = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, request.param)
    yield
    locale.setlocale(locale.LC_ALL, before)


@pytest.mark.parametrize(("pattern", "text", "casefold", "matches"), FNMATCH)
def test_fnmatch(pattern, text, casefold, matches):
    assert fnmatch(pattern, text, casefold) is matches


@pytest.mark.parametrize(("haystack", "needle", "found"), CASESTR)
def test_casestr(haystack, needle, found):
    assert casestr(haystack, needle) is found


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fnmatch("a", b"a", False), "fnmatch matches bytes, not str"),
        (lambda: fnmatch(b"a", None, False), "fnmatch matches bytes, not NoneType"),
        (lambda: fnmatch(b"a", b"a"), "fnmatch takes 3 arguments, not 2"),
        (lambda: casestr(b"a", "a"), "casestr matches bytes, not str"),
        (lambda: casestr(b"a", b"a", True), "casestr takes 2 arguments, not 3"),
    ],
)
def test_wrong_arguments_are_type_errors(call, message):
    with pytest.raises(TypeError, match=message):
        call()
