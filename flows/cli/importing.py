"""Bring in what other systems know."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from rich.console import RenderableType

from flows.cli.endings import DONE, YOURS_TO_FIX
from flows.cli.here import As, CommandHere, Here, instant
from flows.cli.output import pairs, plural, table

if TYPE_CHECKING:
    from flows.importing import Brought

_Column = Annotated[str | None, Parameter(metavar="COLUMN")]
_Named = Annotated[str, Parameter(metavar="COLUMN")]
_Word = Annotated[str | None, Parameter(metavar="WORD")]


@Parameter(name="*", show_default=False)
@dataclass(frozen=True, kw_only=True)
class Form:
    """What a file calls its columns and its arms."""

    subject: _Column = None
    """Column of the subject; without it each row is one."""
    arm: _Column = None
    """Column of the arm."""
    treated_is: _Word = None
    """What the file calls those put forward; treatment, 1, true and yes are known."""
    control_is: _Word = None
    """What it calls those left alone; control, 0, false and no are known."""
    decided_at: _Column = None
    """Column of when the subject was decided on."""
    acted: _Column = None
    """Column of whether the subject was in fact acted on."""
    outcome: _Column = None
    """Column of the outcome, empty where it is not known."""
    value: _Column = None
    """Column of what one more success is worth."""


@Parameter(name="*", show_default=False)
@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What was declared about a measurement that is over."""

    better: Literal["higher", "lower"] | None = None
    """Which direction of the outcome is the good one."""
    window: Annotated[str | None, Parameter(metavar="SPAN")] = None
    """How long after deciding an outcome counted, such as 60d."""
    holdout: Annotated[str | None, Parameter(metavar="SHARE")] = None
    """The share that was to be left alone, such as 10%; the share found by default."""
    decided_on: Annotated[str | None, Parameter(metavar="DATE")] = None
    """When all were decided on, for a file without that column."""
    period: Annotated[str | None, Parameter(metavar="NAME")] = None
    """Name of the measurement period; the file's name by default."""
    measure: Annotated[str | None, Parameter(metavar="NAME")] = None
    """What to call the outcome; the column's name by default."""
    unit: Annotated[str | None, Parameter(metavar="UNIT")] = None
    """Unit of the value, such as USD."""
    owner: Annotated[str | None, Parameter(metavar="PERSON")] = None
    """Who answers for it, if the workspace has no such decision."""
    question: Annotated[str | None, Parameter(metavar="SENTENCE")] = None
    """What was asked, if the workspace has no such decision."""


def import_(
    file: Path,
    /,
    *,
    decision: Annotated[str, Parameter(metavar="NAME")],
    declaration: Declaration = Declaration(),
    form: Form = Form(),
    dry_run: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    as_: As = None,
    here: CommandHere,
) -> None:
    """Bring in a finished trial or earlier decisions as one measurement period.

    One row a subject, as CSV or Parquet, with the columns subject, arm, decided_at, outcome and,
    where known, acted and value; other names are said with the options. Nobody is told anything.
    The report on the decision then shows what came of it, marked as imported.

    Args:
        file: The file.
        decision: The decision it belongs to; one that the workspace has says most of the rest.
        declaration: What was declared.
        form: What the file calls things.
        dry_run: Check everything and record nothing.
        as_: Who brings it in; a key of people.yaml.
        here: What the command works on.

    Examples:
        followthrough import calls-2025.csv --decision churn-save-call --as mia.chen
        followthrough import trial.parquet --decision reminder-letter --better higher \
--window 30d --owner dana.reyes --arm letter --outcome paid --decided-on 2025-03-01
    """
    from decisions.history import Words
    from flows.importing import Asked, bring_in

    columns = ("subject", "arm", "decided_at", "acted", "outcome", "value")
    said = {name: value for name, value in asdict(declaration).items() if name != "decided_on"}
    on = declaration.decided_on
    asked = Asked(
        decision=decision,
        columns={name: getattr(form, name) for name in columns},
        words=Words(form.treated_is, form.control_is),
        decided_on=instant(on, asked="--decided-on") if on else None,
        **said,
    )
    by = here.person(as_, question="who brings it in?")
    with here.out.busy(f"{file}: reading"):
        brought = bring_in(here.layer, file, asked, by=by, dry_run=dry_run)
    _answer(here, brought, dry_run=dry_run)


