"""Try a version on batches of the past."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import RenderableType

from decisions.errors import LedgerError, NotUnderstood
from flows.cli.here import CommandHere, Here, instant, name_of
from flows.cli.output import table

if TYPE_CHECKING:
    from decisions.deciding.comparison import Comparison, Share, Side
    from decisions.ledger import Ledger
    from decisions.ownership import People
    from decisions.workspace import Workspace
    from flows.backtesting import Past, Tried

LIVE = "live"
_MOST_ASSIGNEES = 12


def backtest(
    decision: str,
    /,
    *,
    version: int | None = None,
    against: Annotated[str, Parameter(metavar="live|VERSION")] = LIVE,
    batches: Annotated[
        list[Path] | None, Parameter(metavar="FILE", consume_multiple=True, negative=())
    ] = None,
    since: Annotated[str | None, Parameter(metavar="INSTANT")] = None,
    here: CommandHere,
) -> None:
    """Try a version on batches of the past, beside the one that is live.

    Rules, arms, routes and limits are those of a real run, batch by batch; the ledger is only
    read, and nobody is told. A case counts as open until its deadlines have passed.

    Args:
        decision: Which; its file as it is now, unless --version says otherwise.
        version: Try this recorded version instead of the file.
        against: Compare with the version that decided last, or with one by its number.
        batches: Parquet or CSV files, a batch each; the archived runs if left out.
        since: Only archived runs from then on.
        here: What the command works on.

    Examples:
        followthrough backtest churn-save-call
        followthrough backtest churn-save-call --since 2026-09-01 --against 3
        followthrough backtest churn-save-call --batches scores/*.parquet --json
    """
    from flows.backtesting import backtested
    from flows.wiring import read_workspace

    if batches and since:
        raise NotUnderstood("--since goes with archived runs; of --batches, name the files wanted")
    workspace = read_workspace(here.settings, here.clock)
    tried, other, past = _wanted(here, workspace, decision, version, against, batches, since)
    count = len(past.batches) * (2 if other else 1)
    with here.out.progress("deciding on the past", count) as advance:
        found = backtested(tried, other, past, workspace.people, advance=advance)
    same = other is not None and other.definition.sha256 == tried.definition.sha256
    notes = [*past.notes, *(["both are the same version"] if same else [])]
    said = sentence(found, workspace.people)
    document = found.model_dump(mode="json") | {"notes": notes, "sentence": said}
    here.out.answer(document, *_shown(found, workspace.people), *notes, "", said)


def _wanted(
    here: Here,
    workspace: "Workspace",
    decision: str,
    version: int | None,
    against: str,
    batches: list[Path] | None,
    since: str | None,
) -> tuple["Tried", "Tried | None", "Past"]:
    """Return the version to try, the one to compare with, and the batches."""
    from decisions.deciding.archive import VerdictArchive
    from flows.backtesting import archived_past, given_past, live, numbered

    if against != LIVE and not against.isdecimal():
        raise NotUnderstood(f"--against is {against!r}; write 'live' or a version's number")
    ledger = _ledger(here, needed=not batches or version is not None or against != LIVE)
    if ledger is None:
        tried = _file(workspace, decision)
        return tried, None, given_past(tried.definition, batches or [])
    with closing(ledger):
        if version is None:
            tried = _file(workspace, decision)
        else:
            tried = numbered(ledger, decision, version)
        if against == LIVE:
            other = live(ledger, decision)
        else:
            other = numbered(ledger, decision, int(against))
        if batches:
            return tried, other, given_past(tried.definition, batches)
        then = instant(since, asked="--since") if since else None
        archive = VerdictArchive(here.settings.archive_folder)
        return tried, other, archived_past(ledger, archive, decision, since=then)


def _file(workspace: "Workspace", decision: str) -> "Tried":
    from decisions.suggestions import choices
    from flows.backtesting import Tried

    definition = workspace.decisions.get(decision)
    if definition is None:
        hint = choices(decision, workspace.decisions)
        raise NotUnderstood(f"there is no decision {decision!r}; {hint} (in {workspace.folder})")
    return Tried("the file", definition)


def _ledger(here: Here, *, needed: bool) -> "Ledger | None":
    from decisions.ledger import Ledger

    try:
        return Ledger(here.settings.ledger_url, here.clock, read_only=True)
    except LedgerError as found:
        if needed:
            raise
        here.out.note(f"{found}; nothing to compare with")
        return None


def sentence(found: "Comparison", people: "People") -> str:
    """Return what would change, in one sentence a business owner can act on."""
    before = found.before.opened_per_week if found.before else None
    change = found.after.opened_per_week - (before or 0)
    parts = [_cases(change, signed=before is not None)]
    most = _most_changed(found, change)
    if most:
        share = most.after - most.before
        parts[0] += (
            f", {_cases_of(share, signed=share * change < 0)} {name_of(people, most.assignee)}'s"
        )
        if most.beyond:
            parts.append(
                f"{most.beyond:,.1f} of theirs a week are over the limit of {most.limit} "
                "and suppressed"
            )
    beyond = sum(each.beyond for each in found.assignees)
    if beyond and not (most and most.beyond):
        limit = found.assignees[0].limit
        parts.append(f"{beyond:,.1f} cases a week are over somebody's limit of {limit}")
    if found.before and found.changed_action:
        subjects = "subject changes" if found.changed_action == 1 else "subjects change"
        parts.append(f"{found.changed_action:,} {subjects} action")
    parts += _money(found)
    return "; ".join(parts) + "."


def _cases(count: float, *, signed: bool) -> str:
    if signed and round(count, 1) == 0:
        return "As many cases a week as before"
    written = f"{count:+,.1f}" if signed else f"{count:,.1f}"
    return f"{written.removesuffix('.0')} cases a week"


def _cases_of(count: float, *, signed: bool) -> str:
    written = f"{count:+,.1f}" if signed else f"{abs(count):,.1f}"
    return f"{written.removesuffix('.0')} of them"


def _most_changed(found: "Comparison", change: float) -> "Share | None":
    """Return the assignee who bears most of the change, if anybody does."""
    bearing = [each for each in found.assignees if (each.after - each.before) * change > 0]
    return max(bearing, key=lambda each: abs(each.after - each.before), default=None)


def _money(found: "Comparison") -> list[str]:
    value, unit = found.after.value, found.after.unit or ""
    if value is None:
        return []
    if found.before is None or found.before.value is None or found.before.unit != unit:
        return [f"{value:,.0f} {unit}".rstrip() + " at stake"]
    change = value - found.before.value
    if round(change) == 0:
        return []
    return [f"{abs(change):,.0f} {unit}".rstrip() + f" {'more' if change > 0 else 'less'} at stake"]


def _shown(found: "Comparison", people: "People") -> Iterator[RenderableType]:
    days = f"{found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}"
    count = "1 batch" if found.batches == 1 else f"{found.batches:,} batches"
    yield f"{found.decision}: {count}, {days}, counted as {found.weeks:.1f} weeks\n"
    sides = [each for each in (found.before, found.after) if each]
    headings = [each.label for each in sides] + (["change"] if found.before else [])
    yield table("", *headings, rows=_counts(found, sides), whole=[0])
    yield "\nCases a week"
    heads = ["before", "after", "change"] if found.before else ["after"]
    yield table("with", *heads, "over the limit", rows=_assignees(found, people), whole=[0])
    if len(found.assignees) > _MOST_ASSIGNEES:
        yield f"and {len(found.assignees) - _MOST_ASSIGNEES} more"
    if found.before:
        yield from _changes(found)


def _counts(found: "Comparison", sides: list["Side"]) -> Iterator[list[object]]:
    reasons = sorted({reason for side in sides for reason in side.suppressed})
    unit = found.after.unit or ""
    rows: list[tuple[str, list[float | None]]] = [
        ("cases a week", [round(side.opened_per_week, 1) for side in sides]),
        ("selected by a rule", [side.selected for side in sides]),
        ("  opened", [side.opened for side in sides]),
        ("  held out", [side.held_out for side in sides]),
        ("  suppressed", [sum(side.suppressed.values()) for side in sides]),
    ]
    rows += [(f"    {name}", [side.suppressed.get(name, 0) for side in sides]) for name in reasons]
    rows += [
        (f"at stake {unit}".rstrip(), [side.value and round(side.value) for side in sides]),
    ]
    for label, values in rows:
        if all(value is None for value in values):
            continue
        change = [_signed(values[-1], values[0])] if found.before else []
        yield [label, *values, *change]


def _assignees(found: "Comparison", people: "People") -> Iterator[list[object]]:
    for each in found.assignees[:_MOST_ASSIGNEES]:
        after, before = round(each.after, 1), round(each.before, 1)
        values = [before, after, _signed(after, before)] if found.before else [after]
        over = f"{each.beyond:,.1f} beyond {each.limit}" if each.beyond else ""
        yield [name_of(people, each.assignee), *values, over]


def _signed(after: float | None, before: float | None) -> str:
    if after is None or before is None:
        return ""
    change = round(after - before, 1)
    return f"{change:+,}" if change else "="


def _changes(found: "Comparison") -> Iterator[RenderableType]:
    counts = (found.newly_opened, found.no_longer_opened, found.changed_action)
    yield (
        f"\nSubjects: {counts[0]:,} newly opened, {counts[1]:,} no longer, "
        f"{counts[2]:,} with another action"
    )
    if found.examples:
        rows = [
            (each.subject, each.before or "no case", each.after or "no case")
            for each in found.examples
        ]
        yield table("for example", "before", "after", rows=rows)
