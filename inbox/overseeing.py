"""What owners look over: one decision, and all of them; and the brake in their hands."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, Form, HTTPException
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from decisions.definition import OWNER_ROLES, Definition
from decisions.desk import Author
from decisions.difference import Change, differences
from decisions.effectiveness.look import Look
from decisions.errors import UnknownPerson
from decisions.ledger.overview import Loops
from decisions.ledger.recording import SHADOW
from decisions.ledger.releases import Account
from decisions.ledger.versions import pinned
from decisions.ownership import resolve
from decisions.permission import Act, Role
from decisions.release import Ruling
from flows.operating_boundary import operating_boundary
from flows.standing import standing
from inbox import views
from inbox.rendering import VIA, Renderer

MOST_RUNS: Final = 200
"""Runs of a month that its funnel is made of; further ones are left out, and that is said."""


class Said(BaseModel):
    """What a form about a decision says."""

    number: str = ""
    """The form's own, made when it was shown."""
    because: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One decision in the portfolio.

    Attributes:
        name: The decision.
        definition: As its file says it.
        standing: What the file is: in force, or something else.
        loops: What is open.
        look: What was published last about whether it helps.
        is_halted: Whether an owner has halted it.
        is_overdue: Whether its owners should have confirmed by now that it is still right.
        gaps: Owners nobody can reach: role and name.
    """

    name: str
    definition: Definition
    standing: str
    loops: Loops
    look: Look | None
    is_halted: bool
    is_overdue: bool
    gaps: tuple[str, ...]


class Overseeing:
    """Shows decisions, and takes what owners do to them.

    Args:
        renderer: Fills in the templates.
    """

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._layer = renderer.layer
        self._people = renderer.layer.workspace.people

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        router.add_api_route("/decisions", self.portfolio)
        router.add_api_route("/decisions/{name}", self.decision)
        for act in (self.halt, self.resume, self.sign):
            router.add_api_route(f"/decisions/{{name}}/{act.__name__}", act, methods=["POST"])
        return router

    def portfolio(self, request: Request) -> Response:
        """Show every decision and how it stands."""
        self._renderer.admitted(request)
        loops = self._layer.ledger.overview.loops(self._layer.clock())
        halted = {each.decision for each in self._layer.ledger.releases.halts()}
        lines = [
            self._line(name, each, loops.get(name, Loops()), is_halted=name in halted)
            for name, each in sorted(self._layer.workspace.decisions.items())
        ]
        return self._renderer.page(request, "portfolio.html", lines=lines)

    def decision(self, request: Request, name: str) -> Response:
        """Show one decision: what it is for, who answers for it, how it stands and how it does."""
        me = self._renderer.admitted(request)
        written, now = self._written(name), self._layer.clock()
        sees_held_out = self._layer.admission.may(me.key, Act.SEE_HELD_OUT, written)
        acting = self._layer.acting(name)
        accounts = self._layer.ledger.releases.accounts(name)
        halts = [each for each in self._layer.ledger.releases.halts() if each.decision == name]
        loops = self._layer.ledger.overview.loops(now).get(name, Loops())
        return self._renderer.page(
            request,
            "decision.html",
            line=self._line(name, written, loops, is_halted=bool(halts)),
            halt=halts[0] if halts else None,
            owners=views.owners(acting, self._people, now),
            accounts=[(each, self._changes(each, accounts)) for each in accounts],
            sections=operating_boundary(acting, self._people),
            month=self._month(name, now, sees_held_out=sees_held_out),
            roles=self._layer.admission.roles(me.key, written),
            Role=Role,
        )

    def halt(self, request: Request, name: str, said: Annotated[Said, Form()]) -> Response:
        """Stop a decision at once."""
        author, written = self._author(request, said), self._written(name)
        return self._done(name, self._layer.brake.halt(written, author,
                                                                because=said.because))  # fmt: skip

    def resume(self, request: Request, name: str, said: Annotated[Said, Form()]) -> Response:
        """End a halt."""
        author, written = self._author(request, said), self._written(name)
        because = said.because or None
        return self._done(name, self._layer.brake.resume(written, author, because=because))

    def sign(self, request: Request, name: str, said: Annotated[Said, Form()]) -> Response:
        """Agree to the exact content of a version, which the form has to name."""
        author = self._author(request, said)
        self._written(name)
        if said.version is None:
            raise HTTPException(422, "Nothing was signed: name the version that you have read.")
        return self._done(name, self._layer.board.sign(name, author, number=said.version))

    def _author(self, request: Request, said: Said) -> Author:
        me = self._renderer.admitted(request)
        return Author(me.key, VIA, f"{VIA}:{me.key}:{said.number or uuid4().hex}")

    def _done(self, name: str, ruling: Ruling) -> Response:
        return self._renderer.see_other(f"/decisions/{name}", said=ruling.text)

    def _written(self, name: str) -> Definition:
        """Return the decision as its file says it.

        Raises:
            HTTPException: There is none of that name; 404.
        """
        found = self._layer.workspace.decisions.get(name)
        if found is None:
            raise HTTPException(404, f"There is no decision {name!r}.")
        return found

    def _line(self, name: str, written: Definition, loops: Loops, *, is_halted: bool) -> Line:
        ledger, today = self._layer.ledger, self._layer.clock().astimezone(UTC).date()
        return Line(
            name=name,
            definition=written,
            standing=standing(ledger, written),
            loops=loops,
            look=ledger.overview.last_look(name),
            is_halted=is_halted,
            is_overdue=_as_date(written.review_by) < today,
            gaps=tuple(self._gaps(written)),
        )

    def _gaps(self, written: Definition) -> list[str]:
        """Return the owners whom nobody can reach: they have left, and nobody stands in."""
        now, found = self._layer.clock(), []
        for role in OWNER_ROLES:
            named = getattr(written.owners, role)
            if named is None:
                continue
            key = self._people.roles.get(named, named)
            meant = None
            with suppress(UnknownPerson):
                meant = resolve(
                    role, people=self._people, owners=written.owners, assignee=None, at=now
                ).person
            if meant is None:
                found.append(f"{role} owner: {self._people.name(key)}, and nobody stands in")
            elif key not in self._people.people or self._people.has_left(key, now):
                found.append(f"{role} owner: {self._people.name(key)} has left")
        return found

    def _changes(self, account: Account, accounts: list[Account]) -> tuple[Change, ...]:
        """Return what a version does otherwise than the one before it."""
        number = account.version.number
        before = next((each for each in accounts if each.version.number == number - 1), None)
        if before is None:
            return ()
        return differences(pinned(before.version), pinned(account.version), self._people)

    def _month(self, name: str, now: datetime, *, sees_held_out: bool) -> dict[str, Any]:
        """Return what this month's runs said, and what became of its cases and messages."""
        since = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        ledger = self._layer.ledger
        latest = ledger.runs.latest(name, most=MOST_RUNS)
        lately = [each for each in latest if each.as_of >= since]
        runs = [each for each in lately if each.state != SHADOW]
        verdicts: Counter[str] = Counter()
        for run in runs:
            verdicts["evaluated"] += run.evaluated
            for verdict, count in run.counts.items():
                verdicts[verdict] += count if isinstance(count, int) else sum(count.values())
        if not sees_held_out:  # nor what is left when the others are taken away
            for hidden in ("held_out", "evaluated"):
                verdicts.pop(hidden, None)
        last = runs[0] if runs else None
        return {
            "since": since,
            "runs": runs,
            "is_cut": len(lately) == MOST_RUNS,
            "shadows": len(lately) - len(runs),
            "verdicts": verdicts,
            "cases": ledger.overview.states_since(name, since),
            "messages": ledger.overview.messages_since(name, since),
            "drifts": ledger.drifts.of_runs([last.id]).get(last.id, []) if last else [],
        }


def _as_date(day: object) -> date:
    return day if isinstance(day, date) else date.fromisoformat(str(day))
