"""The native part: field values read off JSON payloads, chunks and lines, streams of events, the C library's own matchers. Private."""

import os

from lanner.native import _native
from lanner.native._native import (
    Dechunker,
    Events,
    EventWindow,
    Finisher,
    Framer,
    HostReader,
    LazySlot,
    Lines,
    Loan,
    ObjectFramer,
    Reader,
    call_log,
    casestr,
    clear_eventfd,
    decode_json,
    encode_json,
    fnmatch,
    merge_events,
    set_eventfd,
)

# an editable install has the extension modules outside of the package; a bundle has no files
_origin = _native.__spec__.origin if _native.__spec__ and os.path.exists(__file__) else None  # noqa: PTH110 - pathlib is slow to import
if _origin and (_folder := os.path.dirname(_origin)) not in __path__:  # noqa: PTH120
    __path__.append(_folder)

__all__ = [
    "Dechunker",
    "EventWindow",
    "Events",
    "Finisher",
    "Framer",
    "HostReader",
    "LazySlot",
    "Lines",
    "Loan",
    "ObjectFramer",
    "Reader",
    "call_log",
    "casestr",
    "clear_eventfd",
    "decode_json",
    "encode_json",
    "fnmatch",
    "merge_events",
    "set_eventfd",
]
