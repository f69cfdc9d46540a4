"""The native part: field values read off JSON payloads, chunks and lines, the C library's own matchers. Private."""

from lanner.native._native import Dechunker, Framer, Lines, ObjectFramer, Reader, call_log, casestr, fnmatch

__all__ = ["Dechunker", "Framer", "Lines", "ObjectFramer", "Reader", "call_log", "casestr", "fnmatch"]
