"""Reading a measurement again and again: the looks so far, and what one more would show."""

from datetime import datetime
from math import inf

from scipy import stats

from decisions.effectiveness import written
from decisions.effectiveness.about import Measure
from decisions.effectiveness.effect import Effect
from decisions.effectiveness.evidence import Evidence
from decisions.effectiveness.look import Look
from decisions.effectiveness.sequential import Bound, critical_value, spending
from decisions.ports import Frozen


class Reading(Frozen):
    """Where the plan stands at this report.

    Attributes:
        label: The look that this report is: a month that has ended, such as 2027-03, or the day of
            an extra one; None for a report between looks, which changes no verdict.
        number: Looks that have read an interval, this one included if it is one.
        looks: Looks planned.
        planned: Held-out subjects planned.
        known: Held-out subjects whose outcome is known.
        information: The share of the plan that is known, 0 to 1.
        spent: Alpha spent once this has been read, 0 to 1.
        critical: Standard errors to either side that the interval reaches.
        alpha: Chance that any of all looks excludes zero where there is no effect.
        adds: Whether more is known than at the last look.
    """

    label: str | None
    number: int
    looks: int
    planned: int
    known: int
    information: float
    spent: float
    critical: float
    alpha: float
    adds: bool

    @property
    def progress(self) -> str:
        """How much of the plan is known, as a sentence."""
        known, planned = written.count(self.known), written.count(self.planned)
        if self.is_complete:
            return (
                f"The plan is complete: the outcomes of {known} held-out subjects are known, and "
                f"{planned} were planned."
            )
        return f"The outcomes of {known} of {planned} planned held-out subjects are known."

    @property
    def is_complete(self) -> bool:
        """Whether the planned sample is known; the verdict is final then."""
        return self.information >= 1


def looks_of_period(evidence: Evidence) -> tuple[Look, ...]:
    """Return the looks published at the period that is reported on, first one first."""
    period = evidence.measurement.period if evidence.measurement else None
    return tuple(look for look in evidence.looks if look.period == period)


def past_looks(evidence: Evidence) -> tuple[Look, ...]:
    """Return those of them that have spent alpha."""
    return tuple(look for look in looks_of_period(evidence) if look.spent is not None)


def reading(measure: Measure, evidence: Evidence) -> Reading:
    """Return where the plan stands; an imported measurement is complete and read once.

    Args:
        measure: The outcome with its plan.
        evidence: What the ledger counted, and the looks published before.
    """
    known, past = evidence.control.observed, past_looks(evidence)
    planned = known if evidence.imported else measure.planned
    information = min(1.0, known / planned) if planned else 0.0
    bounds = [Bound(look.information, look.critical or inf) for look in past]
    critical = critical_value(bounds, information, alpha=measure.alpha)
    adds = critical is not None
    if critical is None:
        critical = (past[-1].critical if past else None) or float(stats.norm.isf(1e-9))
    return Reading(
        label=evidence.imported.period if evidence.imported else evidence.look,
        number=len(past) + (adds and _is_look(evidence)),
        looks=1 if evidence.imported else measure.looks,
        planned=planned,
        known=known,
        information=information,
        spent=spending(information, measure.alpha) if adds or not past else past[-1].spent or 0.0,
        critical=critical,
        alpha=measure.alpha,
        adds=adds,
    )


def _is_look(evidence: Evidence) -> bool:
    return evidence.look is not None or evidence.imported is not None


def look_taken(
    reading: Reading, evidence: Evidence, *, effect: Effect | None, verdict: tuple[str, str, str]
) -> Look | None:
    """Return the look to publish; None where this report is none, or one was taken since.

    Args:
        reading: Where the plan stands.
        evidence: What the ledger counted.
        effect: The estimate; None where none may be made.
        verdict: Its kind, its sentences and its recommendation.
    """
    if evidence.measurement is None or evidence.look is None or evidence.imported:
        return None
    mine = looks_of_period(evidence)
    if any(look.label == evidence.look or look.information >= 1 for look in mine):
        return None
    reads = effect is not None and reading.adds
    kind, sentences, recommendation = verdict
    return Look(
        period=evidence.measurement.period,
        label=evidence.look,
        as_of=evidence.as_of,
        information=reading.information,
        spent=reading.spent if reads else None,
        critical=reading.critical if reads else None,
        effect=effect if reads else None,
        verdict=kind,
        sentences=sentences,
        recommendation=recommendation,
    )


def following_look(at: datetime) -> datetime:
    """Return when the next month has ended (timezone-aware, UTC)."""
    year, month = at.year + at.month // 12, at.month % 12 + 1
    return at.replace(year=year, month=month, day=1, hour=0, minute=0, second=0, microsecond=0)
