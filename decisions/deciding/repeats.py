"""How many rows repeat a subject, in DuckDB, where subjects are whole numbers that lie close.

A bit for each possible subject says it in a sixth of the time that keeping the subjects takes, and
a hundred million of them in twelve megabytes.
"""

from collections.abc import Collection, Mapping
from typing import Any

from decisions.deciding.contract import REPEATED_SUBJECTS
from decisions.definition import Signal
from decisions.rules.columns import quoted

_SPARSEST = 64
"""Possible subjects for each row, beyond which bits cost more than the subjects themselves."""
_MOST = 1_000_000_000
"""What DuckDB allows."""


def are_counted_apart(signal: Signal, dialect: str, texts: Collection[str]) -> bool:
    """Whether repeated subjects are counted by ``repeats_query``, not with all the rest.

    Args:
        signal: What is demanded.
        dialect: sqlglot's name of the warehouse's dialect.
        texts: Columns that are not whole numbers.
    """
    return dialect == "duckdb" and signal.subject not in texts


def repeats_query(signal: Signal, relation: str, seen: Mapping[str, Any]) -> str:
    """Return the query whose one row says how many rows repeat a subject.

    Args:
        signal: What is demanded.
        relation: What stands after FROM.
        seen: What ``contract.aggregate_query`` found.
    """
    subject = quoted(signal.subject, "duckdb")
    distinct = f"count(DISTINCT {subject})"
    if seen["subjects"]:
        first, last = int(seen["first_subject"]), int(seen["last_subject"])
        if last - first < min(_SPARSEST * seen["subjects"], _MOST):
            # What has come since the ends were found is another batch; ``gate.confirm`` says so.
            within = f"CASE WHEN {subject} BETWEEN {first} AND {last} THEN {subject} END"
            subject = f"CAST({within} AS HUGEINT)"
            distinct = f"bit_count(bitstring_agg({subject}, {first}, {last}))"
    return f"SELECT count({subject}) - {distinct} AS {REPEATED_SUBJECTS} FROM {relation} AS s"
