"""The native part: field values read off JSON payloads, and the C library's own matchers."""

from lanner.native._native import Reader, casestr, fnmatch

__all__ = ["Reader", "casestr", "fnmatch"]
