"""Six months of the made-up company, through the real flows and the real ledger.

The world supplies scores, people's behaviour and outcomes; everything else is what runs in earnest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Select, literal, select

from decisions.desk import Author
from decisions.errors import LifecycleError
from decisions.ledger.records import Arm, Case, Notification
from flows.decide import decide
from flows.demo.clock import MovableClock
from flows.demo.company import Company
from flows.demo.people import Act, Staff, Told
from flows.demo.stage import write_tables
from flows.demo.timeline import RUNS, Moment, Step
from flows.dispatch import dispatch
from flows.observe import observe
from flows.wiring import Layer

_CALLED_ALL_THE_SAME = 0.02
"""Share of held-out accounts whose manager calls on their own initiative."""
_FROM_SLACK = 4
"""Of five answers, so many come from Slack and the rest from the inbox."""

_ABOUT = (
    Case.__table__.c.key.label("case"),
    Case.__table__.c.subject.label("account"),
    Case.__table__.c.action,
    Case.__table__.c.state,
    Case.__table__.c.assignee,
)
"""What a person who hears of a case knows of it, named as in ``Told``."""

Telling = Callable[[Moment], None]
"""Is told how far the story has got."""


@dataclass
class Story:
    """The made-up company at work.

    Attributes:
        layer: Everything a deployment has, with the story's clock.
        decision: Name of the decision.
        clock: The layer's clock.
        warehouse: The DuckDB file that the company's tables are written to.
        company: The world.
        staff: The people in it.
        answers: What people said at the desk, accepted or not.
        flow_runs: Runs of flows so far.
    """

    layer: Layer
    decision: str
    clock: MovableClock
    warehouse: Path
    company: Company
    staff: Staff
    answers: int = 0
    flow_runs: int = 0
    _meant: list[tuple[datetime, int, Act]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def tell(self, moments: Iterator[Moment], telling: Telling) -> None:
        """Let everything happen in its order; people act between the moments."""
        for moment in moments:
            self._live_until(moment.at)
            self.clock.move_to(moment.at)
            await self._take(moment.step)
            telling(moment)

    async def _take(self, step: Step) -> None:
        self.flow_runs += step in RUNS
        match step:
            case Step.SCORE:
                self._load("churn_scores", "accounts")
            case Step.SCORE_PARTLY:
                self._load("churn_scores", share=1 / 3)
            case Step.DECIDE:
                await decide(self.decision)
                self._tempt()
            case Step.DISPATCH:
                await dispatch()
                self._spread_word()
            case Step.OBSERVE:
                self._load("renewals", "crm_calls")
                await observe()

    def _load(self, *names: str, share: float = 1) -> None:
        """Write tables of the warehouse anew, as a nightly job would; or the first part of them."""
        tables = {name: self.company.table(name, self.clock()) for name in names}
        parts = {name: rows.slice(0, int(rows.num_rows * share)) for name, rows in tables.items()}
        write_tables(self.warehouse, parts)

    def _tempt(self) -> None:
        """Let a few of the accounts just held out be called all the same."""
        case = Case.__table__
        query = (
            select(*_ABOUT, case.c.assignee.label("person"), literal("held out").label("kind"))
            .where(case.c.arm == Arm.CONTROL, case.c.opened_at == self.clock())
            .order_by(case.c.id)
        )
        for told in self._told(query):
            if self.staff.happens(_CALLED_ALL_THE_SAME):
                self._mean(self.staff.own_initiative(told))

    def _spread_word(self) -> None:
        """Let everybody react to what they were told by the sweep just made."""
        sent, case = Notification.__table__, Case.__table__
        query = (
            select(*_ABOUT, sent.c.recipient.label("person"), sent.c.kind)
            .join_from(sent, case, sent.c.case_id == case.c.id)
            .where(sent.c.sent_at == self.clock())
            .order_by(sent.c.id)
        )
        for told in self._told(query):
            self._mean(self.staff.reaction(told))

    def _told(self, query: Select[Any]) -> list[Told]:
        actions = self.layer.definition(self.decision).actions
        with self.layer.ledger.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            Told(**row, at=self.clock(), reasons=actions[row["action"]].override_reasons)
            for row in rows
        ]

    def _mean(self, acts: list[Act]) -> None:
        for act in acts:
            heappush(self._meant, (act.at, next(self._numbers), act))

    def _live_until(self, at: datetime) -> None:
        while self._meant and self._meant[0][0] < at:
            _, number, act = heappop(self._meant)
            if self.staff.is_away(act.person, act.at):
                continue
            self.clock.move_to(act.at)
            if self._done(act, f"demo-{number}"):
                self._mean(self.staff.follow_up(act))

    def _done(self, act: Act, interaction: str) -> bool:
        """Carry an act out; return whether it was accepted."""
        if act.deed == "call":
            self.company.call(act.told.account, act.at, logged=act.logged)
            return True
        self.answers += 1
        try:
            self._say(act, interaction)
        except LifecycleError:
            # Somebody else was first; the late answer is in the ledger all the same.
            return False
        return True

    def _say(self, act: Act, interaction: str) -> None:
        desk, key = self.layer.desk, act.told.case
        via = "slack" if self.answers % 5 < _FROM_SLACK else "inbox"
        author = Author(act.person, via, interaction)
        match act.deed:
            case "acknowledge":
                desk.acknowledge(key, author)
            case "override":
                desk.override(key, author, reason=act.reason, note=act.text)
            case "snooze":
                desk.snooze(key, author, until=act.at + timedelta(days=1))
            case "reassign":
                desk.reassign(key, author, to=act.to, note=act.text)
            case "done":
                desk.done(key, author, what=act.text)
