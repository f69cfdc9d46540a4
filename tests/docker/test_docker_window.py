"""How an event is known again, what is added to it, and what of a stream is an event: the native form held to the readable one."""

import json
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lanner.docker.window import KEPT, LastKeys, new_window, time_of
from lanner.native import Dechunker, Events, Finisher, ObjectFramer, merge_events

from . import reference
from .stand_in import NOW, SECOND, chunk, event
from .streaming import is_gap

pytestmark = pytest.mark.native


def plain(time, **others):
    return event(time, **others).rstrip()


def times(line):
    return [time_of(key) for key in Events([line]).keys(1)]


# when an event happened


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b'{"timeNano":}',
        b'{"timeNano":"1795426345000000000"}',
        b'{"timeNano":-5}',
        b'{"timeNano":1' + b"0" * 30 + b"}",
        json.dumps({"Action": '"timeNano":5'}).encode(),
        b"aaaaaaaaaa123}",
    ],
)
def test_a_line_without_a_time_tells_none(line):
    assert times(line) == []
    assert Events([line]).timed == 0


PIECES = st.sampled_from(
    [
        b'"timeNano":',
        b'\\"timeNano\\":',
        b"timeNano",
        b'"',
        b":",
        b" ",
        b"\t",
        b"\v",
        b"{",
        b"}",
        b",",
        b"-",
        b".",
        b"0",
        b"17",
        b"9" * 19,
        b"1" * 20,
    ]
)


@given(st.lists(PIECES, max_size=12).map(b"".join))
@example(b'"timeNano":1')
@example(b'"timeNano":1}')
@example(b'"timeNano":12,"timeNano":x}')
@example(b'"timeNano":' + b"9" * 19)
def test_the_time_is_that_of_the_last_member_of_the_name(line):
    time = reference.time_of(line)
    assert times(line) == ([] if time is None else [time])


# what was seen

TIMES = st.integers(0, 5) | st.integers(NOW, NOW + 10 * SECOND)
LINES = st.builds(plain, TIMES, Action=st.sampled_from(["start", "die", "start", "oom"])) | st.sampled_from(
    [b"{}", b"{broken", b"", b"\xff"]
)
SEEDS = st.integers(0, 2**32)
BATCHES = st.lists(st.lists(LINES, max_size=20), max_size=12)


def agree(window, model):
    assert (len(window), window.last) == (len(model.order), model.last)


@given(st.lists(LINES, max_size=10), BATCHES)
def test_of_all_lines_the_first_of_each_comes_out(before, batches):
    """The window recognises events of a previous run."""
    keys = [key for line in before if (key := reference.key_of(line)) is not None]
    window, model = new_window(keys), reference.Window(dict.fromkeys(keys))
    for number, batch in enumerate(batches):
        assert window.has_seen(batch) == model.has_seen(batch)
        assert window.has_missed(batch) == model.has_missed(batch)
        timed = number % 2 == 1
        assert list(window.take(batch, timed=timed)) == model.take(batch, timed=timed)
        agree(window, model)


@given(SEEDS, st.sampled_from([0, 1, 500_000, SECOND]), st.integers(1, 3000))
def test_a_long_stream_is_forgotten_as_it_is_by_the_reference(seed, pace, size):
    """The window and the reference agree for clocks that jump, late duplicates, and batches of any size."""
    source = random.Random(seed)
    window, model = new_window(), reference.Window()
    clock, sent = NOW, []
    for _ in range(6):
        batch = []
        for _ in range(source.randint(0, size)):
            clock += source.randint(0, pace) - (source.random() < 0.001) * source.randint(0, 3600) * SECOND
            line = source.choice(sent) if sent and source.random() < 0.2 else b'{"timeNano":%d}' % clock
            batch.append(line)
            sent.append(line)
        assert list(window.take(batch)) == model.take(batch)
        agree(window, model)


