"""Wrong arguments of sources are errors that name the source, the argument and the plugin's own line."""

import pytest

import lanner
from lanner import sources
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.plugin_init import init_plugin

SECRET = lanner.Secret("open-sesame")
LOCAL = "127.0.0.1:0"


def plugin_of(open_):
    class Wrong(lanner.Plugin):
        """A plugin with wrong arguments."""

        id, name, version, event_source, contact = 4300, "wrong", "0.1.0", "wrong", "the tests"
        open = open_

    return init_plugin(Wrong)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: sources.tail("x", start="bottom"), "tail: start is 'bottom'; it must be 'beginning' or 'end'"),
        (lambda: sources.tail("x", max_line=10), "tail: max_line is 10; it must be at least 1024"),
        (lambda: sources.tail("x", max_line="4096"), "tail: max_line is of the type str; it must be a whole number"),
        (lambda: sources.tail(5), "tail: path is of the type int; it must be a string"),
        (lambda: sources.tail(None), "tail: path is of the type NoneType; it must be a string"),
        (lambda: sources.tail(SECRET.reveal), "tail: path is the method 'reveal' without parentheses; it must be a string: write reveal()"),
        (lambda: sources.tail("a\0b"), "tail: path has a null byte, which no path can have: remove it"),
        (lambda: sources.program(["ls"], cwd="a\0b"), "program: cwd has a null byte"),
        (lambda: sources.poll("http://127.0.0.1/", ca="a\0b"), "poll: ca has a null byte"),
        (lambda: sources.webhook(LOCAL, secret=SECRET, certificate="a\0b"), "webhook: certificate has a null byte"),
        (lambda: sources.webhook(LOCAL, secret=SECRET, key="a\0b"), "webhook: key has a null byte"),
        (lambda: sources.program("ls -l"), "program: the command must be a list of strings"),
        (lambda: sources.program(5), "program: the command must be a list of strings"),
        (lambda: sources.program(["ls"], env={"A": 1}), "program: env['A'] is of the type int; it must be a string"),
        (lambda: sources.program(["ls"], env=["A=1"]), "program: env is of the type list; it must be a mapping"),
        (lambda: sources.program(["ls"], restart=True), "program: restart is of the type bool; it must be a string"),
        (lambda: sources.queue(max_events=0), "queue: max_events is 0; it must be at least 1"),
        (lambda: sources.queue(max_bytes=1.5), "queue: max_bytes is of the type float; it must be a whole number"),
        (lambda: sources.queue(5), "queue: name is of the type int; it must be a string"),
        (lambda: sources.poll(5), "poll: request is of the type int; it must be an address or a function"),
        (lambda: sources.poll("http://127.0.0.1/", every="60"), "poll: every is of the type str; it must be a number of seconds"),
        (lambda: sources.poll("http://127.0.0.1/", items=5.5), "poll: items is of the type float; it must be a place in JSON"),
        (
            lambda: sources.poll("http://127.0.0.1/", headers={"Authorization": SECRET.reveal}),
            "poll: headers['Authorization'] is the method 'reveal' without parentheses; it must be a string or a lanner.Secret",
        ),
        (
            lambda: sources.webhook(LOCAL, secret=SECRET.reveal),
            "webhook: secret is the method 'reveal' without parentheses; it must be a string or a lanner.Secret: write reveal()",
        ),
        (lambda: sources.webhook(LOCAL, secret=[SECRET, 5]), "webhook: secret is of the type int; it must be a string or a lanner.Secret"),
        (lambda: sources.webhook(LOCAL, secret=b"open-sesame"), "webhook: secret is of the type bytes"),
        (lambda: sources.webhook(LOCAL, secret=lanner.Secret), "webhook: secret is of the type type"),
        (lambda: sources.webhook(8080, secret=SECRET), "webhook: address is of the type int; it must be a string"),
        (lambda: sources.webhook(LOCAL, secret=SECRET, path="hook"), "webhook: path is 'hook': write an absolute path"),
        (lambda: sources.webhook(LOCAL, secret=SECRET, signature=sources.Hmac), "webhook: signature must be an object with a method check"),
        (lambda: sources.webhook(LOCAL, secret=SECRET, answer_after=0), "webhook: answer_after is 0; it must be a positive number"),
        (lambda: sources.webhook(LOCAL, secret=SECRET, members={"event": 5}), "webhook: members['event'] is of the type int"),
        (lambda: sources.Hmac(digest="sha0"), "Hmac: unknown digest 'sha0'"),
        (lambda: sources.Token(header=5), "Token: header is of the type int; it must be a string"),
    ],
)
def test_a_wrong_argument_is_named_with_the_line_of_the_plugin(call, says):
    def generator(self, params):
        yield from call()

    for open_ in (lambda self, params: call(), generator):
        with pytest.raises(lanner.LannerError) as caught:
            open_source(plugin_of(open_)).next_batch(10)
        assert says in str(caught.value)
        assert str(caught.value).endswith(f" ({__file__}, line {call.__code__.co_firstlineno})")
        assert "sesame" not in str(caught.value)


def test_a_failure_within_lanner_is_reported_at_the_line_of_the_plugin():
    def open_(self, params):
        return sources.tail("x", unknown=1) if params else sources.queue().put(5)

    with pytest.raises(lanner.SourceError, match="the payload of an event must be bytes or str, not int") as caught:
        open_source(plugin_of(open_))
    assert f"({__file__}, line {open_.__code__.co_firstlineno + 1})" in str(caught.value)
