"""What happens when in the demo's weeks, whoever the company is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

_WEEK = timedelta(weeks=1)
_OBSERVED_EVERY = 8
"""Weeks between two looks at what came of the cases."""


class Step(StrEnum):
    """What the company's machines do by themselves."""

    SCORE = "score"
    """The model's weekly scores land in the warehouse."""
    SCORE_PARTLY = "score partly"
    """They land as well, but the job died on its way."""
    DECIDE = "decide"
    DISPATCH = "dispatch"
    OBSERVE = "observe"


RUNS = frozenset({Step.DECIDE, Step.DISPATCH, Step.OBSERVE})
"""Steps that are runs of flows."""

_WEEKLY = (
    (timedelta(hours=5), Step.SCORE),
    (timedelta(hours=6), Step.DECIDE),
    (timedelta(hours=6, minutes=5), Step.DISPATCH),
    (timedelta(hours=15, minutes=30), Step.DISPATCH),
    (timedelta(days=2, hours=9), Step.DISPATCH),
)
"""After Monday 00:00 UTC. Few sweeps stand for the ten thousand of a week: each is a flow run."""

_BROKEN_WEEKLY = (
    (timedelta(hours=5), Step.SCORE_PARTLY),
    (timedelta(hours=6), Step.DECIDE),
    (timedelta(hours=6, minutes=5), Step.DISPATCH),
    (timedelta(days=1, hours=5), Step.SCORE),
    (timedelta(days=1, hours=6), Step.DECIDE),
    (timedelta(days=1, hours=6, minutes=5), Step.DISPATCH),
    (timedelta(days=1, hours=15, minutes=30), Step.DISPATCH),
    (timedelta(days=3, hours=9), Step.DISPATCH),
)

_LAST_SWEEPS = tuple(timedelta(days=day, hours=hour) for day in range(5) for hour in (9, 12, 14))
"""In the last week, so that what is open in the end was followed up closely."""


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """One thing that happens.

    Attributes:
        at: When (timezone-aware, UTC).
        week: In which week, from 1.
        step: What.
    """

    at: datetime
    week: int
    step: Step


def default_end(now: datetime) -> datetime:
    """Return the latest Tuesday 11:00 UTC: in the middle of things, a day after a run."""
    end = first_monday(now, weeks=1) + timedelta(days=1, hours=11)
    return end if end <= now else end - _WEEK


def first_monday(until: datetime, *, weeks: int) -> datetime:
    """Return the Monday 00:00 UTC on which a story of so many weeks begins.

    Args:
        until: When it ends (timezone-aware); the week it falls in is the last.
        weeks: How many there are, at least 1.
    """
    day = until.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday()) - (weeks - 1) * _WEEK


def moments(until: datetime, *, weeks: int) -> Iterator[Moment]:
    """Yield what happens, in order; in one week the scores arrive broken and are mended.

    Args:
        until: Nothing happens later (timezone-aware); the last thing is a look at outcomes.
        weeks: How many weeks there are, at least 1.
    """
    begins_at = first_monday(until, weeks=weeks)
    broken = weeks // 2 if weeks >= 8 else 0
    for week in range(1, weeks + 1):
        monday = begins_at + (week - 1) * _WEEK
        if week > 1 and week % _OBSERVED_EVERY == 1:
            yield Moment(monday, week, Step.OBSERVE)
        for after, step in _BROKEN_WEEKLY if week == broken else _weekly(weeks - week):
            if monday + after < until:
                yield Moment(monday + after, week, step)
    yield Moment(until, weeks, Step.OBSERVE)


def _weekly(weeks_left: int) -> Sequence[tuple[timedelta, Step]]:
    if weeks_left:
        return _WEEKLY
    return sorted({*_WEEKLY, *((after, Step.DISPATCH) for after in _LAST_SWEEPS)})
