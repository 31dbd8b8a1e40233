"""What came of cases by how they were answered, as one aggregate query."""

from typing import Any

from sqlalchemy import Select, case, func, select

from decisions.effectiveness.overriding import AnswerOutcome, answer_outcome
from decisions.ledger.adoption import Ask
from decisions.ledger.facts import ANSWERS, Facts, accepted, is_mature, put_forward
from decisions.ledger.records import Answer
from decisions.ledger.scope import Scope
from decisions.lifecycle import Move

_answers = Answer.__table__
_given = _answers.alias("given")


def outcomes_by_answer(ask: Ask, scope: Scope) -> tuple[AnswerOutcome, ...]:
    """Return what came of the period's mature cases, the followed ones first, then by reason."""
    found = (
        answer_outcome(
            row["reason"], cases=row["cases"], known=row["known"], total=row["total"] or 0.0
        )
        for row in ask("outcomes by answer", lambda facts: _query(scope, facts))
    )
    return tuple(sorted(found, key=lambda each: (each.reason is not None, -each.cases)))


def _query(scope: Scope, cases: Facts) -> Select[Any]:
    override = case(
        (
            _given.c.kind == Move.OVERRIDE,
            func.coalesce(_given.c.reason, "no reason given"),
        )
    )
    last = (
        select(_answers.c.id)
        .where(_answers.c.case_id == cases.c.id, *accepted(scope, *ANSWERS))
        .order_by(_answers.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            override.label("reason"),
            func.count().label("cases"),
            func.count(cases.c.value).label("known"),
            func.sum(cases.c.value).label("total"),
        )
        .select_from(cases)
        .join(_given, _given.c.id == last)
        .where(put_forward(cases), cases.c.period == scope.period, is_mature(cases, scope))
        .group_by(override)
    )
