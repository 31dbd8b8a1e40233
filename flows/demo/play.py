"""The demo from the empty stage to the last figure."""

import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from rich.console import Console
from sqlalchemy import func, select

from connectors.slack.preview import PreviewChannel
from decisions.effectiveness.report import EffectivenessReport
from decisions.ledger.cases import Filter
from decisions.ledger.records import Case, Outcome
from flows import wiring
from flows.demo.clock import MovableClock
from flows.demo.company import Company
from flows.demo.people import Staff
from flows.demo.result import DemoResult, Estimate, Kept, figures
from flows.demo.stage import Stage, account_managers, grant_leave, write_tables
from flows.demo.story import Story, Telling
from flows.demo.timeline import Moment, first_monday, moments
from flows.report import report
from flows.wiring import Layer

DECISION = "churn-save-call"
"""The decision of the workspace that ships."""


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
    with wiring.using(story.layer), _progress(console, story.layer, weeks) as telling:
        await story.tell(moments(until, weeks=weeks), telling)
        said = await report(DECISION)
    ...


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
    drawn = {name: PreviewChannel(name, clock=clock) for name in layer.channels}
    return Story(
        layer=replace(layer, channels=drawn),
        decision=DECISION,
        clock=clock,
        warehouse=stage.warehouse,
        company=company,
        staff=Staff(layer.workspace.people, managers, seed=seed),
    )
