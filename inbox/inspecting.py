"""What can be asked of the record: its entries, whether they hold, and why something happened."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from threading import Lock
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from decisions.errors import LifecycleError, NotUnderstood
from decisions.ledger.overview import Sought
from decisions.ledger.records import Arm, Case
from decisions.permission import Act
from flows.explaining import Explained, explain
from inbox.identity import Reader
from inbox.rendering import VIA, Renderer

PAGE_SIZE: Final = 100


class Asked(BaseModel):
    """Which entries a reader wants to see; empty does not narrow."""

    about: str = ""
    actor: str = ""
    act: str = ""
    before: int | None = None


class Question(BaseModel):
    """What a reader wants explained."""

    decision: str = ""
    subject: str = ""
    day: date | None = None


class Inspecting:
    """Shows the history and explains.

    Args:
        renderer: Fills in the templates.
    """

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._layer = renderer.layer
        self._verifying = Lock()

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        router.add_api_route("/ledger", self.ledger)
        router.add_api_route("/ledger/verify", self.verify, methods=["POST"])
        router.add_api_route("/ledger/export", self.export)
        router.add_api_route("/explain", self.explain)
        return router

    def ledger(self, request: Request, asked: Annotated[Asked, Query()]) -> Response:
        """Show entries, newest first; those about held-out cases to their owners alone."""
        me = self._admitted(request, Act.SEARCH)
        sought = Sought(
            about=asked.about.strip() or None,
            actor=asked.actor or None,
            act=asked.act.strip() or None,
            shown=self._shown(me),
            before=asked.before if asked.before and 0 < asked.before < 2**63 else None,
        )
        found = self._layer.ledger.overview.entries(sought, most=PAGE_SIZE + 1)
        return self._renderer.page(
            request,
            "ledger.html",
            entries=found[:PAGE_SIZE],
            following=found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None,
            asked=asked,
            people=sorted(self._layer.workspace.people.people, key=self._renderer.name),
            may_export=self._layer.admission.may(me.key, Act.EXPORT),
            verification=None,
        )

    def verify(self, request: Request) -> Response:
        """Recompute the whole chain, and say what was found; one at a time.

        Raises:
            LifecycleError: Somebody else has it recomputed just now.
        """
        me = self._admitted(request, Act.VERIFY)
        if not self._verifying.acquire(blocking=False):
            raise LifecycleError("the history is being verified already; ask again in a while")
        try:
            verification = self._layer.ledger.verified()
        finally:
            self._verifying.release()
        return self._renderer.page(
            request,
            "ledger.html",
            entries=[],
            following=None,
            asked=Asked(),
            people=sorted(self._layer.workspace.people.people, key=self._renderer.name),
            may_export=self._layer.admission.may(me.key, Act.EXPORT),
            verification=verification,
        )

    def export(self, request: Request) -> Response:
        """Send the whole history, a JSON document a line, and enter that it was taken away."""
        me = self._admitted(request, Act.EXPORT)
        until = self._layer.ledger.overview.begin_export(me.key, VIA)
        name = f"ledger-{self._layer.clock():%Y-%m-%d}.jsonl"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        }
        return StreamingResponse(
            self._lines(until), media_type="application/jsonl", headers=headers
        )

    def explain(self, request: Request, question: Annotated[Question, Query()]) -> Response:
        """Show why something happened to a subject, or did not."""
        me = self._renderer.admitted(request)
        found, problem = None, None
        if question.decision and question.subject.strip():
            try:
                found = self._explained(me, question)
            except NotUnderstood as error:
                problem = str(error)
        return self._renderer.page(
            request, "explain.html", question=question, found=found, problem=problem
        )

    def _explained(self, me: Reader, question: Question) -> Explained:
        at = self._layer.clock()
        if question.day is not None and 1970 <= question.day.year <= 2199:
            wall = datetime.combine(question.day, time.max, ZoneInfo(me.zone))
            at = min(at, wall.astimezone(UTC))
        subject = question.subject.strip()
        found = explain(self._layer, question.decision, subject, at=at)
        definition = self._layer.workspace.decisions.get(question.decision)
        written = [definition] if definition else []
        if found.verdict == "opened" or self._layer.admission.may(
            me.key, Act.SEE_HELD_OUT, *written
        ):
            return found
        if treated := self._treated(question.decision, subject, at):
            then = explain(self._layer, question.decision, subject, at=treated.opened_at)
            if then.verdict == "opened":
                return then
        # Alike for whatever is not open, so that nobody can tell who is left alone on purpose.
        because = (
            "no case was opened for it by then; why not is told to the owners of the decision, "
            "since it could say who is left alone on purpose"
        )
        return Explained(
            decision=found.decision, subject=subject, run=found.run, as_of=found.as_of,
            because=because,
        )  # fmt: skip

    def _treated(self, decision: str, subject: str, at: datetime) -> Case | None:
        """Return the latest case that was opened for somebody by then, not one held out."""
        cases = self._layer.ledger.cases.about(decision, subject)
        treated = (case for case in cases if case.arm == Arm.TREATMENT and case.opened_at <= at)
        return next(treated, None)

    def _admitted(self, request: Request, act: Act) -> Reader:
        decisions = self._layer.workspace.decisions.values()
        return self._renderer.admitted(request, act, *decisions, about="the ledger")

    def _shown(self, me: Reader) -> tuple[str, ...]:
        """Return the decisions whose held-out cases the reader may see."""
        admission, decisions = self._layer.admission, self._layer.workspace.decisions
        return tuple(
            name
            for name, each in decisions.items()
            if admission.may(me.key, Act.SEE_HELD_OUT, each)
        )

    def _lines(self, until: int) -> Iterator[str]:
        for row in self._layer.ledger.overview.exported(until):
            yield json.dumps(row, default=_plain, ensure_ascii=False) + "\n"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
