"""The effectiveness report of one decision: every number, none of it rendered."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from decisions.definition import Definition
from decisions.effectiveness.about import About, about
from decisions.effectiveness.adoption import Adoption
from decisions.effectiveness.benefit import Benefit, benefit
from decisions.effectiveness.effect import Effect, estimate_effect
from decisions.effectiveness.evidence import ArmOutcomes, Evidence, Imported
from decisions.effectiveness.funnel import Funnel, OpenLoop, funnel, open_loops
from decisions.effectiveness.randomisation import Check, checks
from decisions.effectiveness.verdict import Verdict, VerdictKind, shortfall, verdict
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
        control: Subjects left alone on purpose.
        treatment: Subjects put forward for action.
        effect: The estimate; None where none may be made.
        missing: What an effect still lacks, as sentences.
        benefit: What the effect comes to; None unless it may be relied on.
        funnel: How far cases got.
        loops: What is still unknown, by who holds the cases.
        adoption: How people dealt with cases.
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
    control: ArmOutcomes
    treatment: ArmOutcomes
    effect: Effect | None
    missing: tuple[str, ...]
    benefit: Benefit | None
    funnel: Funnel
    loops: tuple[OpenLoop, ...]
    adoption: Adoption
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
    checked = checks(declared, evidence)
    effect, missing = _effect(declared, evidence)
    found = verdict(declared, evidence, checks=checked, effect=effect, missing=missing)
    is_reliable = found.kind != VerdictKind.CANNOT_BE_JUDGED
    return EffectivenessReport(
        about=declared,
        as_of=evidence.as_of,
        since=evidence.since,
        until=evidence.until,
        verdict=found,
        checks=checked,
        control=evidence.control,
        treatment=evidence.treatment,
        effect=effect,
        missing=missing,
        benefit=benefit(effect, evidence.treatment, declared.measure) if is_reliable else None,
        funnel=funnel(declared, evidence),
        loops=open_loops(declared, evidence, names),
        adoption=evidence.adoption.named(names),
        imported=evidence.imported,
        queries=evidence.queries,
        answers=evidence.answers,
    )


def _effect(about: About, evidence: Evidence) -> tuple[Effect | None, tuple[str, ...]]:
    if about.measure is None or about.share is None:
        return None, ()
    missing = shortfall(evidence, about.measure)
    if missing:
        return None, missing
    control, treatment = evidence.control, evidence.treatment
    try:
        return estimate_effect(control, treatment, better=about.measure.better), ()
    except InsufficientData as shortage:
        return None, (str(shortage),)