@Parameter(name="*", show_default=False)
@dataclass(frozen=True, kw_only=True)
class OutcomeForm:
    """What a file of outcomes calls its columns."""

    case: _Named = "case"
    """Column of the case's key."""
    subject: _Named = "subject"
    """Column of the subject, for a file that names no cases."""
    value: _Named = "value"
    """Column of the outcome."""
    at: _Named = "at"
    """Column of when it came about."""
    censored: _Named = "censored"
    """Column of why an outcome can never be known."""


def outcomes(
    act: Literal["import"],
    file: Path,
    /,
    *,
    decision: Annotated[str, Parameter(metavar="NAME")],
    form: OutcomeForm = OutcomeForm(),
    dry_run: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    here: CommandHere,
) -> int:
    """Take in outcomes from a file, for those without a warehouse.

    A row names a case, or a subject whose case was open when the outcome came about, and says the
    value, or why it can never be known. A value that differs from the one known is a correction:
    the last one counts, all are kept. Only cases whose window and lag have passed are taken.

    Args:
        act: The word import.
        file: CSV or Parquet.
        decision: Whose cases it is about.
        form: What the file calls things.
        dry_run: Check everything and record nothing.
        here: What the command works on.

    Examples:
        followthrough outcomes import renewals.csv --decision churn-save-call
        followthrough outcomes import renewals.parquet --decision churn-save-call --dry-run \
--subject account --value renewed --at closed_on
    """
    from decisions.evidence_file import OutcomeColumns
    from flows.importing import take_in_outcomes

    columns = OutcomeColumns(**asdict(form))
    with here.out.busy(f"{file}: reading"):
        found = take_in_outcomes(here.layer, file, decision, columns, dry_run=dry_run)
    document = {"file": file.name, "decision": decision, "act": act, "dry_run": dry_run}
    rows = [(text, getattr(found, name)) for name, text in _FATES.items()]
    left = [
        f"  {_FATES[name]}: {'line' if len(lines) == 1 else 'lines'} {', '.join(map(str, lines))}"
        + (" …" if getattr(found, name) > len(lines) else "")
        for name, lines in found.lines.items()
    ]
    here.out.answer(
        document | asdict(found),
        f"{file.name}, {decision}{': nothing was recorded' if dry_run else ''}\n",
        table("", "", rows=[row for row in rows if row[1]], whole=[0]),
        *(["\nNot taken", *left] if left else []),
    )
    return YOURS_TO_FIX if found.unknown or found.twice else DONE


_FATES = {
    "new": "new outcomes",
    "corrected": "corrections",
    "unchanged": "known already",
    "early": "window not over yet",
    "unknown": "no case fits",
    "twice": "more than one row for a case",
}


def _answer(here: Here, brought: "Brought", *, dry_run: bool) -> None:
    period = brought.period
    document: dict[str, Any] = {
        "decision": period.decision,
        "period": period.name,
        "file": period.file,
        "sha256": period.sha256,
        "subjects": period.subjects,
        "treatment": brought.treatment,
        "control": brought.control,
        "outcomes_known": brought.known,
        "is_new": brought.is_new,
        "dry_run": dry_run,
    }
    if dry_run:
        became = "is without a fault; nothing was recorded"
    else:
        became = "is imported" if brought.is_new else "is there already; nothing was changed"
    shown: list[RenderableType] = [
        f"{period.file} {became}",
        f"{plural(period.subjects, 'subject')} of {period.decision}, period {period.name}\n",
        pairs(
            [
                ("put forward", brought.treatment),
                ("left alone", brought.control),
                ("outcome known", brought.known),
                ("next", None if dry_run else f"followthrough report {period.decision}"),
            ]
        ),
    ]
    here.out.answer(document, *shown)
