"""Search in a store: exactly what the filter's reference finds, in every way of paging."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lanner.alerts.alert_store import AlertStore
from lanner.alerts.filters import Filter, FilterError, parse_filter
from lanner.alerts.store_format import DAY

from .stores import START, alert, make_store
from .test_filters import ANY_TEXT, PIECES

NOW = START + 2 * DAY
TEXTS = st.sampled_from(
    ["web", "web-1", "Web", "db", "shell in web-1", "a\0b", "é", "É", "e\u0301", "x.y:z", "", "a b", "中文", "-", "b a"]
)
ALERTS = st.lists(
    st.builds(
        lambda rule, priority, source, subject, message, fields, tags, second: alert(
            arrived=START + second * 10**9,
            rule=rule,
            priority=priority,
            source=source,
            subject=subject,
            message=message,
            fields=fields,
            tags=tags,
        ),
        st.sampled_from(["Shell", "shell", "Web x", "é"]),
        st.integers(0, 7),
        st.sampled_from(["docker", "k8s"]),
        TEXTS,
        TEXTS,
        st.dictionaries(
            st.sampled_from(["a.b", "x.y", "evt.time"]), TEXTS | st.integers(0, 3) | st.lists(TEXTS, max_size=2) | st.none(), max_size=2
        ),
        st.lists(st.sampled_from(["t", "web"]), max_size=2),
        st.integers(0, 2 * 86400),
    ),
    max_size=25,
)
TERMS = st.builds(
    lambda sign, term: sign + term.replace("_", " "),
    st.sampled_from(["", "", "-"]),
    st.sampled_from(
        [
            "we*",
            '"shell_i*"',
            "É*",
            "x*",
            "web",
            "WEB-1",
            '"shell_in"',
            "x.y:z",
            "a.b:web",
            "a.b:é",
            "a.b:*",
            "a.b:web*",
            'a.b:"a_b"',
            "a.b:1",
            "x.y:w*",
            "evt.time:2",
            "É",
            "中文",
            "rule:shell",
            "rule:*e*",
            "rule:Web*",
            "rule:é",
            "rule:none",
            "rule_in_(shell,_é)",
            'rule_in_("we*",_none)',
            "subject_in_(web*,_x)",
            "source_in_(k8s)",
            "a.b_in_(web,_1)",
            "tag_in_(t,_x)",
            "priority_in_(error,_info)",
            "a.b>0",
            "a.b_<=_2",
            "x.y>=3",
            "evt.time<2",
            "subject:web",
            "container:web*",
            'subject:""',
            "subject:a*b",
            "source:k*",
            "tag:t",
            "tag:w*",
            "priority>=warning",
            "priority<=info",
            "priority:debug",
            "since:1d",
            "until:20h",
            "since:30h",
            "until:100h",
            "since:47h30m",
        ]
    ),
)
FILTERS = st.lists(TERMS, max_size=4).map(" ".join)


def expected(stored, wanted):
    return [each for each in stored if wanted.matches(each)]


def all_after(store, wanted, limit, position=0):
    found, more = [], True
    while more:
        alerts, position, more = store.after(position, wanted, limit)
        assert len(alerts) <= limit
        found += alerts
    return found


def all_newest(store, wanted, limit, before=None):
    found, more = [], True
    while more:
        alerts, before, more = store.read_newest(wanted, limit, before)
        assert len(alerts) <= limit
        found += alerts
    return found


@pytest.fixture
def made(tmp_path_factory):
    """`made(alerts)`: a store with them, and what it stored."""
    opened = []

    def make(alerts, **options):
        path = tmp_path_factory.mktemp("store")
        stored = make_store(path, alerts)
        opened.append(AlertStore(path, **options))
        return opened[-1], stored

    yield make
    for store in opened:
        store.close()


@settings(max_examples=settings.default.max_examples // 2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ALERTS, st.lists(FILTERS, min_size=1, max_size=8), st.integers(1, 5), st.sampled_from([0, 0.1]))
def test_a_search_finds_what_the_reference_finds(made, alerts, texts, limit, patience):
    store, stored = made(alerts, patience=patience)
    for text in texts:
        wanted = parse_filter(text, NOW)
        assert all_after(store, wanted, limit) == expected(stored, wanted), text
        assert all_newest(store, wanted, limit) == expected(stored, wanted)[::-1], text
    for each in stored[::7]:
        assert all_newest(store, Filter(), limit, each.position) == [other for other in stored if other.position < each.position][::-1]
        assert all_after(store, Filter(), limit, each.position) == [other for other in stored if other.position > each.position]


def search(shared, text):
    store, stored = shared
    try:
        wanted = parse_filter(text, NOW)
    except FilterError:
        return
    assert store.read_newest(wanted, 10).alerts == expected(stored, wanted)[::-1], ascii(text)


@settings(max_examples=5 * settings.default.max_examples, suppress_health_check=list(HealthCheck))
@given(text=ANY_TEXT)
def test_no_text_is_an_error_of_the_database(shared, text):
    search(shared, text)


def test_thousands_of_texts_are_no_errors_of_the_database(shared):
    choose = random.Random(20)
    for _ in range(4_000):
        letters = [chr(choose.choice((choose.randrange(128), choose.randrange(0x300), choose.randrange(0x110000)))) for _ in range(4)]
        search(shared, "".join(choose.choices((*PIECES, *letters), k=choose.randrange(1, 12))))


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    path = tmp_path_factory.mktemp("store")
    rows = [alert(message="shell in web-1", fields={"a.b": "x"}), alert(2, rule="AND", message="NEAR 🦊 é", arrived=START + DAY)]
    stored = make_store(path, rows)
    store = AlertStore(path, patience=60)
    yield store, stored
    store.close()
