"""The reference for points in time and durations as strings: counted units, and the forms of dates that APIs use.

The native reader has the same in `native/values/dates.cpp`, and tests compare the two. All results are nanoseconds.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from lanner.sdk.payload.words import UNITS

if TYPE_CHECKING:
    from collections.abc import Callable

_DECIMAL: Final = re.compile(r"([0-9]{1,20})(?:\.([0-9]+))?")
_CLOCK: Final = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
_DAY: Final = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_RFC3339: Final = re.compile(rf"{_DAY}[Tt ]{_CLOCK}:(?P<second>[0-9]{{2}})(?:\.(?P<part>[0-9]+))?(?P<zone>[Zz]|[+-][0-9]{{2}}:[0-9]{{2}})")
_ISO8601: Final = re.compile(
    rf"{_DAY}(?:[Tt ]{_CLOCK}(?::(?P<second>[0-9]{{2}})(?:[.,](?P<part>[0-9]+))?)?(?P<zone>[Zz]|[+-][0-9]{{2}}(?::?[0-9]{{2}})?)?)?"
)
_ISO8601_BASIC: Final = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})[Tt](?P<hour>[0-9]{2})(?P<minute>[0-9]{2})"
    r"(?:(?P<second>[0-9]{2})(?:[.,](?P<part>[0-9]+))?)?(?P<zone>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_DAYS: Final = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_RFC2822: Final = re.compile(
    rf"(?:(?:{_DAYS}), *)?(?P<day>[0-9]{{1,2}}) +(?P<month>{'|'.join(_MONTHS)}) +(?P<year>[0-9]{{4}}) +{_CLOCK}(?::(?P<second>[0-9]{{2}}))?"
    r" +(?P<zone>[+-][0-9]{4}|GMT|UTC|UT)",
    re.IGNORECASE | re.ASCII,
)
_HTTP: Final = re.compile(
    rf"(?:{_DAYS}), (?P<day>[0-9]{{2}}) (?P<month>{'|'.join(_MONTHS)}) (?P<year>[0-9]{{4}}) {_CLOCK}:(?P<second>[0-9]{{2}}) GMT"
)
_CLF: Final = re.compile(
    rf"(?P<day>[0-9]{{2}})/(?P<month>{'|'.join(_MONTHS)})/(?P<year>[0-9]{{4}}):{_CLOCK}:(?P<second>[0-9]{{2}}) (?P<zone>[+-][0-9]{{4}})"
)
_EPOCH: Final = date(1970, 1, 1).toordinal()


def to_nanoseconds(text: str, form: str) -> int | None:
    """Return the nanoseconds of a string that counts a unit or has one of `DATE_FORMS`, otherwise None. They may exceed 64 bits."""
    if form in _FORMS:
        return _FORMS[form](text)
    factor = UNITS[form]  # type: ignore[index]
    found = _DECIMAL.fullmatch(text)
    if not found or (found[2] and factor == 1):
        return None
    places = len(str(factor)) - 1
    return int(found[1]) * factor + int((found[2] or "")[:places].ljust(places, "0") or "0")


def _of(*patterns: re.Pattern[str]) -> Callable[[str], int | None]:
    return lambda text: next((_moment(found) for pattern in patterns if (found := pattern.fullmatch(text))), None)


_FORMS: Final = {
    "rfc3339": _of(_RFC3339),
    "iso8601": _of(_ISO8601, _ISO8601_BASIC),
    "rfc2822": _of(_RFC2822),
    "http-date": _of(_HTTP),
    "clf": _of(_CLF),
}


def _moment(found: re.Match[str]) -> int | None:
    parts = found.groupdict()
    month = parts["month"]
    try:
        day = date(int(parts["year"]), int(month) if month.isdigit() else _MONTHS.index(month.title()) + 1, int(parts["day"])).toordinal()
    except ValueError:
        return None
    hour, minute, second = (int(parts.get(name) or "0") for name in ("hour", "minute", "second"))
    offset = _offset(parts.get("zone"))
    if hour > 23 or minute > 59 or second > 60 or offset is None:  # 60: a leap second
        return None
    seconds = ((day - _EPOCH) * 24 + hour) * 3600 + minute * 60 + second - offset
    return seconds * 10**9 + int((parts.get("part") or "")[:9].ljust(9, "0"))


def _offset(zone: str | None) -> int | None:
    """Return the seconds that a time zone is ahead of UTC."""
    if zone is None or zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or "0")
    if hours > 23 or minutes > 59:
        return None
    return (1 if zone[0] == "+" else -1) * (hours * 60 + minutes) * 60
