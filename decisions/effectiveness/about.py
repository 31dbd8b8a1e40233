"""What a report is about: the decision, its owners, and what was declared beforehand."""

from collections.abc import Mapping
from datetime import date

from decisions.definition import Definition
from decisions.effectiveness.effect import Better
from decisions.effectiveness.evidence import Evidence
from decisions.ports import Frozen


class Owner(Frozen):
    """A person who answers for the decision.

    Attributes:
        role: business, technical or backup.
        key: Key of ``people.yaml``, or a role.
        name: How the report calls them.
    """

    role: str
    key: str
    name: str


class Measure(Frozen):
    """What was declared about the outcome before the first case.

    Attributes:
        name: The measured column.
        better: Which direction is the good one.
        foretold: Which direction a high score is taken to foretell.
        predicts: That direction as declared; None where the bad one stands for it.
        window: How long after opening an outcome counts, as declared.
        lag: How long after that data may still arrive, as declared.
        value: The field that says what one more success is worth.
        unit: Its unit.
        cost: What acting on one subject costs, in that unit.
        worthwhile: The smallest effect worth having, as declared, in shares or the measure's unit.
        planned: Held-out subjects that complete the measurement.
        looks: How often it is to be read until then.
        alpha: Chance that any of these readings claims an effect where there is none, 0 to 1.
        hypothesis: What was expected, in the owners' words.
    """

    name: str
    better: Better
    foretold: Better
    predicts: Better | None
    window: str
    lag: str | None
    value: str | None
    unit: str | None
    cost: float | None
    worthwhile: float | None
    planned: int
    looks: int
    alpha: float
    hypothesis: str | None


class About(Frozen):
    """The decision as declared.

    Attributes:
        decision: Its name.
        question: The question each case asks.
        metric: The figure that should move.
        baseline: Where it stood before.
        owners: Who answers for it, the business owner first.
        review_by: The date by which they must confirm it.
        version: Number of the definition's version; None if no run has recorded it.
        sha256: Hash of its content.
        declaration: Hash of what it says about holdout and outcome.
        period: The measurement period's name, which begins with the holdout's salt; None without.
        share: The declared holdout, 0 to 1; None without one.
        measure: The declared outcome; None without one.
        has_proof: Whether it says how interventions are proven.
        slices: The fields whose parts the report is to look at.
    """

    decision: str
    question: str
    metric: str
    baseline: str | None
    owners: tuple[Owner, ...]
    review_by: date
    version: int | None
    sha256: str
    declaration: str
    period: str | None
    share: float | None
    measure: Measure | None
    has_proof: bool
    slices: tuple[str, ...] = ()

    def owner(self, role: str) -> str:
        """Return the name of the owner in a role.

        Raises:
            StopIteration: Nobody is declared in it.
        """
        return next(owner.name for owner in self.owners if owner.role == role)


def about(definition: Definition, evidence: Evidence, names: Mapping[str, str]) -> About:
    """Return what the report is about.

    Args:
        definition: The decision.
        evidence: Knows under which number and declaration it was recorded.
        names: Full names by key of ``people.yaml``.
    """
    holdout = definition.holdout
    return About(
        decision=definition.decision,
        question=definition.purpose.question,
        metric=definition.purpose.metric,
        baseline=definition.purpose.baseline,
        owners=tuple(
            Owner(role=role, key=key, name=names.get(key, key))
            for role, key in definition.owners
            if key is not None
        ),
        review_by=definition.review_by,
        version=evidence.version,
        sha256=definition.sha256,
        declaration=evidence.declaration,
        period=_period(definition, evidence),
        share=holdout.share.of_one if holdout else None,
        measure=measure_of(definition),
        has_proof=definition.intervention is not None,
        slices=tuple(each.by for each in definition.report.slices),
    )


def _period(definition: Definition, evidence: Evidence) -> str | None:
    if definition.holdout is None:
        return None
    return evidence.measurement.period if evidence.measurement else definition.holdout.salt


def measure_of(definition: Definition) -> Measure | None:
    """Return the declared outcome with its plan; None without one."""
    outcome = definition.outcome
    if outcome is None:
        return None
    return Measure(
        name=outcome.measure,
        better=outcome.better,
        foretold=outcome.foretold,
        predicts=outcome.predicts,
        window=str(outcome.window),
        lag=str(outcome.lag) if outcome.lag else None,
        value=outcome.value,
        unit=definition.fields[outcome.value].unit if outcome.value else None,
        cost=outcome.cost.size if outcome.cost else None,
        worthwhile=outcome.worthwhile.size if outcome.worthwhile else None,
        planned=outcome.planned,
        looks=outcome.looks,
        alpha=outcome.alpha.of_one,
        hypothesis=outcome.hypothesis,
    )
