"""A finished trial or earlier decisions as one measurement period: what a file must say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from decisions import columnar
from decisions.canonical import sha256
from decisions.definition import Definition
from decisions.quantities import Share, Span
from decisions.tabular import Check, Column, Kind, names_in, read_rows

TREATED, LEFT_ALONE = ("treatment", "1", "true", "yes"), ("control", "0", "false", "no")
"""Words for either arm that are understood without being told."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What a file calls its columns; None where it has no such column.

    Attributes:
        subject: Whom a row is about; without one each row is a subject of its own.
        arm: Which arm the subject was allocated to.
        outcome: The value of the measure; empty where it is not known.
        decided_at: When the subject was decided on.
        acted: Whether the subject was in fact acted on.
        value: What one more success is worth.
    """

    subject: str | None
    arm: str
    outcome: str
    decided_at: str | None
    acted: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Words:
    """What a file calls the arms; None for the words that go without saying."""

    treated: str | None = None
    left_alone: str | None = None

    @property
    def arms(self) -> dict[str, tuple[str, ...]]:
        """Return what either arm may be called, in lower case."""
        treated = (self.treated.lower(),) if self.treated else TREATED
        left_alone = (self.left_alone.lower(),) if self.left_alone else LEFT_ALONE
        return {"treatment": treated, "control": left_alone}


@dataclass(frozen=True, slots=True)
class Declared:
    """What was declared about a measurement that is over.

    Attributes:
        decision: The decision it belongs to.
        period: Names the measurement period.
        measure: What the outcome is called.
        better: Which direction is the good one.
        window: How long after deciding an outcome counted.
        share: The share that was to be left alone, 0 to 1.
        is_valued: Whether it says what one more success is worth.
        unit: In which unit.
        owner: Who answers for it where the workspace has no such decision.
        question: What was asked, where the workspace has no such decision.
    """

    decision: str
    period: str
    measure: str
    better: Literal["higher", "lower"]
    window: Span
    share: float
    is_valued: bool = False
    unit: str | None = None
    owner: str | None = None
    question: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A measurement that is over, read from a file.

    Attributes:
        file: The file's name.
        sha256: Hash of its rows as they were understood.
        rows: ``subject``, ``arm``, ``decided_at`` (UTC), ``acted``, ``outcome``, ``value``.
    """

    file: str
    sha256: str
    rows: pa.Table

    @property
    def left_alone_share(self) -> float:
        """The share of subjects in the control arm, 0 to 1."""
        arms: list[str] = self.rows.column("arm").to_pylist()
        return arms.count("control") / len(arms)


def read_trial(
    path: Path,
    columns: Columns,
    words: Words,
    *,
    now: datetime,
    decided_on: datetime | None = None,
) -> Trial:
    """Read a trial from a CSV or Parquet file.

    Args:
        path: The file.
        columns: What it calls its columns.
        words: What it calls the arms.
        now: The present instant (timezone-aware); nobody was decided on later.
        decided_on: When every subject was decided on (timezone-aware), for a file that does not
            say.

    Raises:
        UnusableFile: The file has faults; all of them at once.
    """
    found = read_rows(path, _columns(columns), _checks(columns, words, now))
    absent = {"decided_at", "acted", "value"} - set(found.column_names)
    subject = "subject" if columns.subject else "'row ' || row_number() OVER (ORDER BY line)"
    filled = {
        "decided_at": "CAST($decided_on AS TIMESTAMPTZ)",
        "acted": "NULL::BOOLEAN",
        "value": "NULL::DOUBLE",
    }
    taken = {name: filled[name] if name in absent else name for name in filled}
    query = (
        f"SELECT {subject} AS subject, CASE WHEN {_is_arm(words, 'treatment')} THEN 'treatment' "
        f"ELSE 'control' END AS arm, {taken['decided_at']} AS decided_at, "
        f"{taken['acted']} AS acted, outcome, {taken['value']} AS value FROM found ORDER BY 1"
    )
    parameters = {"decided_on": decided_on} if "decided_at" in absent else {}
    with columnar.session() as engine:
        engine.register("found", found)
        rows: pa.Table = engine.sql(query, params=parameters).to_arrow_table()
        engine.register("rows", rows)
        digest = engine.sql(
            "SELECT sha256(coalesce(string_agg(CAST(rows AS VARCHAR), '|' ORDER BY subject), '')) "
            "FROM rows"
        ).fetchall()
    return Trial(path.name, digest[0][0], rows)


def columns_of(path: Path, told: Mapping[str, str | None]) -> Columns:
    """Return what a file calls its columns: as told, else by their own names if it has them.

    Args:
        path: The file.
        told: Names by what they mean, None where nothing was said.

    Raises:
        UnusableFile: The file cannot be read.
    """
    there = names_in(path)

    def named(meaning: str) -> str | None:
        return told.get(meaning) or (meaning if meaning in there else None)

    return Columns(
        subject=named("subject"),
        arm=named("arm") or "arm",
        outcome=named("outcome") or "outcome",
        decided_at=named("decided_at"),
        acted=named("acted"),
        value=named("value"),
    )


