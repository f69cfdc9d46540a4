"""Direct delivery, as in a replay: a failed sink does not stop the others, and the alerts that it missed are reported."""

import pytest

from lanner.outputs.base import OutputError
from lanner.outputs.direct import DirectDelivery

from .standins import StandInSink, Switch, make_alert


def test_one_that_fails_keeps_the_others_from_nothing():
    def fail():
        raise OutputError("no such directory")

    bad, good = StandInSink("bad"), StandInSink("good")
    bad.reopen = bad.close = fail
    delivery = DirectDelivery([bad, good])
    with pytest.raises(OutputError):
        delivery.reopen()
    delivery.write(make_alert(1))
    with pytest.raises(OutputError):
        delivery.close()
    assert (good.reopened, good.numbers, good.closed) == (1, [1], 1)


def test_what_had_arrived_before_a_failure_is_counted():
    delivery = DirectDelivery([StandInSink("bad", Switch(up=False, delivered=3))])
    for number in range(5):
        delivery.write(make_alert(number))
    with pytest.raises(OutputError):
        delivery.close()
    assert delivery.counts()["bad"].delivered == 3


def test_what_one_has_missed_is_said_at_the_end():
    bad, good = StandInSink("bad", Switch(up=False, delivered=3)), StandInSink("good")
    delivery = DirectDelivery([bad, good])
    for number in range(5):
        delivery.write(make_alert(number))
    delivery.flush()
    delivery.write(make_alert(5))
    with pytest.raises(OutputError, match=r"^bad: 3 alerts could not be delivered and are lost: connection refused$"):
        delivery.close()
    assert good.numbers == list(range(6))


@pytest.mark.parametrize("call", ["send", "close", "reopen"])
def test_a_bug_in_one_keeps_the_others_from_nothing_and_is_said(call):
    def fail(*_):
        raise AttributeError("a defect")

    bad, good = StandInSink("bad"), StandInSink("good")
    setattr(bad, call, fail)
    delivery = DirectDelivery([bad, good])
    delivery.write(make_alert(1))
    delivery.flush()
    delivery.write(make_alert(2))
    with pytest.raises(OutputError, match="AttributeError: a defect"):
        delivery.reopen() if call == "reopen" else delivery.close()
    if call == "reopen":
        delivery.close()
    assert (good.numbers, good.closed) == ([1, 2], 1)


def test_a_bug_in_the_only_one_ends_the_run_as_a_failure():
    def fail(_):
        raise ValueError("a defect")

    delivery = DirectDelivery([StandInSink("bad", fail)])
    delivery.write(make_alert(1))
    with pytest.raises(OutputError, match="bad: ValueError: a defect"):
        delivery.flush()
