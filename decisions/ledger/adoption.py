"""The queries of how people dealt with cases."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    RowMapping,
    Select,
    and_,
    case,
    distinct,
    func,
    literal,
    not_,
    or_,
    select,
)

from decisions.effectiveness.adoption import (
    AGES,
    FEWEST,
    HOURS,
    Adoption,
    Aged,
    Agreement,
    LooseEnd,
    Times,
    overrides_of,
)
from decisions.ledger.counts import ANSWERS, accepted, case_facts, is_mature
from decisions.ledger.records import Answer, Case
from decisions.ledger.scope import Scope
from decisions.lifecycle import Move

MOST_NAMED = 200
"""Cases named one by one; the rest is counted."""

_answers, _cases = Answer.__table__, Case.__table__
_HOUR = 3_600


Ask = Callable[[str, Select[Any]], Sequence[RowMapping]]
"""Puts a query and keeps its SQL under a name."""


def adoption_of(ask: Ask, scope: Scope) -> Adoption:
    """Ask how people dealt with cases; people are called by their keys."""
    has_proof = scope.definition.intervention is not None
    overridden = ask("overridden by person", overrides_by_person(scope))
    old = ask("open loops by age", aged(scope))
    named = ask("cases longest open", loose_ends(scope))
    compared = ask("reported and proven", agreement(scope)) if has_proof else []
    deed = "proof" if has_proof else "report"
    rows = [
        (row["by"], row["reason"] or "no reason given", row["cases"], row["cases_of_person"])
        for row in overridden
    ]
    taken = (
        _times("first answer", ask("time to the first answer", first_answers(scope))),
        _times("work reported done", ask("time to completion", completions(scope))),
    )
    return Adoption(
        times=tuple(each for each in taken if each.count),
        agreement=Agreement(**compared[0]) if compared and any(compared[0].values()) else None,
        overrides=overrides_of(rows),
        aged=tuple(
            Aged(
                assignee=row["assignee"],
                name=row["assignee"] or "nobody",
                counts=tuple(row[f"age_{place}"] for place in range(len(AGES) + 1)),
            )
            for row in sorted(old, key=lambda row: row["assignee"] or "")
        ),
        loose_ends=tuple(_loose_end(row, deed) for row in named),
    )


def _times(what: str, rows: Sequence[RowMapping]) -> Times:
    (row,) = rows
    return Times(
        what=what,
        count=row["count"],
        median=row["median"],
        slow=row["slow"],
        within={hours: row[f"within_{hours}"] for hours in HOURS},
    )


def _loose_end(row: RowMapping, deed: str) -> LooseEnd:
    lacks = {"answer": "answer", "deed": deed, "outcome": "outcome"}
    return LooseEnd(
        case=row["key"],
        assignee=row["assignee"],
        name=row["assignee"] or "nobody",
        opened_at=row["opened_at"],
        lacks=tuple(word for name, word in lacks.items() if row.get(name)),
    )


def times(scope: Scope, *moves: Move) -> Select[Any]:
    """Measure how much working time the first answers of some kinds took."""
    nth = func.row_number().over(
        partition_by=_answers.c.case_id, order_by=(_answers.c.at, _answers.c.id)
    )
    first = (
        select(_answers.c.worked, nth.label("nth"))
        .join(_cases, _cases.c.id == _answers.c.case_id)
        .where(
            _cases.c.decision == scope.decision,
            scope.within(_cases.c.opened_at),
            *accepted(scope, *moves),
        )
        .subquery()
    )
    place = func.row_number().over(order_by=first.c.worked)
    ranked = (
        select(first.c.worked, place.label("place"), func.count().over().label("of"))
        .where(first.c.nth == 1, first.c.worked.is_not(None))
        .subquery()
    )
    return select(
        func.count().label("count"),
        _at_place(ranked, (ranked.c.of + 1) // 2).label("median"),
        _at_place(ranked, (ranked.c.of * 9 + 9) // 10).label("slow"),
        *(
            func.count().filter(ranked.c.worked <= hours * _HOUR).label(f"within_{hours}")
            for hours in HOURS
        ),
    )


def first_answers(scope: Scope) -> Select[Any]:
    """Measure how much working time passed until the first answer."""
    return times(scope, *ANSWERS)


def completions(scope: Scope) -> Select[Any]:
    """Measure how much working time passed until the work was reported done."""
    return times(scope, Move.DONE)


def agreement(scope: Scope) -> Select[Any]:
    """Compare what was reported with what is proven, over the cases of the reporting span."""
    facts = case_facts(scope)
    kept, said, proven = not_(facts.c.overridden), facts.c.reported, facts.c.proven
    compared = {
        "both": and_(kept, said, proven),
        "reported": and_(kept, said, not_(proven)),
        "proven": and_(kept, not_(said), proven),
        "contradicted": and_(facts.c.overridden, proven),
        "neither": and_(kept, facts.c.answered, not_(said), not_(proven)),
    }
    return select(
        *(func.count().filter(holds).label(name) for name, holds in compared.items())
    ).where(facts.c.in_span)


def overrides_by_person(scope: Scope) -> Select[Any]:
    """Count the overridden cases of the reporting span by who overrode them and why.

    Small numbers are left out here, so that no copy of the answer holds them.
    """
    counted = (
        select(
            _answers.c.by, _answers.c.reason, func.count(distinct(_answers.c.case_id)).label("n")
        )
        .join(_cases, _cases.c.id == _answers.c.case_id)
        .where(
            _cases.c.decision == scope.decision,
            scope.within(_cases.c.opened_at),
            *accepted(scope, Move.OVERRIDE),
        )
        .group_by(_answers.c.by, _answers.c.reason)
        .subquery()
    )
    of_person = func.sum(counted.c.n).over(partition_by=counted.c.by)
    return select(
        counted.c.by,
        counted.c.reason,
        case((counted.c.n >= FEWEST, counted.c.n)).label("cases"),
        case((of_person >= FEWEST, of_person)).label("cases_of_person"),
    ).order_by(of_person.desc(), counted.c.by, counted.c.reason)


def aged(scope: Scope) -> Select[Any]:
    """Count all cases with something open by who holds them and how old they are."""
    facts = case_facts(scope)
    bounds = [scope.as_of - timedelta(days=days) for days in AGES]
    ages = [
        and_(
            facts.c.opened_at > younger if younger else literal(value=True),
            facts.c.opened_at <= older if older else literal(value=True),
        )
        for younger, older in zip([*bounds, None], [None, *bounds], strict=True)
    ]
    return (
        select(
            facts.c.assignee,
            *(func.count().filter(age).label(f"age_{place}") for place, age in enumerate(ages)),
        )
        .where(_is_open(facts, scope))
        .group_by(facts.c.assignee)
    )


def loose_ends(scope: Scope) -> Select[Any]:
    """List the cases longest open, with what each lacks."""
    facts = case_facts(scope)
    lacking = _lacking(facts, scope)
    return (
        select(
            facts.c.key,
            facts.c.assignee,
            facts.c.opened_at,
            *(case((lacks, 1), else_=0).label(name) for name, lacks in lacking.items()),
        )
        .where(_is_open(facts, scope))
        .order_by(facts.c.opened_at, facts.c.key)
        .limit(MOST_NAMED)
    )


def _is_open(facts: FromClause, scope: Scope) -> ColumnElement[bool]:
    return or_(*_lacking(facts, scope).values())


def _lacking(facts: FromClause, scope: Scope) -> dict[str, ColumnElement[bool]]:
    done: ColumnElement[bool] = facts.c.proven
    if scope.definition.intervention is None:
        done = or_(facts.c.reported, facts.c.proven)
    lacking = {
        "answer": not_(facts.c.answered),
        "deed": and_(facts.c.answered, not_(facts.c.overridden), not_(done)),
    }
    if scope.definition.outcome is not None:
        lacking["outcome"] = and_(is_mature(facts, scope), facts.c.value.is_(None))
    return lacking


def _at_place(ranked: FromClause, place: ColumnElement[int]) -> ColumnElement[int | None]:
    return func.max(case((ranked.c.place == place, ranked.c.worked)))
