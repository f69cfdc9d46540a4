"""Requests as bytes, and heads and bodies of responses from bytes that arrive in any pieces."""

import pytest

from lanner.net.http1 import MAX_HEAD, MAX_HEADERS, MAX_INTERIM, Body, Head, HttpError, Response, parse_head, read_date, write_request

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-EMPTY:\r\nTransfer-Encoding:  chunked \r\n\r\n"
PARSED = Head(200, "OK", {"content-type": "application/json", "x-empty": "", "transfer-encoding": "chunked"})
# sizes in both cases, an extension, a trailer
CHUNKS = b"5\r\nhello\r\n00A;name=value\r\n\n, world\r\n\r\n1\r\n!\r\n0\r\nX-Trailer: 1\r\n\r\n"
HELLO = b"hello\n, world\r\n!"


@pytest.mark.parametrize("place", range(len(HEAD)))
def test_a_head_is_read_when_it_is_whole(place):
    assert parse_head(HEAD[:place]) is None
    assert parse_head(HEAD) == (PARSED, b"")


@pytest.mark.parametrize("rest", [b"5\r\nhello\r\n", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"\0"])
def test_what_follows_the_head_is_handed_back(rest):
    assert parse_head(HEAD + rest) == (PARSED, rest)


@pytest.mark.parametrize(
    ("head", "parsed"),
    [
        (b"HTTP/1.0 404 Not Found\r\n\r\n", Head(404, "Not Found", {}, 0)),
        (b"HTTP/1.1 200\r\n\r\n", Head(200, "", {})),
        (b"HTTP/1.1 500 \r\nServer: a:b: c\r\n\r\n", Head(500, "", {"server": "a:b: c"})),
        (b"HTTP/1.1 200 \xfcber\r\nno header\r\n\r\n", Head(200, "über", {"no header": ""})),
    ],
)
def test_heads_of_other_servers_are_read(head, parsed):
    assert parse_head(head) == (parsed, b"")


@pytest.mark.parametrize(
    "data", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\0", b"http/1.1 200 OK\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"\r\nHTTP/1.1", b"HTTX"]
)
def test_what_is_not_http_is_refused_at_the_first_byte_that_shows_it(data):
    with pytest.raises(HttpError, match=r"the answer begins with b.*, which is not HTTP"):
        parse_head(data)


@pytest.mark.parametrize("line", ["HTTP/1.1", "HTTP/1.1 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 -20 OK", "HTTP/1.1 2²0 OK"])
def test_a_status_is_three_digits(line):
    with pytest.raises(HttpError, match="which is not a status line"):
        parse_head(line.encode("latin-1") + b"\r\n\r\n")


def test_a_head_without_end_is_refused_and_a_long_one_is_not():
    line = b"HTTP/1.1 200 OK\r\nX: "
    long = line + b"x" * (MAX_HEAD - len(line))
    assert parse_head(long) is None
    with pytest.raises(HttpError, match=f"longer than {MAX_HEAD} bytes"):
        parse_head(long + b"x")
    assert parse_head(long + b"\r\n\r\nbody")[1] == b"body"


def chunked():
    return Body({"transfer-encoding": "chunked"})


def feed_in_pieces(body, data, size):
    return b"".join(body.feed(data[place : place + size]) for place in range(0, len(data), size))


def test_chunks_are_taken_apart():
    body = chunked()
    assert not body.ended
    assert body.feed(CHUNKS) == HELLO
    assert body.ended


@pytest.mark.parametrize("place", range(1, len(CHUNKS)))
def test_chunks_may_be_split_anywhere(place):
    body = chunked()
    first = body.feed(CHUNKS[:place])
    assert HELLO.startswith(first)
    assert body.ended == (b"\n0\r\n" in CHUNKS[:place])
    assert not body.is_complete
    assert first + body.feed(CHUNKS[place:]) == HELLO
    assert body.ended
    assert body.is_complete


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_chunks_may_come_in_small_pieces(size):
    body = chunked()
    assert feed_in_pieces(body, CHUNKS, size) == HELLO
    assert body.ended


@pytest.mark.parametrize("place", range(len(b"5\r\nhello\r\n") + 1))
def test_what_there_is_of_a_chunk_is_given_at_once(place):
    """An event must not wait for the one after it."""
    assert chunked().feed(b"5\r\nhello\r\n"[:place]) == b"hello"[: max(0, place - 3)]


def test_nothing_that_follows_the_last_chunk_is_of_the_body():
    body = chunked()
    assert body.feed(CHUNKS + b"HTTP/1.1 200 OK\r\n\r\n") == HELLO
    assert body.feed(b"5\r\nhello\r\n") == b""


@pytest.mark.parametrize("coding", ["chunked", "Chunked", "gzip, chunked"])
def test_chunks_come_before_a_length(coding):
    body = Body({"transfer-encoding": coding, "content-length": "3"})
    assert body.feed(CHUNKS) == HELLO


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\r\n", "invalid chunk size ''"),
        (b"hello\r\n", "invalid chunk size 'hello'"),
        (b"-1\r\n", "invalid chunk size '-1'"),
        (b"0x5\r\n", "invalid chunk size '0x5'"),
        (b";5\r\n", "invalid chunk size ''"),
        (b"f" * 16 + b"\r\n", "invalid chunk size"),
        (b"5" * 5000, "a chunk's size line is too long"),
        (b"5;" + b"x" * 5000 + b"\r\n", "a chunk's size line is too long"),
        (b"5\r\nhello!\r\n", "a chunk is followed by '!' instead of a line end"),
        (b"5\r\nhello5\r\n", "a chunk is followed by '5' instead of a line end"),
        (b'{"status":"start"}\n', 'invalid chunk size \'{"status":"start"}\''),
    ],
)
@pytest.mark.parametrize("size", [1, 100_000], ids=["byte by byte", "at once"])
def test_broken_chunks_are_refused(data, says, size):
    body = chunked()
    with pytest.raises(HttpError) as caught:
        feed_in_pieces(body, data, size)
    assert says in str(caught.value)
    assert not body.ended


