"""Which verdict holds: the first step of the ladder whose conditions are met.

A verdict about an effect is given at a look only. Between looks the last one stands: whoever may
choose the day on which to read will sooner or later find a good one.
"""

from datetime import datetime, timedelta

from decisions.effectiveness import sentences, written
from decisions.effectiveness.about import About, Measure
from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.benefit import Benefit
from decisions.effectiveness.effect import Effect
from decisions.effectiveness.evidence import ENOUGH_SUBJECTS, Evidence
from decisions.effectiveness.finished import of_finished
from decisions.effectiveness.look import Look
from decisions.effectiveness.power import (
    ENOUGH_POWER,
    Base,
    Design,
    needed_share,
    power,
    sample_size,
    visible_difference,
)
from decisions.effectiveness.randomisation import Check
from decisions.effectiveness.reading import Reading, looks_of_period, past_looks
from decisions.effectiveness.verdict import Verdict
from decisions.ports import Frozen

ENOUGH_OUTCOMES = 10
"""Outcomes, and non-outcomes, in both arms together: with fewer there is nothing to compare.

Not in each arm: a decision that prevents every single loss would be "too early" for ever.
"""

ENOUGH_NONZERO = 30
"""Amounts other than zero in the smaller arm: with fewer, the mean of a skewed amount misleads."""


class Found(Frozen):
    """Everything a verdict rests on.

    Attributes:
        about: The decision as declared.
        evidence: What the ledger counted.
        checks: What must hold before a difference means anything.
        reading: Where the plan stands; None where nothing is compared.
        effect: The estimate; None where none may be made.
        missing: What an effect still lacks.
        benefit: What the effect comes to.
        worthwhile: The smallest effect worth having, in shares or the measure's unit; None where
            neither it nor a cost is declared.
    """

    about: About
    evidence: Evidence
    checks: tuple[Check, ...]
    reading: Reading | None
    effect: Effect | None
    missing: tuple[str, ...]
    benefit: Benefit | None
    worthwhile: float | None


def shortfall(evidence: Evidence, measure: Measure) -> tuple[str, ...]:
    """Return what is missing before an effect may be read, as sentences; empty if nothing is."""
    control, treatment = evidence.control, evidence.treatment
    if control.subjects + treatment.subjects == 0:
        return ("no case of this measurement period has been opened yet",)
    few = tuple(
        f"{written.count(arm.mature)} of {written.count(arm.subjects)} {who} have reached the end "
        f"of their window of {measure.window}, and {written.count(arm.observed)} outcomes are "
        f"known; {ENOUGH_SUBJECTS} are needed"
        for arm, who in ((control, "held-out subjects"), (treatment, "subjects put forward"))
        if arm.observed < ENOUGH_SUBJECTS
    )
    alike = _too_alike(control, treatment, measure)
    return few or ((alike,) if alike else ())


def _too_alike(control: ArmOutcomes, treatment: ArmOutcomes, measure: Measure) -> str | None:
    known = control.observed + treatment.observed
    if control.zero_or_one + treatment.zero_or_one < known:
        smaller = min(control, treatment, key=lambda arm: arm.observed)
        found, needed = smaller.nonzero, ENOUGH_NONZERO
        what = f"{written.count(smaller.observed)} amounts in the smaller arm are other than zero"
    else:
        events, needed = control.nonzero + treatment.nonzero, ENOUGH_OUTCOMES
        found, which = min((events, "are"), (known - events, "are not"))
        what = f"{written.count(known)} known outcomes {which} '{measure.name}'"
    return None if found >= needed else f"{found} of {what}; {needed} are needed"


def worthwhile(measure: Measure, treatment: ArmOutcomes) -> float | None:
    """Return the smallest effect worth having: as declared, else where acting breaks even.

    Args:
        measure: The outcome with its plan.
        treatment: The subjects put forward, whose mean value is what a success is worth.

    Returns:
        The difference in shares or the measure's unit; None where nothing says what it takes.
    """
    if measure.worthwhile is not None:
        return measure.worthwhile
    if not measure.cost or not treatment.valued or treatment.worth <= 0:
        return None
    return measure.cost * treatment.valued / treatment.worth


def verdict(found: Found) -> Verdict:
    """Return the first step of the ladder that holds; of a finished trial, what it leads to."""
    judged = _judged(found)
    if found.evidence.imported is None:
        return judged
    return of_finished(judged, found.about, found.benefit)


