"""A poller gives each event once, resumes where it stood, and survives everything that the other side does."""

import json

import pytest

from .api_server import serving
from .polling_api import QUICK, Log, Store, body, ids, polling

pytestmark = pytest.mark.usefixtures("short_pauses")


def test_pages_are_read_to_the_end_and_then_what_is_new():
    log = Log(5)
    with serving(log) as api, polling(f"{api.url}/log?since={{cursor}}", cursor="at") as run:
        assert ids(run.take(5)) == [1, 2, 3, 4, 5]
        log.add(5)  # at the boundary
        assert ids(run.take(1)) == [6]
        log.add(7)
        assert ids(run.take(1)) == [7]
        assert run.source.connections == {api.url: True}
        assert run.source.counters["duplicates dropped"] > 0


def test_the_cursor_is_in_the_address_and_a_parameter_without_value_is_left_out():
    with serving(lambda _: (200, {}, body([{"at": "2026-01-01T00:00:00+01:00"}]))) as api:
        with polling(f"{api.url}/log?limit=5&since={{cursor}}", cursor="at"):
            assert api.next_request().target == "/log?limit=5"
            assert api.next_request().target == "/log?limit=5&since=2026-01-01T00%3A00%3A00%2B01%3A00"
        with polling(f"{api.url}/log?since={{cursor}}", cursor="at", start="x&y"):
            while (target := api.next_request().target) != "/log?since=x%26y":
                assert "limit" in target


@pytest.mark.parametrize("taken", range(1, 8))
def test_a_restart_resumes_after_the_last_processed_event(taken):
    log = Log(0, size=3)
    for moment in (1, 2, 2, 2, 2, 3, 4):
        log.add(moment)
    store = Store()
    with serving(log) as api:
        url = f"{api.url}/log?since={{cursor}}"
        with polling(url, store, cursor="at") as run:
            found = [json.loads(payload)["id"] for payload in take_exactly(run.source, taken)]
        with polling(url, store, cursor="at") as run:
            found += ids(run.take(7 - taken))
            log.add(4)
            found += ids(run.take(1))
    assert found == [1, 2, 3, 4, 5, 6, 7, 8]


def take_exactly(source, count):
    """Process this many events and no more, and then close."""
    found = []
    while len(found) < count:
        found += source.next_batch(20, count - len(found)).payloads
    source.commit(source.position)
    return found


def test_the_first_start_is_stored_before_the_first_event():
    """Else events that come while no run reads would be skipped, if each start begins with the time of now."""
    log, store = Log(0), Store()
    with serving(log) as api:
        with polling(f"{api.url}/log?since={{cursor}}", store, cursor="at", start=5) as run:
            while not run.source.counters.get("requests", 0) > 1:
                run.source.next_batch(QUICK)
            run.source.commit(run.source.position)
        assert store.resumed["cursor"] == 5
        log.add(6)
        with polling(f"{api.url}/log?since={{cursor}}", store, cursor="at", start=7) as run:
            assert ids(run.take(1)) == [1]


def test_a_page_that_later_events_come_to_is_the_position():
    """Okta's system log always has a next page."""
    events = [1, 2, 3]

    def answer(request):
        after = int(request.query.get("after", 0))
        page = events[after : after + 2]
        return 200, {"Link": f'<{api.url}/log?after={after + len(page)}>; rel="next"'}, body([{"id": each} for each in page])

    store = Store()
    with serving(answer) as api:
        with polling(f"{api.url}/log", store, follow=True) as run:
            assert ids(run.take(3)) == [1, 2, 3]
            events += [4, 5, 6]
            assert len(take_exactly(run.source, 1)) == 1
        with polling(f"{api.url}/log", store, follow=True) as run:
            assert ids(run.take(2)) == [5, 6]
            events.append(6)  # equal, but another event
            assert ids(run.take(1)) == [6]


def test_the_next_page_may_be_in_the_body():
    pages = {"": (["a", "b"], "t1"), "t1": (["c"], "t2"), "t2": (["d"], "")}
    seen = []

    def answer(request):
        found, token = pages[request.query.get("page", "")]
        seen.append(request.query.get("page", ""))
        return 200, {}, body({"meta": {"next": token}, "data": {"items": [{"id": each} for each in found]}})

    with serving(answer) as api, polling(f"{api.url}/log?page={{page}}", items=("data", "items"), next=("meta", "next")) as run:
        assert ids(run.take(4)) == ["a", "b", "c", "d"]
        while len(seen) < 4:
            api.next_request()
    assert seen[:4] == ["", "t1", "t2", ""]


