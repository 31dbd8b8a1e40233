"""The aggregate queries of a report, as SQL that runs alike on SQLite and PostgreSQL.

Only what was recorded by the report's instant counts, so that a report on last month says the
same whenever it is made.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    CTE,
    Select,
    and_,
    case,
    distinct,
    false,
    func,
    not_,
    select,
    true,
)

from decisions.ledger.facts import Facts, accepted, is_mature, put_forward
from decisions.ledger.records import (
    Allocation,
    Answer,
    Arm,
    Case,
    FieldDrift,
    ImportedSubject,
    Run,
)
from decisions.ledger.scope import Scope
from decisions.lifecycle import Move

_allocations, _answers, _cases = Allocation.__table__, Answer.__table__, Case.__table__
_drifts, _imported = FieldDrift.__table__, ImportedSubject.__table__
_runs = Run.__table__


def first_cases(scope: Scope, facts: Facts) -> CTE:
    """Return each subject of the period by its first case; later ones extend its exposure."""
    nth = func.row_number().over(
        partition_by=facts.c.subject, order_by=(facts.c.opened_at, facts.c.id)
    )
    columns = ("id", "subject", "arm", "opened_at", "worth", "looked_for", "censored", "value")
    ranked = (
        select(*(facts.c[name] for name in columns), facts.c.proven, nth.label("nth"))
        .where(facts.c.period == scope.period)
        .cte("ranked")
    )
    return select(ranked).where(ranked.c.nth == 1).cte("first_cases")


def arm_counts(scope: Scope, first: CTE) -> Select[Any]:
    """Count what became of the subjects of each arm, each by its first case of the period."""
    mature = is_mature(first, scope)
    known = and_(mature, first.c.value.is_not(None))
    lost = and_(mature, first.c.looked_for, first.c.value.is_(None))
    return select(
        first.c.arm,
        func.count().label("subjects"),
        func.count().filter(mature).label("mature"),
        func.count().filter(known).label("observed"),
        func.count().filter(lost, not_(first.c.censored)).label("missing"),
        func.count().filter(lost, first.c.censored).label("censored"),
        func.coalesce(func.sum(first.c.value).filter(known), 0.0).label("total"),
        func.count().filter(known, first.c.value.in_((0.0, 1.0))).label("zero_or_one"),
        func.count().filter(known, first.c.value != 0.0).label("nonzero"),
        func.count().filter(mature, first.c.proven).label("proven"),
        func.count(first.c.worth).filter(mature).label("valued"),
        func.coalesce(func.sum(first.c.worth).filter(mature), 0.0).label("worth"),
    ).group_by(first.c.arm)


def arm_squares(scope: Scope, first: CTE, means: Mapping[str, float]) -> Select[Any]:
    """Sum the squared deviations of the known outcomes from their arm's mean.

    A second pass, because a sum of plain squares loses large amounts to rounding.

    Args:
        scope: What the report is about.
        first: The subjects, each by its first case.
        means: Mean outcome by arm, of the arms in which an outcome is known.
    """
    deviation = first.c.value - case(means, value=first.c.arm)
    return (
        select(first.c.arm, func.sum(deviation * deviation).label("squares"))
        .where(is_mature(first, scope), first.c.value.is_not(None))
        .group_by(first.c.arm)
    )


def allocated(scope: Scope) -> Select[Any]:
    """Count the subjects drawn into each arm of the period, by what was declared then."""
    return (
        select(_allocations.c.arm, _allocations.c.declaration, func.count().label("allocated"))
        .join(_runs, _runs.c.id == _allocations.c.run_id)
        .where(
            _allocations.c.decision == scope.decision,
            _allocations.c.period == scope.period,
            _runs.c.as_of <= scope.as_of,
        )
        .group_by(_allocations.c.arm, _allocations.c.declaration)
    )


def held_out_openings(scope: Scope) -> Select[Any]:
    """List when each held-out subject of the period had its first case, earliest first."""
    opened_at = func.min(_cases.c.opened_at).label("opened_at")
    return (
        select(opened_at)
        .where(
            _cases.c.decision == scope.decision,
            _cases.c.period == scope.period,
            _cases.c.arm == Arm.CONTROL,
            _cases.c.opened_at <= scope.as_of,
        )
        .group_by(_cases.c.subject)
        .order_by(opened_at)
    )


def followed(scope: Scope, facts: Facts) -> Select[Any]:
    """Count how far the cases put to somebody got, by who held them and whether in the span."""
    proven = facts.c.proven
    expected = and_(facts.c.answered, not_(facts.c.overridden))
    mature, observed = is_mature(facts, scope), facts.c.value.is_not(None)
    counts = {
        "told": facts.c.told,
        "answered": facts.c.answered,
        "in_time": facts.c.in_time,
        "overridden": facts.c.overridden,
        "reported": facts.c.reported,
        "proven": proven,
        "untraced": and_(expected, not_(facts.c.reported), not_(proven)),
        "unproven": and_(expected, not_(proven)),
        "mature": mature,
        "observed": observed,
        "unobserved": and_(mature, not_(observed)),
    }
    return (
        select(
            facts.c.assignee,
            facts.c.in_span,
            func.count().label("opened"),
            *(func.count().filter(condition).label(name) for name, condition in counts.items()),
        )
        .where(put_forward(facts))
        .group_by(facts.c.assignee, facts.c.in_span)
    )


def held_out(facts: Facts) -> Select[Any]:
    """Count the cases of the reporting span that were held out."""
    return (
        select(func.count().label("cases"))
        .select_from(facts)
        .where(facts.c.arm == Arm.CONTROL, facts.c.in_span)
    )


def overrides(scope: Scope) -> Select[Any]:
    """Count the overridden cases of the reporting span by reason."""
    return (
        select(_answers.c.reason, func.count(distinct(_answers.c.case_id)).label("cases"))
        .join(_cases, _cases.c.id == _answers.c.case_id)
        .where(
            _cases.c.decision == scope.decision,
            scope.within(_cases.c.opened_at),
            *accepted(scope, Move.OVERRIDE),
        )
        .group_by(_answers.c.reason)
    )


def runs(scope: Scope) -> Select[Any]:
    """List what each run of the reporting span said, shadows apart; a run is one row, so few."""
    return select(_runs.c.state, _runs.c.evaluated, _runs.c.counts).where(
        _runs.c.decision == scope.decision, scope.within(_runs.c.as_of), _runs.c.state != "shadow"
    )


def drifted(scope: Scope) -> Select[Any]:
    """Count, by field, the runs of the reporting span whose batch had moved from its reference."""
    return (
        select(
            _drifts.c.field,
            func.count().label("runs"),
            func.count().filter(_drifts.c.psi > _drifts.c.bound).label("flagged"),
            func.max(_drifts.c.psi).label("most"),
            func.max(_runs.c.as_of).filter(_drifts.c.psi > _drifts.c.bound).label("last_at"),
        )
        .join(_runs, _runs.c.id == _drifts.c.run_id)
        .where(_runs.c.decision == scope.decision, scope.within(_runs.c.as_of))
        .group_by(_drifts.c.field)
        .order_by(_drifts.c.field)
    )


def imported_allocated(scope: Scope) -> Select[Any]:
    """Count the subjects of either arm of an imported period."""
    return (
        select(_imported.c.arm, func.count().label("allocated"))
        .where(_imported.c.import_id == scope.import_id)
        .group_by(_imported.c.arm)
    )


def imported_acted(scope: Scope) -> Select[Any]:
    """Count the subjects put forward in an imported period, and how many were acted on."""
    return select(
        func.count().label("opened"),
        func.count().filter(_imported.c.acted).label("acted"),
        func.count(_imported.c.acted).label("told_of"),
        func.count(_imported.c.outcome).label("observed"),
    ).where(_imported.c.import_id == scope.import_id, _imported.c.arm == Arm.TREATMENT)


def imported_subjects(scope: Scope) -> CTE:
    """Return an imported period's subjects as if each had had its one case."""
    return (
        select(
            _imported.c.subject,
            _imported.c.arm,
            _imported.c.decided_at.label("opened_at"),
            _imported.c.value.label("worth"),
            true().label("looked_for"),
            false().label("censored"),
            _imported.c.outcome.label("value"),
            func.coalesce(_imported.c.acted, false()).label("proven"),
        )
        .where(_imported.c.import_id == scope.import_id)
        .cte("first_cases")
    )