def _judged(found: Found) -> Verdict:
    about, evidence = found.about, found.evidence
    faults = [check.fault for check in found.checks if check.fault]
    if about.measure is None:
        return sentences.no_outcome()
    if about.share is None or found.reading is None:
        return sentences.no_holdout(about.measure, evidence.treatment)
    published = _published(evidence, found.reading)
    if published and published.label == evidence.look:
        return sentences.as_published(published)
    if faults:
        return sentences.cannot_be_judged(faults, about.owner("technical"))
    if published:
        return sentences.as_published(published, since=evidence.look is not None)
    return _first_read(found, about.measure, found.reading)


def _published(evidence: Evidence, reading: Reading) -> Look | None:
    """Return the look whose verdict stands; None where this report may give one of its own."""
    mine = looks_of_period(evidence)
    if evidence.look and any(look.label == evidence.look for look in mine):
        return next(look for look in mine if look.label == evidence.look)
    past = past_looks(evidence)
    return past[-1] if past and not (evidence.look and reading.adds) else None


def _first_read(found: Found, measure: Measure, reading: Reading) -> Verdict:
    if found.effect is None:
        return sentences.too_early(found.evidence, found.missing)
    if found.evidence.look is None and found.evidence.imported is None:
        return sentences.not_read_yet(found.evidence, reading)
    return _read(found, found.effect, measure, reading)


def _read(found: Found, effect: Effect, measure: Measure, reading: Reading) -> Verdict:
    told = sentences.Told(found.about, measure, reading, effect, found.benefit)
    if effect.gain.upper < 0:
        return told.harmful()
    if effect.gain.lower > 0:
        return told.works()
    small = found.worthwhile
    if small is not None and max(-effect.gain.lower, effect.gain.upper) < small:
        return told.no_worthwhile_effect(small)
    if small is not None and not reading.is_complete:
        base, sign = base_of(found.evidence.control, effect), _sign(measure)
        design = planned_design(found.evidence, reading)
        found_power = power(base, sign * small, design)
        if found_power < ENOUGH_POWER:
            return told.cannot_tell(small, found_power, _ways_out(found, base, design, small))
    if reading.is_complete:
        return told.inconclusive()
    return told.no_evidence_yet(_until(found.evidence, reading.planned))


def base_of(control: ArmOutcomes, effect: Effect) -> Base:
    """Return how the outcome behaves among those who were left alone."""
    if effect.scale == "mean":
        return Base(deviation=control.variance**0.5)
    # A rate of 0 or 1 so far is not one for ever; add half a success and half a failure.
    return Base(rate=(control.total + 0.5) / (control.observed + 1))


def planned_design(evidence: Evidence, reading: Reading) -> Design:
    """Return the measurement as it will be once its plan is complete."""
    ratio = evidence.treatment.observed / evidence.control.observed
    return Design(
        held_out=reading.planned,
        treated=reading.planned * ratio,
        looks=reading.looks,
        alpha=reading.alpha,
    )


def _ways_out(found: Found, base: Base, design: Design, small: float) -> "sentences.WaysOut":
    sign = _sign(found.about.measure)
    share = design.held_out / (design.held_out + design.treated)
    whole = sample_size(base, sign * small, share=share, looks=design.looks, alpha=design.alpha)
    return sentences.WaysOut(
        share=share,
        needed=needed_share(
            base,
            sign * small,
            cases=design.held_out / share,
            looks=design.looks,
            alpha=design.alpha,
        ),
        planned=round(whole * share + 0.5),
        until=_until(found.evidence, whole * share),
        visible=visible_difference(base, design, sign=sign),
    )


def _sign(measure: Measure | None) -> int:
    return -1 if measure and measure.better == "lower" else 1


def _until(evidence: Evidence, planned: float) -> datetime | None:
    """Return when so many held-out subjects will be mature, going by how many came so far."""
    measurement, control = evidence.measurement, evidence.control
    if measurement is None or not control.mature:
        return None
    passed = evidence.as_of - measurement.began_at
    each = max(passed, timedelta(days=1)) / control.subjects
    waiting = max(planned - control.subjects, 0.0) * each
    wait = evidence.matures_after or timedelta()
    if waiting > timedelta(days=36_500):
        return None
    return evidence.as_of + waiting + wait
