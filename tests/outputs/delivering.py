"""Deliveries to stand-in sinks."""

from contextlib import contextmanager

import pytest

from lanner.outputs import delivery as module
from lanner.outputs.delivery import QueuedDelivery
from lanner.outputs.worker import Backoff

from ..waiting import PATIENCE
from .standins import make_alert

QUICK = Backoff(0.01, 0.05)


@contextmanager
def delivering(*sinks, **options):
    """A delivery. It does not itself look for late sinks and dropped alerts, which could be in the midst of a test's step: `look` does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_LOOK_OFTEN", 3600.0)
        delivery = QueuedDelivery(sinks, **{"backoff": QUICK, "timeout": PATIENCE, **options})
    try:
        yield delivery
    finally:
        delivery.close(PATIENCE)


def look(delivery):
    for worker in delivery._workers:
        worker.look()


def write(delivery, count, first=1, size=0):
    for number in range(first, first + count):
        delivery.write(make_alert(number, size))
    delivery.flush()


def upto(count):
    return list(range(1, count + 1))