def declared_as(declared: Declared, known: Definition | None) -> Definition:
    """Return the definition that a finished measurement stands for.

    That of the workspace with the measurement's own holdout and outcome; where there is none, one
    that says no more than what was declared.

    Args:
        declared: What was declared.
        known: The workspace's definition of that decision, if it has one.
    """
    outcome = {
        "from": "file",
        "path": "imported.csv",
        "measure": declared.measure,
        "on": "subject",
        "window": str(declared.window),
        "better": declared.better,
    }
    # As many digits as a share can be written with: the check of the arms is held against it.
    share = f"{declared.share * 100:.9f}".rstrip("0").rstrip(".") + "%"
    measured = {"holdout": {"share": Share.parse(share), "salt": declared.period}}
    if known is not None:
        value = known.outcome.value if known.outcome else None
        said = known.model_dump(by_alias=True, exclude_unset=True)
        return Definition.model_validate(said | measured | {"outcome": outcome | {"value": value}})
    value = "value" if declared.is_valued else None
    return Definition.model_validate(
        _bare(declared) | measured | {"outcome": outcome | {"value": value}}
    )


def _bare(declared: Declared) -> dict[str, Any]:
    fields = {"outcome": "float", "value": {"type": "float", "unit": declared.unit}}
    return {
        "decision": declared.decision,
        "purpose": {
            "question": declared.question or f"Did {declared.decision} work?",
            "metric": declared.measure,
        },
        "owners": {"business": declared.owner, "technical": declared.owner},
        "review_by": "2199-12-31",
        "signal": {
            "from": "file",
            "path": "imported.csv",
            "subject": "subject",
            "score": "outcome",
            "scored_at": "decided_at",
            "model": {"name": "none", "version": "''"},
            "fields": fields,
        },
        "match": "first",
        "rules": [{"name": "imported", "when": "TRUE", "do": "imported", "because": "imported"}],
        "otherwise": "nothing",
        "actions": {
            "imported": {
                "autonomy": "notify",
                "through": ["none"],
                "title": "imported",
                "respond_within": "1d",
                "override_reasons": ["imported"],
            }
        },
    }


def _columns(columns: Columns) -> list[Column]:
    meant: tuple[tuple[str | None, str, Kind, bool], ...] = (
        (columns.subject, "subject", "text", True),
        (columns.arm, "arm", "text", True),
        (columns.outcome, "outcome", "measure", False),
        (columns.decided_at, "decided_at", "instant", True),
        (columns.acted, "acted", "flag", False),
        (columns.value, "value", "number", False),
    )
    return [
        Column(name, meaning, kind, filled)
        for name, meaning, kind, filled in meant
        if name is not None
    ]


def _checks(columns: Columns, words: Words, now: datetime) -> list[Check]:
    either = f"({_is_arm(words, 'treatment')}) OR ({_is_arm(words, 'control')})"
    known = " or ".join(repr(names[0]) for names in words.arms.values())
    checks = [
        Check(
            f"SELECT line, arm AS found FROM rows WHERE arm IS NOT NULL AND NOT ({either})",
            f"{columns.arm} is {{found!r}}{{rows}}; write {known}, or say what the file calls "
            "them with --treated-is and --control-is",
            is_one=True,
        )
    ]
    if columns.decided_at:
        late = f"TIMESTAMPTZ '{now:%Y-%m-%d %H:%M:%S%z}'"
        checks.append(
            Check(
                f"SELECT line, CAST(decided_at AS VARCHAR) AS found FROM rows "
                f"WHERE decided_at > {late}",
                f"{columns.decided_at} is {{found}}, which is still to come",
            )
        )
    if columns.subject:
        checks.append(
            Check(
                "SELECT line, subject AS found FROM rows WHERE subject IS NOT NULL QUALIFY "
                "row_number() OVER (PARTITION BY subject ORDER BY line) > 1",
                f"{columns.subject} {{found!r}} was there before; a subject counts once",
            )
        )
    return checks


def _is_arm(words: Words, arm: str) -> str:
    # Also where a table that holds 0 and 1 was written out as 0.0 and 1.0.
    names = ", ".join("'" + name.replace("'", "''") + "'" for name in words.arms[arm])
    numbers = (
        f"SELECT n FROM (SELECT TRY_CAST(unnest([{names}]) AS DOUBLE) AS n) WHERE n IS NOT NULL"
    )
    return f"(lower(arm) IN ({names}) OR coalesce(TRY_CAST(arm AS DOUBLE) IN ({numbers}), FALSE))"


def same_rows(trial: Trial, definition: Definition) -> str:
    """Return the hash that names a trial with its declaration: the same one is taken once."""
    return sha256(f"{trial.sha256}|{definition.sha256}")
