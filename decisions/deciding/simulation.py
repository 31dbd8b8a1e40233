"""One version decided over past batches, one after the other, with no ledger to remember them.

Rules, arms, routes and limits are those of a real run. What a ledger would remember is assumed:
a case counts as open until its deadlines have passed, a held-out one until its outcome is final.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from decisions import columnar
from decisions.deciding import limits
from decisions.deciding.allocation import draw_sql
from decisions.deciding.evaluation import (
    MODEL_VERSION,
    SCORED_AT,
    SUBJECT,
    as_matches,
    selection_sql,
)
from decisions.deciding.routing import routed
from decisions.deciding.verdict_rows import inputs_of
from decisions.definition import Definition
from decisions.ownership import People
from decisions.rules.columns import cast, quoted
from decisions.worktime import deadline

_REMEMBERED = pa.schema(
    [
        ("subject", pa.string()),
        ("assignee", pa.string()),
        ("opened_at", pa.timestamp("us", tz="UTC")),
        ("open_until", pa.timestamp("us", tz="UTC")),
        ("scored_at", pa.timestamp("us", tz="UTC")),
    ]
)
_HISTORY = """
SELECT subject, max(CASE WHEN open_until > $at THEN 1 ELSE 0 END)::BIGINT AS unfinished,
    max(scored_at) AS last_scored_at, count(*) FILTER (opened_at > $since) AS recent
