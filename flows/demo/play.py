"""The demo from the empty stage to the last figure."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from sqlalchemy import func, select

from connectors.slack.preview import PreviewChannel
from decisions.desk import Author
from decisions.effectiveness.report import EffectivenessReport
from decisions.ledger.cases import Filter
from decisions.ledger.records import Arm, Case, CaseState, Outcome
from decisions.ownership import resolve
from flows import wiring
from flows.demo.clock import MovableClock
from flows.demo.company import Company
from flows.demo.people import Staff
from flows.demo.result import DemoResult, Estimate, Kept, figures, typed
from flows.demo.stage import Stage, account_managers, grant_leave, write_tables
from flows.demo.story import Story, Telling
from flows.demo.timeline import Moment, first_monday, moments
from flows.report import report
from flows.reporting import Reported
from flows.settings import Settings
from flows.wiring import Layer

DECISION = "churn-save-call"
"""The decision of the workspace that ships."""

_SAID_EVERY = 5
"""Weeks between two lines where no terminal shows the line that moves."""


async def played(
    stage: Stage, *, seed: int, accounts: int, weeks: int, until: datetime, console: Console
) -> DemoResult:
    """Play the story on the stage and say what came of it.

    Args:
        stage: Empty but for the workspace.
        seed: What everything is drawn from.
        accounts: Accounts of the company.
        weeks: How long the story lasts.
        until: When it ends (timezone-aware).
        console: Where progress is shown.
    """
    begins_at = first_monday(until, weeks=weeks)
    clock = MovableClock(begins_at)
    story = set_up(stage, clock, seed=seed, accounts=accounts, until=until)
    with wiring.using(story.layer):
        with _progress(console, story.layer, weeks) as telling:
            await story.tell(moments(until, weeks=weeks), telling)
        (reported,) = await report(DECISION, look=True)
    asked = {"seed": seed, "accounts": accounts, "weeks": weeks, "folder": stage.folder}
    found = _found(story, reported)
    story.layer.ledger.close()
    return DemoResult(began_at=begins_at, ended_at=until, **asked, **found)


def set_up(
    stage: Stage, clock: MovableClock, *, seed: int, accounts: int, until: datetime
) -> Story:
    """Return the story before anything has happened.

    Args:
        stage: Empty but for the workspace.
        clock: Stands at the story's first instant.
        seed: What everything is drawn from.
        accounts: Accounts of the company.
        until: When the story ends (timezone-aware).
    """
    workspace = wiring.read_workspace(stage.settings, clock)
    managers = account_managers(workspace.people, workspace.decisions[DECISION])
    grant_leave(stage.workspace, managers, until=until)
    company = Company(accounts=accounts, managers=managers, begins_on=clock().date(), seed=seed)
    names = ("churn_scores", "accounts", "renewals", "crm_calls")
    write_tables(stage.warehouse, {name: company.table(name, clock()) for name in names})
    layer = wiring.assemble(stage.settings, clock)
    sign_off(layer, DECISION)
    people, owners = layer.workspace.people, layer.definition(DECISION).owners
    owner = resolve("business", people=people, owners=owners, assignee=None, at=until)
    drawn = {name: PreviewChannel(name, clock=clock) for name in layer.channels}
    return Story(
        layer=replace(layer, channels=drawn),
        decision=DECISION,
        clock=clock,
        warehouse=stage.warehouse,
        company=company,
        staff=Staff(layer.workspace.people, managers, owner=owner.person, seed=seed),
    )


def sign_off(layer: Layer, decision: str) -> None:
    """Let the backup owner release the decision as it is, and the two others sign it."""
    definition = layer.definition(decision)
    people, owners = layer.workspace.people, definition.owners
    business, technical, backup = (
        people.roles.get(name, name)
        for name in (owners.business, owners.technical, str(owners.backup))
    )
    released = Author(backup, "inbox", "demo-release")
    layer.board.release(definition, released, because="The first version.")
    for person in (business, technical):
        layer.board.sign(decision, Author(person, "inbox", f"demo-sign-{person}"))


@contextmanager
def _progress(console: Console, layer: Layer, weeks: int) -> Iterator[Telling]:
    """Yield what shows a line that follows the weeks."""
    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting a Prefect server of its own", total=weeks)
        seen = 0

        def telling(moment: Moment) -> None:
            nonlocal seen
            if moment.week == seen:
                return
            seen = moment.week
            cases = layer.ledger.cases.count(Filter(decision=DECISION, states=None))
            said = f"week {seen} of {weeks}, {moment.at:%d %B %Y}: {cases:,} cases so far"
            progress.update(task, completed=seen, description=said)
            if not console.is_terminal and seen % _SAID_EVERY == 1:
                console.print(said)

        yield telling


def _found(story: Story, reported: Reported) -> dict[str, Any]:
    layer, numbers = story.layer, reported.report
    verified = layer.ledger.verified()
    return {
        "seconds": 0.0,
        "flow_runs": story.flow_runs + 1,
        "answers": story.answers,
        "figures": tuple(figures(numbers)),
        "present": _present(layer),
        "effect": _estimate(story, numbers),
        "verdict": f"{numbers.verdict.kind}: {numbers.verdict.sentences}",
        "ledger": Kept(**asdict(verified)),
        "report": reported.html,
        "next": _commands(layer.settings),
    }


def _present(layer: Layer) -> dict[str, int]:
    """Count the cases that wait for somebody."""
    count, now = layer.ledger.cases.count, layer.clock()
    waiting = {"open": CaseState.OPEN, "acknowledged": CaseState.ACKNOWLEDGED}
    present = {}
    for name, state in waiting.items():
        wanted = Filter(decision=DECISION, states=(state,))
        present[name] = count(wanted)
        present[f"{name}, overdue"] = count(replace(wanted, overdue_at=now))
    return present


def _estimate(story: Story, numbers: EffectivenessReport) -> Estimate:
    arms = _known_outcomes(story.layer)
    held_out, treated = arms[Arm.CONTROL], arms[Arm.TREATMENT]
    truth = None
    if held_out and treated:
        gained = story.company.gain
        truth = float(gained(treated).mean() - gained(held_out).mean())
    found = numbers.effect.difference if numbers.effect else None
    return Estimate(
        truth=truth,
        found=found.estimate if found else None,
        lower=found.lower if found else None,
        upper=found.upper if found else None,
        held_out=len(held_out),
        treated=len(treated),
    )


def _known_outcomes(layer: Layer) -> dict[str, list[str]]:
    """Return the subjects whose outcome is known, by arm: each once, by its first case."""
    case, outcome = Case.__table__, Outcome.__table__
    mine = case.c.decision == DECISION
    first = select(func.min(case.c.id)).where(mine).group_by(case.c.subject)
    query = (
        select(case.c.arm, case.c.subject)
        .join_from(case, outcome, outcome.c.case_id == case.c.id)
        .where(case.c.id.in_(first), outcome.c.value.is_not(None))
    )
    arms: dict[str, list[str]] = {Arm.CONTROL: [], Arm.TREATMENT: []}
    with layer.ledger.reading() as connection:
        for arm, subject in connection.execute(query):
            arms[arm].append(subject)
    return arms


def _commands(settings: Settings) -> dict[str, str]:
    """Return what to type next, by what it shows."""
    where = f"--workspace {typed(settings.workspace)} --home {typed(settings.home)}"
    called = Path(sys.argv[0])
    is_elsewhere = called.name == "followthrough" and not shutil.which("followthrough")
    program = typed(called.absolute()) if is_elsewhere else "followthrough"
    return {
        "the inbox": f"{program} serve {where} --no-schedules",
        "the cases that wait": f"{program} cases {where}",
        "the history, recomputed": f"{program} verify {where}",
    }
