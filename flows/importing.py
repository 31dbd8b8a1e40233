"""Bring in what other systems know: finished measurements, and outcomes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from decisions.definition import Definition
from decisions.errors import NotUnderstood
from decisions.evidence_file import OutcomeColumns, read_outcomes
from decisions.history import Declared, Words, columns_of, declared_as, read_trial
from decisions.ledger.corrections import TakenIn, take_in
from decisions.ledger.imports import ImportedPeriod
from decisions.quantities import Share, Span
from decisions.spelling import Slug
from flows.wiring import Layer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was said about a measurement that is to be brought in; None where nothing was.

    Attributes:
        decision: The decision it belongs to.
        columns: Names of the file's columns by what they mean.
        words: What the file calls the arms.
        decided_on: When every subject was decided on (timezone-aware).
        period: Name of the measurement period; the file's name by default.
        measure: What the outcome is called; the column's name by default.
        better: Which direction is the good one; the workspace's definition may say.
        window: How long after deciding an outcome counted; the workspace's definition may say.
        holdout: The share that was to be left alone, as written; the one found by default.
        unit: Unit of the value.
        owner: Who answers for it, where the workspace has no such decision.
        question: What was asked, where the workspace has no such decision.
    """

    decision: str
    columns: Mapping[str, str | None]
    words: Words
    decided_on: datetime | None = None
    period: str | None = None
    measure: str | None = None
    better: Literal["higher", "lower"] | None = None
    window: str | None = None
    holdout: str | None = None
    unit: str | None = None
    owner: str | None = None
    question: str | None = None


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of a file that was brought in.

    Attributes:
        period: The measurement period it is now.
        control: Subjects left alone.
        treatment: Subjects put forward.
        known: Subjects whose outcome is known.
        is_new: Whether it was not there before.
    """

    period: ImportedPeriod
    control: int
    treatment: int
    known: int
    is_new: bool


def bring_in(layer: Layer, path: Path, asked: Asked, *, by: str, dry_run: bool = False) -> Brought:
    """Bring in a finished measurement as one period of a decision.

    Args:
        layer: Everything assembled.
        path: A CSV or Parquet file.
        asked: What was said about it.
        by: Who brings it in.
        dry_run: Whether to check everything and record nothing.

    Raises:
        UnusableFile: The file has faults; all of them at once.
        NotUnderstood: Something that has to be declared is not, or the decision has another period
            of that name.
    """
    known = layer.workspace.decisions.get(asked.decision)
    _refuse_odd_names(layer, asked)
    _refuse_undeclared(asked, known)
    columns = columns_of(path, asked.columns)
    if columns.decided_at is None and asked.decided_on is None:
        raise NotUnderstood(
            f"{path} has no column 'decided_at'; name it with --decided-at, or say with "
            "--decided-on when all of them were decided"
        )
    trial = read_trial(path, columns, asked.words, decided_on=asked.decided_on, now=layer.clock())
    found = trial.left_alone_share
    if not 0 < found < 1:
        raise NotUnderstood(f"{path} holds one arm only; an effect is a difference between two")
    declared = _declared(asked, known, path, found, measure=columns.outcome)
    definition = declared_as(replace(declared, is_valued=columns.value is not None), known)
    if dry_run:
        period, is_new = layer.ledger.imports.foreseen(trial, definition), False
    else:
        period, is_new = layer.ledger.imports.bring_in(
            trial, definition, share_declared=asked.holdout is not None, by=by
        )
    control = round(found * trial.rows.num_rows)
    return Brought(
        period=period,
        control=control,
        treatment=trial.rows.num_rows - control,
        known=trial.rows.num_rows - trial.rows.column("outcome").null_count,
        is_new=is_new,
    )


def take_in_outcomes(
    layer: Layer, path: Path, decision: str, columns: OutcomeColumns, *, dry_run: bool = False
) -> TakenIn:
    """Take in outcomes from a file; the same file again changes nothing.

    Args:
        layer: Everything assembled.
        path: A CSV or Parquet file.
        decision: Whose cases it is about.
        columns: What the file calls its columns.
        dry_run: Whether only to say what would be done.

    Raises:
        UnusableFile: The file has faults; all of them at once.
        NotUnderstood: Nobody knows such a decision.
    """
    if layer.ledger.latest_version(decision) is None:
        layer.definition(decision)
    rows = read_outcomes(path, columns, now=layer.clock())
    with layer.ledger.writing() as transaction:
        return take_in(transaction, rows, decision=decision, source=path.name, dry_run=dry_run)


def _refuse_odd_names(layer: Layer, asked: Asked) -> None:
    try:
        TypeAdapter(Slug).validate_python(asked.decision)
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise NotUnderstood(f"--decision is {asked.decision!r}; {said}") from None
    if asked.owner is not None:
        people = layer.workspace.people
        people.person(people.roles.get(asked.owner, asked.owner))


def _refuse_undeclared(asked: Asked, known: Definition | None) -> None:
    """Ask for everything at once that nobody has declared."""
    outcome = known.outcome if known else None
    missing = [
        text
        for said, text in (
            (asked.better or outcome, "which direction of the outcome is good: --better higher"),
            (asked.window or outcome, "how long an outcome counted: --window 60d"),
            (known or asked.owner, "who answers for the decision: --owner PERSON"),
        )
        if not said
    ]
    if missing:
        listed = "\n".join(f"  {each}" for each in missing)
        raise NotUnderstood(
            f"the workspace has no {asked.decision!r} that would say it, so say\n{listed}"
            if known is None
            else f"{asked.decision} declares no outcome, so say\n{listed}"
        )


def _parsed(parse: Callable[[str], T], text: str | None, option: str) -> T | None:
    try:
        return parse(text) if text else None
    except ValueError as error:
        raise NotUnderstood(f"{option} is {text!r}, which cannot be read; {error}") from None


def _declared(
    asked: Asked, known: Definition | None, path: Path, found: float, *, measure: str
) -> Declared:
    outcome = known.outcome if known else None
    window = _parsed(Span.parse, asked.window, "--window")
    declared_share = _parsed(Share.parse, asked.holdout, "--holdout")
    share = declared_share.of_one if declared_share else found
    better = asked.better or (outcome.better if outcome else "higher")
    return Declared(
        decision=asked.decision,
        period=asked.period or path.stem,
        measure=asked.measure or (outcome.measure if outcome else measure),
        better=better,
        window=window or (outcome.window if outcome else Span(1, "day")),
        share=share,
        unit=asked.unit,
        owner=asked.owner,
        question=asked.question,
    )
