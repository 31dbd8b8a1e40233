"""Before anything is measured: how long it takes, how many to leave alone, what that costs."""

from collections.abc import Iterator
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
    subjects_for,
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
        suppressed: Subjects that rules selected in these and that limits let through in none; they
            are counted in no other number.
        weeks: Weeks from the first to the last of them; at least 1 where there are several, of
            less than a week nothing is said per week that was not seen. 0 for a single one.
    """

    at_once: int
    weekly: float | None
    batches: int
    weeks: float
    suppressed: int = 0

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
        coming: Subjects that must come for so many to be held out, 9 times out of 10.
        verdict_on: When the last of these is mature (timezone-aware); None if never, or not
            known for want of a pace.
        forgone: Successes given up by leaving them alone, if the effect is as large as hoped.
        price: What these are worth, in the value's unit; None where that is not known.
    """

    share: float
    subjects: int
    held_out: int
    coming: int
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


class Aim(Frozen):
    """What is to be told by a measurement, and under which circumstances.

    Attributes:
        measure: The outcome with its plan.
        pace: How fast subjects come.
        share: The declared holdout, 0 to 1.
        base: The rate without action, between 0 and 1 exclusive.
        worthwhile: The smallest effect worth having, in shares, above 0.
        matures_after: How long after opening an outcome is final.
        each: What one success is worth on average; None where that is not known.
        now: When the measurement begins (timezone-aware).
    """

    measure: Measure
    pace: Pace
    share: float
    base: float
    worthwhile: float
    matures_after: timedelta
    each: float | None
    now: datetime

    @property
    def difference(self) -> float:
        """The smallest effect worth having, with the sign of the good side."""
        return self.worthwhile if self.measure.better == "higher" else -self.worthwhile

    @property
    def horizon(self) -> datetime:
        """When the last planned look is (timezone-aware)."""
        return self.now + self.measure.looks * _MONTH

    @property
    def in_time(self) -> float:
        """Subjects that come early enough to be mature at the last planned look."""
        return self.pace.within(max(self.horizon - self.now - self.matures_after, timedelta()))

    @property
    def design(self) -> Design:
        """The measurement as declared, once its plan is complete."""
        held_out = self.measure.planned
        return Design(
            held_out=held_out,
            treated=held_out * (1 - self.share) / self.share,
            looks=self.measure.looks,
            alpha=self.measure.alpha,
        )

    def outlook(self, share: float) -> Outlook:
        """Return what it takes with a certain holdout."""
        looks, alpha = self.measure.looks, self.measure.alpha
        subjects = sample_size(
            Base(rate=self.base), self.difference, share=share, looks=looks, alpha=alpha
        )
        held_out = ceil(subjects * share)
        coming = subjects_for(held_out, share)
        taken, forgone = self.pace.until(coming), held_out * self.worthwhile
        return Outlook(
            share=share,
            subjects=subjects,
            held_out=held_out,
            coming=coming,
            verdict_on=None if taken is None else self.now + taken + self.matures_after,
            forgone=forgone,
            price=None if self.each is None else forgone * self.each,
        )

    def smallest(self) -> Outlook | None:
        """Return what the smallest holdout takes that tells in time; None where none does."""
        if self.in_time < ENOUGH_SUBJECTS:
            return None
        looks, alpha = self.measure.looks, self.measure.alpha
        rate, cases = Base(rate=self.base), self.in_time
        share = needed_share(rate, self.difference, cases=cases, looks=looks, alpha=alpha)
        percents = range(ceil(share * 100), round(MOST_SHARE * 100) + 1) if share else ()
        found = (self.outlook(percent / 100) for percent in percents)
        # A little more than what tells on average: the draw must not fall short of it.
        return next((each for each in found if each.coming <= cases), None)


def planned(aim: Aim) -> Plan:
    """Return what to expect of a measurement."""
    rate = Base(rate=aim.base)
    first = aim.pace.until(subjects_for(ENOUGH_SUBJECTS, aim.share))
    declared, computed = aim.outlook(aim.share), aim.smallest()
    return Plan(
        pace=aim.pace,
        base=aim.base,
        difference=aim.difference,
        declared=declared,
        computed=computed,
        first_look_on=None
        if first is None
        else following_look(aim.now + first + aim.matures_after),
        power_planned=power(rate, aim.difference, aim.design),
        visible=visible_difference(rate, aim.design, sign=1 if aim.difference > 0 else -1),
        warnings=tuple(_warnings(aim, declared, computed)),
    )


def _warnings(aim: Aim, declared: Outlook, computed: Outlook | None) -> Iterator[str]:
    measure, pace = aim.measure, aim.pace
    if pace.weekly is None:
        yield (
            "How many subjects come a week cannot be read from one batch; plan again after the "
            "next run, or give past batches with --scores FILE …"
        )
    elif computed is None:
        yield (
            f"It will never be able to tell: of about {aim.in_time:,.0f} subjects that mature "
            f"within {measure.looks} looks, not even a holdout of {MOST_SHARE:.0%} shows an effect "
            f"this small. Accept a larger one, {_more(pace)}or measure several decisions together."
        )
    elif declared.verdict_on is None or declared.verdict_on > aim.horizon:
        yield (
            f"At the declared holdout the verdict comes after the {measure.looks} planned looks; "
            f"hold out {computed.share:.0%}."
        )
    comes = computed is not None and declared.verdict_on is not None
    if (comes or pace.weekly is None) and measure.planned < declared.held_out:
        yield (
            f"The plan ends with {measure.planned:,} held-out subjects, before it can tell; "
            f"declare planned: {declared.held_out}."
        )


def _more(pace: Pace) -> str:
    return "let limits hold back fewer, " if pace.suppressed else ""


def pace_of(batches: list[tuple[datetime, int]], *, suppressed: int = 0) -> Pace:
    """Return the pace of batches with their numbers of new subjects, in any order.

    Args:
        batches: When each was decided on (timezone-aware), and subjects new in it.
        suppressed: Subjects selected in them that limits let through in none.
    """
    ordered = sorted(batches)
    first = ordered[0][1] if ordered else 0
    if len(ordered) < 2:
        found = len(ordered)
        return Pace(at_once=first, weekly=None, batches=found, weeks=0.0, suppressed=suppressed)
    weeks = max((ordered[-1][0] - ordered[0][0]) / _WEEK, 1.0)
    later = sum(count for _, count in ordered[1:])
    return Pace(
        at_once=first,
        weekly=later / weeks,
        batches=len(ordered),
        weeks=weeks,
        suppressed=suppressed,
    )