@pytest.mark.parametrize("line", [b"x" * 5000, b"x: y\r\n", b" \r\n"], ids=["one long line", "many lines", "blank lines"])
def test_a_trailer_is_not_waited_for_and_bounded(line):
    body = chunked()
    assert body.feed(b"5\r\nhello\r\n0\r\n") == b"hello"
    assert body.ended
    with pytest.raises(HttpError, match="too long"):
        feed_in_pieces(body, line * 100_000, len(line))
    assert not body.is_complete


def test_a_body_of_a_length_ends_there():
    body = Body({"content-length": "11"})
    assert body.feed(b"hello ") == b"hello "
    assert not body.ended
    assert body.feed(b"world and more") == b"world"
    assert body.ended
    assert body.feed(b"more") == b""


def test_an_empty_body_has_ended():
    assert Body({"content-length": "0"}).ended


@pytest.mark.parametrize(
    "headers", [{}, {"content-length": ""}, {"content-length": "-5"}, {"content-length": "²"}, {"content-length": "1" * 5000}]
)
def test_a_body_without_a_length_lasts_until_the_connection_ends(headers):
    body = Body(headers)
    assert [body.feed(b"hello"), body.feed(b" world")] == [b"hello", b" world"]
    assert not body.ended


@pytest.mark.parametrize(
    ("head", "headers"),
    [
        (b"HTTP/1.1 200 OK\nA: 1\nB: 2\n\n", {"a": "1", "b": "2"}),
        (b"HTTP/1.1 200 OK\r\nA: 1\r\n  and more\r\n\r\n", {"a": "1 and more"}),
        (b"HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\n\r\n", {"a": "1, 2"}),
        (b"HTTP/1.1 200 OK\r\n" + b"A: 1\r\n" * MAX_HEADERS + b"\r\n", {"a": ", ".join("1" * MAX_HEADERS)}),
    ],
)
def test_headers_in_other_forms_are_read(head, headers):
    assert parse_head(head)[0].headers == headers


def test_a_head_with_too_many_headers_is_rejected():
    with pytest.raises(HttpError, match=f"more than {MAX_HEADERS} headers"):
        parse_head(b"HTTP/1.1 200 OK\r\n" + b"A: 1\r\n" * (MAX_HEADERS + 1) + b"\r\n")


@pytest.mark.parametrize("value", ["5, 5", "5, 6"])
def test_a_repeated_length_does_not_end_a_body(value):
    assert not Body({"content-length": value}).is_complete


def test_a_length_does_not_end_a_body_in_another_coding():
    body = Body({"transfer-encoding": "gzip", "content-length": "2"})
    assert body.feed(b"hello") == b"hello"
    assert not body.is_complete


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_response_is_read_in_any_pieces(size):
    data = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + HEAD + CHUNKS
    response = Response()
    assert not response.has_begun
    assert feed_in_pieces(response, data, size) == HELLO
    assert response.head == PARSED
    assert response.leaves_open


@pytest.mark.parametrize("size", [1, 25, 1 << 20])
def test_interim_responses_without_an_end_are_an_error(size):
    interim = b"HTTP/1.1 103 Early\r\n\r\n"
    assert feed_in_pieces(Response(), interim * MAX_INTERIM + HEAD + CHUNKS, size) == HELLO
    with pytest.raises(HttpError, match="more than 32 interim answers came before the answer"):
        feed_in_pieces(Response(), interim * 20_000, size)


@pytest.mark.parametrize(
    ("head", "leaves_open"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", False),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", False),
    ],
)
def test_a_response_shows_whether_the_connection_can_be_used_again(head, leaves_open):
    response = Response()
    response.feed(head)
    assert response.leaves_open == leaves_open


def test_a_request_has_its_headers_and_the_length_of_its_body():
    assert write_request("GET", "/x?y=z", {"Host": "docker"}) == b"GET /x?y=z HTTP/1.1\r\nHost: docker\r\n\r\n"
    assert write_request("POST", "/", {"Host": "h"}, b"ab") == b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/a b", {}),
        ("/\r\nX: 1", {}),
        ("/\u00fc", {}),
        ("/", {"X Y": "1"}),
        ("/", {"X": "secret\r\nY: 2"}),
        ("/", {"X": "secret\n"}),
        ("/", {"X:": "secret"}),
    ],
)
def test_a_request_that_would_be_another_one_is_rejected_without_its_secrets(target, headers):
    with pytest.raises(ValueError, match="invalid") as caught:
        write_request("GET", target, headers)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Sat, 02 Oct 2100 07:06:40 GMT", 4126144000),
        ("Thu, 01 Jan 1970 00:00:60 GMT", 59),
        ("", None),
        ("now", None),
        ("Sat, 02 Okt 2100 07:06:40 GMT", None),
        ("Sat, 99 Oct 2100 07:06:40 GMT", None),
    ],
)
def test_a_date_is_read(text, seconds):
    assert read_date(text) == seconds
