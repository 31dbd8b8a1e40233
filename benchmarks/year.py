"""A year of cases as SQL that writes them: decided, told, answered, done, and what came of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.sweeps import insertion, instant_sql, series
from benchmarks.workload import DECISION, NOW

DAYS = 300
"""Days over which the cases opened."""

_PERSON = "'person.' || (i % 20)"
_KNOWN = {"decision": f"'{DECISION}'", "period": "'bench'", "run_id": "1"}
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Year:
    """Cases numbered ``i`` from 1; one subject in four has a second one.

    Attributes:
        cases: How many.
        declaration: Hash of what was declared when arms were drawn.
        connection: What they are written through; its database decides how instants are written.
    """

    cases: int
    declaration: str
    connection: Any

    def statements(self) -> Iterator[str]:
        """Yield the statements that write them, referenced rows first."""
        from decisions.ledger import records

        many, is_done = series(self.cases, self.connection), f"{self._answered} AND i % 11 > "
        wanted = [
            (records.Allocation, self._drawn(), f"i <= {self._subjects}"),
            (records.Case, self._case(), "true"),
            (records.Assignment, self._assigned(), self._acted),
            (records.Notification, self._told(), self._acted),
            (records.Answer, self._said(), self._answered),
            (records.Intervention, self._done("reported"), f"{is_done} 2"),
            (records.Intervention, self._done("proven"), f"{is_done} 3"),
            (records.Outcome, self._came(), "i % 53 > 0"),
        ]
        for record, row, when in wanted:
            yield insertion(record, self._typed(record, row), many, f" FROM n WHERE {when}")

    def _typed(self, record: Any, row: Row) -> Row:
        dialect, columns = self.connection.dialect, record.__table__.c
        if dialect.name == "sqlite":
            return row
        return {
            name: f"CAST({said} AS {columns[name].type.compile(dialect)})"
            for name, said in row.items()
        }

    @property
    def _subjects(self) -> int:
        return self.cases * 4 // 5

    @property
    def _subject(self) -> str:
        return f"((i - 1) % {self._subjects})"

    @property
    def _held_out(self) -> str:
        return f"{self._subject} % 10 = 0"

    @property
    def _acted(self) -> str:
        return f"NOT ({self._held_out})"

    @property
    def _answered(self) -> str:
        return f"{self._acted} AND i % 7 > 0"

    @property
    def _arm(self) -> str:
        return f"CASE WHEN {self._held_out} THEN 'control' ELSE 'treatment' END"

    def _day(self, number: int) -> str:
        """Return the instant so many days after a case opened."""
        days = f"(i % {DAYS} + {number})"
        if self.connection.dialect.name == "sqlite":
            start = f"'{NOW:%Y-%m-%d %H:%M:%S}'"
            return f"strftime('%Y-%m-%d %H:%M:%S.000000', {start}, {days} || ' days')"
        return f"{instant_sql(NOW, is_sqlite=False)}::timestamptz + {days} * interval '1 day'"

    def _drawn(self) -> Row:
        declared = {"declaration": f"'{self.declaration}'"}
        return _KNOWN | declared | {"subject": f"'a' || {self._subject}", "arm": self._arm}

    def _case(self) -> Row:
        facts = f"""'{{"account_id":"a' || {self._subject} || '","risk":0.99,"arr":60000.0}}'"""
        return _KNOWN | {
            "id": "i",
            "key": "'BC-' || i",
            "prefix": "'BC'",
            "number": "i",
            "version_id": "1",
            "subject": f"'a' || {self._subject}",
            "arm": self._arm,
            "rule": "'critical'",
            "action": "'call'",
            "score": "0.985 + (i % 15) / 1000.0",
            "scored_at": self._day(0),
            "model_name": "'bench'",
            "model_version": "'1'",
            "facts": facts,
            "state": f"CASE WHEN {self._held_out} THEN 'released' ELSE 'completed' END",
            "assignee": _PERSON,
            "opened_at": self._day(0),
            "respond_by": self._day(1),
            "closed_at": self._day(35),
        }

    def _assigned(self) -> Row:
        return {
            "case_id": "i",
            "assignee": _PERSON,
            "by": "'followthrough'",
            "at": self._day(0),
            "because": "'account_manager'",
        }

    def _told(self) -> Row:
        return {
            "key": f"'BC-' || i || ':0:0:' || {_PERSON} || ':asked'",
            "case_id": "i",
            "kind": "'asked'",
            "recipient": _PERSON,
            "because": "'assigned'",
            "state": "'sent'",
            "created_at": self._day(0),
            "sent_at": self._day(0),
        }

    def _said(self) -> Row:
        return {
            "interaction": "'bench-' || i",
            "case_id": "i",
            "kind": "CASE WHEN i % 11 = 0 THEN 'override' ELSE 'acknowledge' END",
            "by": _PERSON,
            "at": self._day(1),
            "respond_by": self._day(1),
            "worked": "(i % 48) * 1800",
            "via": "'slack'",
            "reason": "CASE WHEN i % 11 = 0 THEN 'data is wrong' END",
            "accepted": "true",
        }

    def _done(self, source: str) -> Row:
        at = {"acted_at": self._day(3), "recorded_at": self._day(3)}
        return {"case_id": "i", "what": "'a call'", "source": f"'{source}'"} | at

    def _came(self) -> Row:
        chance = f"CASE WHEN {self._held_out} THEN 60 ELSE 63 END"
        renewed = f"({self._subject} % 1000 * 7919 % 1000) / 10 < {chance}"
        return {
            "case_id": "i",
            "state": "'observed'",
            "value": f"CASE WHEN {renewed} THEN 1.0 ELSE 0.0 END",
            "recorded_at": self._day(35),
        }