def test_all_pages_of_a_poll_have_its_cursor():
    asked = []

    def answer(request):
        asked.append((request.query.get("since"), request.query.get("page")))
        page = int(request.query.get("page", 0))
        return 200, {}, body({"next": page + 1 if page < 2 else None, "items": [{"id": page, "at": page + 10}]})

    with (
        serving(answer) as api,
        polling(f"{api.url}/?since={{cursor}}&page={{page}}", cursor="at", start=5, items="items", next="next") as run,
    ):
        assert ids(run.take(3)) == [0, 1, 2]
        while len(asked) < 4:
            api.next_request()
    assert asked[:4] == [("5", None), ("5", "1"), ("5", "2"), ("12", None)]


@pytest.mark.parametrize("taken", [1, 2, 3, 4])
def test_events_in_another_order_are_not_lost_by_a_restart(caplog, taken):
    def answer(request):
        since, after = int(request.query.get("since") or 0), int(request.query.get("after") or 0)
        found = [{"id": number, "at": number} for number in (5, 4, 2, 3, 1) if number >= since]
        link = {"Link": f'</?since={since}&after={after + 2}>; rel="next"'} if after + 2 < len(found) else {}
        return 200, link, body(found[after : after + 2])

    store = Store()
    with serving(answer) as api:
        url = f"{api.url}/?since={{cursor}}"
        with polling(url, store, cursor="at") as run:
            found = {json.loads(payload)["id"] for payload in take_exactly(run.source, taken)}
        assert store.resumed is None
        with polling(url, store, cursor="at") as run:
            found |= set(ids(run.take(5)))
    assert found == {1, 2, 3, 4, 5}
    assert "the events are not in order" in caplog.text


def test_a_condition_that_could_not_be_sent_does_not_end_the_polls():
    with serving(lambda _: (200, {"ETag": "a\rb", "Last-Modified": "now"}, b"[]")) as api, polling(f"{api.url}/log"):
        api.next_request()
        headers = api.next_request().headers
        assert headers["If-Modified-Since"] == "now"
        assert "If-None-Match" not in headers


def test_feeds_that_begin_with_the_newest_event():
    """GitHub's events need conditional requests, pages that move, and an interval that the server requests."""
    events = [3, 2, 1]

    def answer(request):
        tag = f'"{events[0]}"'
        if request.headers["If-None-Match"] == tag:
            return 304, {"ETag": tag}, b""
        page = int(request.query.get("page", 1))
        found = events[(page - 1) * 3 : page * 3]
        links = {"Link": f'</events?page={page + 1}>; rel="next"'} if page * 3 < len(events) else {}
        return 200, {"ETag": tag, "X-Poll-Interval": "0", **links}, body([{"id": each} for each in found])

    store = Store()
    with serving(answer) as api:
        options = {"newest_first": True, "key": "id"}
        with polling(f"{api.url}/events", store, **options) as run:
            assert ids(run.take(3)) == [1, 2, 3]
            while api.next_request().headers["If-None-Match"] != '"3"':
                pass
            events[:0] = [10, 9, 8, 7, 6, 5, 4]
            assert ids(run.take(7)) == [4, 5, 6, 7, 8, 9, 10]
            take_exactly(run.source, 0)
        events[:0] = [14, 13, 12, 11]
        with polling(f"{api.url}/events", store, **options) as run:
            assert ids(run.take(4)) == [11, 12, 13, 14]


def test_events_keep_their_bytes():
    text = b'\xef\xbb\xbf[{"n": 12345678901234567890.50,\n "t": "\xff"} , 7]'
    with serving(lambda _: (200, {}, text)) as api, polling(f"{api.url}/") as run:
        assert run.source.next_batch(20).payloads == [b'{"n": 12345678901234567890.50,\n "t": "\xff"}', b"7"]


def test_equal_events_without_a_key_are_counted():
    events = [{"a": 1}, {"a": 1}]
    with serving(lambda _: (200, {}, body(events))) as api, polling(f"{api.url}/") as run:
        assert run.take(2) == [{"a": 1}, {"a": 1}]
        events.append({"a": 1})
        events.append({"b": 1})
        assert run.take(2) == [{"a": 1}, {"b": 1}]


@pytest.mark.parametrize("position", [1, "x", [], {}, {"keys": 5, "cursor": {}, "page": 7}, {"cursor": None, "keys": ["x"]}])
def test_a_position_of_another_kind_is_no_position(position):
    with serving(Log(2)) as api, polling(f"{api.url}/log?since={{cursor}}", Store(position), cursor="at") as run:
        assert ids(run.take(2)) == [1, 2]


def test_cursors_are_compared_as_times():
    times = ["2026-01-01T00:00:01Z", "2026-01-01T00:00:01.5Z", "2026-01-01T00:00:00Z"]
    answer = (200, {}, body([{"at": each} for each in times]))
    with serving(lambda _: answer) as api, polling(f"{api.url}/log?since={{cursor}}", cursor="at") as run:
        assert len(run.take(3)) == 3
        api.next_request()
        assert api.next_request().query["since"] == "2026-01-01T00:00:01.5Z"
