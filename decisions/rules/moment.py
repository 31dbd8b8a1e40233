"""Dates and instants as whole numbers: days, and microseconds, from the start of 1970 in UTC.

Unlike ``datetime`` these reach beyond the year 9999, as those of warehouses do.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

DAY = 86_400_000_000
"""Microseconds."""
_LENGTHS = {"MINUTE": 60_000_000, "HOUR": 3_600_000_000, "DAY": DAY}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097
"""The Gregorian calendar repeats itself."""


def day_number(day: date) -> int:
    """Return the days from 1970-01-01 to a date."""
    return day.toordinal() - _EPOCH_DAY


def instant_number(at: datetime) -> int:
    """Return the microseconds from the start of 1970 to an instant; a naive one is of UTC."""
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)


def civil(day: int) -> tuple[int, int, int]:
    """Return year, month and day of the month of a day's number."""
    cycle, place = divmod(day + _EPOCH_DAY - 1, _CYCLE_DAYS)
    found = date.fromordinal(place + 1)
    return found.year + cycle * _CYCLE_YEARS, found.month, found.day


def shifted(at: int, count: int, unit: str) -> int:
    """Return the instant that many units later; a month later is at most its last day.

    Args:
        at: Microseconds from the start of 1970.
        count: How many; may be negative.
        unit: ``MINUTE``, ``HOUR``, ``DAY`` or ``MONTH``.
    """
    if unit != "MONTH":
        return at + count * _LENGTHS[unit]
    day, rest = divmod(at, DAY)
    year, month, day_of_month = civil(day)
    years, before = divmod(year * 12 + month - 1 + count, 12)
    cycle, place = divmod(years - 1, _CYCLE_YEARS)
    last = monthrange(place + 1, before + 1)[1]
    found = date(place + 1, before + 1, min(day_of_month, last))
    return (day_number(found) + cycle * _CYCLE_DAYS) * DAY + rest