def test_the_last_thousand_are_known_for_any_times_and_at_most_some_thousand_in_total():
    window = new_window()
    for number in range(50_000):  # backwards, half an hour apart
        window.take([plain((50_000 - number) * 1800 * SECOND)])
        assert len(window) <= 16_384
    again = [plain((50_000 - number) * 1800 * SECOND) for number in range(50_000 - 1024, 50_000)]
    assert list(window.take(again)) == []


def test_a_window_is_as_wide_as_two_seconds_of_a_busy_engine():
    window = new_window()
    busy = [plain(NOW + number * 200_000) for number in range(10_000)]
    window.take(busy)
    assert list(window.take(busy)) == []
    assert not is_gap(busy[0])


@given(st.binary(max_size=200), st.data())
def test_two_lines_of_one_moment_that_differ_anywhere_are_two(text, data):
    place = data.draw(st.integers(0, len(text)))
    other = data.draw(
        st.sampled_from(
            [text[:place] + b"\0" + text[place:], text[:place] + text[place + 1 :], bytes([*text[:place], 7, *text[place + 1 :]])]
        )
    )
    lines = [each + b'"timeNano":5}' for each in (text, other)]
    assert list(new_window().take(lines)) == list(dict.fromkeys(lines))


FIRST = f"7-{0:016x}"


@given(st.lists(st.lists(LINES | st.just(b"x" * 9000 + plain(NOW)), max_size=4), max_size=300))
def test_the_last_keys_are_those_of_the_last_events_that_tell_a_time(batches):
    """The keys are the same for any batches, and for keys that were read in between."""
    last, whole = LastKeys([FIRST]), LastKeys([FIRST])
    for number, batch in enumerate(batches):
        last.add(Events(batch))
        if number % 7 == 0:
            last.make()
        later = LastKeys()
        later.add(Events(batch))
        if number % 3 == 0:
            later.make()
        whole.extend(later)
    keys = [FIRST, *(key for batch in batches for line in batch if (key := reference.key_of(line)) is not None)]
    assert last.make() == whole.make() == keys[-KEPT:]
    assert [time_of(key) for key in keys[1:]] == [
        reference.time_of(line) for batch in batches for line in batch if reference.time_of(line) is not None
    ]


# what is added

TEXTS = st.text(max_size=4) | st.sampled_from(["lanner", "\\", "\u00e9"])
VALUES = TEXTS | st.integers() | st.dictionaries(TEXTS, TEXTS, max_size=2)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)
BLANK = st.text(" \t\r", max_size=2).map(str.encode)


@st.composite
def written(draw):
    """A line as an engine could write it, and worse."""
    text = json.dumps(draw(OBJECTS), ensure_ascii=draw(st.booleans())).encode(errors="replace")
    if draw(st.booleans()):
        text = text.replace(b'"lanner"', draw(st.sampled_from([b'"\\u006canner"', b'"lan\\u006Eer"', b'"lanner" ', b'"lan\\ner"'])))
    if draw(st.integers(0, 5)) == 0:
        place = draw(st.integers(0, len(text)))
        text = (
            text[:place]
            + draw(st.sampled_from([b"", b"}", b"{", b",", b'"', b"\\", b"\xff", b'{"lanner":{"host":"x"}}']))
            + text[place + 1 :]
        )
    return draw(BLANK) + text + draw(BLANK)


@given(st.lists(written(), max_size=5), st.sampled_from([b"", b'"host":"a"']), st.none() | st.just(b'{"user":"0"}'), st.data())
@example([b"{", b"}", b"{}", b"{ }", b'{"lanner":{}}', b'{"lanner":{"gap":1}}', b'[{"lanner":{"gap":1}}]'], b"", None, None)
def test_what_is_added_is_what_the_reference_adds(lines, name, described, data):
    events, finisher = Events(lines), Finisher(name)
    forged = finisher.finish(events)
    assert list(events) == [reference.finished(line, name) for line in lines]
    assert forged == (0 if name else sum(map(reference.is_forged, lines)))
    if described is not None and lines:
        place = data.draw(st.integers(0, len(lines) - 1))
        finisher.describe(events, place, described)
        lines = [reference.finished(line, name, described if number == place else None) for number, line in enumerate(lines)]
        assert list(events) == lines
    assert events.size == sum(map(len, events))
    half = len(lines) // 2
    assert merge_events([events]) == merge_events([events[:half], events[half:]]) == list(events)


