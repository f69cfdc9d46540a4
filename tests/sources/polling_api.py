"""An API with pages of events, and runs of a plugin that polls it."""

import json
import time
from contextlib import contextmanager

import lanner
from lanner import sources
from lanner.sdk.hosting.open_source import open_source
from lanner.sdk.hosting.plugin_init import init_plugin

from ..waiting import PATIENCE

QUICK = 0.01


class Store:
    """A host's store of positions, as JSON."""

    def __init__(self, resumed=None):
        self.resumed = resumed
        self.counters = {}

    def advance(self, position):
        self.resumed = json.loads(json.dumps(position))


class Run:
    """A run of a plugin that polls."""

    def __init__(self, source):
        self.source = source
        self.rest = []

    def take(self, count):
        """The next events; more than that is kept for the next call."""
        deadline = time.monotonic() + PATIENCE
        while len(self.rest) < count and time.monotonic() < deadline:
            self.rest += self.source.next_batch(20).payloads
        found, self.rest = self.rest[:count], self.rest[count:]
        return [json.loads(payload) for payload in found]


@contextmanager
def polling(request, store=None, **options):
    options = {"every": QUICK, **options}

    class Polls(lanner.Plugin):
        """A plugin that polls."""

        id, name, version, event_source, contact = 4242, "polls", "0.1.0", "polls", "github.com/you/polls"

        def open(self, _params, position):
            return sources.poll(request, position=position, **options)

    source = open_source(init_plugin(Polls), "", store)
    try:
        yield Run(source)
    finally:
        source.close()
        while not source.next_batch(20).ended:  # a host reads to the end
            pass


def body(items):
    return json.dumps(items).encode()


class Log:
    """An API with events 1, 2, 3 ... at growing times, in pages: `since` is inclusive, `after` is a page."""

    def __init__(self, count, size=2):
        self.times = list(range(1, count + 1))
        self.size = size

    def add(self, moment):
        self.times.append(moment)

    def __call__(self, request):
        since, after = int(request.query.get("since") or 0), int(request.query.get("after") or 0)
        found = [{"id": number, "at": moment} for number, moment in enumerate(self.times, 1) if moment >= since]
        page = found[after : after + self.size]
        headers = {}
        if after + self.size < len(found):
            headers["Link"] = f'</log?since={since}>; rel="self", </log?since={since}&after={after + self.size}>; rel="next"'
        return 200, headers, body(page)


def ids(events):
    return [event["id"] for event in events]


def failing(*answers):
    """An API that gives these answers first, and then one event."""
    left = list(answers)
    return lambda _: left.pop(0) if left else (200, {}, body([{"id": 1}]))
