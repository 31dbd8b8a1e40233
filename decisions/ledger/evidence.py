"""What the ledger knew of a decision at an instant, counted for a report."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import CTE, Connection, RowMapping, Select

from decisions.definition import Definition
from decisions.effectiveness.arm import ArmOutcomes
from decisions.effectiveness.declaration import Declaration
from decisions.effectiveness.evidence import (
    ENOUGH_SUBJECTS,
    Evidence,
    FieldMoved,
    FollowUp,
    Imported,
    Measurement,
    RunCounts,
)
from decisions.effectiveness.look import Look
from decisions.ledger import counts, facts
from decisions.ledger.accuracies import judgements
from decisions.ledger.adoption import adoption_of
from decisions.ledger.answered import outcomes_by_answer
from decisions.ledger.imports import ImportedPeriod
from decisions.ledger.looks import published
from decisions.ledger.periods import period_at
from decisions.ledger.recording import WITHHELD
from decisions.ledger.records import Arm, Period
from decisions.ledger.runs import GATE
from decisions.ledger.scope import Scope
from decisions.ledger.slices import slices_of
from decisions.ledger.sql_text import sql_text
from decisions.ledger.versions import pinned, version_by_id, version_of

_COUNTED = frozenset(ArmOutcomes.model_fields)


def gather_imported(connection: Connection, period: ImportedPeriod, *, as_of: datetime) -> Evidence:
    """Count the subjects of an imported measurement period.

    Args:
        connection: A connection that sees one consistent state.
        period: Which.
        as_of: The instant the report is made for (timezone-aware).
    """
    scope = Scope(period.definition, period.name, as_of, import_id=period.id)
    inquiry = _Inquiry(connection, scope, facts.case_facts(scope))
    arms = _arms(inquiry, inquiry.ask("drawn", counts.imported_allocated(scope)))
    (acted,) = inquiry.ask("acted on", counts.imported_acted(inquiry.scope))
    declared = Declaration.of(period.definition)
    return Evidence(
        as_of=as_of,
        declaration=declared.sha256 if declared else "",
        declarations=1,
        control=arms[Arm.CONTROL],
        treatment=arms[Arm.TREATMENT],
        followed=FollowUp(
            opened=acted["opened"], proven=acted["acted"], observed=acted["observed"]
        ),
        imported=Imported(
            period=period.name,
            file=period.file,
            sha256=period.sha256,
            imported_at=period.imported_at,
            by=period.by,
            subjects=period.subjects,
            share_declared=period.share_declared,
            acted_known=acted["told_of"],
            acted=acted["acted"],
        ),
        queries=inquiry.queries,
        answers=inquiry.answers,
    )


def gather(
    connection: Connection,
    definition: Definition,
    *,
    as_of: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
    look: str | None = None,
    traced: bool = True,
) -> Evidence:
    """Count what the ledger knew of a decision at an instant.

    Args:
        connection: One that sees a consistent state and may keep temporary tables; see
            ``Ledger.counting``.
        definition: The decision; of several measurement periods the newest by then counts.
        as_of: The instant (timezone-aware); rows recorded later do not count.
        since: Start of the reporting span, inclusive (timezone-aware).
        until: End of the reporting span, exclusive (timezone-aware).
        look: The look that this is, if it is one; passed over where a later one was taken.
        traced: Whether to write down the SQL of each count, which takes longer than to count few.

    Returns:
        The counts, and for each SQL that gives it by itself.
    """
    period = period_at(connection, definition.decision, as_of)
    scope = Scope(definition, _name(definition, period), as_of, since, until)
    with facts.kept(connection, scope) as kept:
        return _gathered(_Inquiry(connection, scope, kept, traced=traced), period, look)


def _gathered(inquiry: "_Inquiry", period: Period | None, look: str | None) -> Evidence:
    connection, scope = inquiry.connection, inquiry.scope
    definition, as_of = scope.definition, scope.as_of
    declared, looks = Declaration.of(definition), published(connection, scope.decision)
    drawn = inquiry.ask("drawn", counts.allocated(scope))
    arms = _arms(inquiry, drawn)
    assignees, followed = _followed(inquiry)
    held_out = inquiry.ask_of_cases("held out", counts.held_out)
    overridden = inquiry.ask("overridden", counts.overrides(scope))
    return Evidence(
        as_of=as_of,
        since=scope.since,
        until=scope.until,
        version=_version(inquiry),
        declaration=declared.sha256 if declared else "",
        declarations=len({row["declaration"] for row in drawn}),
        measurement=_measurement(period, declared) if period and declared else None,
        control=arms[Arm.CONTROL],
        treatment=arms[Arm.TREATMENT],
        look=look if _is_in_turn(looks, look, as_of, period) else None,
        looks=tuple(each for each in looks if each.as_of <= as_of),
        judgements=judgements(connection, scope.decision, as_of),
        matures_after=definition.outcome.matures_after if definition.outcome else None,
        enough_at=_enough_at(inquiry, arms[Arm.CONTROL]),
        runs=_runs(inquiry),
        followed=followed,
        held_out=held_out[0]["cases"],
        overrides={row["reason"] or "no reason given": row["cases"] for row in overridden},
        assignees=assignees,
        drift=tuple(FieldMoved(**row) for row in inquiry.ask("drift", counts.drifted(scope))),
        slices=slices_of(inquiry.ask_of_cases, scope),
        adoption=adoption_of(inquiry.ask_of_cases, scope),
        by_answer=outcomes_by_answer(inquiry.ask_of_cases, scope),
        queries=inquiry.queries,
        answers=inquiry.answers,
    )


def measured(connection: Connection, definition: Definition, *, as_of: datetime) -> Definition:
    """Return the definition to report by: that of the period measured at an instant.

    A period that has ended was declared by an earlier version; one that still runs is held against
    what is declared now, so that a change shows.

    Args:
        connection: A connection that sees one consistent state.
        definition: The decision as it is declared now.
        as_of: The instant (timezone-aware).
    """
    period = period_at(connection, definition.decision, as_of)
    declared = Declaration.of(definition)
    if period is None or period.closed_at is None:
        return definition
    if declared and declared.sha256 == period.sha256:
        return definition
    return pinned(version_by_id(connection, period.version_id))


def _is_in_turn(
    looks: Sequence[Look], label: str | None, as_of: datetime, period: Period | None
) -> bool:
    """Whether a look may be taken: none that knows more was taken at this period before."""
    mine = [look for look in looks if period and look.period == period.name]
    return not any(look.as_of > as_of and look.label != label for look in mine)


def _name(definition: Definition, period: Period | None) -> str:
    if definition.holdout is None:
        return ""
    return period.name if period else definition.holdout.salt


def _measurement(period: Period, declared: Declaration) -> Measurement:
    return Measurement(
        period=period.name,
        began_at=period.began_at,
        closed_at=period.closed_at,
        closed_because=period.closed_because,
        changes=Declaration(content=period.declaration).changes(declared),
    )


@dataclass
class _Inquiry:
    """The questions put to the ledger for one report, and SQL that answers each by itself.

    Attributes:
        connection: What they are put to.
        scope: What the report is about.
        cases: What was known of each, ready to be counted.
        traced: Whether SQL is written down.
        queries: SQL by what it counts.
        answers: The rows it gave.
    """

    connection: Connection
    scope: Scope
    cases: facts.Facts
    traced: bool = True
    queries: dict[str, str] = field(default_factory=dict)
    answers: dict[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)

    @cached_property
    def _looked_up(self) -> facts.Facts:
        return facts.case_facts(self.scope)

    def ask(self, name: str, query: Select[Any]) -> Sequence[RowMapping]:
        """Return the rows of a query; keep its SQL, and the rows, under the name."""
        return self.ask_of_cases(name, lambda _: query)

    def ask_of_cases(self, name: str, question: facts.Question) -> Sequence[RowMapping]:
        """Return the rows of a question about cases; keep them, and SQL that looks them up anew."""
        if self.traced:
            self.queries[name] = sql_text(question(self._looked_up), self.connection)
        rows = self.connection.execute(question(self.cases)).mappings().all()
        self.answers[name] = tuple(dict(row) for row in rows)
        return rows


def _arms(inquiry: _Inquiry, drawn: Sequence[RowMapping]) -> dict[Arm, ArmOutcomes]:
    scope, found = inquiry.scope, {arm: dict[str, Any]() for arm in Arm}

    def first(cases: facts.Facts) -> CTE:
        return (
            counts.imported_subjects(scope) if scope.import_id else counts.first_cases(scope, cases)
        )

    for row in inquiry.ask_of_cases("arms", lambda cases: counts.arm_counts(scope, first(cases))):
        known, total = row["observed"], row["total"]
        # Exact where every outcome is 0 or 1; otherwise counted below.
        squares = total * (1 - total / known) if known else 0.0
        found[Arm(row["arm"])] = {**row, "squares": squares}
    if any(row["zero_or_one"] < row["observed"] for row in found.values() if row):
        means = {
            str(arm): row["total"] / row["observed"]
            for arm, row in found.items()
            if row.get("observed")
        }

        def spread(cases: facts.Facts) -> Select[Any]:
            return counts.arm_squares(scope, first(cases), means)

        for row in inquiry.ask_of_cases("spread", spread):
            found[Arm(row["arm"])]["squares"] = row["squares"]
    for row in drawn:
        arm = found[Arm(row["arm"])]
        arm["allocated"] = arm.get("allocated", 0) + row["allocated"]
    return {
        arm: ArmOutcomes(**{name: value for name, value in row.items() if name in _COUNTED})
        for arm, row in found.items()
    }


def _followed(inquiry: _Inquiry) -> tuple[dict[str, FollowUp], FollowUp]:
    assignees: dict[str, FollowUp] = {}
    in_span = FollowUp()
    for row in inquiry.ask_of_cases(
        "followed up", lambda cases: counts.followed(inquiry.scope, cases)
    ):
        found = FollowUp(**{name: row[name] for name in FollowUp.model_fields})
        name = row["assignee"] or "nobody"
        assignees[name] = assignees.get(name, FollowUp()) + found
        in_span += found if row["in_span"] else FollowUp()
    return assignees, in_span


def _runs(inquiry: _Inquiry) -> RunCounts:
    rows = inquiry.ask("runs", counts.runs(inquiry.scope))
    verdicts: Counter[str] = Counter()
    reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for verdict, found in row["counts"].items():
            # Without reasons, only the gate withheld; so runs were recorded at first.
            told = {GATE: found} if verdict == WITHHELD and isinstance(found, int) else found
            if isinstance(told, dict):
                reasons[verdict].update(told)
            verdicts[verdict] += sum(told.values()) if isinstance(told, dict) else told
    return RunCounts(
        runs=len(rows),
        withheld_runs=sum(row["state"] == WITHHELD for row in rows),
        evaluated=sum(row["evaluated"] for row in rows),
        verdicts=verdicts,
        suppressed=reasons["suppressed"],
        withheld=reasons["withheld"],
    )


def _version(inquiry: _Inquiry) -> int | None:
    found = version_of(inquiry.connection, inquiry.scope.definition)
    return found.number if found else None


def _enough_at(inquiry: _Inquiry, control: ArmOutcomes) -> datetime | None:
    outcome = inquiry.scope.definition.outcome
    if outcome is None or control.observed >= ENOUGH_SUBJECTS:
        return None
    query = counts.held_out_openings(inquiry.scope).offset(ENOUGH_SUBJECTS - 1).limit(1)
    opened_at: datetime | None = inquiry.connection.execute(query).scalar()
    return opened_at + outcome.matures_after if opened_at else None
