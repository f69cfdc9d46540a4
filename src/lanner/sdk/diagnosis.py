"""Findings of `lanner doctor`: what a check found, how bad it is, and the fix."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: a warning may be as it should be here, a problem keeps something from working."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and what to do about it where it is not all right."""

    level: Level
    text: str
    fix: str = ""


def ok(text: str) -> Finding:
    """Return a finding about something that is right."""
    return Finding(Level.OK, text)


def warning(text: str, fix: str) -> Finding:
    """Return a finding about something that may be as it should be here."""
    return Finding(Level.WARNING, text, fix)


def problem(text: str, fix: str) -> Finding:
    """Return a finding about something that keeps something else from working."""
    return Finding(Level.PROBLEM, text, fix)