@given(st.sampled_from([b"", b'"host":"a"']), st.integers(0, 200))
def test_an_event_of_which_a_part_was_kept_says_how_long_it_was(name, size):
    long = b'{"Action":"start","filler":"%b","timeNano":5}' % (b"x" * (100 + size))
    lines = ObjectFramer(100, [("Action",), ("timeNano",)]).feed(b'{"timeNano":4}\n' + long + b"\n")
    events = new_window().take(lines)
    Finisher(name).finish(events)
    assert events.cut == [len(long)]
    kept = b'{"Action":"start","timeNano":5}'
    assert list(events) == [reference.finished(b'{"timeNano":4}', name), reference.finished(kept, name, whole=len(long))]


@given(
    st.lists(st.sampled_from([b'"start"', b'"create"', b'"container"', b'"', b"start", b"create", b"container", b"{", b" "]), max_size=8)
)
def test_of_the_events_those_are_asked_about_that_may_start_a_container(parts):
    lines = [b"".join(parts[:end]) for end in range(len(parts) + 1)]
    assert Events(lines).starts() == [place for place, line in enumerate(lines) if reference.may_start_container(line)]


# parts of events


@given(st.lists(st.integers(1, 40), max_size=12), st.integers(-1, 14), st.integers(-5, 300), st.integers(0, 14))
def test_how_many_there_is_room_for(sizes, count, size, start):
    events = Events([b"x" * each for each in sizes])
    assert events.fitting(count, size, start) == max(
        n for n in range(len(sizes[start:]) + 1) if n == 0 or (n <= count and sum(sizes[start : start + n]) <= size)
    )
    covering = [n for n in range(len(sizes) + 1) if n >= count and sum(sizes[:n]) >= size]
    assert events.covering(count, size) == (covering[0] if covering else len(sizes))


@given(st.lists(LINES, max_size=8), st.slices(8))
def test_a_part_of_events_is_that_part(lines, place):
    events = Events(lines)
    if place.step in {None, 1}:
        assert list(events[place]) == lines[place]
    else:
        with pytest.raises(ValueError, match="step 1"):
            events[place]
    times = [NOW if (time := reference.time_of(line)) is None else time for line in lines]
    assert events.span(NOW) == ((min(times), max(times)) if times else None)


# a stream as it comes


@given(st.integers(1, 40), SEEDS, st.booleans())
def test_a_stream_in_any_pieces_over_any_connections_gives_each_event_once(count, seed, lines):
    """Each connection begins with some of what the ones before it brought, in another order, and breaks off anywhere."""
    source = random.Random(seed)
    events = [plain(NOW + number, Action=source.choice(["start", "die"]), name="x" * source.randint(0, 300)) for number in range(count)]
    window, model, seen, expected = new_window(), reference.Window(), [], []
    framer = ObjectFramer(10_000)
    sent = 0
    while sent < count:
        again = source.sample(events[:sent], source.randint(0, sent))
        fresh = events[sent : sent + source.randint(1, 10)]
        bodies = [*again, *fresh]
        broken = source.random() < 0.5
        if broken:
            bodies[-1] = bodies[-1][: source.randrange(len(bodies[-1]))]
        stream = b"".join(chunk(body + (b"" if broken and body is bodies[-1] else b"\n" if lines else b"")) for body in bodies)
        whole = bodies[:-1] if broken else bodies
        sent += len(fresh) - broken
        dechunker = Dechunker()
        while stream:
            size = source.randint(1, 400)
            seen += window.take(framer.feed(dechunker.feed(stream[:size])))
            stream = stream[size:]
        framer.end()
        expected += model.take(whole)
    assert seen == expected
    assert seen == list(dict.fromkeys(expected))
    assert sorted(seen) == sorted(events)
