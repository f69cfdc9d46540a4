"""The native part: field values read off JSON payloads, and the C library's own matchers."""

from lanner.native._native import Reader, call_log, casestr, fnmatch

__all__ = ["Reader", "call_log", "casestr", "fnmatch"]
