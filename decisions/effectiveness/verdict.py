"""The one sentence a report leads with: the first step of the ladder that holds.

Later steps (effects too small to be worth having, designs too small to tell) come between ``works``
and ``no evidence yet`` once their numbers exist.
"""

from collections.abc import Sequence
from enum import StrEnum

from decisions.effectiveness import written
from decisions.effectiveness.about import About, Measure
from decisions.effectiveness.effect import Effect, visible_difference
from decisions.effectiveness.evidence import ENOUGH_SUBJECTS, ArmOutcomes, Evidence
from decisions.effectiveness.randomisation import Check
from decisions.ports import Frozen

ENOUGH_OUTCOMES = 10
"""Outcomes, and non-outcomes, in both arms together: with fewer there is nothing to compare.

Not in each arm: a decision that prevents every single loss would be "too early" for ever.
"""

ENOUGH_NONZERO = 30
"""Amounts other than zero in the smaller arm: with fewer, the mean of a skewed amount misleads."""

SUGGESTED_SHARE = 0.1
"""The holdout that a report on a decision without one reckons with."""


class VerdictKind(StrEnum):
    """The steps of the ladder, in the order in which they are tried."""

    NO_CLAIM = "no effect can be claimed"
    CANNOT_BE_JUDGED = "cannot be judged"
    TOO_EARLY = "too early"
    HARMFUL = "harmful"
    WORKS = "works"
    NO_EVIDENCE_YET = "no evidence yet"


class Verdict(Frozen):
    """What may be said, and what to do now.

    Attributes:
        kind: The step of the ladder.
        sentences: Why; no percentage without what it is a percentage of.
        recommendation: One thing to do.
    """

    kind: VerdictKind
    sentences: str
    recommendation: str


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


def verdict(
    about: About,
    evidence: Evidence,
    *,
    checks: Sequence[Check],
    effect: Effect | None,
    missing: Sequence[str],
) -> Verdict:
    """Return the first step of the ladder that holds.

    Args:
        about: The decision as declared.
        evidence: What the ledger counted.
        checks: What must hold before a difference means anything.
        effect: The estimate; None where none may be made.
        missing: What an effect still lacks.
    """
    faults = [check.fault for check in checks if check.fault]
    if about.measure is None:
        return _without_outcome()
    if about.share is None:
        return _without_holdout(about.measure, evidence.treatment)
    if faults:
        return _cannot_be_judged(faults, about.owner("technical"))
    if effect is None:
        return _too_early(evidence, missing)
    return _read(effect, about, about.measure)


def _without_outcome() -> Verdict:
    return Verdict(
        kind=VerdictKind.NO_CLAIM,
        sentences="No outcome is declared, so nobody can know whether it helped. What people did "
        "about the cases is below.",
        recommendation="Declare an outcome: what should come out differently, where that is read, "
        "and how long it may take.",
    )


def _without_holdout(measure: Measure, treatment: ArmOutcomes) -> Verdict:
    sentences = (
        "Nobody was left alone, so there is nothing to compare with: this report shows how the "
        "decision is used and what came after it, not what it caused."
    )
    advice = (
        "Declare a holdout: leave a share of the subjects, such as "
        f"{written.share(SUGGESTED_SHARE)}, alone on purpose."
    )
    known, happened = treatment.observed, treatment.total
    if known and treatment.zero_or_one == known:
        sentences += (
            f" '{measure.name}' afterwards: {written.percent(happened / known)} of the subjects "
            f"put forward ({written.count(happened)} of {written.count(known)})."
        )
        held_out = round(SUGGESTED_SHARE * known)
        visible = visible_difference(happened / known, held_out=held_out, treated=known - held_out)
        if visible is not None:
            advice += (
                f" With {written.count(held_out)} of these {written.count(known)} subjects left "
                f"alone, a difference of {written.size(visible)} points would have been noticed "
                "four times out of five."
            )
    return Verdict(kind=VerdictKind.NO_CLAIM, sentences=sentences, recommendation=advice)


def _cannot_be_judged(faults: Sequence[str], finder: str) -> Verdict:
    first, *others = faults
    # One broken stage usually breaks those after it: the table of checks shows them all.
    also = f" {len(others)} of the other checks below fail as well." if others else ""
    return Verdict(
        kind=VerdictKind.CANNOT_BE_JUDGED,
        sentences=f"{_sentence(first)}{also} The numbers below are for diagnosis only.",
        recommendation=f"Rely on none of these numbers. {finder} finds out why; a new measurement "
        "period, with a new salt, then starts clean.",
    )


def _too_early(evidence: Evidence, missing: Sequence[str]) -> Verdict:
    if evidence.control.subjects + evidence.treatment.subjects == 0:
        advice = "Let it run: the first case begins the measurement."
    else:
        advice = (
            "Wait, and change neither holdout nor outcome meanwhile: a change starts from zero."
        )
    if evidence.enough_at is not None and evidence.enough_at > evidence.as_of:
        advice += f" First look about {written.day(evidence.enough_at)}."
    return Verdict(
        kind=VerdictKind.TOO_EARLY,
        sentences=" ".join(map(_sentence, missing)),
        recommendation=advice,
    )


def _read(effect: Effect, about: About, measure: Measure) -> Verdict:
    acted = written.outcome(effect, effect.treatment, "the subjects put forward")
    left = written.outcome(effect, effect.control, "comparable subjects deliberately left alone")
    comparison = f"{acted}, against {left}"
    found = f"{written.difference(effect)} (95% interval {written.interval(effect)})"
    measured = f"Measured by '{measure.name}'; {measure.better} is better."
    if effect.gain.upper < 0:
        kind, sentences = VerdictKind.HARMFUL, f"{comparison}: {found}. {measured}"
        business, technical = about.owner("business"), about.owner("technical")
        advice = f"Halt it. {business} decides; {technical} finds the cause before it runs again."
    elif effect.gain.lower > 0:
        kind, sentences = VerdictKind.WORKS, f"{comparison}: {found}. {measured}"
        advice = "Keep it running, and keep the holdout: what works today can stop working."
    else:
        kind = VerdictKind.NO_EVIDENCE_YET
        sentences = (
            f"So far {found}, which still includes zero. {comparison}. {measured} This is not "
            "evidence that it does not work."
        )
        advice = "Let it run as declared: the interval narrows with every outcome that matures."
    return Verdict(kind=kind, sentences=sentences, recommendation=advice)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
