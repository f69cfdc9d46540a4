"""The native part: field values read off JSON payloads, and the C library's own matcher."""

from lanner.native._native import Reader, fnmatch

__all__ = ["Reader", "fnmatch"]
