"""The native part: read field values from JSON payloads, split chunks and lines, match as the C library does. Private."""

from lanner.native._native import Dechunker, Framer, Lines, ObjectFramer, Reader, call_log, casestr, fnmatch

__all__ = ["Dechunker", "Framer", "Lines", "ObjectFramer", "Reader", "call_log", "casestr", "fnmatch"]
