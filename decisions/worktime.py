"""Working hours: when a person works, and what a span of working time means for them.

Hours are wall-clock hours in the person's zone. Where the clock jumps forward, a time that does
not exist becomes the first instant after the gap; where it falls back, the first of the two counts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from decisions.errors import DecisionLayerError
from decisions.quantities import Span

if TYPE_CHECKING:
    import holidays as public_holidays

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_BREAK = timedelta(days=60)
"""Who has no working day within this has no working hours worth the name."""

_DAY = "|".join(WEEKDAYS)
_DAYS = rf"(?:{_DAY})(?:-(?:{_DAY}))?"
_HOURS = re.compile(rf"({_DAYS}(?:,{_DAYS})*)\s+(\d\d):([0-5]\d)-(\d\d):([0-5]\d)")
_COUNTRY = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{1,4}))?")
_WHOLE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """The hours somebody works, the same on each of their working days.

    Attributes:
        zone: IANA time zone name.
        days: Weekdays worked; Monday is 0.
        start: Wall time at which a working day begins.
        end: Wall time at which it ends; midnight means the end of that day.
        holidays: Country, or country and subdivision such as DE-BE, whose public holidays are
            not worked; None where holidays make no difference.
    """

    zone: str
    days: frozenset[int]
    start: time
    end: time
    holidays: str | None = None

    @classmethod
    def parse(cls, text: str, *, zone: str = "UTC", holidays: str | None = None) -> Self:
        """Read hours such as ``mon-fri 09:00-17:30``.

        Raises:
            ValueError: The text is not of that form, or the day ends before it begins.
        """
        match = _HOURS.fullmatch(text.strip().lower())
        if match is None:
            raise ValueError("write it like 'mon-fri 09:00-17:30' or 'mon,wed-fri 08:00-16:00'")
        start = 60 * int(match[2]) + int(match[3])
        end = 60 * int(match[4]) + int(match[5])
        if not start < end <= 24 * 60:
            raise ValueError("a working day begins before it ends, at 24:00 at the latest")
        days = frozenset(day for part in match[1].split(",") for day in _weekdays(part))
        return cls(zone, days, _wall_time(start), _wall_time(end), holidays)

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """Return when work begins and ends on that day (UTC), or None on a day off."""
        if day.weekday() not in self.days or is_holiday(day, self.holidays):
            return None
        closing_day = day + _WHOLE_DAY if self.end == time.min else day
        begins_at = first_instant(datetime.combine(day, self.start), self.zone)
        ends_at = first_instant(datetime.combine(closing_day, self.end), self.zone)
        return (begins_at, ends_at) if begins_at < ends_at else None

    def local_day(self, at: datetime) -> date:
        """Return the date it is for this person at an instant (timezone-aware)."""
        return at.astimezone(ZoneInfo(self.zone)).date()


def deadline(start: datetime, span: Span, hours: WorkingHours) -> datetime:
    """Return the instant at which a span that begins at ``start`` is over (UTC).

    Elapsed time simply passes. Working hours count while the person works. So many working days
    later means the same wall time on that working day. A span of working time that begins
    outside working hours begins when work next does.

    Args:
        start: When the span begins (timezone-aware).
        span: How long it is.
        hours: When the person whose time it is works.

    Raises:
        ValueError: The start has no time zone.
        DecisionLayerError: The person never works.
    """
    start = _utc(start)
    if not span.working:
        return start + span.elapsed
    if span.unit == "hour":
        return _after_working_hours(start, timedelta(hours=span.count), hours)
    return _after_working_days(start, span.count, hours)


def working_time(start: datetime, end: datetime, hours: WorkingHours) -> timedelta:
    """Return how much of the time between two instants (timezone-aware) is working time.

    It is zero when the end is not after the start.
    """
    start, end = _utc(start), _utc(end)
    total = timedelta()
    day, last_day = hours.local_day(start), hours.local_day(end)
    while day <= last_day:
        if working := hours.on(day):
            total += max(timedelta(), min(working[1], end) - max(working[0], start))
        day += _WHOLE_DAY
    return total


def first_instant(wall: datetime, zone: str) -> datetime:
    """Return the first instant (UTC) at which clocks in a zone show a wall time, or are past it.

    Args:
        wall: The wall time, without a time zone.
        zone: IANA time zone name.
    """
    there = ZoneInfo(zone)
    later = wall.replace(tzinfo=there, fold=0).astimezone(UTC)
    if later.astimezone(there).replace(tzinfo=None) == wall:
        return later
    earlier = wall.replace(tzinfo=there, fold=1).astimezone(UTC)
    return _first_after_gap(earlier, later, there)


def is_holiday(day: date, country: str | None) -> bool:
    """Whether a date is a public holiday of a country or subdivision, such as GB or DE-BE.

    Raises:
        ValueError: No holidays are known for the country or the subdivision.
    """
    return country is not None and day in _public_holidays(country)


def _weekdays(part: str) -> Iterator[int]:
    """Yield the weekdays of ``wed`` or ``wed-fri``; a range may run over Sunday."""
    first, _, last = part.partition("-")
    day = WEEKDAYS.index(first)
    yield day
    while WEEKDAYS[day] != (last or first):
        day = (day + 1) % 7
        yield day


def _wall_time(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at!r} has no time zone")
    return at.astimezone(UTC)


def _first_after_gap(earlier: datetime, later: datetime, zone: ZoneInfo) -> datetime:
    """Return the second at which the clock jumped, between an instant before and one after it."""
    before = earlier.astimezone(zone).utcoffset()
    while later - earlier > timedelta(seconds=1):
        middle = (earlier + (later - earlier) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            earlier = middle
        else:
            later = middle
    return later


@lru_cache(maxsize=64)
def _public_holidays(country: str) -> "public_holidays.HolidayBase":
    import holidays as public_holidays

    match = _COUNTRY.fullmatch(country)
    try:
        return public_holidays.country_holidays(*match.groups() if match else [""])
    except NotImplementedError as unknown:
        raise ValueError(
            f"no public holidays are known for {country!r}; "
            "write a country such as 'GB', or one with its part such as 'DE-BE'"
        ) from unknown


def _work_ahead(start: datetime, hours: WorkingHours) -> Iterator[tuple[datetime, datetime]]:
    """Yield when work begins and ends, day by day; on the first day, what is left of it."""
    day = last_worked = hours.local_day(start)
    while day - last_worked <= LONGEST_BREAK:
        if working := hours.on(day):
            last_worked = day
            begins_at, ends_at = max(working[0], start), working[1]
            if begins_at < ends_at:
                yield begins_at, ends_at
        day += _WHOLE_DAY
    raise DecisionLayerError(
        f"nobody with the hours {hours} works within {LONGEST_BREAK.days} days of {last_worked}; "
        "correct hours and holidays in people.yaml"
    )


def _after_working_hours(start: datetime, wait: timedelta, hours: WorkingHours) -> datetime:
    work = _work_ahead(start, hours)
    begins_at, ends_at = next(work)
    while wait > ends_at - begins_at:
        wait -= ends_at - begins_at
        begins_at, ends_at = next(work)
    return begins_at + wait


def _after_working_days(start: datetime, count: int, hours: WorkingHours) -> datetime:
    work = _work_ahead(start, hours)
    first_at, _ = next(work)
    wall = first_at.astimezone(ZoneInfo(hours.zone)).time().replace(fold=0)
    for _ in range(count):
        last_at, _ = next(work)
    return first_instant(datetime.combine(hours.local_day(last_at), wall), hours.zone)
