"""Points in time as users write them: seconds since 1970, a date with or without a time of day, or a span before now."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Final

_SECOND: Final = 1_000_000_000
_SPANS: Final = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": _SECOND, "m": 60 * _SECOND, "h": 3600 * _SECOND, "d": 86400 * _SECOND}
_UNITS: Final = "|".join(_SPANS)
_SECONDS: Final = r"([0-9]{1,10})(?:\.([0-9]{1,9}))?"
_SPAN: Final = rf"(?:[0-9]{{1,12}}(?:{_UNITS}))+"
_SPAN_PART: Final = rf"([0-9]+)({_UNITS})"
_DATE: Final = r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ]([0-9:]+)(?:\.([0-9]{1,9}))?)?(Z|[+-][0-9]{2}:[0-9]{2})?"


def parse_moment(text: str, now: int) -> int:
    """Return a point in time in nanoseconds since 1970, from a string that a user wrote.

    The text is seconds since 1970 (`1795426345.86`), a date (`2026-01-31T20:00:00Z`, `2026-01-31`; without a zone in local time), or a
    span before `now` (`10m`, `1h30m`, `7d`). Raises ValueError, which names these forms.
    """
    import re  # a .so starts without it

    if seconds := re.fullmatch(_SECONDS, text):
        return int(seconds[1]) * _SECOND + _fraction(seconds[2])
    if re.fullmatch(_SPAN, text):
        return max(0, now - sum(int(number) * _SPANS[unit] for number, unit in re.findall(_SPAN_PART, text)))
    date = re.fullmatch(_DATE, text)
    moment = _read_date(date) if date else None
    if moment is None:
        raise ValueError("not a time: write seconds since 1970, 2026-01-31T20:00:00Z, or a duration before now such as 10m")
    return moment


def _read_date(match: re.Match[str]) -> int | None:
    from datetime import datetime

    day, clock, fraction, zone = match.groups()
    try:
        whole = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}{(zone or '').replace('Z', '+00:00')}")
        seconds = int(whole.timestamp())
    except (ValueError, OverflowError):
        return None
    return None if seconds < 0 else seconds * _SECOND + _fraction(fraction)


def _fraction(digits: str | None) -> int:
    return int((digits or "").ljust(9, "0"))
