"""The queries that part the subjects of a measurement by a declared field."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import CTE, ColumnElement, RowMapping, Select, and_, case, func, literal, select

from decisions.definition import FieldSpec, Slice
from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.parts import MOST_PARTS, PartCounts, Sliced
from decisions.ledger.counts import first_cases
from decisions.ledger.facts import Facts, is_mature
from decisions.ledger.records import Arm, Case
from decisions.ledger.scope import Scope

Ask = Callable[[str, Callable[[Facts], Select[Any]]], Sequence[RowMapping]]
"""Puts a question about cases and keeps its SQL under a name."""

_NOT_KNOWN = "not known"
_cases = Case.__table__


def slices_of(ask: Ask, scope: Scope) -> tuple[Sliced, ...]:
    """Count what became of the subjects in each part of every declared slice."""
    return tuple(
        Sliced(by=each.by, parts=_parts(each, ask(f"slice by {each.by}", _question(scope, each))))
        for each in scope.definition.report.slices
    )


def _question(scope: Scope, by: Slice) -> Callable[[Facts], Select[Any]]:
    return lambda facts: sliced(scope, first_cases(scope, facts), by)


def sliced(scope: Scope, first: CTE, by: Slice) -> Select[Any]:
    """Count what became of the subjects of each arm, by the part that their first case is in.

    Args:
        scope: What the report is about.
        first: The subjects, each by its first case.
        by: The field, and where it is parted.
    """
    part = _part(by, scope.definition.fields[by.by])
    parted = (
        select(
            part.label("part"), first.c.arm, first.c.value, is_mature(first, scope).label("mature")
        )
        .join(_cases, _cases.c.id == first.c.id)
        .cte("parted")
    )
    largest = (
        select(parted.c.part)
        .group_by(parted.c.part)
        .order_by(func.count().desc(), parted.c.part)
        .limit(MOST_PARTS)
        .cte("largest")
    )
    known = and_(parted.c.mature, parted.c.value.is_not(None))
    total = func.coalesce(func.sum(parted.c.value).filter(known), 0.0)
    squares = func.sum(parted.c.value * parted.c.value).filter(known)
    return (
        select(
            parted.c.part,
            parted.c.arm,
            func.count().label("subjects"),
            func.count().filter(parted.c.mature).label("mature"),
            func.count().filter(known).label("observed"),
            total.label("total"),
            func.coalesce(squares, 0.0).label("sum_of_squares"),
            func.count().filter(known, parted.c.value.in_((0.0, 1.0))).label("zero_or_one"),
            func.count().filter(known, parted.c.value != 0.0).label("nonzero"),
        )
        .join(largest, largest.c.part == parted.c.part)
        .group_by(parted.c.part, parted.c.arm)
        .order_by(parted.c.part, parted.c.arm)
    )


def _part(by: Slice, spec: FieldSpec) -> ColumnElement[Any]:
    """Return the part a case is in: a text as it is, of a number how many bounds it has reached."""
    value = _cases.c.facts[by.by]
    if by.at:
        number = value.as_float()
        reached = sum((case((number >= at, 1), else_=0) for at in by.at), literal(0))
        return case((number.is_(None), -1), else_=reached)
    if spec.type == "boolean":
        flag = value.as_boolean()
        return case((flag.is_(None), _NOT_KNOWN), (flag, "yes"), else_="no")
    return func.coalesce(value.as_string(), _NOT_KNOWN)


def _parts(by: Slice, rows: Sequence[RowMapping]) -> tuple[PartCounts, ...]:
    found: dict[Any, dict[str, ArmOutcomes]] = {}
    for row in rows:
        found.setdefault(row["part"], {})[row["arm"]] = _outcomes(row)
    parts = [
        PartCounts(
            label=_label(by, part),
            control=arms.get(Arm.CONTROL, ArmOutcomes()),
            treatment=arms.get(Arm.TREATMENT, ArmOutcomes()),
        )
        for part, arms in found.items()
    ]
    if not by.at:
        parts.sort(key=lambda part: (-part.control.subjects - part.treatment.subjects, part.label))
    return tuple(parts)


def _outcomes(row: RowMapping) -> ArmOutcomes:
    observed, total = row["observed"], row["total"]
    mean = total / observed if observed else 0.0
    names = ("subjects", "mature", "observed", "total", "zero_or_one", "nonzero")
    # Small parts of what the arms hold: what rounding takes from plain squares does not show here.
    squares = max(row["sum_of_squares"] - total * mean, 0.0)
    return ArmOutcomes(**{name: row[name] for name in names}, squares=squares)


def _label(by: Slice, part: Any) -> str:
    if not by.at:
        return str(part)
    if part < 0:
        return _NOT_KNOWN
    bounds = [f"{at:,g}" for at in by.at]
    if part == 0:
        return f"under {bounds[0]}"
    return (
        f"{bounds[part - 1]} and more"
        if part == len(bounds)
        else (f"{bounds[part - 1]} to under {bounds[part]}")
    )
