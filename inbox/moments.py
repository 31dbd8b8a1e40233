"""Instants as a reader sees them, and instants as a reader writes them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import humanize
from babel.dates import format_datetime

from decisions.worktime import LONGEST_BREAK, WorkingHours, first_instant

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d) UTC")
"""How the domain writes an instant for people everywhere."""
_A_MOMENT = timedelta(minutes=1)
_WALL = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class Watch:
    """The present instant, and the zone to show instants in.

    Attributes:
        zone: IANA time zone of the reader.
        now: The present instant (timezone-aware).
    """

    zone: str
    now: datetime

    def written(self, at: datetime) -> str:
        """Return the instant on the reader's wall, like Tue 24 Nov, 14:00."""
        there = at.astimezone(ZoneInfo(self.zone))
        year = "" if there.year == self.now.astimezone(ZoneInfo(self.zone)).year else " y"
        return format_datetime(there, f"EEE d MMM{year}, HH:mm", locale="en")

    def exact(self, at: datetime) -> str:
        """Return the instant in UTC, to the second, as HTML's ``time`` wants it."""
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def wall(self, at: datetime) -> str:
        """Return the instant on the reader's wall, as a date and time field wants it."""
        return at.astimezone(ZoneInfo(self.zone)).strftime(_WALL)

    def told(self, text: str) -> str:
        """Return what the desk says as a sentence, its instants on the reader's wall."""
        said = _INSTANT.sub(
            lambda found: self.written(datetime.fromisoformat(f"{found[1]}+00:00")), text
        )
        return said[:1].upper() + said[1:] + ("" if said.endswith((".", "?", "!")) else ".")

    def relative(self, at: datetime) -> str:
        """Return how far off an instant is: ``in 3 hours``, ``2 days ago`` or ``now``."""
        if abs(at - self.now) < _A_MOMENT:
            return "now"
        return f"in {span(at - self.now)}" if at > self.now else f"{span(self.now - at)} ago"


def span(length: timedelta) -> str:
    """Return a length of time in words, rounded down to what matters for its size."""
    unit = "minutes" if length < timedelta(days=1) else "hours"
    unit = "days" if length >= timedelta(days=3) else unit
    return humanize.precisedelta(
        length, minimum_unit=unit, suppress=("months", "years"), format="%d"
    )


def next_morning(hours: WorkingHours, now: datetime) -> datetime | None:
    """Return when work begins on the next day that is worked after today (UTC), if there is one.

    Args:
        hours: When the person works.
        now: The present instant (timezone-aware).
    """
    today = hours.local_day(now)
    ahead = (hours.on(today + timedelta(days=n)) for n in range(1, LONGEST_BREAK.days))
    return next((working[0] for working in ahead if working), None)


def from_wall(text: str, zone: str) -> datetime:
    """Return the instant (UTC) that a date and time field of a reader in this zone means.

    Raises:
        ValueError: The text is no date and time, or one that names a zone of its own.
    """
    wall = datetime.fromisoformat(text)
    if wall.tzinfo is not None or not 1900 < wall.year < 9000:
        raise ValueError(f"{text!r} is no date and time like '2026-11-24T14:00'")
    return first_instant(wall, zone)
