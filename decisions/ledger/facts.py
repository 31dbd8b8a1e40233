"""What was known of each case at a report's instant: looked up once, counted in many ways."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    column,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    table,
)

from decisions.ledger.records import (
    Answer,
    Arm,
    Assignment,
    Case,
    Intervention,
    Notification,
    Outcome,
)
from decisions.ledger.results import PROVEN, REPORTED
from decisions.ledger.scope import Scope
from decisions.lifecycle import Move
from decisions.ports import Kind

CENSORED = "censored"
"""The state of an outcome that can never be known."""

ANSWERS = (Move.ACKNOWLEDGE, Move.OVERRIDE, Move.DONE)
"""The moves that answer the question; snoozing and passing on leave it open."""

Facts = FromClause
"""One row a case: the columns of ``case_facts``, wherever they come from."""

Question = Callable[[Facts], Select[Any]]
"""A query over the facts of cases."""

_NAME = "facts"
_answers, _assignments, _cases = Answer.__table__, Assignment.__table__, Case.__table__
_interventions, _notifications = Intervention.__table__, Notification.__table__
_outcomes = Outcome.__table__


def case_facts(scope: Scope) -> CTE:
    """Return what was known of each case of the decision, of either arm and any period."""
    # PostgreSQL would look up twice what a join asks for; SQLite is faster in one go.
    found = _found(scope).cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
    first, last = _answers.alias("first_answer"), _outcomes.alias("last_outcome")
    own = ("id", "key", "subject", "arm", "period", "opened_at", "worth", "assignee")
    facts = (
        select(
            *(found.c[name] for name in own),
            *(found.c[name] for name in ("told", "overridden", "reported", "proven")),
            scope.within(found.c.opened_at).label("in_span"),
            first.c.id.is_not(None).label("answered"),
            # By the deadline of that time: the case's own moves on when it is asked anew.
            (first.c.at <= first.c.respond_by).label("in_time"),
            first.c.worked,
            last.c.id.is_not(None).label("looked_for"),
            func.coalesce(last.c.state == CENSORED, false()).label("censored"),
            case((last.c.state == "observed", last.c.value)).label("value"),
        )
        .outerjoin(first, first.c.id == found.c.first_answer)
        .outerjoin(last, last.c.id == found.c.last_outcome)
        # As they were written: what belongs to a case then lies close together in every other
        # table, which on SQLite makes the look-ups several times as fast.
        .order_by(found.c.id)
    )
    # Materialised, or a look-up is repeated for every count that mentions it.
    return facts.cte(_NAME).prefix_with("MATERIALIZED")


@contextmanager
def kept(connection: Connection, scope: Scope) -> Iterator[Facts]:
    """Yield a temporary table with the facts of cases, gone afterwards.

    Looking them up is most of what a report costs; half a dozen counts are then a glance each.

    Args:
        connection: One that may keep temporary tables; see ``Ledger.counting``.
        scope: What the report is about.
    """
    facts = case_facts(scope)
    wanted = facts.element.compile(connection, compile_kwargs={"literal_binds": True})
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {_NAME} AS {wanted}")
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE {_NAME}")
    yield table(_NAME, *(column(each.name, each.type) for each in facts.c))
    connection.exec_driver_sql(f"DROP TABLE {_NAME}")


def put_forward(facts: Facts) -> ColumnElement[bool]:
    """Whether a case was put to somebody."""
    return facts.c.arm == Arm.TREATMENT


def is_mature(cases: FromClause, scope: Scope) -> ColumnElement[bool]:
    """Whether window and lag of a case, or of a subject's first, have passed."""
    # From the opening, not outcome_due_at: that one is cleared when the outcome is looked up.
    return false() if scope.mature_from is None else cases.c.opened_at <= scope.mature_from


def is_open(facts: Facts, scope: Scope) -> ColumnElement[bool]:
    """Whether something of a case is still not known."""
    return and_(put_forward(facts), or_(*lacking(facts, scope).values()))


def lacking(facts: Facts, scope: Scope) -> dict[str, ColumnElement[bool]]:
    """Return what a case may lack: an answer, the deed, its outcome."""
    done: ColumnElement[bool] = facts.c.proven
    if scope.definition.intervention is None:
        done = or_(facts.c.reported, facts.c.proven)
    lacks = {
        "answer": not_(facts.c.answered),
        "deed": and_(facts.c.answered, not_(facts.c.overridden), not_(done)),
    }
    if scope.definition.outcome is not None:
        lacks["outcome"] = and_(is_mature(facts, scope), facts.c.value.is_(None))
    return lacks


def accepted(scope: Scope, *moves: Move) -> tuple[ColumnElement[bool], ...]:
    """Return what holds of answers of these kinds that changed their case."""
    return (_answers.c.accepted, _answers.c.kind.in_(moves), _answers.c.at <= scope.as_of)


def _found(scope: Scope) -> Select[Any]:
    columns = ("id", "key", "subject", "arm", "period", "opened_at")
    return select(
        *(_cases.c[name] for name in columns),
        _cases.c.value.label("worth"),
        _holder(scope).label("assignee"),
        _told(scope).label("told"),
        _first_answer(scope).label("first_answer"),
        _of_case(_answers, *accepted(scope, Move.OVERRIDE)).label("overridden"),
        _intervened(scope, REPORTED).label("reported"),
        _intervened(scope, PROVEN).label("proven"),
        _last_outcome(scope).label("last_outcome"),
    ).where(_cases.c.decision == scope.decision, _cases.c.opened_at <= scope.as_of)


def _of_case(rows: FromClause, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(rows.c.case_id == _cases.c.id, *conditions)


def _told(scope: Scope) -> ColumnElement[bool]:
    sent = _notifications.c
    return _of_case(_notifications, sent.kind == Kind.ASKED, sent.sent_at <= scope.as_of)


def _intervened(scope: Scope, source: str) -> ColumnElement[bool]:
    done = _interventions.c
    return _of_case(_interventions, done.source == source, done.recorded_at <= scope.as_of)


def _holder(scope: Scope) -> ColumnElement[str | None]:
    # Not the case's own assignee: that one moves on after the report's instant.
    rows = select(_assignments.c.assignee).where(
        _assignments.c.case_id == _cases.c.id, _assignments.c.at <= scope.as_of
    )
    return rows.order_by(_assignments.c.id.desc()).limit(1).scalar_subquery()


def _first_answer(scope: Scope) -> ColumnElement[int | None]:
    rows = select(_answers.c.id).where(
        _answers.c.case_id == _cases.c.id, *accepted(scope, *ANSWERS)
    )
    return rows.order_by(_answers.c.at, _answers.c.id).limit(1).scalar_subquery()


def _last_outcome(scope: Scope) -> ColumnElement[int | None]:
    # The last row counts, whatever it says: a correction may also take an outcome back.
    rows = select(_outcomes.c.id).where(
        _outcomes.c.case_id == _cases.c.id, _outcomes.c.recorded_at <= scope.as_of
    )
    return rows.order_by(_outcomes.c.id.desc()).limit(1).scalar_subquery()
