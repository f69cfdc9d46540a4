"""The native part's treatment of each event of a stream, in a readable form: tests compare the two.

An event goes through these in order: `Window` leaves out what was seen, `finished` adds the member "lanner", `Queue` bounds what waits.
"""

import re
from collections import deque
from hashlib import blake2b

from lanner.native import Reader
from lanner.sdk.payload.values import payload

SPAN = 2_000_000_000
LEAST, MOST = 1024, 16_384
BLANKS = b" \t\r\n"

# In a string of JSON the quotes would be escaped, so this is a member's name, and labels have strings as values
_TIME = re.compile(rb'"timeNano":[ \t-\r]*([0-9]{1,19})(?![0-9])')
_OWN = Reader([payload["lanner"].keys().data()])


def time_of(line):
    """When the event happened, ns since 1970; None where the line does not tell."""
    found = _TIME.findall(line)
    return int(found[-1]) if found else None


def key_of(line):
    """The event's time and hash, by which it is known over a restart; None where the line tells no time."""
    time = time_of(line)
    return None if time is None else f"{time}-{int.from_bytes(blake2b(line, digest_size=8).digest(), 'big'):016x}"


def time_in(key):
    """The time in a key, ns since 1970."""
    return int(key.split("-")[0])


class Window:
    """The seen events of one engine: takes lines, returns the new ones."""

    def __init__(self, keys=()):
        self.order = deque(keys)
        self.known = set(keys)

    @property
    def last(self):
        return time_in(self.order[-1]) if self.order else 0

    def take(self, lines, *, timed=False):
        new = []
        for line in lines:
            key = key_of(line)
            if (key is None and timed) or key in self.known:
                continue
            if key is not None:
                self.known.add(key)
                self.order.append(key)
            new.append(line)
        while len(self.order) > LEAST and (len(self.order) > MOST or time_in(self.order[0]) < self.last - SPAN):
            self.known.remove(self.order.popleft())
        return new

    def has_seen(self, lines):
        return any(key_of(line) in self.known for line in lines)

    def has_missed(self, lines):
        return any(key is not None and key not in self.known for key in map(key_of, lines))


def finished(line, name=b"", described=None, whole=0):
    """The line with what Lanner knows besides: `name` is the member "host", `whole` the size of an event of which this is a part."""
    members = [name] if name else []
    if whole:
        members.append(b'"truncated":"true","bytes":%d' % whole)
    if described is not None:
        members.append(b'"inspect":' + described)
    if not members and not is_forged(line):
        return line
    stripped = line.strip(BLANKS)
    if (stripped[:1], stripped[-1:]) != (b"{", b"}"):
        return line
    head = stripped[:-1]
    return head + (b"" if head.rstrip(BLANKS) == b"{" else b",") + b'"lanner":{' + b",".join(members) + b"}}"


def is_forged(line):
    """Whether the line has a member "lanner" in which a field would find something."""
    return _OWN.load(line) and _OWN.get(0) is not None


def may_start_container(line):
    """Whether the line may be about the creation or the start of a container."""
    return (b'"start"' in line or b'"create"' in line) and b'"container"' in line


class Queue:
    """A limit of lines and bytes, and the report of drops: `gap(since, until)` makes it, a tuple of these times and its line."""

    def __init__(self, most, most_bytes, policy, gap):
        self.most, self.most_bytes, self.policy, self.gap = most, most_bytes, policy, gap
        self.entries = deque()
        self.dropped = None
        self.put_so_far = self.dropped_so_far = 0

    def put(self, lines):
        for line in lines:
            if self.policy == "drop_oldest":
                while self.entries and not self.fits(line):
                    self.drop(self.entries.popleft())
            elif not self.fits(line):
                if self.policy == "block":
                    return
                self.drop(line)
                self.put_so_far += 1
                continue
            elif self.dropped:
                self.entries += self.tell_dropped()
            self.entries.append(line)
            self.put_so_far += 1

    def take(self):
        taken = self.tell_dropped() if self.policy == "drop_oldest" else []
        taken += self.entries
        self.entries.clear()
        return taken + self.tell_dropped()

    def fits(self, line):
        # the report of a gap takes room, too
        size = sum(len(each[-1]) if isinstance(each, tuple) else len(each) for each in self.entries)
        return not self.entries or (len(self.entries) < self.most and size + len(line) <= self.most_bytes)

    def drop(self, entry):
        if isinstance(entry, tuple):
            since, until = entry[:2]
        else:
            since = until = time_of(entry)
            self.dropped_so_far += 1
        earliest, latest = self.dropped or (since, until)
        self.dropped = min(earliest, since), max(latest, until)

    def tell_dropped(self):
        told, self.dropped = [self.gap(*self.dropped)] if self.dropped else [], None
        return told
