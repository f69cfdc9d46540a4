"""Deliveries to stand-in sinks."""

import time
from contextlib import contextmanager

from lanner.outputs.delivery import QueuedDelivery
from lanner.outputs.worker import Backoff

from .standins import make_alert

QUICK = Backoff(0.01, 0.05)


@contextmanager
def delivering(*sinks, **options):
    delivery = QueuedDelivery(sinks, **{"backoff": QUICK, **options})
    try:
        yield delivery
    finally:
        delivery.close()


def write(delivery, count, first=1, size=0):
    for number in range(first, first + count):
        delivery.write(make_alert(number, size))
    delivery.flush()


def upto(count):
    return list(range(1, count + 1))


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