FROM remembered WHERE subject IN (SELECT subject FROM matches) GROUP BY subject
"""


@dataclass(frozen=True, slots=True)
class PastBatch:
    """A batch of signals as it was.

    Attributes:
        name: What a person calls it, such as ``run 12`` or a file's name.
        as_of: The instant it was, or would have been, decided on (timezone-aware).
        relation: DuckDB SQL that stands after FROM.
        subject: SQL of the subject in it.
        scored_at: SQL of the instant of scoring.
        columns: SQL of each field there is, by the field's name.
    """

    name: str
    as_of: datetime
    relation: str
    subject: str
    scored_at: str
    columns: Mapping[str, str]

    def lacks(self, definition: Definition) -> list[str]:
        """Return the fields that a verdict of the definition can turn on and that are not here."""
        wanted = (definition.signal.score, *inputs_of(definition))
        return [name for name in wanted if name not in self.columns]

    def source(self, definition: Definition) -> str:
        """Return SQL of the batch with every column of the definition; unknown where not here."""
        named = {SUBJECT: self.subject, definition.signal.subject: self.subject}
        read = {name: f"CAST({sql} AS VARCHAR)" for name, sql in named.items()}
        scored_at = cast(self.scored_at, "timestamp", "duckdb", leniently=True)
        read |= {SCORED_AT: scored_at, definition.signal.scored_at: scored_at}
        read[MODEL_VERSION] = "CAST(NULL AS VARCHAR)"
        for name, spec in definition.fields.items():
            read[name] = cast(self.columns.get(name, "NULL"), spec.type, "duckdb", leniently=True)
        listed = ", ".join(f"{sql} AS {quoted(name, 'duckdb')}" for name, sql in read.items())
        return f"(SELECT {listed} FROM {self.relation} AS b)"


class Simulation:
    """One version, and what it remembers of the batches it has decided on.

    Args:
        definition: The version.
        people: Who there is.
    """

    def __init__(self, definition: Definition, people: People) -> None:
        self.definition = definition
        self._people = people
        self._remembered = _REMEMBERED.empty_table()
        self._spent: list[tuple[datetime, Decimal]] = []

    def decide(self, batch: PastBatch) -> pa.Table:
        """Return what this version says of the subjects it selects, and remember it.

        Returns:
            One row a subject: what ``routing.routed`` returns, with ``arm`` and ``reason``, null
            where nothing speaks against it.
        """
        definition, at = self.definition, batch.as_of
        query = selection_sql(definition, batch.source(definition), dialect="duckdb", as_of=at)
        with columnar.session() as engine:
            selected: pa.Table = engine.sql(query).to_arrow_table()
        return self.limited(as_matches(definition, selected), at=at)

    def limited(self, matches: pa.Table, *, at: datetime) -> pa.Table:
        """Return what this version says of the subjects that are selected, and remember it.

        Args:
            matches: What ``evaluation.selected`` returned.
            at: When they are decided on (timezone-aware).

        Returns:
            As ``decide``.
        """
        definition = self.definition
        matches = routed(definition, matches, self._people, at=at)
        matches = matches.append_column("arm", self._arms(matches))
        history = self._history(matches, at)
        verdicts = matches.append_column(
            "reason", limits.reasons(matches, history, definition.limits)
        )
        self._remember(verdicts, at)
        return verdicts

    def _arms(self, matches: pa.Table) -> pa.ChunkedArray:
        holdout = self.definition.holdout
        if holdout is None:
            return pa.chunked_array([["treatment"] * matches.num_rows], pa.string())
        number = draw_sql(
            period=holdout.salt, decision=self.definition.decision, subject="m.subject"
        )
        query = f"""
            SELECT CASE WHEN {number} < $share THEN 'control' ELSE 'treatment' END AS arm
            FROM matches m ORDER BY m.subject
        """
        with columnar.session() as engine:
            engine.register("matches", matches)
            drawn = engine.sql(query, params={"share": holdout.share.of_one}).to_arrow_table()
        return drawn.column("arm")

    def _history(self, matches: pa.Table, at: datetime) -> limits.History:
        cooldown = self.definition.limits.per_subject
        since = at - cooldown.per.elapsed if cooldown else at
        with columnar.session() as engine:
            engine.register("remembered", self._remembered)
            engine.register("matches", matches)
            cases = engine.sql(_HISTORY, params={"at": at, "since": since}).to_arrow_table()
            opened = engine.sql(
                "SELECT assignee, opened_at, count(*) AS n FROM remembered GROUP BY ALL"
            ).to_arrow_table()
        month = limits.month_of(self.definition, at)
        spent = sum((cost for when, cost in self._spent if when >= month), Decimal(0))
        return limits.History(cases=cases, today=self._today(opened.to_pylist(), at), spent=spent)

    def _today(self, opened: Iterable[Mapping[str, Any]], at: datetime) -> Counter[str]:
        today: Counter[str] = Counter()
        for row in opened:
            zone = ZoneInfo(self._people.person(row["assignee"]).zone)
            if row["opened_at"].astimezone(zone).date() == at.astimezone(zone).date():
                today[row["assignee"]] += row["n"]
        return today

    def _remember(self, verdicts: pa.Table, at: datetime) -> None:
        ends = pa.table(self._ends(verdicts, at))
        query = """
            SELECT v.subject, v.assignee, $at::TIMESTAMPTZ AS opened_at, e.open_until, v.scored_at
            FROM verdicts v JOIN ends e USING (action, assignee, arm) WHERE v.reason IS NULL
        """
        with columnar.session() as engine:
            engine.register("verdicts", verdicts)
            engine.register("ends", ends)
            opened: pa.Table = engine.sql(query, params={"at": at}).to_arrow_table()
        self._spent.append((at, limits.cost(verdicts, self.definition.limits)))
        self._remembered = pa.concat_tables([self._remembered, opened.cast(_REMEMBERED)])

    def _ends(self, verdicts: pa.Table, at: datetime) -> dict[str, pa.Array]:
        """Return until when a case counts as open, by action, assignee and arm."""
        keys = ["action", "assignee", "arm"]
        rows = verdicts.select(keys).group_by(keys).aggregate([]).to_pylist()
        outcome = self.definition.outcome
        ends = []
        for row in rows:
            action = self.definition.actions[row["action"]]
            hours = self._people.hours(row["assignee"])
            end = deadline(at, action.respond_within, hours)
            if action.complete_within:
                end = deadline(end, action.complete_within, hours)
            if row["arm"] == "control" and outcome:
                end = at + outcome.matures_after
            ends.append(end)
        texts = {name: pa.array([row[name] for row in rows], pa.string()) for name in keys}
        return texts | {"open_until": pa.array(ends, pa.timestamp("us", tz="UTC"))}
