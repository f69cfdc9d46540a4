"""The native part: field values read off JSON payloads, and the C library's own matchers."""

from lanner.native._native import fnmatch

__all__ = ["fnmatch"]
