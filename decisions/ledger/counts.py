"""The aggregate queries of a report, as SQL that runs alike on SQLite and PostgreSQL.

Only what was recorded by the report's instant counts, so that a report on last month says the
same whenever it is made.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    distinct,
    exists,
    false,
    func,
    not_,
    select,
    true,
)

from decisions.ledger.records import (
    Allocation,
    Answer,
    Arm,
    Assignment,
    Case,
    FieldDrift,
    ImportedSubject,
    Intervention,
    Notification,
    Outcome,
    Run,
)
from decisions.ledger.results import PROVEN, REPORTED
from decisions.ledger.scope import Scope
from decisions.lifecycle import Move
from decisions.ports import Kind

CENSORED = "censored"
"""The state of an outcome that can never be known."""

ANSWERS = (Move.ACKNOWLEDGE, Move.OVERRIDE, Move.DONE)
"""The moves that answer the question; snoozing and passing on leave it open."""

_allocations, _answers, _cases = Allocation.__table__, Answer.__table__, Case.__table__
_assignments = Assignment.__table__
_drifts, _imported = FieldDrift.__table__, ImportedSubject.__table__
_interventions, _notifications = Intervention.__table__, Notification.__table__
_outcomes, _runs = Outcome.__table__, Run.__table__


def arm_counts(scope: Scope) -> Select[Any]:
    """Count what became of the subjects of each arm, each by its first case of the period."""
    first = _first_cases(scope)
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


def arm_squares(scope: Scope, means: Mapping[str, float]) -> Select[Any]:
    """Sum the squared deviations of the known outcomes from their arm's mean.

    A second pass, because a sum of plain squares loses large amounts to rounding.

    Args:
        scope: What the report is about.
        means: Mean outcome by arm, of the arms in which an outcome is known.
    """
    first = _first_cases(scope)
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


def followed(scope: Scope) -> Select[Any]:
    """Count how far the cases put to somebody got, by who held them and whether in the span."""
    facts = case_facts(scope)
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
    return select(
        facts.c.assignee,
        facts.c.in_span,
        func.count().label("opened"),
        *(func.count().filter(condition).label(name) for name, condition in counts.items()),
    ).group_by(facts.c.assignee, facts.c.in_span)


def held_out(scope: Scope) -> Select[Any]:
    """Count the cases of the reporting span that were held out."""
    return select(func.count().label("cases")).where(
        _cases.c.decision == scope.decision,
        _cases.c.arm == Arm.CONTROL,
        scope.within(_cases.c.opened_at),
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


def _imported_subjects(scope: Scope) -> CTE:
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


def _first_cases(scope: Scope) -> CTE:
    if scope.import_id is not None:
        return _imported_subjects(scope)
    looked_up = _looked_up(scope)
    nth = func.row_number().over(
        partition_by=looked_up.c.subject, order_by=(looked_up.c.opened_at, looked_up.c.id)
    )
    ranked = select(looked_up, nth.label("nth")).cte("ranked")
    return select(ranked).where(ranked.c.nth == 1).cte("first_cases")


def _looked_up(scope: Scope) -> CTE:
    cases = _chosen(scope, _cases.c.period == scope.period)
    return _kept(
        select(
            cases.c.id,
            cases.c.subject,
            cases.c.arm,
            cases.c.opened_at,
            cases.c.value.label("worth"),
            _looked_for(cases, scope).label("looked_for"),
            _censored(cases, scope).label("censored"),
            _value(cases, scope).label("value"),
            _intervened(cases, scope, PROVEN).label("proven"),
        ),
        "looked_up",
    )


def case_facts(scope: Scope) -> CTE:
    """Return what is known of each case that was put to somebody."""
    cases = _chosen(scope, _cases.c.arm == Arm.TREATMENT)
    of_case = _answers.c.case_id == cases.c.id
    told = exists().where(
        _notifications.c.case_id == cases.c.id,
        _notifications.c.kind == Kind.ASKED,
        _notifications.c.sent_at <= scope.as_of,
    )
    return _kept(
        select(
            cases.c.key,
            _holder(cases, scope).label("assignee"),
            scope.within(cases.c.opened_at).label("in_span"),
            cases.c.opened_at,
            told.label("told"),
            exists().where(of_case, *accepted(scope, *ANSWERS)).label("answered"),
            _in_time(cases, scope).label("in_time"),
            exists().where(of_case, *accepted(scope, Move.OVERRIDE)).label("overridden"),
            _intervened(cases, scope, REPORTED).label("reported"),
            _intervened(cases, scope, PROVEN).label("proven"),
            _value(cases, scope).label("value"),
        ),
        "facts",
    )


def judged_cases(scope: Scope) -> CTE:
    """Return the period's cases that were put to somebody, with their outcomes."""
    cases = _chosen(scope, _cases.c.arm == Arm.TREATMENT, _cases.c.period == scope.period)
    value = _value(cases, scope).label("value")
    return _kept(select(cases.c.id, cases.c.opened_at, value), "judged_cases")


