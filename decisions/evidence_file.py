"""Outcomes that somebody hands in as a file, for those without a warehouse to read them from."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from decisions.tabular import Check, Column, names_in, read_rows


@dataclass(frozen=True, slots=True)
class OutcomeColumns:
    """What a file calls its columns; the first two name the case, either is enough.

    Attributes:
        case: The case's key.
        subject: The subject.
        value: The measure's value.
        at: When the outcome came about.
        censored: Why the outcome can never be known.
    """

    case: str = "case"
    subject: str = "subject"
    value: str = "value"
    at: str = "at"
    censored: str = "censored"


def read_outcomes(path: Path, columns: OutcomeColumns, *, now: datetime) -> pa.Table:
    """Read outcomes from a CSV or Parquet file.

    Args:
        path: The file.
        columns: What it calls its columns; those it does not have are left out.
        now: No outcome may be dated later (timezone-aware).

    Returns:
        ``line``, ``case``, ``subject``, ``value``, ``at`` (UTC) and ``censored``; what a row does
        not say is null.

    Raises:
        UnusableFile: The file has faults; all of them at once.
    """
    there = names_in(path)
    wanted = [
        Column(columns.case, "case", "text", filled=False),
        Column(columns.subject, "subject", "text", filled=False),
        Column(columns.value, "value", "measure", filled=False),
        Column(columns.at, "at", "instant", filled=False),
        Column(columns.censored, "censored", "text", filled=False),
    ]
    read = [each for each in wanted if each.name in there]
    if not {"case", "subject"} & {each.meaning for each in read}:
        read.append(wanted[1])  # which is then named as the column that is not there
    if not {"value", "censored"} & {each.meaning for each in read}:
        read.append(wanted[2])
    found = read_rows(path, read, _checks({each.meaning for each in read}, columns, now))
    for each in wanted:
        if each.meaning not in found.column_names:
            kind = {"measure": pa.float64(), "instant": pa.timestamp("us", tz="UTC")}
            blank = pa.nulls(found.num_rows, kind.get(each.kind, pa.string()))
            found = found.append_column(each.meaning, blank)
    return found.select(["line", *(each.meaning for each in wanted)])


def _checks(there: set[str], columns: OutcomeColumns, now: datetime) -> list[Check]:
    named = " AND ".join(f'"{name}" IS NULL' for name in ("case", "subject") if name in there)
    checks = [
        Check(
            f"SELECT line, '' AS found FROM rows WHERE {named}", "it names no case and no subject"
        )
    ]
    if "at" in there:
        late = f"TIMESTAMPTZ '{now:%Y-%m-%d %H:%M:%S%z}'"
        checks.append(
            Check(
                f'SELECT line, CAST("at" AS VARCHAR) AS found FROM rows WHERE "at" > {late}',
                f"{columns.at} is {{found}}, which is still to come",
            )
        )
    if {"value", "censored"} <= there:
        checks.append(
            Check(
                "SELECT line, censored AS found FROM rows WHERE value IS NOT NULL "
                "AND censored IS NOT NULL",
                f"it has a {columns.value} and is {columns.censored} ({{found}}); say one of them",
            )
        )
    told = " AND ".join(f"{name} IS NULL" for name in ("value", "censored") if name in there)
    checks.append(
        Check(
            f"SELECT line, '' AS found FROM given WHERE {told}",
            f"it has no {columns.value}; where none can be known any more, say why "
            f"in a column {columns.censored!r}",
        )
    )
    return checks
