"""The effectiveness report of one decision: every number, none of it rendered."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from decisions.definition import Definition
from decisions.effectiveness.about import About, Measure, about
from decisions.effectiveness.adoption import Adoption
from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.benefit import Benefit, benefit
from decisions.effectiveness.effect import Effect, estimate_effect
from decisions.effectiveness.evidence import Evidence, FieldMoved, Imported
from decisions.effectiveness.funnel import Funnel, OpenLoop, funnel, open_loops
from decisions.effectiveness.judgement import Judgement
from decisions.effectiveness.ladder import Found, shortfall, verdict, worthwhile
from decisions.effectiveness.look import Look
from decisions.effectiveness.overriding import AnswerOutcome
from decisions.effectiveness.randomisation import Check, checks
from decisions.effectiveness.reading import Reading, look_taken, looks_of_period, reading
from decisions.effectiveness.slicing import SliceEffects, slice_effects
from decisions.effectiveness.verdict import Verdict
from decisions.errors import InsufficientData
from decisions.ports import Frozen


class EffectivenessReport(Frozen):
    """Everything a report says.

    Shares run from 0 to 1. Arms and effect count subjects of the whole measurement period, each
    once and as allocated, because one month rarely decides anything; the funnel counts cases opened
    within the reporting span; open loops count every case.

    Attributes:
        about: The decision as declared.
        as_of: The instant the report knows of (timezone-aware).
        since: Start of the reporting span, inclusive; None for the beginning.
        until: End of the reporting span, exclusive; None for ``as_of``.
        verdict: What may be said.
        checks: What must hold before a difference means anything; empty without a holdout.
        reading: Where the plan stands: looks taken, alpha spent; None where nothing is compared.
        look: What this report publishes if it is a look; None if it is not, or was taken before.
        looks: The looks published before, of all periods, first one first.
        control: Subjects left alone on purpose.
        treatment: Subjects put forward for action.
        effect: The estimate; None where none may be made.
        worthwhile: The smallest effect worth having, in shares or the measure's unit; None where
            neither it nor a cost is declared.
        slices: The effect within declared parts of the subjects: ideas, never verdicts; empty
            unless the effect on all may be relied on.
        by_answer: What came of mature cases by how they were answered; owners choose whom they
            override, so this is a description and no effect.
        judgements: How right the model was on outcomes nobody acted on, one batch a month, oldest
            first.
        missing: What an effect still lacks, as sentences.
        benefit: What the effect comes to; None unless it may be relied on.
        funnel: How far cases got.
        loops: What is still unknown, by who holds the cases.
        adoption: How people dealt with cases.
        drift: How far the watched fields moved within the reporting span.
        imported: Where the period came from, if it was imported from a file.
        queries: The SQL behind the counts, by what it counts.
        answers: The rows that each gave.
    """

    about: About
    as_of: datetime
    since: datetime | None
    until: datetime | None
    verdict: Verdict
    checks: tuple[Check, ...]
    reading: Reading | None
    look: Look | None
    looks: tuple[Look, ...]
    control: ArmOutcomes
    treatment: ArmOutcomes
    effect: Effect | None
    worthwhile: float | None
    slices: tuple[SliceEffects, ...]
    by_answer: tuple[AnswerOutcome, ...]
    judgements: tuple[Judgement, ...]
    missing: tuple[str, ...]
    benefit: Benefit | None
    funnel: Funnel
    loops: tuple[OpenLoop, ...]
    adoption: Adoption
    drift: tuple[FieldMoved, ...]
    imported: Imported | None
    queries: Mapping[str, str]
    answers: Mapping[str, tuple[Mapping[str, Any], ...]]

    @property
    def last(self) -> datetime:
        """The last instant reported on (timezone-aware)."""
        ends = self.until - timedelta(microseconds=1) if self.until else self.as_of
        return min(ends, self.as_of)


def compose(
    definition: Definition, evidence: Evidence, *, names: Mapping[str, str] | None = None
) -> EffectivenessReport:
    """Make of the counts what may be said.

    Args:
        definition: The decision.
        evidence: What the ledger counted.
        names: Full names by key of ``people.yaml``; a key left out stands for itself.
    """
    names = names or {}
    declared = about(definition, evidence, names)
    checked, measure = checks(declared, evidence), declared.measure
    compared = measure is not None and declared.share is not None
    now = reading(measure, evidence) if measure and compared else None
    effect, missing = _effect(measure, evidence, now)
    is_reliable = not any(check.fault for check in checked)
    found = Found(
        about=declared,
        evidence=evidence,
        checks=checked,
        reading=now,
        effect=effect,
        missing=missing,
        benefit=benefit(effect, evidence.treatment, measure) if is_reliable else None,
        worthwhile=worthwhile(measure, evidence.treatment) if measure else None,
    )
    judged = verdict(found)
    said = (judged.kind.value, judged.sentences, judged.recommendation)
    return EffectivenessReport(
        about=declared,
        as_of=evidence.as_of,
        since=evidence.since,
        until=evidence.until,
        verdict=judged,
        checks=checked,
        reading=now,
        look=look_taken(now, evidence, effect=effect, verdict=said) if now else None,
        looks=evidence.looks,
        control=evidence.control,
        treatment=evidence.treatment,
        effect=effect,
        worthwhile=found.worthwhile,
        slices=slice_effects(evidence.slices, measure, critical=effect.critical, names=names)
        if measure and effect and is_reliable
        else (),
        by_answer=evidence.by_answer,
        judgements=evidence.judgements,
        missing=missing,
        benefit=found.benefit,
        funnel=funnel(declared, evidence),
        loops=open_loops(declared, evidence, names),
        adoption=evidence.adoption.named(names),
        drift=evidence.drift,
        imported=evidence.imported and evidence.imported.named(names),
        queries=evidence.queries,
        answers=evidence.answers,
    )


def _effect(
    measure: Measure | None, evidence: Evidence, now: Reading | None
) -> tuple[Effect | None, tuple[str, ...]]:
    if measure is None or now is None:
        return None, ()
    published = [look for look in looks_of_period(evidence) if look.label == evidence.look]
    if published and published[0].effect:
        return published[0].effect, ()
    missing = shortfall(evidence, measure)
    if missing:
        return None, missing
    try:
        return estimate_effect(
            evidence.control,
            evidence.treatment,
            better=measure.better,
            confidence=1 - measure.alpha,
            critical=now.critical,
        ), ()
    except InsufficientData as shortage:
        return None, (str(shortage),)
