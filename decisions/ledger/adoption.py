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
from decisions.ledger.facts import (
    Facts,
    Question,
    accepted,
    is_open,
    lacking,
    put_forward,
)
from decisions.ledger.records import Answer, Case
from decisions.ledger.scope import Scope
from decisions.lifecycle import Move

MOST_NAMED = 200
"""Cases named one by one; the rest is counted."""

_answers, _cases = Answer.__table__, Case.__table__
_HOUR = 3_600


Ask = Callable[[str, Question], Sequence[RowMapping]]
"""Puts a question about cases and keeps its SQL under a name."""


def adoption_of(ask: Ask, scope: Scope) -> Adoption:
    """Ask how people dealt with cases; people are called by their keys."""
    has_proof = scope.definition.intervention is not None
    overridden = ask("overridden by person", lambda _: overrides_by_person(scope))
    old = ask("open loops by age", lambda facts: aged(scope, facts))
    named = ask("cases longest open", lambda facts: loose_ends(scope, facts))
    compared = ask("reported and proven", agreement) if has_proof else []
    deed = "proof" if has_proof else "report"
    rows = [
        (row["by"], row["reason"] or "no reason given", row["cases"], row["cases_of_person"])
        for row in overridden
    ]
    taken = (
        _times("first answer", ask("time to the first answer", first_answers)),
        _times("work reported done", ask("time to completion", lambda _: completions(scope))),
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


def first_answers(facts: Facts) -> Select[Any]:
    """Measure how much working time passed until the first answer."""
    return _taken(select(facts.c.worked).where(facts.c.in_span))


def completions(scope: Scope) -> Select[Any]:
    """Measure how much working time passed until the work was first reported done."""
    nth = func.row_number().over(
        partition_by=_answers.c.case_id, order_by=(_answers.c.at, _answers.c.id)
    )
    first = (
        select(_answers.c.worked, nth.label("nth"))
        .join(_cases, _cases.c.id == _answers.c.case_id)
        .where(
            _cases.c.decision == scope.decision,
            scope.within(_cases.c.opened_at),
            *accepted(scope, Move.DONE),
        )
        .subquery()
    )
    return _taken(select(first.c.worked).where(first.c.nth == 1))


def _taken(times: Select[Any]) -> Select[Any]:
    taken = times.subquery()
    place = func.row_number().over(order_by=taken.c.worked)
    ranked = (
        select(taken.c.worked, place.label("place"), func.count().over().label("of"))
        .where(taken.c.worked.is_not(None))
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


def agreement(facts: Facts) -> Select[Any]:
    """Compare what was reported with what is proven, over the cases of the reporting span."""
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
    ).where(put_forward(facts), facts.c.in_span)


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


def aged(scope: Scope, facts: Facts) -> Select[Any]:
    """Count all cases with something open by who holds them and how old they are."""
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
        .where(is_open(facts, scope))
        .group_by(facts.c.assignee)
    )


def loose_ends(scope: Scope, facts: Facts) -> Select[Any]:
    """List the cases longest open, with what each lacks."""
    return (
        select(
            facts.c.key,
            facts.c.assignee,
            facts.c.opened_at,
            *(
                case((lacks, 1), else_=0).label(name)
                for name, lacks in lacking(facts, scope).items()
            ),
        )
        .where(is_open(facts, scope))
        .order_by(facts.c.opened_at, facts.c.key)
        .limit(MOST_NAMED)
    )


def _at_place(ranked: FromClause, place: ColumnElement[int]) -> ColumnElement[int | None]:
    return func.max(case((ranked.c.place == place, ranked.c.worked)))
