"""Before anything is measured: how long it takes, how many to leave alone, what that costs."""

from datetime import datetime, timedelta
from math import ceil

from decisions.effectiveness.about import Measure
from decisions.effectiveness.evidence import ENOUGH_SUBJECTS
from decisions.effectiveness.power import (
    MOST_SHARE,
    Base,
    Design,
    needed_share,
    power,
    sample_size,
    visible_difference,
)
from decisions.effectiveness.reading import following_look
from decisions.ports import Frozen

_WEEK = timedelta(weeks=1)
_MONTH = timedelta(days=365.25 / 12)
LONGEST = timedelta(days=3 * 365)
"""A verdict further off than this is never."""


class Pace(Frozen):
    """How fast subjects come, each counted once.

    Attributes:
        at_once: Subjects in the first batch: whoever has been waiting.
        weekly: New subjects a week after that; None where a single batch cannot say.
        batches: Batches this was read from.
        weeks: Weeks from the first to the last of them; at least 1 where there are several, of
            less than a week nothing is said per week that was not seen. 0 for a single one.
    """

    at_once: int
    weekly: float | None
    batches: int
    weeks: float

    def within(self, span: timedelta) -> float:
        """Return the subjects that come within a span; the first batch alone without a pace."""
        return self.at_once + (self.weekly or 0.0) * (span / _WEEK)

    def until(self, subjects: float) -> timedelta | None:
        """Return how long it takes until so many have come; None if never, or not known."""
        missing = max(0.0, subjects - self.at_once)
        if not missing:
            return timedelta()
        if not self.weekly:
            return None
        weeks = missing / self.weekly
        return weeks * _WEEK if weeks * _WEEK < LONGEST else None


class Outlook(Frozen):
    """What a measurement with a certain holdout takes.

    Attributes:
        share: Share held out, 0 to 1.
        subjects: Subjects of both arms that notice the effect 80 times out of 100.
        held_out: Held-out subjects among them; what to declare as planned.
        verdict_on: When the last of them is mature (timezone-aware); None if never, or not
            known for want of a pace.
        forgone: Successes given up by leaving them alone, if the effect is as large as hoped.
        price: What these are worth, in the value's unit; None where that is not known.
    """

    share: float
    subjects: int
    held_out: int
    verdict_on: datetime | None
    forgone: float | None
    price: float | None


class Plan(Frozen):
    """What to expect of a decision's measurement.

    Attributes:
        pace: How fast subjects come.
        base: The outcome without action, 0 to 1.
        difference: The smallest effect worth having, in shares, with the sign of the good side.
        declared: What the declared holdout takes.
        computed: What the smallest holdout takes that tells within the planned looks; None where
            even half of the subjects would not do.
        first_look_on: When the first look can be read (timezone-aware); None if never, or not
            known for want of a pace.
        power_planned: How often the effect is noticed with the planned number, 0 to 1.
        visible: The smallest effect that the planned number shows; None where none.
        warnings: What speaks against measuring like this, as sentences.
    """

    pace: Pace
    base: float
    difference: float
    declared: Outlook
    computed: Outlook | None
    first_look_on: datetime | None
    power_planned: float
    visible: float | None
    warnings: tuple[str, ...]


def planned(
    measure: Measure,
    pace: Pace,
    *,
    share: float,
    base: float,
    worthwhile: float,
    matures_after: timedelta,
    each: float | None,
    now: datetime,
) -> Plan:
    """Return what to expect of a measurement.

    Args:
        measure: The outcome with its plan.
        pace: How fast subjects come.
        share: The declared holdout, 0 to 1.
        base: The rate without action, between 0 and 1 exclusive.
        worthwhile: The smallest effect worth having, in shares, above 0.
        matures_after: How long after opening an outcome is final.
        each: What one success is worth on average; None where that is not known.
        now: When the measurement begins (timezone-aware).
    """
    rate = Base(rate=base)
    difference = worthwhile if measure.better == "higher" else -worthwhile
    horizon = measure.looks * _MONTH

    def outlook(of: float) -> Outlook:
        subjects = sample_size(rate, difference, share=of, looks=measure.looks, alpha=measure.alpha)
        taken, held_out = pace.until(subjects), ceil(subjects * of)
        return Outlook(
            share=of,
            subjects=subjects,
            held_out=held_out,
            verdict_on=None if taken is None else now + taken + matures_after,
            forgone=held_out * worthwhile,
            price=None if each is None else held_out * worthwhile * each,
        )

    cases = pace.within(max(horizon - matures_after, timedelta()))
    smallest = (
        needed_share(rate, difference, cases=cases, looks=measure.looks, alpha=measure.alpha)
        if cases >= ENOUGH_SUBJECTS
        else None
    )
    first = pace.until(ENOUGH_SUBJECTS / share)
    design = Design(
        held_out=measure.planned,
        treated=measure.planned * (1 - share) / share,
        looks=measure.looks,
        alpha=measure.alpha,
    )
    declared = outlook(share)
    computed = outlook(ceil(smallest * 100) / 100) if smallest else None
    return Plan(
        pace=pace,
        base=base,
        difference=difference,
        declared=declared,
        computed=computed,
        first_look_on=None if first is None else following_look(now + first + matures_after),
        power_planned=power(rate, difference, design),
        visible=visible_difference(rate, design, sign=1 if difference > 0 else -1),
        warnings=tuple(_warnings(measure, pace, declared, computed, now=now, cases=cases)),
    )


def _warnings(
    measure: Measure,
    pace: Pace,
    declared: Outlook,
    computed: Outlook | None,
    *,
    now: datetime,
    cases: float,
) -> list[str]:
    found = []
    horizon = now + measure.looks * _MONTH
    if pace.weekly is None:
        found.append(
            "How many subjects come a week cannot be read from one batch; plan again after the "
            "next run, or give past batches with --scores FILE …"
        )
    elif computed is None:
        found.append(
            f"It will never be able to tell: of about {cases:,.0f} subjects that mature within "
            f"{measure.looks} looks, not even a holdout of {MOST_SHARE:.0%} shows an effect this "
            "small. Accept a larger one, or measure several decisions together."
        )
    elif declared.verdict_on is None or declared.verdict_on > horizon:
        found.append(
            f"At the declared holdout the verdict comes after the {measure.looks} planned looks; "
            f"hold out {computed.share:.0%}."
        )
    comes = computed is not None and declared.verdict_on is not None
    if (comes or pace.weekly is None) and measure.planned < declared.held_out:
        found.append(
            f"The plan ends with {measure.planned:,} held-out subjects, before it can tell; "
            f"declare planned: {declared.held_out}."
        )
    return found


def pace_of(batches: list[tuple[datetime, int]]) -> Pace:
    """Return the pace of batches with their numbers of new subjects, in any order.

    Args:
        batches: When each was decided on (timezone-aware), and subjects new in it.
    """
    ordered = sorted(batches)
    if not ordered:
        return Pace(at_once=0, weekly=None, batches=0, weeks=0.0)
    if len(ordered) == 1:
        return Pace(at_once=ordered[0][1], weekly=None, batches=1, weeks=0.0)
    weeks = max((ordered[-1][0] - ordered[0][0]) / _WEEK, 1.0)
    later = sum(count for _, count in ordered[1:])
    return Pace(at_once=ordered[0][1], weekly=later / weeks, batches=len(ordered), weeks=weeks)
