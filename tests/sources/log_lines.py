"""Writers of log files, and runs that follow one."""

import lanner
from lanner import sources


def append(path, *lines, end="\n"):
    with path.open("a") as file:
        for line in lines:
            file.write(line + end)


def returned(path, **options):
    return lambda self, params, position: sources.tail(path, position=position, **options)


def yielded(path, **options):
    def opening(self, params, position):
        yield from sources.tail(path, position=position, **options)

    return opening


def looped(path, **options):
    def opening(self, params, position):
        for event in sources.tail(path, position=position, **options):
            yield lanner.Event(event.payload, position=event.position)

    return opening


def restarted(run, following, **options):
    """A new run after this one, which ends."""
    run.close()
    return following(run.kept.position, **options)


def numbered(first, last):
    return [f"line {number}" for number in range(first, last + 1)]
