"""Histograms: a batch of ages counts as its single values do."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanner.outputs.base import OutputError
from lanner.outputs.delivery import QueuedDelivery
from lanner.outputs.histogram import AGES, Histogram

from .http_server import alerts

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
AGE = st.one_of(st.integers(-SECOND, 2 * 86400 * SECOND), st.sampled_from([round(bound * SECOND) for bound in AGES]))


@given(st.lists(AGE, max_size=20))
def test_a_batch_counts_as_its_values(ages):
    one_by_one, batch = Histogram(AGES), Histogram(AGES)
    for age in ages:
        one_by_one.observe(max(0, age) / SECOND)
    batch.observe_ages(NOW, [NOW - age for age in ages])
    assert batch.read().counts == one_by_one.read().counts
    assert batch.read().total == pytest.approx(one_by_one.read().total)


def test_a_bound_belongs_to_its_bucket():
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 2.5):
        histogram.observe(value)
    assert histogram.read() == ((1.0, 2.0), (2, 2, 1), 7.5)


class Sink:
    name, batch_size, wants_records = "slow", 10, False

    def __init__(self, *failures):
        self.failures = list(failures)

    def send(self, sent):
        if self.failures:
            raise self.failures.pop()

    def interrupt(self):
        pass

    reopen = close = interrupt


def test_a_delivery_counts_its_calls_and_the_ages_of_what_arrived():
    delivery = QueuedDelivery([Sink(OutputError("down", delivered=1))])
    for each in alerts("a", "b", "c"):
        delivery.write(each._replace(timestamp=time.time_ns() - 3600 * SECOND))
    delivery.flush()
    delivery.close()
    counts = delivery.counts()["slow"]
    assert sum(counts.durations.counts) >= 2  # the failed call, too
    assert sum(counts.ages.counts) == counts.delivered == 3
    assert counts.ages.total == pytest.approx(3 * 3600, abs=60)