def _chosen(scope: Scope, *conditions: ColumnElement[bool]) -> CTE:
    # In the order in which they were written: what belongs to a case then lies close together in
    # every other table, which on SQLite makes the look-ups three times as fast.
    columns = ("id", "key", "subject", "arm", "opened_at", "value")
    return _kept(
        select(*(_cases.c[name] for name in columns))
        .where(_cases.c.decision == scope.decision, _cases.c.opened_at <= scope.as_of, *conditions)
        .order_by(_cases.c.id),
        "chosen",
    )


def _kept(query: Select[Any], name: str) -> CTE:
    # Materialised, or a look-up is repeated for every count that mentions it.
    return query.cte(name).prefix_with("MATERIALIZED")


def is_mature(cases: FromClause, scope: Scope) -> ColumnElement[bool]:
    """Whether window and lag of a case, or of a subject's first, have passed."""
    # From the opening, not outcome_due_at: that one is cleared when the outcome is looked up.
    return false() if scope.mature_from is None else cases.c.opened_at <= scope.mature_from


def accepted(scope: Scope, *moves: Move) -> tuple[ColumnElement[bool], ...]:
    """Return what holds of answers of these kinds that changed their case."""
    return (_answers.c.accepted, _answers.c.kind.in_(moves), _answers.c.at <= scope.as_of)


def _holder(cases: FromClause, scope: Scope) -> ColumnElement[str | None]:
    # Not the case's own assignee: that one moves on after the report's instant.
    rows = select(_assignments.c.assignee).where(
        _assignments.c.case_id == cases.c.id, _assignments.c.at <= scope.as_of
    )
    return rows.order_by(_assignments.c.id.desc()).limit(1).scalar_subquery()


def _in_time(cases: FromClause, scope: Scope) -> ColumnElement[bool | None]:
    # By the deadline of that time: the case's own moves on when it is asked anew.
    first = select(_answers.c.at <= _answers.c.respond_by).where(
        _answers.c.case_id == cases.c.id, *accepted(scope, *ANSWERS)
    )
    return first.order_by(_answers.c.at, _answers.c.id).limit(1).scalar_subquery()


def _intervened(cases: FromClause, scope: Scope, source: str) -> ColumnElement[bool]:
    return exists().where(
        _interventions.c.case_id == cases.c.id,
        _interventions.c.source == source,
        _interventions.c.recorded_at <= scope.as_of,
    )


def _looked_for(cases: FromClause, scope: Scope) -> ColumnElement[bool]:
    return exists().where(_outcomes.c.case_id == cases.c.id, _outcomes.c.recorded_at <= scope.as_of)


def _value(cases: FromClause, scope: Scope) -> ColumnElement[float | None]:
    # The last row counts, whatever it says: a correction may also take an outcome back.
    observed = case((_outcomes.c.state == "observed", _outcomes.c.value))
    rows = select(observed).where(
        _outcomes.c.case_id == cases.c.id, _outcomes.c.recorded_at <= scope.as_of
    )
    return rows.order_by(_outcomes.c.id.desc()).limit(1).scalar_subquery()


def _censored(cases: FromClause, scope: Scope) -> ColumnElement[bool]:
    rows = select(_outcomes.c.state == CENSORED).where(
        _outcomes.c.case_id == cases.c.id, _outcomes.c.recorded_at <= scope.as_of
    )
    last = rows.order_by(_outcomes.c.id.desc()).limit(1).scalar_subquery()
    return func.coalesce(last, false())
