"""The native part: field values read off JSON payloads, chunks and lines, streams of events, the C library's own matchers. Private."""

from lanner.native._native import (
    Dechunker,
    Events,
    EventWindow,
    Finisher,
    Framer,
    Lines,
    ObjectFramer,
    Reader,
    call_log,
    casestr,
    clear_eventfd,
    fnmatch,
    merge_events,
    set_eventfd,
)

__all__ = [
    "Dechunker",
    "EventWindow",
    "Events",
    "Finisher",
    "Framer",
    "Lines",
    "ObjectFramer",
    "Reader",
    "call_log",
    "casestr",
    "clear_eventfd",
    "fnmatch",
    "merge_events",
    "set_eventfd",
]
